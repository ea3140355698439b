"""The section of published tables: every number in print beside ours, where networks of ours were trained for it."""

from collections.abc import Sequence
from html import escape

import numpy as np

from figures import published_tables
from linbyol.claims import Result
from linbyol.published import PUBLISHED

NOTE = (
    "Published: ResNet-18 on STL-10 and CIFAR-10 or ResNet-50 on ImageNet, a linear probe in percent. Ours: an "
    "MLP on the digits, ridge probe, mean and standard deviation over seeds. Networks and images differ: compare the "
    "order, not the numbers. What the order of ours decides is the claim's verdict."
)


def section(results: Sequence[Result]) -> str:
    """A table with a row for each published number of the claims that are there; nothing where none is."""
    there = {result.claim.id: result for result in results}
    if not (shown := [id for id in PUBLISHED if id in there]):
        return ""
    ours = _ours()
    bodies = "\n".join(_body(there[id], ours) for id in shown)
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Setting", "Published", "Ours"))
    return (
        f'<section id="published">\n<h2>Published and ours</h2>\n<p>{escape(NOTE)}</p>\n'
        f'<table class="published">\n<thead><tr>{head}</tr></thead>\n{bodies}\n</table>\n</section>'
    )


def _body(result: Result, ours: dict[tuple[str, str], np.ndarray]) -> str:
    id, title = escape(result.claim.id), escape(result.claim.title)
    head = f'<a href="#{id}">{id}</a> {title}: {escape(result.verdict.verdict)}'
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_value(*value)}</td><td>{_mean(ours.get((id, name)))}</td></tr>\n'
        for name, value in PUBLISHED[result.claim.id].items()
    )
    return f'<tbody>\n<tr><th colspan="3" scope="rowgroup">{head}</th></tr>\n{rows}</tbody>'


def _value(mean: float, spread: float | None) -> str:
    return f"{mean:.2f}" if spread is None else f"{mean:.2f} ± {spread:.2f}"


def _mean(seeds: np.ndarray | None) -> str:
    if seeds is None:
        return "—"
    return f"{_value(float(seeds.mean()), float(seeds.std(ddof=1)))} ({len(seeds)} seeds)"


def _ours() -> dict[tuple[str, str], np.ndarray]:
    """Accuracies of our seeds, in percent, by claim and name of the published row."""
    found = published_tables.data()
    return {
        theirs: values
        for panel, rows in published_tables.ROWS.items()
        for (_, theirs, _), values in zip(rows, found[panel]["ours"], strict=True)
        if theirs is not None
    }
