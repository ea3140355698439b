"""Figs. 1 and 2 of Ben-Shaul et al. (2023) on CIFAR-100 and on the digits: what clusters while VICReg learns.

What to see: both the silhouette and NCC say how far samples, classes and superclasses cluster in the encoder's output.
NCC on samples starts far above chance in the untrained network, so that a curve divided by its start hides how high it
is; here are the raw values of what Fig. 2 divides by its start.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "What clusters while a network learns by VICReg, on CIFAR-100 (above) and on the digits. (a, e) Silhouette, test. "
    "(b, f) NCC train accuracy. (c, g) NCC over linear accuracy on test sets. (d, h) Linear test accuracy."
)
CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C6", "C35")
LEVELS = ("samples", "classes", "superclasses")
PANELS = (
    ("silhouette", "silhouette", "Fig. 1"),
    ("ncc", "NCC, train", "Fig. 2 left"),
    ("ratio", "NCC / linear, test", "Fig. 2 middle"),
    ("linear", "linear, test", "Fig. 2 right"),
)


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each data set epochs (E,) and curves (S, E) by level."""
    del fast  # nothing is computed
    records = [clusters.read(results, name, "vicreg") for name in ("cifar100", "digits")]
    return {"rows": [_curves(record) for record in records], "constants": clusters.constants(records)}


def _curves(record: clusters.Record) -> dict[str, Any]:
    of = lambda quantity: {level: record.curve(quantity, level) for level in record.targets}  # noqa: E731
    linear, test = of("linear"), of("ncc_test")
    return {
        "epochs": record.about["epochs"],
        "silhouette": {level: record.arrays["silhouette"][:, :, LEVELS.index(level)] for level in record.targets},
        "ncc": of("ncc_train"),
        "ratio": {level: test[level] / linear[level] for level in record.targets},
        "linear": linear,
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A row a data set, four panels, a line a level."""
    figure, axes = style.panels(2, 4, width="page", height=3.8)
    for row, curves in zip(axes, data["rows"], strict=True):
        x = np.arange(len(curves["epochs"]))
        for ax, (name, label, title) in zip(row, PANELS, strict=True):
            for level, curve in curves[name].items():
                clusters.band(ax, x, curve, color=clusters.COLOURS[level])
            ax.set(xlabel="epoch", ylabel=label, title=title)
            ax.set_xticks(x[::2], curves["epochs"][::2])
    key = [style.entry(level, color=clusters.COLOURS[level]) for level in LEVELS]
    return style.finish(figure, data["constants"], key)
