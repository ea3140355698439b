"""An analysis as one HTML page with all inside: the verdict, every number with its error, picture and conventions."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import linbyol
from linbyol import store
from linbyol.embeddings import picture
from linbyol.embeddings.analysis import Analysis, Record, titled
from linbyol.embeddings.measures import TITLES
from linbyol.embeddings.words import MEANING, compact, digits, grids, headline, odd_numbers, rows_in_words

STYLE = """
table { min-width: 0; width: auto; table-layout: auto; font-variant-numeric: tabular-nums; }
thead th { white-space: normal; vertical-align: bottom; min-width: 4.6rem; }
td.number { white-space: nowrap; text-align: right; } th.number { text-align: right; }
header .verdict { white-space: normal; } h1 { overflow-wrap: anywhere; }
td small { color: var(--soft); }
dl.conventions dt { font-weight: 600; margin-top: .6rem; } dl.conventions dd { margin: 0; max-width: 46rem; }
.note { margin: .3rem 0; max-width: 46rem; }
"""
LOOK = {"spread": "good", "dimensional collapse": "bad", "collapsed": "bad"}


def write(path: str | Path, found: Analysis, files: Sequence[str], environment: dict[str, Any]) -> None:
    """Write the page, whole or not at all. Nothing is fetched and nothing runs in it."""
    store.write_text(path, page(found, files, environment))


def page(found: Analysis, files: Sequence[str], environment: dict[str, Any]) -> str:
    """The page's text."""
    title = f"Embeddings: {', '.join(files[:3])}{' …' if files[3:] else ''}"
    tables = "\n".join(_table(grid.title, grid.head, grid.rows) for grid in grids(found))
    style = (Path(linbyol.__file__).parent / "report.css").read_text() + STYLE
    image = base64.b64encode(picture.rendered(found, ".png")).decode()
    width, height = (int.from_bytes(base64.b64decode(image[:64])[i : i + 4], "big") // 2 for i in (16, 20))
    kind = "put on the unit sphere" if found.normalised else "as given, neither centred nor normalised"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p><span class="verdict {LOOK[found.verdict]}">{escape(headline(found))}</span></p>
<p>{escape(MEANING[found.verdict])}</p>
<p>{escape(rows_in_words(found))}; features {kind}.</p>
<nav aria-label="Contents"><a href="#layers">Layers</a><a href="#measures">Measures</a><a href="#picture">Picture</a>
<a href="#conventions">Conventions</a><a href="#environment">Environment</a></nav>
{_notes(found)}
</header>
<main>
<section id="layers">
<h2>Layers</h2>
{_layers(found)}
</section>
<section id="measures">
<h2>Measures</h2>
{tables}
{_alike(found)}
</section>
<section id="picture">
<h2>Picture</h2>
<figure><img src="data:image/png;base64,{image}" width="{width}" height="{height}" alt="Measures along the layers">
<figcaption>Measures along the layers, bars one standard error.</figcaption></figure>
</section>
<section id="conventions">
<h2>Conventions</h2>
<p>Errors are standard errors over samples: binomial for accuracies, else of a jackknife over ten groups of rows where
the convention says no other. The best value stands beside each name.</p>
{_conventions(found)}
</section>
</main>
<footer id="environment">
<h2>Environment</h2>
{_environment(environment)}
</footer>
</body>
</html>
"""


def _notes(found: Analysis) -> str:
    return "\n".join(f'<p class="note">{escape(note)}</p>' for note in (*found.notes, *odd_numbers(found)))


def _layers(found: Analysis) -> str:
    names = ("layer", "d", "verdict", "RankMe", "standard deviation", "share of the mean")
    rows = "\n".join(
        f'<tr><th scope="row">{escape(titled(one.layer, one.epoch))}</th><td class="number">{one.width}</td>'
        f'<td><span class="verdict {LOOK[one.health.verdict]}">{one.health.verdict}</span></td>'
        + "".join(f'<td class="number">{compact(x)}</td>' for x in one.health[1:])
        + "</tr>"
        for one in found.verdicts
    )
    head = "".join(f'<th scope="col"{_right(i not in (0, 2))}>{name}</th>' for i, name in enumerate(names))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _right(number: bool) -> str:
    return ' class="number"' if number else ""


def _table(title: str, head: list[str], rows: list[tuple[str, list[Record | None]]]) -> str:
    names = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in head)
    lines = "\n".join(
        f'<tr><th scope="row">{escape(layer)}</th>{"".join(map(_cell, cells))}</tr>' for layer, cells in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(title)}</caption>\n'
        f'<thead><tr><th scope="col">layer</th>{names}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>'
    )


def _cell(record: Record | None) -> str:
    if record is None:
        return "<td></td>"
    number, spread = digits(record.value, record.error)
    error = f" <small>± {spread}</small>" if spread else ""
    hint = f' title="{escape(record.note or record.convention, quote=True)}"'
    return f'<td class="number"{hint}>{number}{error}</td>'


def _alike(found: Analysis) -> str:
    if (alike := found.alike) is None:
        return ""
    head = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in alike.names)
    lines = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f'<td class="number">{compact(round(x, 3))}</td>' for x in row)
        + "</tr>"
        for name, row in zip(alike.names, alike.values.tolist(), strict=True)
    )
    title = f"CKA between layers: linear, debiased, {alike.rows:,} rows of {alike.split}"
    return (
        f'<div class="scroll"><table><caption>{escape(title)}</caption>\n'
        f'<thead><tr><th scope="col"></th>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>'
    )


def _conventions(found: Analysis) -> str:
    """How each measure was taken; where layers differ in it, each way."""
    ways: dict[str, dict[str, None]] = {}
    for record in found.records:
        ways.setdefault(record.measure, {})[record.convention] = None
    entries = "\n".join(
        f"<dt>{escape(title)}{f' (best: {escape(best)})' if best else ''}</dt>"
        + "".join(f"<dd>{escape(how)}.</dd>" for how in list(ways[name])[:4])
        for name, (title, best) in TITLES.items()
        if name in ways
    )
    return f'<dl class="conventions">\n{entries}\n</dl>'


def _environment(environment: dict[str, Any]) -> str:
    entries = "\n".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(_told(value))}</dd>" for name, value in environment.items()
    )
    return f'<dl class="environment">\n{entries}\n</dl>'


def _told(value: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)
