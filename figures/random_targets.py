"""Fig. 4 of Ben-Shaul et al. (2023) on the digits: targets of graded randomness, by epoch and by block.

What to see: labels that a supervised network gives at an epoch of its training (filled) are predicted far better than
i.i.d. noise of the same randomness (open), even by an untrained network: they are smooth in the image and few classes
occur. Accuracy rises as randomness falls; the semantic value over that on noise grows in training.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Targets of graded randomness, 1 − agreement with the truth on train. Labels of a supervised network by epoch "
    "(solid) and i.i.d. noise (dashed). (a) Linear test accuracy, untrained and trained network. (b) By block, "
    "after training, on labels of a network. (c) Value on classes over that on noise, CDNV inverted, over its start."
)
CLAIMS = ("C14", "C15", "C16", "C17", "C18", "C19")
RATIOS = {"ncc_train": "NCC, train", "ncc_test": "NCC, test", "linear": "linear", "cdnv": "CDNV"}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each family its randomness (k,), accuracies (S, 2, k) and by block (S, blocks, k); ratios (S, E)."""
    del fast  # nothing is computed
    record = clusters.read(results, "digits", "vicreg")
    names, families = record.about["targets"], {}
    randomness = record.arrays["target_randomness"].mean(axis=0)
    for kind in ("argmax", "noise"):
        found = [name for name in names if name.startswith(kind)] + (["classes"] if kind == "noise" else [])
        found.sort(key=lambda name: randomness[names.index(name)])
        families[kind] = {
            "randomness": [randomness[names.index(name)] for name in found],
            "accuracy": np.stack([record.curve("linear", name)[:, [0, -1]] for name in found], axis=2),
            "blocks": np.stack([record.depth("linear", name)[:, -1] for name in found], axis=2),
        }
    ratio = lambda q: record.curve(q, "classes") / record.curve(q, "noise 1")  # noqa: E731
    return {
        "families": families,
        "ratios": {q: 1 / ratio(q) if q == "cdnv" else ratio(q) for q in RATIOS},
        "epochs": np.array(record.about["epochs"]),
        "constants": record.constants,
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Accuracy by randomness, by block, and ratios in training."""
    figure, axes = style.panels(1, 3, width="page", height=2.6)
    for dashes, found in zip(("-", (0, (4, 1.5))), data["families"].values(), strict=True):
        for e, colour in enumerate((style.COLOURS["quiet"], style.COLOURS["s"])):
            clusters.band(axes[0, 0], found["randomness"], found["accuracy"][:, e], color=colour, linestyle=dashes)
    axes[0, 0].set(xlabel="randomness", ylabel="linear accuracy, test", title="untrained, trained", ylim=(0, 1.02))
    axes[0, 0].legend(
        handles=[
            style.entry("untrained", color=style.COLOURS["quiet"]),
            style.entry("trained", color=style.COLOURS["s"]),
            style.entry("noise", color="0.3", linestyle=(0, (4, 1.5))),
        ],
        loc="lower left",
    )
    found = data["families"]["argmax"]
    count = found["blocks"].shape[1]
    for b, look in enumerate(style.lines("p", count)):
        axes[0, 1].plot(found["randomness"], found["blocks"][:, b].mean(axis=0), label=f"block {b + 1}", **look)
    axes[0, 1].set(xlabel="randomness", ylabel="linear accuracy, test", title="by block, trained", ylim=(0, 1.02))
    axes[0, 1].legend(loc="lower left")
    x = np.arange(len(data["epochs"]))
    for (name, curve), look in zip(data["ratios"].items(), style.lines("L", len(RATIOS)), strict=True):
        axes[0, 2].plot(x, (curve / curve[:, :1]).mean(axis=0), label=RATIOS[name], **look)
    axes[0, 2].set(xlabel="epoch", ylabel="classes over noise, over its start", title="semantic over random")
    axes[0, 2].set_xticks(x, data["epochs"])
    axes[0, 2].set_yscale("log")
    axes[0, 2].set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes[0, 2].minorticks_off()
    axes[0, 2].legend(loc="center right", bbox_to_anchor=(1, 0.42))
    return style.finish(figure, data["constants"])
