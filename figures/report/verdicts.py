"""The tables of the report: the claims with their verdicts, family by family, and what was found to be wrong."""

import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import figures
from figures.report.equations import anchored
from linbyol.claims import Result
from linbyol.origins import describe

COLUMNS = ("Claim", "Statement", "Source", "Kind", "Expected", "Verdict", "Numbers", "Seconds")
PAPERS = {  # by where a claim's check stands; what comes first decides
    "theory.paper": "Tian, Chen & Ganguli 2021",
    "theory.beyond": "beyond Tian et al.",
    "theory.followups": "follow-ups",
    "theory.newer": "newer theories",
    "theory.clustering": "Ben-Shaul et al. 2023",
    "experiments.studies.clustering": "Ben-Shaul et al. 2023",
    "experiments.studies": "networks",
}


def section(results: Sequence[Result]) -> str:
    """The section of claims: those against what is expected first."""
    against = [result for result in results if result.contradicts]
    tables = [_table("Verdicts that contradict what is expected", against, anchor=False)] if against else []
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(_family(result), []).append(result)
    tables += [_table(family, members) for family, members in families.items()]
    return f'<section id="claims">\n<h2>Claims</h2>\n{_controls(results)}\n' + "\n".join(tables) + "\n</section>"


def errata(results: Sequence[Result]) -> str:
    """The statements in print that fail, as expected, each with its counterexample's numbers and its correction."""
    known = {result.claim.id for result in results}
    wrong = [r for r in results if r.claim.expected == "fails" and r.verdict.verdict == "fails"]
    if not wrong:
        return ""
    entries = "\n".join(
        f'<dt><a href="#{escape(r.claim.id)}">{escape(r.claim.id)}</a> {escape(r.claim.title)} '
        f"<small>{escape(r.claim.source)}</small></dt><dd>{escape(r.claim.statement)}{_note(r)}"
        f'<span class="counterexample">{_numbers(r)}</span>{_correction(r.claim.id, known)}</dd>'
        for r in wrong
    )
    return (
        '<section id="errata">\n<h2>Errata</h2>\n<p>Statements in print that do not hold, with the numbers that refute '
        f"them.</p>\n<dl class='errata'>\n{entries}\n</dl>\n</section>"
    )


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


def _controls(results: Sequence[Result]) -> str:
    """A search and three choices; shown by the script that makes them work."""
    choices = {
        "paper": dict.fromkeys(map(_paper, results)),
        "status": dict.fromkeys(["against what is expected", *(result.verdict.verdict for result in results)]),
        "kind": dict.fromkeys(result.claim.kind for result in results),
    }
    selects = "".join(
        f'<label>{name} <select data-filter="{name}"><option value="">all</option>'
        + "".join(f"<option>{escape(value)}</option>" for value in values)
        + "</select></label>"
        for name, values in choices.items()
    )
    return (
        '<form class="controls" role="search" aria-label="Claims" hidden><label>search '
        f'<input type="search" placeholder="words, an id, a function"></label>{selects}'
        '<output aria-live="polite"></output></form>'
    )


def _paper(result: Result) -> str:
    module = getattr(result.claim.check, "__module__", "") + "."
    return next((paper for place, paper in PAPERS.items() if module.startswith(f"{place}.")), "your own")


def _family(result: Result) -> str:
    """What the file that checks a claim says it is about: the first line of its docstring."""
    module = sys.modules.get(getattr(result.claim.check, "__module__", ""))
    text = (getattr(module, "__doc__", None) or result.claim.source).strip()
    return text.splitlines()[0].rstrip(".")


def _table(caption: str, results: Iterable[Result], anchor: bool = True) -> str:
    rows = "\n".join(_row(result, anchor) for result in results)
    head = "".join(f'<th scope="col" class="{name.lower()}">{name}</th>' for name in COLUMNS)
    return (
        f'<div class="scroll"><table class="claims">\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(result: Result, anchor: bool) -> str:
    claim, verdict = result.claim, result.verdict
    id = escape(claim.id, quote=True)
    status = verdict.verdict + ("|against what is expected" if result.contradicts else "")
    about = f'data-paper="{escape(_paper(result), quote=True)}" data-status="{status}" data-kind="{claim.kind}"'
    return (
        f'<tr{f" id={chr(34)}{id}{chr(34)}" if anchor else ""} {about}><th scope="row"><a href="#{id}">{id}</a></th>'
        f'<td class="statement"><strong>{escape(claim.title)}.</strong> {escape(claim.statement)}{_note(result)}'
        f'{_origin(result)}</td><td class="source">{escape(claim.source)}</td><td class="kind">{claim.kind}</td>'
        f'<td class="expected">{claim.expected}</td><td class="outcome">{_verdict(result)}</td>'
        f'<td class="numbers">{_numbers(result)}</td><td class="seconds">{verdict.seconds:.2f}</td></tr>'
    )


def _note(result: Result) -> str:
    return f'<span class="note">{escape(result.verdict.note)}</span>' if result.verdict.note else ""


def _numbers(result: Result) -> str:
    return ", ".join(f"{escape(name)} <b>{escape(number(value))}</b>" for name, value in result.verdict.numbers.items())


def _correction(id: str, known: set[str]) -> str:
    """The claim that stands in a wrong one's place, if there is one: B42c for B42."""
    return f'<a href="#{id}c">corrected as {id}c</a>' if f"{id}c" in known else ""


def _origin(result: Result) -> str:
    """Where the claim stands: its check, what decides, the equations, the figures, and the command that runs it."""
    row = describe(result.claim)
    shown = [f'<a href="#{name}">{name}</a>' for name in figures.of_claim(result.claim.id)]
    entries = {
        "checked by": f"<code>{escape(row['check'])}</code>",
        "holds if": f"<code>{escape(row['condition'])}</code>" if row["condition"] else "",
        "about": ", ".join(anchored(name) for name in row["equations"]),
        "figures": ", ".join(shown),
        "run by": f"<code>{escape(row['command'])}</code>",
    }
    lines = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries.items() if text)
    return f"<details><summary>how it is checked</summary><dl>{lines}</dl></details>"


def _verdict(result: Result) -> str:
    """Colour and words: the verdict, and how it stands to what is expected."""
    outcome, expected = result.verdict.verdict, result.claim.expected
    if result.contradicts:
        return f'<span class="verdict bad">✗ {outcome}</span><small>contradicts: {expected} expected</small>'
    if outcome not in ("holds", "fails"):
        return f'<span class="verdict open">– {outcome}</span>'
    settled = "settled" if expected == "open" else "as expected"
    return f'<span class="verdict good">✓ {outcome}</span><small>{settled}</small>'
