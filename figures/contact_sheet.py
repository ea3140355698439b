"""What augmentation does to real images: each part alone, and views by the recipes (no figure of the paper).

What to see: above, one part at a time, of 16 draws the one that changes the image most, so each part is seen to do what
its name says and nothing else. Below, the views that BYOL would pair: the strong recipe leaves the object and takes its
place, size and colours; the digits are only cut a little and made noisy. Reads the arrays of
experiments/studies/contact_sheet.py, whose docstring names them, and never trains.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.store import read_arrays

CAPTION = (
    "Augmentation of real images. (a) The parts alone, at the strength of STL-10's recipe, each the strongest of 16 "
    "draws. (b) An image and ten views of it by the recipes of the released code for STL-10 (at half size) and "
    "CIFAR-10 (at its 32 pixels), by the second of BYOL's own two, and by ours for the digits; before normalisation."
)
ROWS = {  # array: its name at the left
    "parts": "parts", "stl-byol": "STL-10", "stl-byol-second": "STL-10,\nBYOL's 2nd",
    "cifar-byol": "CIFAR-10", "digits": "digits",
}  # fmt: skip
SHIPPED = Path(__file__).parent.parent / "experiments" / "results" / "contact_sheet.npz"


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """The bytes of the study, from the folder `results` if it holds them, or as they came with the project."""
    del fast  # nothing is computed
    own = SHIPPED if results is None else results / SHIPPED.name
    names = ("part_names", *ROWS)
    arrays = read_arrays(own if own.exists() else SHIPPED, *names)  # `reproduce` draws no new sheet
    return {name: arrays[name] for name in names}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """The parts above, the views below, a row of tiles for each array; the first tile of a row is the image itself."""
    figure, axes = style.panels(2, 1, width="page", height=3.75, height_ratios=(1, len(ROWS) - 1))
    top, below = axes[:, 0]
    columns = len(data["part_names"])
    _show(top, data, list(ROWS)[:1], data["part_names"], "each part alone")
    views = ["image", *(f"view {i}" for i in range(1, columns))]
    _show(below, data, list(ROWS)[1:], views, "views by the recipes")
    constants = (
        "(a) the strongest of 16 draws at the strength of STL-10's recipe; (b) seed 0, 48, 48, 32 and 8 pixels "
        "wide; all before normalisation."
    )
    return style.finish(figure, constants)


def _show(ax: Any, data: dict[str, np.ndarray], rows: list[str], heads: Any, title: str) -> None:
    """The bytes as they are, each tile in a unit square: no smoothing, no stretching of grey levels."""
    for j, name in enumerate(rows):
        for i, tile in enumerate(data[name]):
            shown = np.broadcast_to(tile, (*tile.shape[:2], 3))  # grey in all three
            ax.imshow(shown, extent=(i + 0.02, i + 0.98, j + 0.98, j + 0.02), interpolation="nearest")
    ax.set(xlim=(0, len(heads)), ylim=(len(rows), 0), aspect="equal", title=title)
    ax.set_yticks(np.arange(len(rows)) + 0.5, [ROWS[name] for name in rows])
    ax.set_xticks(np.arange(len(heads)) + 0.5, heads, fontsize=6.5)
    ax.tick_params(length=0, pad=1, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
