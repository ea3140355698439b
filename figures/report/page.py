"""The report: claims with their verdicts, the equations as the code has them, and the figures, in one HTML file.

Nothing is fetched: styles, outlines of the equations, pictures and the script of the filter are all inside. Without
scripts, everything is there but the filter.
"""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import linbyol
from figures.report import equations, pictures, published, verdicts
from figures.report.verdicts import number
from linbyol import store
from linbyol.claims import Result

TITLE = "linbyol: the learning dynamics of BYOL-like self-supervised learning, checked"


def write_report(
    path: str | Path, results: Sequence[Result], environment: dict[str, Any], figures: str | Path | None = None
) -> Path:
    """Write one self-contained HTML file, whole or not at all, and give its path.

    results      claims with their verdicts, in the order to show
    environment  as `linbyol.claims.environment` gives it, shown at the end
    figures      folder with NAME.png of the figures to show; those that are missing are left out

    Raises `FileError` where a picture cannot be read or the report cannot be written.
    """
    sections = {
        "claims": verdicts.section(results),
        "errata": verdicts.errata(results),
        "published": published.section(results),
        "equations": equations.section(results),
        "figures": pictures.section(figures, {result.claim.id for result in results}),
    }
    contents = [name for name, section in sections.items() if section] + ["environment"]
    links = "\n".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in contents)
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title>
<style>
{(Path(linbyol.__file__).parent / "report.css").read_text()}</style>
</head>
<body>
<header>
<h1>{escape(TITLE)}</h1>
<p>What Tian, Chen &amp; Ganguli (2021, arXiv 2102.06810), Ben-Shaul et al. (2023) and their close followers claim,
statement by statement: proven for every dimension by algebra on the functions that run, met on random instances,
integrated, or laid over training on real images. A claim that is known to be false is expected to fail, and its
correction stands beside it.</p>
{_counts(results)}
<nav aria-label="Contents">{links}</nav>
</header>
<main>
{"".join(sections.values())}
</main>
<footer id="environment">
<h2>Environment</h2>
{_environment(environment)}
</footer>
<script>
{files(__package__).joinpath("filter.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""
    store.write_text(path, page)
    return Path(path)


def _counts(results: Sequence[Result]) -> str:
    """How many verdicts are as expected, against it, or none."""
    against = sum(result.contradicts for result in results)
    words = {
        "hold": sum(r.verdict.verdict == "holds" and not r.contradicts for r in results),
        "fail, as expected": sum(r.claim.expected == r.verdict.verdict == "fails" for r in results),
        "fail, settled": sum(r.claim.expected == "open" and r.verdict.verdict == "fails" for r in results),
        "undecided": sum(r.verdict.verdict == "undecided" for r in results),
        "not run": sum(r.verdict.verdict == "not run" for r in results),
    }
    items = "".join(f"<li><b>{count}</b>{word}</li>" for word, count in words.items())
    verb = "contradicts" if against == 1 else "contradict"
    return f'<ul class="counts"><li><b>{against}</b>{verb} what is expected</li>{items}</ul>'


def _environment(environment: dict[str, Any]) -> str:
    entries = "\n".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(number(value))}</dd>" for name, value in environment.items()
    )
    return f'<dl class="environment">\n{entries}\n</dl>'
