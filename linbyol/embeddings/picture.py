"""An analysis as one picture: a panel a measure, along the layers, a shade an epoch; and CKA as a table of colours."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from linbyol import store
from linbyol.embeddings.analysis import Alike, Analysis, Record
from linbyol.embeddings.measures import TITLES
from linbyol.plot import METADATA, SHEET

WIDE = 6.75  # inches
COLOURS = {"rankme": "#CC79A7", "two_nn": "#332288", "ncc": "#0072B2", "ridge": "#56B4E9", "cdnv": "#D55E00"}
COLLAPSED = "#A3120A"


def save(found: Analysis, path: str | Path) -> None:
    """Write the picture as .pdf, .png or .svg; the same analysis gives the same bytes."""
    store.write_bytes(path, rendered(found, Path(path).suffix))


def rendered(found: Analysis, suffix: str) -> bytes:
    """The picture's bytes."""
    import matplotlib.style

    with matplotlib.style.context(SHEET, after_reset=True):
        content = io.BytesIO()
        draw(found).savefig(content, format=suffix[1:], dpi=200, metadata=METADATA[suffix])
    return content.getvalue()


def draw(found: Analysis) -> Any:
    """The figure, three panels a row."""
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = _panels(found)
    rows = -(-(len(panels) + (found.alike is not None)) // 3)
    names = max((len(one.layer) for one in found.verdicts), default=0)
    with matplotlib.style.context(SHEET, after_reset=True):
        figure = Figure(figsize=(WIDE, (1.7 + 0.05 * names) * rows + 0.3), layout="constrained")
        FigureCanvasAgg(figure)
        places = figure.subplots(rows, 3, squeeze=False).ravel()
        for axes, (title, name, records) in zip(places, panels, strict=False):
            _profile(axes, name, records, found)
            axes.set_title(title)
        rest = places[len(panels) :]
        if found.alike is not None:
            _table(figure, rest[0], found.alike)
            rest = rest[1:]
        for axes in rest:
            axes.set_axis_off()
        _explain_epochs(figure, found)
    return figure


def _panels(found: Analysis) -> list[tuple[str, str, list[Record]]]:
    """(title, measure, records): two without labels; of each label set NCC, linear accuracy and CDNV."""
    ncc = "ncc" if any(record.measure == "ncc" for record in found.records) else "ncc_train"
    wanted: list[tuple[str | None, str]] = [(None, "rankme"), (None, "two_nn")]
    for name in found.classes:
        wanted += [(name, ncc), (name, "ridge"), (name, "cdnv")]
    panels = []
    for labels, name in wanted:
        records = [r for r in found.records if (r.labels, r.measure) == (labels, name)]
        if records:
            panels.append((TITLES[name][0] + ("" if labels is None else f", {labels}"), name, records))
    return panels


def epochs(found: Analysis) -> list[float | None]:
    """In their order."""
    return list(dict.fromkeys(one.epoch for one in found.verdicts))


def _profile(axes: Any, name: str, records: list[Record], found: Analysis) -> None:
    """One measure along the layers, or along the epochs where there is one layer."""
    from linbyol.runs.panels import shades

    layers = list(dict.fromkeys(one.layer for one in found.verdicts))
    colour = COLOURS.get(name, COLOURS["ncc"])
    if len(layers) == 1 and len(epochs(found)) > 1:
        x = [r.epoch for r in records]
        _line(axes, x, records, colour)
        axes.set_xlabel("epoch")
    else:
        for epoch, shade in zip(epochs(found), shades(colour, len(epochs(found))), strict=True):
            some = [r for r in records if r.epoch == epoch]
            _line(axes, [layers.index(r.layer) for r in some], some, shade)
        axes.set_xticks(range(len(layers)), layers, rotation=90 if len(layers) > 2 else 0)
        axes.set_xlim(-0.5, len(layers) - 0.5)
    values = np.array([r.value for r in records])
    positive = values[np.isfinite(values) & (values > 0)]
    if name == "cdnv" and len(positive) and positive.max() > 30 * positive.min():
        axes.set_yscale("log")
    elif not np.isfinite(values).any():
        axes.text(0.5, 0.5, "not finite", transform=axes.transAxes, ha="center", va="center", color="0.4")
        axes.set_yticks([])


def _line(axes: Any, x: list[Any], records: list[Record], colour: Any) -> None:
    y, error = np.array([r.value for r in records]), np.array([r.error for r in records])
    y = np.where(np.isfinite(y), y, np.nan)
    axes.errorbar(x, y, np.nan_to_num(error), color=colour, marker="o", markersize=3, capsize=2, elinewidth=0.8)
    bad = [i for i, r in enumerate(records) if r.verdict == "collapsed"]
    axes.plot([x[i] for i in bad], y[bad], linestyle="none", color=COLLAPSED, marker="X", markersize=7)


def _table(figure: Any, axes: Any, alike: Alike) -> None:
    image = axes.imshow(alike.values, vmin=0, vmax=1, cmap="viridis")
    every = range(len(alike.names))
    axes.set_xticks(every, alike.names, rotation=90, fontsize=5.5)
    axes.set_yticks(every, alike.names, fontsize=5.5)
    axes.set_title("CKA, debiased")
    for i in every if len(alike.names) <= 6 else ():
        for j in every:
            dark = alike.values[i, j] < 0.6
            text = f"{alike.values[i, j]:.2f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=5.5, color="white" if dark else "black")
    figure.colorbar(image, ax=axes, shrink=0.8)


def _explain_epochs(figure: Any, found: Analysis) -> None:
    """The shade of each epoch, where the panels go along the layers, and the mark of collapse."""
    from matplotlib.lines import Line2D

    from linbyol.runs.panels import shades

    known = epochs(found)
    key = []
    if len(known) > 1 and len({one.layer for one in found.verdicts}) > 1:
        some = set(np.linspace(0, len(known) - 1, min(len(known), 6)).round().astype(int).tolist())
        for i, (epoch, shade) in enumerate(zip(known, shades("#666666", len(known)), strict=True)):
            label = f"epoch {epoch:g}" if epoch is not None else "no epoch"
            key += [Line2D([], [], color=shade, marker="o", markersize=3, label=label)] if i in some else []
    if any(one.health.verdict == "collapsed" for one in found.verdicts):
        key.append(Line2D([], [], color=COLLAPSED, marker="X", linestyle="none", label="collapsed"))
    if key:
        figure.legend(handles=key, loc="outside lower center", ncols=len(key))
