"""How every figure looks: widths, one colour a symbol, shades for a sweep, and files that are whole and repeatable."""

import functools
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from linbyol import store
from linbyol.plot import METADATA, SHEET

WIDTHS = {"column": 3.25, "text": 5.5, "page": 6.75}  # inches: ICML column, NeurIPS text, ICML page

# Okabe and Ito's colours without their green, and two of Tol's: red never stands against green. A mode has the colour
# of its matrix: p and Wp, s and W, tau and Wa.
COLOURS = {
    "p": "#0072B2", "Wp": "#0072B2", "s": "#D55E00", "W": "#D55E00", "F": "#D55E00",
    "tau": "#CC79A7", "Wa": "#CC79A7", "K": "#AA4499", "L": "#332288", "C": "#7A5C00",
    "stable": "#332288", "unstable": "#E69F00", "law": "#1A1A1A", "quiet": "#9A9A9A", "basin": "#F3E3C8",
}  # fmt: skip
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (3, 1.2, 1, 1.2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))
DOTS: dict[str, Any] = {
    "marker": "o", "linestyle": "none", "markersize": 2.6, "markerfacecolor": "white", "markeredgewidth": 0.7,
}  # fmt: skip
LAW: dict[str, Any] = {"color": COLOURS["law"], "linestyle": DASHES[3], "linewidth": 0.9, "zorder": 3}
POINTS: dict[str, dict[str, Any]] = {  # equilibria
    "stable": {"color": COLOURS["stable"], "marker": "o", "markersize": 4.2},
    "unstable": {"color": COLOURS["unstable"], "marker": "o", "markersize": 4.2, "markerfacecolor": "white"},
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorator: draw under the style sheet, whatever the caller's settings are."""

    @functools.wraps(draw)
    def under_the_sheet(*args: Any, **kwargs: Any) -> Figure:
        with matplotlib.style.context(SHEET, after_reset=True):
            return draw(*args, **kwargs)

    return under_the_sheet


def panels(rows: int, columns: int, *, width: str, height: float, **settings: Any) -> tuple[Figure, np.ndarray]:
    """A figure of a named width and a height in inches, and its axes as an array (rows, columns)."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.04)
    figure = Figure(figsize=(WIDTHS[width], height), layout=layout)
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def shades(symbol: str, count: int) -> list[tuple[float, float, float]]:
    """A symbol's colour from light to dark, for a sweep: told apart in grey too, as lightness falls evenly."""
    colour = np.array(to_rgb(COLOURS.get(symbol, symbol)))
    light, dark = 1 - 0.55 * (1 - colour), 0.35 * colour
    steps = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    return [tuple((1 - x) * light + x * dark) for x in steps]


def lines(symbol: str, count: int) -> list[dict[str, Any]]:
    """Settings for the lines of a sweep: shade and dashes both tell them apart."""
    return [
        {"color": shade, "linestyle": DASHES[i % len(DASHES)], "linewidth": 1.3}
        for i, shade in enumerate(shades(symbol, count))
    ]


def entry(label: str, **look: Any) -> Line2D:
    """A line of a legend that is no line of a panel; a marker stands alone where no linestyle is given."""
    return Line2D([], [], **({"linestyle": "none"} if "marker" in look else {}) | look, label=label)


def sweep(labels: Sequence[str]) -> list[Line2D]:
    """Entries for a sweep whose colour differs from panel to panel: greys, with the sweep's dashes."""
    return [entry(label, **look) for label, look in zip(labels, lines("#808080", len(labels)), strict=True)]


def finish(figure: Figure, constants: str, key: Sequence[Any] = (), columns: int | None = None) -> Figure:
    """The same figure with a key above it, a letter before the title of each of its panels, and its constants below."""
    for letter, ax in zip(ascii_lowercase, figure.axes if len(figure.axes) > 1 else (), strict=False):
        ax.set_title(f"({letter})  {ax.get_title()}".strip(), loc="left")
        ax.set_title("")
    if key:
        figure.legend(handles=key, loc="outside upper center", ncols=columns or len(key))
    figure.supxlabel(constants, x=0.005, ha="left", fontsize=6.5, color="0.3")
    return figure


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write STEM.pdf and STEM.png (300 dpi), each whole or not at all, the same bytes for the same figure."""
    written = []
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it wonders at the age of fonts
    with matplotlib.style.context(SHEET, after_reset=True):
        for suffix in (".pdf", ".png"):
            path = Path(stem).with_name(Path(stem).name + suffix)
            content = io.BytesIO()
            figure.savefig(content, format=suffix[1:], metadata=METADATA[suffix])
            figure.set_layout_engine("none")  # laid out once, for both
            store.write_bytes(path, content.getvalue())
            written.append(path)
    return written
