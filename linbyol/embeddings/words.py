"""An analysis in words and tables, for a terminal and for a page."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from linbyol.embeddings.analysis import Analysis, Record, titled
from linbyol.embeddings.measures import TITLES

MEANING = {
    "spread": "Features that use many directions and lie apart.",
    "dimensional collapse": "Features that use few directions: RankMe is below a quarter of min(N, d).",
    "collapsed": (
        "Features that point one way: less than 1 % of their norm is spread around their mean. What is measured of "
        "them says little, however good it looks; such rows are marked ✗."
    ),
}


class Grid(NamedTuple):
    """A table: names of the columns, and rows of a layer × epoch and its values."""

    title: str
    head: list[str]
    rows: list[tuple[str, list[Record | None]]]


def digits(value: float, error: float = math.nan) -> tuple[str, str]:
    """A number and its standard error, to two digits of the latter: ("0.912", "0.012"); to four where it has none."""
    if math.isnan(value):
        return "–", ""
    if math.isinf(value):
        return ("∞" if value > 0 else "−∞"), ""
    if not (error > 0 and math.isfinite(error)):
        return f"{value:.4g}".replace("-", "−"), ""
    decimals = max(0, 1 - math.floor(math.log10(error)))
    if decimals <= 6:
        return f"{value:.{decimals}f}".replace("-", "−"), f"{error:.{decimals}f}"
    return f"{value:.3g}".replace("-", "−"), f"{error:.1g}".replace("-", "−")


def compact(value: float, error: float = math.nan) -> str:
    """The two as one word: 0.912(12)."""
    number, spread = digits(value, error)
    if not spread:
        return number
    if "e" in spread:
        return f"{number}±{spread}"
    return f"{number}({spread.replace('.', '').lstrip('0')})"


def grids(found: Analysis) -> Iterator[Grid]:
    """A table of what needs no labels, and one for each label set."""
    for labels in (None, *found.classes):
        records = [record for record in found.records if record.labels == labels]
        columns = [name for name in TITLES if any(record.measure == name for record in records)]
        if not records:
            continue
        rows: dict[str, dict[str, Record]] = {}
        for record in records:
            mark = " ✗" if record.verdict == "collapsed" else ""
            rows.setdefault(titled(record.layer, record.epoch) + mark, {})[record.measure] = record
        title = "without labels" if labels is None else f"labels: {labels}, {_counted(found, labels)}"
        yield Grid(
            title,
            [TITLES[name][0] for name in columns],
            [(layer, [cells.get(name) for name in columns]) for layer, cells in rows.items()],
        )


def headline(found: Analysis) -> str:
    """The worst verdict, and which layers have it where others have another."""
    bad = [titled(one.layer, one.epoch) for one in found.verdicts if one.health.verdict == found.verdict]
    if len(bad) == len(found.verdicts):
        return found.verdict + (f", all {len(bad)} layers" if len(bad) > 1 else "")
    return f"{found.verdict}: {'; '.join(bad[:3])}{'; …' if bad[3:] else ''} ({len(bad)} of {len(found.verdicts)})"


def rows_in_words(found: Analysis) -> str:
    """How many rows are measured, and how many held out."""
    base, held = found.splits
    words = f"{found.rows[base]:,} rows" + ("" if base == "all" else f" of {base}")
    return words + (f", {found.rows[held]:,} of {held} held out" if held else ", none held out")


def odd_numbers(found: Analysis) -> list[str]:
    """A sentence for each reason why numbers are not finite."""
    why: dict[str, list[str]] = {}
    for record in found.records:
        if record.note:
            where = titled(record.layer, record.epoch) + ("" if record.labels is None else f" ({record.labels})")
            why.setdefault(record.note, []).append(f"{record.measure} of {where}")
    return [f"{note.rstrip('.')}: {'; '.join(some[:4])}{'; …' if some[4:] else ''}." for note, some in why.items()]


def _counted(found: Analysis, name: str) -> str:
    counts = found.classes[name]
    if len(set(counts.values())) == 1:
        return f"{next(iter(counts.values()))} classes"
    return ", ".join(f"{count} classes in {place}" for place, count in counts.items())
