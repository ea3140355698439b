"""Fig. 3 of Ben-Shaul et al. (2023): what a representation has of its input, and how supervised ones cluster.

What to see: noise is added to the features, for without it the information is infinite. With noise of a quarter of the
features' present variance it falls; with that of the untrained network's it follows the scale of the features, and on
CIFAR-100 it rises: compression depends on which scale is held fixed. MINE has to learn what noise does to the features,
and misses most of what is known of them.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Information between image and the encoder's output with noise, while VICReg learns, (a) on CIFAR-100 and (b) on "
    "the digits: from the known density of the noise, and by MINE with five critics (dashed). (c) NCC of the classes, "
    "train and test, on the digits, after supervised training, the same with augmentation, and VICReg."
)
CLAIMS = ("C10", "C11", "C12", "C13", "C58")
NOISES = {"noise of the present scale": "#D55E00", "of the untrained network's": "#0072B2"}
BARS = {"supervised": "supervised", "supervised_augmented": "augmented", "vicreg": "VICReg"}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Epochs, nats (S, E, 2) by estimator, by data set; NCC (S,) by training, train and test."""
    del fast  # nothing is computed
    records = [clusters.read(results, name, "information") for name in ("cifar100", "digits")]
    bars = {name: clusters.read(results, "digits", name) for name in BARS}
    return {
        "panels": [(r.about["epochs"], r.arrays["known"], r.arrays["value"]) for r in records],
        "bars": {
            name: [record.curve(quantity, "classes")[:, -1] for quantity in ("ncc_train", "ncc_test")]
            for name, record in bars.items()
        },
        "constants": clusters.constants(records),
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Information on two data sets, and bars."""
    figure, axes = style.panels(1, 3, width="page", height=2.5)
    for ax, (epochs, *estimates), title in zip(axes[0], data["panels"], ("CIFAR-100", "digits"), strict=False):
        x = np.arange(len(epochs))
        for values, dashes in zip(estimates, ("-", (0, (4, 1.5))), strict=True):
            for k, colour in enumerate(NOISES.values()):
                clusters.band(ax, x, values[:, :, k], color=colour, linestyle=dashes)
        ax.set(xlabel="epoch", ylabel="information, nats", title=title, ylim=(0, None))
        ax.set_xticks(x, epochs)
    for i, (look, split) in enumerate((({"color": "#1A1A1A"}, "train"), ({"color": "#9A9A9A"}, "test"))):
        values = [one[i] for one in data["bars"].values()]
        at = np.arange(len(values)) + 0.36 * (i - 0.5)
        spread = [np.std(one, ddof=1) for one in values]
        axes[0, 2].bar(at, [one.mean() for one in values], 0.34, yerr=spread, ecolor="#D55E00", label=split, **look)
    axes[0, 2].set(ylabel="NCC of the classes", title="digits", ylim=(0, 1.25))
    axes[0, 2].set_xticks(range(len(BARS)), BARS.values())
    axes[0, 2].legend(loc="upper right", ncols=2)
    key = [style.entry(label, color=colour) for label, colour in NOISES.items()]
    key += [style.entry("known noise", color="0.3"), style.entry("MINE", color="0.3", linestyle=(0, (4, 1.5)))]
    return style.finish(figure, data["constants"], key)
