"""A run of the trainer on one page: loss, accuracy, spectra, and how far the network is from the theory's assumptions.

A pure function of the run's files. Several seeds are thin lines with their mean; a sweep is a shade for each value.
"""

import io
import itertools
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from linbyol import store
from linbyol.plot import LETTERS, METADATA, SHEET, check_suffix
from linbyol.runs.files import RunFiles
from linbyol.runs.panels import PANELS, Curve, groups_of, shades

PAGE = 6.75  # inches
DEPTH = 1e-6  # of a logarithmic axis, below its largest value


def save(run: RunFiles, path: str | Path) -> list[Path]:
    """Draw the run to a picture (.pdf, .png, .svg) or, without a suffix, to PDF and PNG; the paths written.

    The same run gives the same bytes. Raises `InputError` for another suffix, or where it cannot be written.
    """
    import matplotlib.style

    path = Path(path)
    if path.suffix:
        check_suffix(path)
    figure, written = draw(run), []
    for suffix in [path.suffix] if path.suffix else [".pdf", ".png"]:
        content = io.BytesIO()
        with matplotlib.style.context(SHEET, after_reset=True):
            figure.savefig(content, format=suffix[1:], metadata=METADATA[suffix])
        written.append(path.with_suffix(suffix))
        store.write_bytes(written[-1], content.getvalue())
    return written


def draw(run: RunFiles) -> Any:
    """The figure: three panels a row, those that the run has something for."""
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    found = [(panel, panel.curves(run)) for panel in PANELS]
    found = [(panel, curves) for panel, curves in found if curves]
    rows = max(1, -(-len(found) // 3))
    with matplotlib.style.context(SHEET, after_reset=True):
        layout = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04, wspace=0.03, hspace=0.04)
        figure = Figure(figsize=(PAGE, 1.6 * rows + 0.4), layout=layout)
        places = figure.subplots(rows, 3, squeeze=False).ravel()
        for place, (axes, (panel, curves)) in enumerate(zip(places, found, strict=False)):
            title = panel.title if isinstance(panel.title, str) else panel.title(run)
            axes.set(title=title, xlim=_range(run.columns["step"]))
            _fill(axes, curves, panel.log, groups_of(run.lanes))
            axes.set_ylim(bottom=panel.floor)
            if place + 3 >= len(found):
                axes.set_xlabel("step")
        for axes in places[len(found) :]:
            axes.set_axis_off()
        figure.suptitle(headline(run))
        _explain_groups(figure, run)
    return figure


def headline(run: RunFiles) -> str:
    """The run's name, and what its lines are."""
    seeds, groups = len({lane.seed for lane in run.lanes}), len(groups_of(run.lanes))
    what = [f"{seeds} seeds (thin) and their mean"] if seeds > 1 else []
    what += [f"{groups} settings"] if groups > 1 else []
    return ": ".join([run.name, *([", ".join(what)] if what else [])])


def mean(lanes: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """The mean of several lines at the steps that all of them have."""
    lanes = list(lanes)
    steps = reduce(np.intersect1d, [x for x, _ in lanes])
    return steps, np.mean([y[np.searchsorted(x, steps)] for x, y in lanes], axis=0)


def _fill(axes: Any, curves: list[Curve], log: bool, settings: list[Any]) -> None:
    """Thin lines for the seeds where there are several, and their mean; a shade for each setting of the run."""
    for curve in curves:
        groups = groups_of(curve.lanes)  # those that have values
        colours = shades(curve.colour, len(settings)) if len(settings) > 1 else [curve.colour]
        for group in groups:
            colour = colours[settings.index(group)]
            lanes = [line for lane, line in curve.lanes.items() if lane.group == group]
            if len(lanes) > 1:
                for x, y in lanes:
                    axes.plot(x, y, color=colour, linewidth=0.4, alpha=0.5)
            x, y = mean(lanes)
            axes.plot(
                x, y, color=colour, label=curve.label if curve.label and group == groups[-1] else None, **curve.look
            )
    values = np.concatenate([y for curve in curves for _, y in curve.lanes.values()])
    positive = values[values > 0]
    if log and len(positive) and positive.max() > 30 * positive.min():
        axes.set(yscale="log", ylim=(max(positive.min() / 1.5, DEPTH * positive.max()), 2 * positive.max()))
    if (names := sum(bool(curve.label) for curve in curves)) > 1:
        _legend(axes, names)


def _legend(axes: Any, names: int) -> None:
    """A legend where no line passes, or below all lines."""
    wide, high = 0.55, 0.05 + 0.105 * names  # of the axes, about
    ends = axes.transScale.transform([(1, y) for y in axes.get_ylim()])[:, 1]
    to_axes, grid = axes.transScale + axes.transLimits, np.linspace(0, 1, 101)
    heights = np.full((len(axes.lines), len(grid)), np.nan)
    for row, line in zip(heights, axes.lines, strict=True):
        u, v = to_axes.transform(np.column_stack([line.get_xdata(), line.get_ydata()])).T
        row[:] = np.interp(grid, u, v, left=np.nan, right=np.nan)
        row[np.searchsorted(grid, u).clip(0, 100)] = v  # a single point too
    sides = {"right": grid > 1 - wide, "left": grid < wide}
    bands = {"upper": (1 - high, 1), "center": (0.5 - high / 2, 0.5 + high / 2), "lower": (0, high)}
    for side, band in itertools.product(sides, bands):
        low, top = bands[band]
        if not ((heights > low) & (heights < top))[:, sides[side]].any():
            axes.legend(loc=f"{band} {side}")
            return
    ends[0] -= (ends[1] - ends[0]) * high / (1 - high)
    axes.set_ylim(axes.transScale.inverted().transform([(1, y) for y in ends])[:, 1])
    axes.legend(loc="lower right")


def _explain_groups(figure: Any, run: RunFiles) -> None:
    """A sweep's values with the shade of each."""
    from matplotlib.lines import Line2D

    groups = groups_of(run.lanes)
    if len(groups) < 2:
        return
    words = [", ".join(f"{_letter(name)} = {value:g}" for name, value in group) for group in groups]
    handles = [Line2D([], [], color=shade) for shade in shades("#666666", len(groups))]
    figure.legend(handles, words, loc="outside lower center", ncols=min(len(groups), 5))


def _letter(name: str) -> str:
    name = name.removeprefix("sweep_")  # before a name that is a column's too
    return LETTERS.get(name, name)


def _range(steps: np.ndarray) -> tuple[float, float]:
    first, last = float(steps.min()), float(steps.max())
    return (first, last) if last > first else (first - 0.5, last + 0.5)
