"""The report: claims with their verdicts, the equations as the code has them, and the figures, in one HTML file.

Nothing is fetched and nothing runs in it: styles, outlines of the equations and pictures are all inside.
"""

import base64
import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import figures
import linbyol
import theory
from figures import mathematics
from linbyol import equations, store
from linbyol.claims import Result, modules
from linbyol.origins import describe
from theory.proving.latex import definition, equation, law

TITLE = "linbyol: the learning dynamics of BYOL-like self-supervised learning, checked"
FLOWS: tuple[tuple[str, Any, type | None], ...] = (
    ("Lemma 1, Eqs. 2–4: BYOL with a moving target", equations.weights_flow, None),
    ("Eqs. 62–63: isotropic data, any predictor", equations.unsymmetrised_flow, None),
    ("Eq. 7: isotropic data, symmetrised predictor", equations.symmetric_flow, None),
    ("Eqs. 11–13: one eigenmode", equations.modes_flow, None),
    ("Eqs. 104–106 with decay: one mode of commuting data", equations.amplitudes_flow, equations.Commuting),
    ("Eq. 16: a mode on the invariant parabola", equations.parabola_flow, None),
)
DEFINITIONS = (
    ("Theorem 1: the imbalance of encoder and predictor", r"C e^{-2 \eta t}", equations.balance),
    ("Eq. 14: the imbalance of a mode", r"c_j e^{-2 \eta t}", equations.mode_balance),
    ("Theorem 3: the commutator", "L", equations.commutator),
    ("Theorem 3: the rate of alignment", "K", equations.alignment_rate),
    ("Eq. 17: the rate of alignment of a mode", "K_j", equations.mode_alignment_rate),
    ("Eq. 17: the growth of a mode", r"\Delta_j", equations.effective_growth),
)
COLUMNS = ("Claim", "Statement", "Source", "Kind", "Expected", "Verdict", "Numbers", "Seconds")
LAWS = ("B5", "B8", "B21", "B28")  # claims whose statement is shown as the proof has it


def write_report(
    path: str | Path, results: Sequence[Result], environment: dict[str, Any], figures: str | Path | None = None
) -> Path:
    """Write one self-contained HTML file, whole or not at all, and give its path.

    results      claims with their verdicts, in the order to show
    environment  as `linbyol.claims.environment` gives it, shown at the end
    figures      folder with NAME.png of the figures to show; those that are missing are left out

    Raises `FileError` where a picture cannot be read or the report cannot be written.
    """
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
<p>What Tian, Chen &amp; Ganguli (2021, arXiv 2102.06810) and their close followers claim, statement by statement:
proven for every dimension by algebra on the functions that run, met on random instances, integrated, or laid over
training on real images. A claim that is known to be false is expected to fail, and its correction stands beside
it.</p>
{_counts(results)}
<nav aria-label="Contents"><a href="#claims">Claims</a><a href="#equations">Equations</a>
<a href="#figures">Figures</a><a href="#environment">Environment</a></nav>
</header>
<main>
{_claims(results)}
{_equations(results)}
{_figures(figures)}
</main>
<footer id="environment">
<h2>Environment</h2>
{_environment(environment)}
</footer>
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
        "fail, as expected": sum(r.verdict.verdict == "fails" and not r.contradicts for r in results),
        "undecided": sum(r.verdict.verdict == "undecided" for r in results),
        "not run": sum(r.verdict.verdict == "not run" for r in results),
    }
    items = "".join(f"<li><b>{count}</b>{word}</li>" for word, count in words.items())
    verb = "contradicts" if against == 1 else "contradict"
    return f'<ul class="counts"><li><b>{against}</b>{verb} what is expected</li>{items}</ul>'


def _claims(results: Sequence[Result]) -> str:
    against = [result for result in results if result.contradicts]
    tables = [_table("Verdicts that contradict what is expected", against, anchor=False)] if against else []
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(_family(result), []).append(result)
    tables += [_table(family, members) for family, members in families.items()]
    return '<section id="claims">\n<h2>Claims</h2>\n' + "\n".join(tables) + "\n</section>"


def _family(result: Result) -> str:
    """What the file that checks a claim says it is about: the first line of its docstring."""
    module = sys.modules.get(getattr(result.claim.check, "__module__", ""))
    text = (getattr(module, "__doc__", None) or result.claim.source).strip()
    return text.splitlines()[0].rstrip(".")


def _table(caption: str, results: Iterable[Result], anchor: bool = True) -> str:
    rows = "\n".join(_row(result, anchor) for result in results)
    head = "".join(f'<th scope="col" class="{name.lower()}">{name}</th>' for name in COLUMNS)
    return (
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(result: Result, anchor: bool) -> str:
    claim, verdict = result.claim, result.verdict
    note = f'<span class="note">{escape(verdict.note)}</span>' if verdict.note else ""
    note += _origin(result)
    numbers = ", ".join(f"{escape(name)} <b>{escape(number(value))}</b>" for name, value in verdict.numbers.items())
    id = escape(claim.id, quote=True)
    begin = (
        f'<tr id="{id}"><th scope="row">{id}</th>' if anchor else f'<tr><th scope="row"><a href="#{id}">{id}</a></th>'
    )
    return (
        f"{begin}"
        f'<td class="statement"><strong>{escape(claim.title)}.</strong> {escape(claim.statement)}{note}</td>'
        f'<td class="source">{escape(claim.source)}</td><td class="kind">{claim.kind}</td><td>{claim.expected}</td>'
        f'<td>{_verdict(result)}</td><td class="numbers">{numbers}</td>'
        f'<td class="seconds">{verdict.seconds:.2f}</td></tr>'
    )


def _origin(result: Result) -> str:
    """Where the claim stands: its check, what decides, the equations, the figures, and the command that runs it."""
    row = describe(result.claim)
    shown = [f'<a href="#{name}">{name}</a>' for name in figures.of_claim(result.claim.id)]
    entries = {
        "checked by": f"<code>{escape(row['check'])}</code>",
        "holds if": f"<code>{escape(row['condition'])}</code>" if row["condition"] else "",
        "about": ", ".join(_anchored(name) for name in row["equations"]),
        "figures": ", ".join(shown),
        "run by": f"<code>{escape(row['command'])}</code>",
    }
    lines = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries.items() if text)
    return f"<details><summary>how it is checked</summary><dl>{lines}</dl></details>"


def _anchored(name: str) -> str:
    """A function's name, leading to its equation where the report prints it."""
    printed = {flow.__name__ for _, flow, _ in FLOWS} | {quantity.__name__ for _, _, quantity in DEFINITIONS}
    word, short = f"<code>{escape(name)}</code>", name.rpartition(".")[2]
    return f'<a href="#{short}">{word}</a>' if short in printed else word


def _verdict(result: Result) -> str:
    """Colour and words: the verdict, and how it stands to what is expected."""
    outcome, expected = result.verdict.verdict, result.claim.expected
    if result.contradicts:
        return f'<span class="verdict bad">✗ {outcome}</span><small>contradicts: {expected} expected</small>'
    if outcome not in ("holds", "fails"):
        return f'<span class="verdict open">– {outcome}</span>'
    settled = "settled" if expected == "open" else "as expected"
    return f'<span class="verdict good">✓ {outcome}</span><small>{settled}</small>'


def number(value: Any) -> str:
    """A number of a verdict in few digits; lists and records entry by entry."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not finite"}[value]
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−")  # a true minus, which no line breaks at
    if isinstance(value, list | tuple):
        return ", ".join(map(number, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {number(item)}" for name, item in value.items())
    return str(value)


def _equations(results: Sequence[Result]) -> str:
    titles = {result.claim.id: result.claim.title for result in results}
    blocks = [(flow.__name__, text, equation(flow, constants)) for text, flow, constants in FLOWS]
    blocks += [(quantity.__name__, text, [definition(name, quantity)]) for text, name, quantity in DEFINITIONS]
    laws = _laws().items()
    blocks += [(f"law-{id}", f"{id}, as proven: {titles.get(id, '')}".rstrip(": "), lines) for id, lines in laws]
    entries = "\n".join(
        f'<dt id="{anchor}">{escape(text)}</dt>' + "".join(f"<dd>{mathematics.svg(line)}</dd>" for line in lines)
        for anchor, text, lines in blocks
    )
    return (
        '<section id="equations">\n<h2>Equations</h2>\n<p>Printed from the functions that are integrated and proven. '
        "κ = 1 + σ², [A, B] = A B − B A, {A, B} = A B + B A; X and X′ are the second moments of the mean "
        f"of a sample's views, and of the views around it.</p>\n<dl class='equations'>\n{entries}\n</dl>\n</section>"
    )


def _laws() -> dict[str, list[str]]:
    """The laws behind some claims, each line once, as the theory's proofs have them."""
    found: dict[str, list[str]] = {}
    for module in modules(theory, lambda sentence: None):  # the run that checks the claims has told of it
        for id, statements in getattr(module, "PROOFS", {}).items():
            if id in LAWS:
                laws = [law(statement) for statement in statements if hasattr(statement, "quantity")]
                found[id] = list(dict.fromkeys(laws))
    return {id: found[id] for id in LAWS if found.get(id)}


def _figures(folder: str | Path | None) -> str:
    if folder is None:
        return ""
    shown = [(name, Path(folder) / f"{name}.png") for name in figures.names()]
    pictures = "\n".join(_picture(name, path) for name, path in shown if path.exists())
    return f'<section id="figures">\n<h2>Figures</h2>\n{pictures}\n</section>'


def _picture(name: str, path: Path) -> str:
    content = store.read_bytes(path)
    width, height = (int.from_bytes(content[i : i + 4], "big") // 2 for i in (16, 20))  # of a PNG, at 150 dots an inch
    caption = escape(figures.module(name).CAPTION, quote=True)
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return (
        f'<figure id="{name}"><img src="{source}" width="{width}" height="{height}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _environment(environment: dict[str, Any]) -> str:
    entries = "\n".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(number(value))}</dd>" for name, value in environment.items()
    )
    return f'<dl class="environment">\n{entries}\n</dl>'
