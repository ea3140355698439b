"""DirectSet(α), arXiv 2110.04947: which features survive which decay, for depths 1 and 2 (not a figure of the paper).

What to see: between the two thresholds only the features that augmentation leaves alone (S) survive, and those that
it perturbs (B) collapse. At depth 1 the thresholds are 1/4 and 1/4κ for every exponent α; at depth 2 they are
Theorem 5's, and depend on α. The lines fold there, into the edge of the basin of collapse (dashed).
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.equations.directset import DirectSet, Encoder, depth_threshold, directset_flow
from linbyol.integrate import integrate

CAPTION = (
    "Eigenvalues λ_S and λ_B of the encoder at rest against the weight decay, on features that augmentation leaves "
    "alone (S) and perturbs (B, κ = 2.5), with the predictor set to (W Wᵀ)^α, for depths 1 (top) and 2 (bottom): "
    "stable (solid), edge of the basin of collapse (dashed), integrated from λ = 1 (circles). Shaded: the window of "
    "decays in which only S survives."
)
CLAIMS = ("B88",)
ALPHAS = (0.5, 1.0, 2.0)
DEPTHS = (1.0, 2.0)
KAPPAS = (1.0, 2.5)  # S, B
LONG = 1000.0


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """Curves η(λ) (depth, α, κ, λ), thresholds (depth, α, κ), and the ends λ (depth, α, κ, η) of integrated modes."""
    del results
    depth, alpha, kappa = np.array(DEPTHS)[:, None, None], np.array(ALPHAS)[:, None], np.array(KAPPAS)
    k = DirectSet(alpha, 0.0, kappa, depth=depth)
    lam = np.linspace(1e-3, 1, 100 if fast else 400)
    column = DirectSet(alpha[..., None], 0.0, kappa[..., None], depth=depth[..., None])
    growth = directset_flow(Encoder(lam), column).lam / (column.depth * lam)  # at rest it is η
    share = np.linspace(0.06, 1.15, 6 if fast else 12)
    threshold = depth_threshold(k)
    top = threshold.max(axis=(1, 2), keepdims=True)[..., None]
    shape = (len(DEPTHS), len(ALPHAS), len(KAPPAS), len(share))
    eta = np.broadcast_to(top * share, shape)
    a, s, el = (np.broadcast_to(x[..., None], shape).reshape(-1) for x in (alpha, kappa, depth))
    lanes = DirectSet(a, eta.reshape(-1), s, depth=el)
    path = integrate(directset_flow, Encoder(np.ones(eta.size)), lanes, [0.0, LONG], atol=1e-12, solver="dop853")
    ends = np.asarray(path.ys.lam)[-1].reshape(shape)
    return {"lam": lam, "growth": growth, "threshold": threshold, "eta": eta, "end": ends}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """One row a depth, one column an exponent."""
    figure, axes = style.panels(len(DEPTHS), len(ALPHAS), width="page", height=3.8, sharex=True, sharey=True)
    colours = style.COLOURS["s"], style.COLOURS["L"]
    for (i, j), ax in np.ndenumerate(axes):
        ax.axvspan(*sorted(data["threshold"][i, j]), color="0.93", linewidth=0)
        for m, colour in enumerate(colours):
            growth, lam = data["growth"][i, j, m], data["lam"]
            fold = growth.argmax()
            stable = (np.arange(len(lam)) >= fold) & (growth >= 0)
            ax.plot(growth[stable], lam[stable], color=colour)
            ax.plot(growth[: fold + 1], lam[: fold + 1], color=colour, linestyle=style.DASHES[1], linewidth=0.9)
            dots = {"marker": "os"[m], "linestyle": "none", "color": colour, "markerfacecolor": "white"}
            ax.plot(
                data["eta"][i, j, m], data["end"][i, j, m], **dots, markersize=4.0 - 1.5 * m, clip_on=False, zorder=4
            )
        ax.set(xlim=(0, 0.3), ylim=(0, 1.05), xticks=[0, 0.1, 0.2, 0.3])
        ax.set_title(rf"$\alpha = {ALPHAS[j]:g}$, depth {DEPTHS[i]:g}")
    for ax in axes[-1]:
        ax.set_xlabel(r"$\eta$")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$\lambda$ at rest")
    key: list[Any] = [
        style.entry(
            rf"$\lambda_{name}$, $\kappa = {kappa:g}$", color=c, marker=m, linestyle="-", markerfacecolor="white"
        )
        for c, m, name, kappa in zip(colours, "os", "SB", KAPPAS, strict=True)
    ]
    key.append(style.entry("edge of the basin", color="0.4", linestyle=style.DASHES[1], linewidth=0.9))
    key.append(Patch(facecolor="0.93", label="only S survives"))
    constants = (
        r"$\tau = 1$, predictor $(W W^T)^\alpha$; lines: equilibria (solid: stable); points: integrated from "
        r"$\lambda = 1$ to "
        "$t = 1000$;\nS: features left alone by augmentation, B: perturbed."
    )
    return style.finish(figure, constants, key)
