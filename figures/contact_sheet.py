"""What augmentation does to real images: each part alone, and views by the recipes (no figure of the paper).

What to see: above, one part at a time, of 16 draws the one that changes the image most, so each part is seen to do what
its name says and nothing else. Below, the views that BYOL would pair: the strong recipe leaves the object and takes its
place, size and colours; the digits are only cut a little and made noisy. Reads the arrays of
experiments/studies/contact_sheet.py, whose docstring names them, and never trains.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.store import read_arrays

CAPTION = (
    "Augmentation of real images. Top: the parts alone, at the strength of STL-10's recipe, each the strongest of 16 "
    "draws. Below: an image and ten views of it by the recipes of the released code for STL-10 (at half size) and "
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
    """A row of tiles for each array; the first tile of a row is the image itself."""
    columns = len(data["part_names"])
    heights = {"height_ratios": [1, 0.07] + [1] * (len(ROWS) - 1)}  # a gap under the parts, whose names stand above
    figure, axes = style.panels(len(ROWS) + 1, columns, width="page", height=3.0, gridspec_kw=heights)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.012, wspace=0, hspace=0)
    for axis in axes[1]:
        axis.set_axis_off()
    for row, (name, label) in zip(np.delete(axes, 1, axis=0), ROWS.items(), strict=True):
        for axis, tile in zip(row, data[name], strict=True):
            _show(axis, tile)
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=7)
    for axis, name in zip(axes[0], data["part_names"], strict=True):
        axis.set_title(name, fontsize=6.5, pad=2.5)
    return figure


def _show(axis, tile: np.ndarray) -> None:
    """The bytes as they are: no smoothing, no stretching of grey levels."""
    grey = tile.shape[-1] == 1
    axis.imshow(
        tile[..., 0] if grey else tile, cmap="gray" if grey else None, vmin=0, vmax=255, interpolation="nearest"
    )
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
