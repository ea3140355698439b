"""Fig. 5 of Ben-Shaul et al. (2023) on the digits: what each block clusters, through training.

What to see: one line an epoch, untrained light, trained dark. In this small MLP the first block is the best for the
classes, before and after training: what falls with depth in the untrained network, training lifts, most in the deepest
blocks, and CDNV falls below its value in the first.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "What each block of a network clusters, one line an epoch of VICReg on the digits, light to dark. (a) Linear test "
    "accuracy on the classes. (b) NCC test accuracy on the classes. (c) CDNV of the classes, small is good. (d) Linear "
    "test accuracy on samples."
)
CLAIMS = ("C20", "C21", "C22", "C57", "L32")
PANELS = (
    ("linear", "classes", "linear accuracy, test"),
    ("ncc_test", "classes", "NCC, test"),
    ("cdnv", "classes", "CDNV, train"),
    ("linear", "samples", "linear accuracy, test"),
)


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each panel the values (S, E, blocks)."""
    del fast  # nothing is computed
    record = clusters.read(results, "digits", "vicreg")
    return {
        "panels": [record.depth(quantity, target) for quantity, target, _ in PANELS],
        "epochs": np.array(record.about["epochs"]),
        "constants": record.constants,
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Four panels, a line an epoch."""
    figure, axes = style.panels(1, 4, width="page", height=2.3)
    shown = np.unique(np.linspace(0, len(data["epochs"]) - 1, 4).round().astype(int))
    looks = style.lines("F", len(shown))
    for ax, values, (_, target, label) in zip(axes[0], data["panels"], PANELS, strict=True):
        x = np.arange(1, values.shape[2] + 1)
        for e, look in zip(shown, looks, strict=True):
            mean, width = values[:, e].mean(axis=0), values[:, e].std(axis=0, ddof=1)
            ax.errorbar(x, mean, width, capsize=1.5, elinewidth=0.7, **look)
        ax.set(xlabel="block", ylabel=label, title=target, xticks=x)
    axes[0, 2].set_yscale("log")
    axes[0, 2].set_yticks([0.5, 1, 2], ["0.5", "1", "2"])
    axes[0, 2].minorticks_off()
    key = [style.entry(f"epoch {data['epochs'][e]}", **look) for e, look in zip(shown, looks, strict=True)]
    return style.finish(figure, data["constants"], key)
