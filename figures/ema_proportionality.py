"""Fig. 7: how proportional the target stays to the online network (Assumption 1), cos(Wa, W) for several averages.

What to see: from Wa(0) = 0 the target is a mean of past W; its cosine with W stays near 1 for a fast average and
dips, at most by some hundredths, for a slow one.
Differs: n, d, the scales of the start and the learning rate are not stated in the paper; n = d = 8, entries of
variance 1/n and α = 0.01, so that β = (1 - γ_a)/α.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate

CAPTION = (
    "Cosine of the target Wa and the online network W in time (X = I, X′ = 0.03² I, n = d = 8, Wa(0) = 0): mean and "
    "range of ten starts, as Fig. 7 of the paper, for three weight decays and three averages Wa ← γ_a Wa + (1 − "
    "γ_a) W a step, which at the learning rate α = 0.01 are β = (1 − γ_a)/α = 10, 1 and 0.4 in the flow. A slower "
    "average (larger γ_a) remembers older W and so leans away further and for longer, up to about t = 1/β."
)
CLAIMS = ("B117",)
ETAS, GAMMAS, ALPHA = (0.0, 0.01, 0.1), (0.9, 0.99, 0.996), 0.01


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """cos(Wa, W) as (η, γ_a, start, t)."""
    del results
    n, starts = 8, 3 if fast else 10
    ts = np.concatenate([np.zeros(1), np.geomspace(0.02, 50.0, 40 if fast else 120)])
    eta, beta, which = (
        x.ravel() for x in np.meshgrid(ETAS, (1 - np.array(GAMMAS)) / ALPHA, range(starts), indexing="ij")
    )
    W, Wp = (np.random.default_rng(0).normal(size=(2, starts, n, n)) / np.sqrt(n))[:, which]
    k = Constants(alpha_p=1.0, beta=beta, eta=eta, X=np.eye(n), X_aug=0.03**2 * np.eye(n))
    flow = lambda y, k: tuple(weights_flow(Weights(*y), k))  # noqa: E731
    lanes = jax.jit(jax.vmap(flow, (0, Constants(None, 0, 0, None, None))))
    ys = integrate(lanes, (W, Wp, 0 * W), k, ts, rtol=1e-6, atol=1e-9, solver="dop853").ys
    W, _, Wa = (np.asarray(a)[1:] for a in ys)  # Wa = 0 at the first time
    inner = lambda A, B: (A * B).sum((2, 3))  # noqa: E731
    cosine = inner(Wa, W) / np.sqrt(inner(Wa, Wa) * inner(W, W))
    return {"ts": ts[1:], "cosine": cosine.T.reshape(len(ETAS), len(GAMMAS), starts, -1)}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Three panels (η), one line with its range for each average."""
    figure, axes = style.panels(1, 3, width="page", height=2.35, sharex=True, sharey=True)
    ts, cosine = data["ts"], data["cosine"]
    for ax, eta, of_eta in zip(axes[0], ETAS, cosine, strict=True):
        for runs, look in zip(of_eta, style.lines("Wa", len(GAMMAS)), strict=True):
            ax.fill_between(ts, runs.min(0), runs.max(0), color=look["color"], alpha=0.16, linewidth=0)
            ax.plot(ts, runs.mean(0), **look)
        ax.axhline(1, color="0.6", linewidth=0.5, zorder=0)
        ax.set(title=rf"$\eta = {eta:g}$", xlabel="$t$", xscale="log", xlim=(ts[0], ts[-1]))
    axes[0, 0].set_ylabel(r"$\langle W_a, W\rangle\,/\,\|W_a\|\|W\|$")
    key: list[Any] = [
        style.entry(rf"$\gamma_a = {gamma:g}$, $\beta = {(1 - gamma) / ALPHA:g}$", **look)
        for gamma, look in zip(GAMMAS, style.lines("Wa", len(GAMMAS)), strict=True)
    ]
    key.append(Patch(facecolor="0.85", label=f"range of {cosine.shape[2]} starts (line: mean)"))
    constants = (
        r"$\alpha_p = 1$, $X = I$, $X' = 0.03^2 I$, $n = d = 8$, entries of $W(0)$, $W_p(0)$ of variance $1/n$ "
        r"(seed 0), $W_a(0) "
        "= 0$;\na step averages $W_a \\leftarrow \\gamma_a W_a + (1 - \\gamma_a) W$, so $\\beta = (1 - "
        "\\gamma_a)/\\alpha$ at the "
        r"learning rate $\alpha = 0.01$: the larger $\gamma_a$, the older the $W$ in $W_a$."
    )
    return style.finish(figure, constants, key)
