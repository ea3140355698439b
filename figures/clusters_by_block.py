"""Fig. 5 of Ben-Shaul et al. (2023) on CIFAR-100 and on the digits: what each block clusters, through training.

What to see: one line an epoch, untrained light, trained dark. The first block is the best for the classes of both small
networks, before and after training: what falls with depth in the untrained network, training lifts, most in the deepest
blocks; on the digits CDNV falls below its value in the first. What superclasses have over classes differs between
blocks by no more than between seeds.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "What each block of a network clusters, one line an epoch of VICReg, light to dark, on CIFAR-100 (above) and on "
    "the digits. (a, e) Linear test accuracy on the classes, (b) on superclasses, (c) the second over the first. "
    "(f) NCC test accuracy on the classes. (d, g) CDNV of the classes, small is good. (h) Linear test accuracy on "
    "samples."
)
CLAIMS = ("C20", "C21", "C22", "C57", "L32")
LINEAR, CDNV = "linear accuracy, test", "CDNV, train"
PANELS = {
    "cifar100": (
        ("linear", "classes", LINEAR),
        ("linear", "superclasses", LINEAR),
        ("linear", "superclasses / classes", "ratio of the two"),
        ("cdnv", "classes", CDNV),
    ),
    "digits": (
        ("linear", "classes", LINEAR),
        ("ncc_test", "classes", "NCC, test"),
        ("cdnv", "classes", CDNV),
        ("linear", "samples", LINEAR),
    ),
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each data set the epochs and of each panel the values (S, E, blocks)."""
    del fast  # nothing is computed
    records = {name: clusters.read(results, name, "vicreg") for name in PANELS}
    rows = []
    for name, record in records.items():
        depths = [[record.depth(quantity, t) for t in targets.split(" / ")] for quantity, targets, _ in PANELS[name]]
        rows.append((record.about["epochs"], [one[0] / one[1] if one[1:] else one[0] for one in depths]))
    return {"rows": rows, "constants": clusters.constants(records.values())}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A row a data set, four panels, a line an epoch."""
    figure, axes = style.panels(2, 4, width="page", height=4.0)
    looks = style.lines("F", 4)
    for row, (epochs, values), panels in zip(axes, data["rows"], PANELS.values(), strict=True):
        for ax, depths, (quantity, target, label) in zip(row, values, panels, strict=True):
            x = np.arange(1, depths.shape[2] + 1)
            for epoch, look in zip(_shown(epochs), looks, strict=True):
                e = epochs.index(epoch)
                mean, width = depths[:, e].mean(axis=0), depths[:, e].std(axis=0, ddof=1)
                ax.errorbar(x, mean, width, capsize=1.5, elinewidth=0.7, **look)
            ax.set(xlabel="block", ylabel=label, title=target, xticks=x)
            if quantity == "cdnv":
                ax.set_yscale("log")
                ticks = [t for t in (0.5, 1, 2, 3, 5, 8, 10, 20) if ax.get_ylim()[0] < t < ax.get_ylim()[1]]
                ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
                ax.minorticks_off()
    pairs = zip(*(_shown(epochs) for epochs, _ in data["rows"]), strict=True)
    names = [f"epoch {', '.join(map(str, dict.fromkeys(pair)))}" for pair in pairs]
    key = [style.entry(name, **look) for name, look in zip(names, looks, strict=True)]
    return style.finish(figure, data["constants"], key)


def _shown(epochs: list[int]) -> list[int]:
    """Four of them."""
    return [epochs[i] for i in np.linspace(0, len(epochs) - 1, 4).round().astype(int)]
