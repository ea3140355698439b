"""Fig. 2 on a network: eigenvalues of F and Wp, alignment and symmetry while an MLP trains on the digits.

What to see: as in the paper, the eigenvalues of F split into a few that stay and many that die, those of Wp become
positive, its eigenvectors those of F, first for the large modes, and Wp nearly symmetric: gradient noise keeps a tenth.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Fig. 2 on the digits. (a), (b) Eigenvalues of F and of the symmetric part of Wp by epoch, one seed. (c) "
    "cos(u_j, Wp u_j), mean over modes weighted by F, and for each of the eight largest (thin). (d) Asymmetry "
    "‖Wp - Wpᵀ‖/‖Wp‖ and relative commutator ‖[F, Wp]‖/(‖F‖ ‖Wp‖)."
)
CLAIMS = ("B112",)
LARGE = 8  # modes
ROUNDING = 1e-7  # what single precision leaves of an eigenvalue of F, whose largest is of order 1


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """epoch (t,); F, Wp, cosines (S, t, d) and cosine, asymmetry, commutator (S, t); eta, gamma_a, seeds."""
    del fast  # nothing is computed
    record = clusters.read(results, "digits", "regular", "ablations")
    lanes = record.about["lanes"]
    eta, slow = (max(lane[name] for lane in lanes) for name in ("eta", "gamma_a"))
    mine = [i for i, lane in enumerate(lanes) if lane["eta"] == eta and lane["gamma_a"] == slow]
    names = ("F", "Wp", "cosines", "cosine", "asymmetry", "commutator")
    found = {name: record.arrays[name].astype(float)[mine] for name in names}
    return {"epoch": record.arrays["epoch"], "eta": eta, "gamma_a": slow, "seeds": len(mine)} | found


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Four panels in a row of two."""
    figure, axes = style.panels(2, 2, width="text", height=4.2)
    x, (top, bottom) = data["epoch"], axes
    top[0].plot(x, np.where(data["F"][0] > ROUNDING, data["F"][0], np.nan), color=style.COLOURS["F"], linewidth=0.7)
    top[0].set(yscale="log", ylabel="eigenvalues of $F$", xlabel="epoch")
    top[1].plot(x, data["Wp"][0], color=style.COLOURS["Wp"], linewidth=0.7)
    top[1].axhline(0, color="0.7", linewidth=0.6)
    top[1].set(ylabel="eigenvalues of $W_p$", xlabel="epoch")
    bottom[0].plot(x, data["cosines"][0][:, -LARGE:], color=style.COLOURS["quiet"], linewidth=0.6)
    clusters.band(bottom[0], x, data["cosine"], color=style.COLOURS["F"])
    bottom[0].set(ylabel=r"$\cos(u_j, W_p u_j)$", xlabel="epoch", ylim=(-1.05, 1.05))
    clusters.band(bottom[1], x, data["asymmetry"], color=style.COLOURS["Wp"])
    clusters.band(bottom[1], x, data["commutator"], color=style.COLOURS["law"])
    bottom[1].set(yscale="log", xlabel="epoch", ylim=(1e-2, 3))
    key = [
        style.entry("weighted mean of cosines", color=style.COLOURS["F"]),
        style.entry("each of the largest modes", color=style.COLOURS["quiet"], linewidth=0.6),
        style.entry("asymmetry of $W_p$", color=style.COLOURS["Wp"]),
        style.entry("commutator", color=style.COLOURS["law"]),
    ]
    constants = (
        rf"MLP, digits, $\eta = {data['eta']:g}$, $\gamma_a = {data['gamma_a']:g}$; (a), (b), grey: seed 2; bands: "
        rf"mean and spread of {data['seeds']} seeds."
    )
    return style.finish(figure, constants, key, columns=2)
