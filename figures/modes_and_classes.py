"""The eigenmodes of F in BYOL and DirectPred: those that views share, those that grow, and those that carry classes.

What to see: each dot is a mode of one seed. The linear theory lets a mode grow where λ_d/λ_s, what two views share of
its variance, is large. After training such modes carry the classes, and with DirectPred half of the variance of z comes
to lie between classes; in BYOL most of it stays in modes that views do not share. No figure of either paper.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Modes of F = E z zᵀ in BYOL (above) and DirectPred (below) on the digits. (a), (d) Growth through training of the "
    "untrained network's modes, against λ_d/λ_s there. (b), (e) Share of a mode's variance between the classes against "
    "λ_d/λ_s, untrained (grey) and trained. (c), (f) Classes' share of the whole variance by epoch."
)
CLAIMS = ("L33", "L34", "L35")
METHODS = {"byol": "BYOL", "directpred": "DirectPred"}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each method shared and classes (S, E, d), growth (S, d) and share (S, E)."""
    del fast  # nothing is computed
    found: dict[str, Any] = {}
    for name in METHODS:
        record = clusters.read(results, "digits", name)
        modes = {key: record.arrays[f"modes.{key}"].astype(float) for key in ("F", "shared", "classes", "grown")}
        grown = modes.pop("grown")
        total = np.sum(modes["F"], axis=2)
        found[name] = modes | {
            "growth": grown[:, 0, -1] / grown[:, 0, 0],
            "share": np.sum(modes["F"] * modes["classes"], axis=2) / total,
            "epochs": np.array(record.about["epochs"]),
            "constants": record.constants,
        }
    return found


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A row a method."""
    figure, axes = style.panels(2, 3, width="page", height=4.1)
    for row, (name, title) in zip(axes, METHODS.items(), strict=True):
        found = data[name]
        row[0].plot(found["shared"][:, 0].ravel(), found["growth"].ravel(), color=style.COLOURS["F"], **style.DOTS)
        row[0].set(xlabel=r"$\lambda_d/\lambda_s$, untrained", ylabel="growth", yscale="log", title=title)
        row[0].minorticks_off()
        for e, colour in ((0, style.COLOURS["quiet"]), (-1, style.COLOURS["F"])):
            row[1].plot(found["shared"][:, e].ravel(), found["classes"][:, e].ravel(), color=colour, **style.DOTS)
        row[1].set(xlabel=r"$\lambda_d/\lambda_s$", ylabel="between classes", title=title, ylim=(0, 1))
        x = np.arange(len(found["epochs"]))
        clusters.band(row[2], x, found["share"], color=style.COLOURS["law"])
        row[2].set(xlabel="epoch", ylabel="classes' share of variance", title=title)
        row[2].set_xticks(x, found["epochs"])
    key = [
        style.entry("untrained", color=style.COLOURS["quiet"], **style.DOTS),
        style.entry("trained", color=style.COLOURS["F"], **style.DOTS),
    ]
    return style.finish(figure, data["byol"]["constants"].replace("byol", "BYOL, DirectPred"), key)
