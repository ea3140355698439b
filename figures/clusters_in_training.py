"""Figs. 1 and 2 of Ben-Shaul et al. (2023) on the digits: what clusters while a network learns by VICReg.

What to see: both the silhouette and NCC say how far samples and classes cluster in the encoder's output. NCC on samples
starts far above chance in the untrained network, so that a curve divided by its start hides how high it is; here are
the raw values of what Fig. 2 divides by its start.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "What clusters while a network learns by VICReg on the digits. (a) Silhouette, test. (b) NCC train accuracy. "
    "(c) NCC over linear accuracy on test sets. (d) Linear test accuracy."
)
CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C6", "C35")
LEVELS = ("samples", "classes", "superclasses")


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Epochs (E,) and curves (S, E) by level."""
    del fast  # nothing is computed
    record = clusters.read(results, "digits", "vicreg")
    of = lambda quantity: {level: record.curve(quantity, level) for level in record.targets}  # noqa: E731
    ncc, linear, test = of("ncc_train"), of("linear"), of("ncc_test")
    return {
        "epochs": np.array(record.about["epochs"]),
        "silhouette": {level: record.arrays["silhouette"][:, :, LEVELS.index(level)] for level in record.targets},
        "ncc": ncc,
        "ratio": {level: test[level] / linear[level] for level in record.targets},
        "linear": linear,
        "constants": record.constants,
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Four panels, a line a level."""
    figure, axes = style.panels(1, 4, width="page", height=2.1)
    panels = (
        ("silhouette", "silhouette", "Fig. 1"),
        ("ncc", "NCC, train", "Fig. 2 left"),
        ("ratio", "NCC / linear, test", "Fig. 2 middle"),
        ("linear", "linear, test", "Fig. 2 right"),
    )
    x = np.arange(len(data["epochs"]))
    for ax, (name, label, title) in zip(axes[0], panels, strict=True):
        for level, curve in data[name].items():
            clusters.band(ax, x, curve, color=clusters.COLOURS[level])
        ax.set(xlabel="epoch", ylabel=label, title=title)
        ax.set_xticks(x[::2], data["epochs"][::2])
    key = [style.entry(level, color=clusters.COLOURS[level]) for level in data["ncc"]]
    return style.finish(figure, data["constants"], key)
