"""Observation 2 in the limit: a predictor that is optimal at all times freezes the features.

What to see: with the least-squares Wp the eigenvalues of W Wᵀ only decay, all as e^(-2ηt), so that e^(2ηt) W Wᵀ stays
what it was (flat lines), whatever the data, though W itself turns. Trained by gradients, and so a little behind, the
predictor leaves the features room to grow.
Not a figure of the paper.
"""

from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate
from theory.beyond.optimal_predictor import optimally_predicted

CAPTION = (
    "Eigenvalues of e^(2ηt) W Wᵀ in time (η = 0.02, data that do not commute, independent starts): frozen under "
    "the predictor that is optimal at all times (a), free to grow under one that is trained (b). "
    "(c) ‖W Wᵀ‖ for three starts, under the optimal (dashed) and the trained predictor (solid)."
)
CLAIMS = ("B75", "B48")
D, N = 3, 6
ETA = 0.02
STARTS, START = 3, 0.2


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """Eigenvalues of W Wᵀ, ascending, (flow, start, t, mode), the optimal predictor's first."""
    del results
    ts = np.linspace(0.0, 60.0, 31 if fast else 121)
    rng = np.random.default_rng(3)
    X, X_aug = (G @ G.T / N for G in rng.normal(size=(2, N, N)))
    k = Constants(alpha_p=1.0, beta=0.5, eta=ETA, X=X, X_aug=X_aug / 3)
    y0 = tuple(START * rng.normal(size=(STARTS, *shape)) for shape in ((D, N), (D, D), (D, N)))
    found = integrate(_lanes, (y0, y0), k, ts, rtol=1e-8, atol=1e-11, solver="dop853").ys
    W = np.stack([np.asarray(flow[0]) for flow in found])  # (flow, t, start, d, n)
    return {"ts": ts, "lam": np.linalg.eigvalsh(W @ W.swapaxes(-1, -2)).swapaxes(1, 2)}


@jax.jit
def _lanes(y: tuple, k: Constants) -> tuple:
    """The optimal predictor and the trained one, all starts side by side."""
    flows = optimally_predicted(), weights_flow
    mapped = (jax.vmap(lambda y, flow=flow: tuple(flow(Weights(*y), k))) for flow in flows)
    return tuple(flow(of) for flow, of in zip(mapped, y, strict=True))


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Eigenvalues under both predictors, and the norm of the features."""
    figure, axes = style.panels(1, 3, width="page", height=2.65)
    ts = data["ts"]
    undecayed = np.exp(2 * ETA * ts)[:, None] * data["lam"]
    for ax, lam, title in zip(axes[0], undecayed[:, 0], ("optimal predictor", "trained predictor"), strict=False):
        for j, shade in enumerate(style.shades("s", D)):
            ax.plot(ts, lam[:, j], color=shade)
        ax.set(yscale="log", title=title)
    low, high = undecayed[:, 0].min(), undecayed[:, 0].max()
    for ax in axes[0, :2]:
        ax.set_ylim(low / 2, high * 2)
    size = np.linalg.norm(data["lam"], axis=-1)
    starts = style.shades("L", STARTS)
    for j, shade in enumerate(starts):
        axes[0, 2].plot(ts, size[0, j], color=shade, linestyle=style.DASHES[1])
        axes[0, 2].plot(ts, size[1, j], color=shade)
    axes[0, 2].set(ylim=(0, None), ylabel=r"$\|W W^T\|$", title="size of the features")
    axes[0, 0].set_ylabel(r"eigenvalues of $e^{2\eta t}\, W W^T$")
    for ax in axes[0]:
        ax.set(xlabel="$t$", xlim=(0, ts[-1]))
    key = [style.entry(f"mode {j + 1}", color=shade) for j, shade in enumerate(reversed(style.shades("s", D)))]
    key += [style.entry(f"start {j + 1}", color=shade) for j, shade in enumerate(starts)]
    key += [
        style.entry(name, color="0.4", linestyle=look)
        for name, look in zip(("trained", "optimal"), style.DASHES, strict=False)
    ]
    constants = (
        rf"$\eta = {ETA:g}$, $\alpha_p = 1$, $\beta = 0.5$, $n = {N}$, $d = {D}$; random $X$, $X'$ that do not "
        rf"commute; independent "
        f"$W$, $W_p$, $W_a$ of size {START:g} (seed 3); (a), (b): start 1."
    )
    return style.finish(figure, constants, key)
