"""Fig. 7: how proportional the target stays to the online network (Assumption 1), cos(Wa, W) for several averages.

What to see: from Wa(0) = 0 the target is a mean of past W; its cosine with W stays near 1 for a fast average and
dips, at most by some hundredths, for a slow one.
Differs: n, d, the scales of the start and the learning rate are not stated in the paper; n = d = 8, entries of
variance 1/n and α = 0.01, so that β = (1 - γ_a)/α.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate

CAPTION = (
    "Cosine of the target Wa and the online network W in time (X = I, X′ = 0.03² I, n = d = 8, Wa(0) = 0, α = "
    "0.01): mean and range of ten starts, as Fig. 7 of the paper, for the rate γ_a of the average and three weight "
    "decays."
)
ETAS, GAMMAS, ALPHA = (0.0, 0.01, 0.1), (0.9, 0.99, 0.996), 0.01


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """cos(Wa, W) as (η, γ_a, start, t)."""
    del results
    n = 8
    keys = jax.random.split(jax.random.key(0), 3 if fast else 10)
    ts = jnp.concatenate([jnp.zeros(1), jnp.geomspace(0.02, 50.0, 40 if fast else 120)])

    def solve(eta: jax.Array, beta: jax.Array, key: jax.Array) -> jax.Array:
        W, Wp = jax.random.normal(key, (2, n, n)) / jnp.sqrt(n)
        k = Constants(alpha_p=1.0, beta=beta, eta=eta, X=jnp.eye(n), X_aug=0.03**2 * jnp.eye(n))
        y = integrate(weights_flow, Weights(W=W, Wp=Wp, Wa=0 * W), k, ts, rtol=1e-6, atol=1e-9).ys
        inner = lambda A, B: jnp.sum(A * B, axis=(1, 2))  # noqa: E731
        return (inner(y.Wa, y.W) / jnp.sqrt(inner(y.Wa, y.Wa) * inner(y.W, y.W)))[1:]  # Wa = 0 at the first time

    grid = jax.vmap(jax.vmap(jax.vmap(solve, (None, None, 0)), (None, 0, None)), (0, None, None))
    grid = jax.jit(grid)
    betas = (1 - jnp.array(GAMMAS)) / ALPHA
    return {"ts": np.asarray(ts[1:]), "cosine": np.asarray(grid(jnp.array(ETAS), betas, keys))}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Three panels (η), one line with its range for each average."""
    figure, axes = style.panels(1, 3, width="page", height=2.0, sharex=True, sharey=True)
    ts, cosine = data["ts"], data["cosine"]
    for ax, eta, of_eta in zip(axes[0], ETAS, cosine, strict=True):
        for gamma, runs, look in zip(GAMMAS, of_eta, style.lines("Wa", len(GAMMAS)), strict=True):
            ax.fill_between(ts, runs.min(0), runs.max(0), color=look["color"], alpha=0.16, linewidth=0)
            ax.plot(ts, runs.mean(0), **look, label=rf"$\gamma_a = {gamma:g}$")
        ax.axhline(1, color="0.6", linewidth=0.5, zorder=0)
        ax.set(title=rf"$\eta = {eta:g}$", xlabel="$t$", xscale="log", xlim=(ts[0], ts[-1]))
    axes[0, 0].set_ylabel(r"$\langle W_a, W\rangle\,/\,\|W_a\|\|W\|$")
    axes[0, 0].legend(loc="lower left")
    return figure
