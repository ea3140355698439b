"""Fig. 1 of Ben-Shaul et al. (2023): the encoder's output in the plane, before and after training, at every level.

What to see: views of five images, five classes, five superclasses, each with a mark of its own. Views of an image lie
together, and more so after training; the classes of the digits, too. Classes and superclasses of CIFAR-100 stay mixed
in so small a network. t-SNE shows neighbours only: what clusters is measured in the features (Figs. 1 and 2).
"""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "The encoder's output by t-SNE, untrained (above) and after training by VICReg: fresh views of five images, test "
    "images of five classes and of five superclasses of CIFAR-100, and of five classes of the digits. One network."
)
CLAIMS = ("C1",)
PANELS = (("cifar100", "samples"), ("cifar100", "classes"), ("cifar100", "superclasses"), ("digits", "classes"))
WORDS = {"cifar100": "CIFAR-100", "digits": "digits"}
MARKS = (("#0072B2", "o"), ("#D55E00", "^"), ("#332288", "s"), ("#CC79A7", "D"), ("#E69F00", "v"))


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each panel the places (2, n, 2), untrained and trained, and labels (n,)."""
    del fast  # nothing is computed
    records = {name: clusters.read(results, name, "maps") for name in ("cifar100", "digits")}
    panels = [
        (f"{WORDS[name]}, {level}", records[name].arrays[f"map.{level}"], records[name].arrays[f"labels.{level}"])
        for name, level in PANELS
    ]
    constants = clusters.constants(records.values()).split("; mean")[0]
    return {"panels": panels, "constants": f"{constants}; seed 0."}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Two rows of maps."""
    figure, axes = style.panels(2, 4, width="page", height=3.7)
    for column, (title, places, labels) in zip(axes.T, data["panels"], strict=True):
        for ax, place, when in zip(column, places, ("untrained", "trained"), strict=True):
            for label, (colour, mark) in enumerate(MARKS):
                some = place[labels == label]
                ax.plot(*some.T, mark, color=colour, markersize=1.8, alpha=0.8, markeredgewidth=0)
            ax.set(xticks=[], yticks=[], title=title, xlabel=when)
            ax.set_aspect("equal", "datalim")
    return style.finish(figure, data["constants"])
