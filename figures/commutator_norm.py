"""Fig. 9: ‖[F, Wp]‖ of the symmetrised flow in time, for constant τ and η, with Theorem 3's bound.

What to see: the eigenspaces of F and Wp align where K is positive definite, at least as fast as e^(-2λ₀t) with λ₀ =
inf λ_min(K). Where η is small or τ large, K has negative eigenvalues at first and the commutator grows.
Differs: the paper states neither the start nor d, κ and τ; here F starts small (eigenvalues 0.01 to 0.03) and Wp
random.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.equations import Isotropic, Symmetric, alignment_rate, commutator, symmetric_flow
from linbyol.integrate import integrate
from theory.proving import instances

CAPTION = (
    "Alignment of eigenspaces under Eq. 7 (d = 6, κ = 1.2, α_p = 1), as Fig. 9 of the paper. Top: ‖[F, Wp]‖ "
    "relative to its start, and Theorem 3's bound e^(−2λ₀t) where λ₀ = inf λ_min(K) > 0 (thin, dotted). Bottom: "
    "λ_min(K), whose negative values let the commutator grow."
)
ETAS, TAUS = (0.0, 0.01, 0.1), (0.2, 0.5, 1.0)


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖[F, Wp]‖ relative to its start and λ_min(K), each (η, τ, t), and λ₀ (η, τ)."""
    del results
    a, b, c = jax.random.split(jax.random.key(0), 3)
    U = instances.orthogonal(a, 6)
    A = jax.random.normal(b, (6, 6)) / jnp.sqrt(6.0)
    spectrum = jax.random.uniform(c, (6,), minval=0.01, maxval=0.03)
    y0 = Symmetric(Wp=0.15 * (A + A.T), F=(U * spectrum[None, :]) @ U.T)
    ts = jnp.linspace(0.0, 60.0, 61 if fast else 301)

    def solve(eta: jax.Array, tau: jax.Array) -> tuple[jax.Array, jax.Array]:
        k = Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.2, tau=tau)
        path = integrate(symmetric_flow, y0, k, ts, rtol=1e-9, atol=1e-14)
        size = jnp.linalg.norm(path.map(commutator, k), axis=(1, 2))
        return size / size[0], jnp.linalg.eigvalsh(path.map(alignment_rate, k))[:, 0]

    over_tau = jax.vmap(solve, in_axes=(None, 0))
    size, least = jax.jit(jax.vmap(over_tau, in_axes=(0, None)))(jnp.array(ETAS), jnp.array(TAUS))
    return {
        "ts": np.asarray(ts),
        "size": np.asarray(size),
        "least": np.asarray(least),
        "rate": np.asarray(least.min(2)),
    }


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Two rows (commutator, λ_min(K)) of three panels (η)."""
    figure, axes = style.panels(2, 3, width="page", height=3.3, sharex=True, sharey="row", height_ratios=(1.5, 1))
    ts = data["ts"]
    for column, eta in enumerate(ETAS):
        top, bottom = axes[:, column]
        for row in range(len(TAUS)):
            upper, lower = style.lines("L", len(TAUS))[row], style.lines("K", len(TAUS))[row]
            top.plot(ts, data["size"][column, row], **upper)
            bottom.plot(ts, data["least"][column, row], **lower)
            if data["rate"][column, row] > 0:
                bound = np.exp(-2 * data["rate"][column, row] * ts)
                top.plot(ts, bound, color=upper["color"], linestyle=(0, (1, 1.5)), linewidth=0.9)
        top.set(title=rf"$\eta = {eta:g}$", yscale="log", ylim=(1e-7, 10), yticks=[1e-6, 1e-4, 1e-2, 1])
        bottom.axhline(0, color="0.6", linewidth=0.5, zorder=0)
        bottom.set(xlabel="$t$", xlim=(ts[0], ts[-1]))
    axes[0, 0].set_ylabel(r"$\|[F, W_p]\|$, relative")
    axes[1, 0].set_ylabel(r"$\lambda_{\min}(K)$")
    grey = style.lines("#808080", len(TAUS))
    key = [Line2D([], [], **look, label=rf"$\tau = {tau:g}$") for look, tau in zip(grey, TAUS, strict=True)]
    key.append(Line2D([], [], color="0.4", linestyle=(0, (1, 1.5)), linewidth=0.9, label="bound of Theorem 3"))
    figure.legend(handles=key, loc="outside upper center", ncols=4)
    return figure
