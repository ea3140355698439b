"""Fig. 3 of Ben-Shaul et al. (2023), and the same for other methods: which part of the loss falls in training?

What to see: the same training of VICReg, split as the released code weighs the terms and as the paper prints them,
which differ by the width d in the invariance and by 2 in the variance. On the digits the variance falls most in the
code's convention, the invariance in the paper's: the split means nothing without the convention's name. On CIFAR-100
the invariance soon rises again. In SimCLR and Barlow Twins it is what attracts the views that falls; the redundancy of
Barlow Twins rises. In BYOL, too, most of what falls would without the predictor.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Weighted terms of losses in training. VICReg in the convention of the released code, which it was trained with "
    "(a, c), and the same in the paper's (b, d), on CIFAR-100 and on the digits. (e) Linear test accuracy on the "
    "classes. On the digits: (f) SimCLR, (g) Barlow Twins, (h) BYOL, what its loss would be without the predictor, and "
    "the difference."
)
CLAIMS = ("C7", "C8", "C9", "C24", "L29", "L30", "L31")
WORDS = {"cifar100": "CIFAR-100", "digits": "digits"}
FACTORS = {"code": (1, 1), "paper": (None, 2)}  # of invariance (None: the width d) and variance
ATTRACTS, PREVENTS, FURTHER = ("#D55E00", "-"), ("#0072B2", (0, (5, 1.5))), ("#332288", (0, (1, 1.2)))
LOOKS = {
    "invariance": ATTRACTS,
    "variance": PREVENTS,
    "covariance": FURTHER,
    "alignment": ATTRACTS,
    "log-sum-exp": PREVENTS,
    "redundancy": PREVENTS,
    "without predictor": ATTRACTS,
    "difference": PREVENTS,
    "loss": ("#1A1A1A", "-"),
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each panel the epochs and its terms (S, t); the accuracies (S, E) by data set."""
    del fast  # nothing is computed
    panels: list[tuple[str, Any, dict[str, Any]]] = []
    accuracy, constants = {}, []
    for name, words in WORDS.items():
        record = clusters.read(results, name, "vicreg")
        d = record.about["config"]["projector"]["widths"][-1]
        invariance, variance, covariance = (record.arrays[f"loss.{term}"] for term in list(LOOKS)[:3])
        for convention, (a, b) in FACTORS.items():
            terms = {"invariance": (a or d) * invariance, "variance": b * variance, "covariance": covariance}
            panels.append((f"{words}, {convention}", record.arrays["loss.epoch"], terms))
        accuracy[words] = record.about["epochs"], record.curve("linear", "classes")
        constants.append(f"{record.images}, d = {d}")
    for name, title, renamed in (
        ("simclr", "SimCLR", {"alignment": "alignment", "spread": "log-sum-exp"}),
        ("barlow", "Barlow Twins", {"invariance": "invariance", "redundancy": "redundancy"}),
    ):
        arrays = clusters.read(results, "digits", name).arrays
        panels.append((title, arrays["loss.epoch"], {to: arrays[f"loss.{of}"] for of, to in renamed.items()}))
    byol = clusters.read(results, "digits", "byol")
    split = zip(("loss", "without predictor", "difference"), np.moveaxis(byol.arrays["modes.split"], 2, 0), strict=True)
    panels.append(("BYOL", np.array(byol.about["epochs"]), dict(split)))
    constants.append("mean and standard deviation of seeds.")
    return {"panels": panels, "accuracy": accuracy, "constants": "; ".join(constants)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Four splits of VICReg; the accuracies, and three other methods."""
    figure, axes = style.panels(2, 4, width="page", height=4.0)
    for ax, (title, epochs, terms) in zip(np.delete(axes.ravel(), 4), data["panels"], strict=True):
        for name, values in terms.items():
            colour, dashes = LOOKS[name]
            clusters.band(ax, epochs, values, color=colour, linestyle=dashes, label=name)
        ax.set(xlabel="epoch", title=title)
        low, high = min(0, *(x.min() for x in terms.values())), max(x.max() for x in terms.values())
        ax.set_ylim(low, low + 1.45 * (high - low))
        _early(ax, int(epochs[-1]))
        ax.legend(loc="upper right")
    for (words, (epochs, curve)), colour in zip(data["accuracy"].items(), ("#1A1A1A", "#7A5C00"), strict=True):
        clusters.band(axes[1, 0], epochs, curve, color=colour, label=words)
    axes[1, 0].set(xlabel="epoch", ylabel="linear accuracy, test", title="classes", ylim=(0, 1))
    axes[1, 0].legend(loc="center right")
    _early(axes[1, 0], 48)
    axes[0, 0].set_ylabel("weighted term")
    return style.finish(figure, data["constants"])


def _early(ax: Any, last: int) -> None:
    """Epochs by their logarithm from 1 on."""
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(0, last)
    ax.set_xticks([0, 1, 4, last], ["0", "1", "4", str(last)])
    ax.minorticks_off()
