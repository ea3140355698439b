"""Fig. 8: the symmetric part A and the skew part B of the predictor in time, for constant τ and η, with F = Wpᵀ Wp.

What to see: B vanishes for every τ and η, below e^(-ηt) ‖B(0)‖ (a result beyond the paper, which only shows it). A
stays, unless η is above τ²/4κ.
Differs: the paper states neither the start nor d, κ and τ; d = 8 and κ = 1.2 are ours.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.equations import Isotropic, Symmetric, unsymmetrised_flow
from linbyol.integrate import integrate

CAPTION = (
    "Symmetric part A and skew part B of Wp under Eqs. 62–63 with F = WpᵀWp (d = 8, κ = 1.2), as Fig. 8 of the "
    "paper. B vanishes at least as fast as e^(−ηt) (dotted), for any τ; A vanishes only above the threshold, η > "
    "τ²/4κ."
)
ETAS, TAUS = (0.001, 0.01, 0.05), (0.2, 0.5, 1.0)


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖A‖ and ‖B‖, each (η, τ, t)."""
    del results
    Wp = jax.random.normal(jax.random.key(0), (8, 8)) / jnp.sqrt(8.0)
    y0 = Symmetric(Wp=Wp, F=Wp.T @ Wp)
    ts = jnp.concatenate([jnp.zeros(1), jnp.geomspace(0.1, 300.0, 40 if fast else 160)])

    def solve(eta: jax.Array, tau: jax.Array) -> tuple[jax.Array, jax.Array]:
        k = Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.2, tau=tau)
        Wp = integrate(unsymmetrised_flow, y0, k, ts, atol=1e-12).ys.Wp
        transposed = Wp.swapaxes(1, 2)
        parts = (Wp + transposed) / 2, (Wp - transposed) / 2
        return tuple(jnp.linalg.norm(part, axis=(1, 2)) for part in parts)

    over_tau = jax.vmap(solve, in_axes=(None, 0))
    A, B = jax.jit(jax.vmap(over_tau, in_axes=(0, None)))(jnp.array(ETAS), jnp.array(TAUS))
    return {"ts": np.asarray(ts), "A": np.asarray(A), "B": np.asarray(B)}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Two rows (A, B) of three panels (η)."""
    figure, axes = style.panels(2, 3, width="page", height=3.1, sharex=True, sharey="row")
    ts = data["ts"]
    for column, eta in enumerate(ETAS):
        top, bottom = axes[:, column]
        for row in range(len(TAUS)):
            top.plot(ts, data["A"][column, row], **style.lines("Wp", len(TAUS))[row])
            bottom.plot(ts, data["B"][column, row], **style.lines("L", len(TAUS))[row])
        bottom.plot(
            ts, data["B"][column, 0, 0] * np.exp(-eta * ts), color="0.4", linestyle=(0, (1, 1.5)), linewidth=0.9
        )
        top.set(title=rf"$\eta = {eta:g}$", ylim=(0, None))
        bottom.set(xlabel="$t$", xscale="log", xlim=(0.1, 300), yscale="log", ylim=(1e-6, 5))
    axes[0, 0].set_ylabel(r"$\|A\|$, symmetric part")
    axes[1, 0].set_ylabel(r"$\|B\|$, skew part")
    grey = style.lines("#808080", len(TAUS))
    key = [Line2D([], [], **look, label=rf"$\tau = {tau:g}$") for look, tau in zip(grey, TAUS, strict=True)]
    key.append(Line2D([], [], color="0.4", linestyle=(0, (1, 1.5)), linewidth=0.9, label=r"$e^{-\eta t}\,\|B(0)\|$"))
    figure.legend(handles=key, loc="outside upper center", ncols=4)
    return figure
