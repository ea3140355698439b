"""Observation 2 in the limit: a predictor that is optimal at all times freezes the features.

What to see: with the least-squares Wp the eigenvalues of W Wᵀ only decay, all as e^(-2ηt), so that e^(2ηt) W Wᵀ stays
what it was (flat lines), whatever the data, though W itself turns. Trained by gradients, and so a little behind, the
predictor leaves the features room to grow.
Not a figure of the paper.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate
from theory.beyond.optimal_predictor import optimally_predicted
from theory.proving.instances import constants, weights

CAPTION = (
    "Eigenvalues of e^(2ηt) W Wᵀ in time (η = 0.02, data that do not commute, independent starts): frozen under "
    "the predictor that is optimal at all times (left), first lost and then regained and outgrown under one that is "
    "trained (middle). Right: ‖W Wᵀ‖ for three starts, under the optimal (dashed) and the trained predictor (solid)."
)
D, N = 3, 6
ETA = 0.02
STARTS, START = 3, 0.2


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """Eigenvalues of W Wᵀ, ascending, (flow, start, t, mode), the optimal predictor's first."""
    del results
    ts = jnp.linspace(0.0, 60.0, 31 if fast else 121)
    a, b = jax.random.split(jax.random.key(3))
    k = constants(b, N, alpha_p=1.0, beta=0.5, eta=ETA)
    y0 = jax.vmap(lambda key: weights(key, D, N, START))(jax.random.split(a, STARTS))
    return {"ts": np.asarray(ts), "lam": np.asarray(_eigenvalues(y0, k, ts))}


@jax.jit
def _eigenvalues(y0: Weights, k: Constants, ts: jax.Array) -> jax.Array:
    def solve(y: Weights) -> jax.Array:
        paths = integrate(_side_by_side, (y, y), k, ts, rtol=1e-8, atol=1e-10, max_steps=10_000).ys
        W = jnp.stack([path.W for path in paths])
        return jnp.linalg.eigvalsh(W @ jnp.swapaxes(W, 2, 3))

    return jnp.swapaxes(jax.vmap(solve)(y0), 0, 1)


def _side_by_side(y: tuple[Weights, Weights], k: Constants) -> tuple[Weights, Weights]:
    """The optimal predictor and the trained one, in one compilation."""
    return optimally_predicted()(y[0], k), weights_flow(y[1], k)


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Eigenvalues under both predictors, and the norm of the features."""
    figure, axes = style.panels(1, 3, width="page", height=2.2)
    ts = data["ts"]
    undecayed = np.exp(2 * ETA * ts)[:, None] * data["lam"]
    for ax, lam, title in zip(axes[0], undecayed[:, 0], ("optimal at all times", "trained"), strict=False):
        for j, shade in enumerate(style.shades("s", D)):
            ax.plot(ts, lam[:, j], color=shade)
        ax.set(yscale="log", title=title)
    low, high = undecayed[:, 0].min(), undecayed[:, 0].max()
    for ax in axes[0, :2]:
        ax.set_ylim(low / 2, high * 2)
    size = np.linalg.norm(data["lam"], axis=-1)
    for j, shade in enumerate(style.shades("F", STARTS)):
        axes[0, 2].plot(ts, size[0, j], color=shade, linestyle=style.DASHES[1])
        axes[0, 2].plot(ts, size[1, j], color=shade)
    axes[0, 2].set(ylim=(0, None), ylabel=r"$\|W W^\top\|$", title="three starts")
    axes[0, 0].set_ylabel(r"eigenvalues of $e^{2\eta t}\, W W^\top$")
    for ax in axes[0]:
        ax.set(xlabel="$t$", xlim=(0, ts[-1]))
    return figure
