"""How every figure looks: widths, one colour a symbol, shades for a sweep, and files that are whole and repeatable."""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from linbyol import store

SHEET = "linbyol.linbyol"  # linbyol/linbyol.mplstyle
WIDTHS = {"column": 3.25, "text": 5.5, "page": 6.75}  # inches: ICML column, NeurIPS text, ICML page

# Okabe and Ito's colours. A mode has the colour of its matrix: p and Wp, s and W, tau and Wa.
COLOURS = {
    "p": "#0072B2", "Wp": "#0072B2", "s": "#D55E00", "W": "#D55E00", "F": "#D55E00",
    "tau": "#009E73", "Wa": "#009E73", "K": "#AA4499", "L": "#332288", "C": "#7A5C00",
    "stable": "#B3261E", "unstable": "#0072B2", "law": "#1A1A1A", "quiet": "#9A9A9A", "basin": "#F3E3C8",
}  # fmt: skip
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (3, 1.2, 1, 1.2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))


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


def save(figure: Figure, stem: str | Path) -> list[Path]:
    """Write STEM.pdf and STEM.png (300 dpi), each whole or not at all, the same bytes for the same figure."""
    written = []
    for suffix, metadata in ((".pdf", {"Creator": "linbyol", "CreationDate": None}), (".png", {"Software": None})):
        path = Path(stem).with_name(Path(stem).name + suffix)
        content = io.BytesIO()
        with matplotlib.style.context(SHEET, after_reset=True):
            figure.savefig(content, format=suffix[1:], metadata=metadata)
        store.write_bytes(path, content.getvalue())
        written.append(path)
    return written
