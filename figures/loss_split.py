"""Fig. 3 of Ben-Shaul et al. (2023) on the digits: which part of VICReg's loss falls, in both of its conventions.

What to see: the same training, split as the released code weighs the terms and as the paper prints them, which differ
by the width d in the invariance and by 2 in the variance. In the code's convention most of the decrease is
regularisation, in the paper's most is invariance: the split means nothing without the convention's name.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "The loss of VICReg in training on the digits, split into weighted terms. (a) In the convention of the released "
    "code, which it was trained with. (b) The same training in the paper's convention. (c) Linear test accuracy on "
    "the classes. (d) BYOL: the loss with its predictor, what it would be without, and the difference."
)
CLAIMS = ("C7", "C8", "C9", "C24", "L31")
TERMS = {
    "invariance": ("#D55E00", "-"),
    "variance": ("#0072B2", (0, (5, 1.5))),
    "covariance": ("#332288", (0, (1, 1.2))),
}
SPLIT = {
    "loss": ("#1A1A1A", "-"),
    "without predictor": ("#D55E00", (0, (5, 1.5))),
    "difference": ("#0072B2", (0, (1, 1.2))),
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Epochs and terms (S, t) by convention, accuracy (S, E), and BYOL's split (S, E, 3)."""
    del fast  # nothing is computed
    record, byol = (clusters.read(results, "digits", name) for name in ("vicreg", "byol"))
    d = record.about["config"]["projector"]["widths"][-1]
    code = {name: record.arrays[f"loss.{name}"] for name in TERMS}
    factors = {"invariance": d, "variance": 2, "covariance": 1}
    return {
        "logged": record.arrays["loss.epoch"],
        "code": code,
        "paper": {name: factors[name] * x for name, x in code.items()},
        "epochs": np.array(record.about["epochs"]),
        "accuracy": record.curve("linear", "classes"),
        "byol": byol.arrays["modes.split"],
        "d": d,
        "constants": record.constants,
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Two splits, the accuracy, and BYOL."""
    figure, axes = style.panels(2, 2, width="page", height=4.0)
    for ax, name in zip(axes[0], ("code", "paper"), strict=True):
        for term, (colour, dashes) in TERMS.items():
            clusters.band(ax, data["logged"], data[name][term], color=colour, linestyle=dashes, label=term)
        ax.set(xlabel="epoch", ylabel="weighted term", ylim=(0, None), title=f"VICReg, convention of the {name}")
        ax.legend()
    x = np.arange(len(data["epochs"]))
    clusters.band(axes[1, 0], x, data["accuracy"], color=style.COLOURS["law"])
    axes[1, 0].set(xlabel="epoch", ylabel="linear accuracy, test", title="classes")
    for i, (part, (colour, dashes)) in enumerate(SPLIT.items()):
        clusters.band(axes[1, 1], x, data["byol"][:, :, i], color=colour, linestyle=dashes, label=part)
    axes[1, 1].set(xlabel="epoch", ylabel="2 − 2 cos", title="BYOL, linear predictor")
    axes[1, 1].legend()
    for ax in axes[1]:
        ax.set_xticks(x, data["epochs"])
    return style.finish(figure, f"d = {data['d']}; " + data["constants"])
