"""How a mode collapses under BYOL, SIGReg and VICReg as invariance, or decay, is turned up (not a figure of any paper).

What to see: BYOL's survivor meets a saddle and vanishes with a jump; below the threshold zero attracts too, the start
decides. SIGReg's survivor shrinks to zero continuously and takes its stability along: no barrier, no second
attractor. VICReg's never reaches zero, which no weight of the invariance makes stable (eps = 0).
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic
from linbyol.exact import TOTAL_COLLAPSE, slice_rest
from linbyol.fixed_points import bifurcation, critical_eta

CAPTION = (
    "Rests of a mode's variance ν, or s, stable (solid) and unstable (dashed). (a) BYOL against the decay (κ = 1.25, "
    "α_p = 1): a saddle-node. (b) SIGReg with all modes alike against θ = a σ² d/(μ λ_s): a continuous transition at "
    "1 - 2^(-3/2). (c) VICReg below and at its hinge against x = 2dΛσ²/(M λ_s), eps = 0: no transition."
)
CLAIMS = ("M15", "M21", "B35")
KAPPA, MOST = 1.25, 3.0


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Control parameters and rests of the three: eta, s_plus, s_minus; theta, nu; x, of_vicreg."""
    del results
    share = np.sin(np.linspace(0, np.pi / 2, 40 if fast else 300))  # dense at the fold
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=0.0, sigma2=KAPPA - 1)
    threshold = float(critical_eta(k))
    s = np.asarray(bifurcation(k, threshold * share).s)
    theta, x = TOTAL_COLLAPSE * np.linspace(0, 1.5, len(share)), np.linspace(0.02, MOST, len(share))
    return {
        "eta": threshold * share, "s_minus": s[:, 1], "s_plus": s[:, 2], "eta_c": threshold,
        "theta": theta, "nu": np.asarray(slice_rest(theta)), "x": x, "of_vicreg": np.minimum(1, 1 / x**2),
    }  # fmt: skip


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A panel each."""
    figure, axes = style.panels(1, 3, width="page", height=2.5, sharey=True)
    stable = {"color": style.COLOURS["stable"], "linewidth": 1.5, "clip_on": False}
    unstable = {"color": style.COLOURS["unstable"], "linewidth": 1.3, "linestyle": style.DASHES[1], "clip_on": False}
    byol, sigreg, vicreg = axes[0]
    byol.plot(data["eta"], data["s_plus"], **stable)
    byol.plot(data["eta"], data["s_minus"], **unstable)
    byol.plot([0, 1.5 * data["eta_c"]], [0, 0], **stable)
    sigreg.plot(data["theta"], data["nu"], **stable)
    sigreg.plot([0, TOTAL_COLLAPSE], [0, 0], **unstable)
    vicreg.plot(data["x"], data["of_vicreg"], **stable)
    vicreg.plot([0, MOST], [0, 0], **unstable)
    for ax, at in ((byol, data["eta_c"]), (sigreg, TOTAL_COLLAPSE)):
        ax.axvline(at, color=style.COLOURS["quiet"], linewidth=0.7, zorder=0)
    byol.set(
        xlim=(0, 1.5 * data["eta_c"]), ylim=(0, 1.05), xlabel=r"$\eta$", ylabel=r"$s$, $\nu$ at rest", title="BYOL"
    )
    sigreg.set(xlim=(0, 1.5 * TOTAL_COLLAPSE), xlabel=r"$\theta = a\sigma^2 d/(\mu\lambda_s)$", title="SIGReg")
    vicreg.set(xlim=(0, MOST), xlabel=r"$2d\Lambda\sigma^2/(M\lambda_s)$", title="VICReg")
    key = [style.entry("stable", **stable), style.entry("unstable", **unstable)]
    return style.finish(figure, r"BYOL: $\kappa = 1.25$, $\alpha_p = 1$; VICReg: $\gamma = 1$, $\epsilon = 0$.", key)
