"""Fig. 8: the symmetric part A and the skew part B of the predictor in time, for constant τ and η, with F = Wpᵀ Wp.

What to see: B vanishes for every τ and η, below e^(-ηt) ‖B(0)‖ (a result beyond the paper, which only shows it). A
stays, unless η is above τ²/4κ.
Differs: the paper states neither the start nor d, κ and τ; d = 8 and κ = 1.2 are ours.
"""

from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic, Symmetric, unsymmetrised_flow
from linbyol.integrate import integrate

CAPTION = (
    "Symmetric part A (top) and skew part B (bottom) of Wp under Eqs. 62–63 with F = WpᵀWp (d = 8, κ = 1.2), as Fig. 8 "
    "of the paper. B vanishes at least as fast as e^(−ηt) (dotted), for any τ; A vanishes only above the threshold, η "
    "> τ²/4κ."
)
CLAIMS = ("B118", "B68", "B68c")
ETAS, TAUS, SIGMA2 = (0.001, 0.01, 0.05), (0.2, 0.5, 1.0), 0.2
LAST, LEAST = 1600.0, 1e-7  # the time by which B has vanished, below what counts as none


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖A‖ and ‖B‖, each (η, τ, t); ‖B‖ is nan once it has vanished among the errors of the integrator."""
    del results
    Wp = np.random.default_rng(0).normal(size=(8, 8)) / np.sqrt(8)
    ts = np.concatenate([np.zeros(1), np.geomspace(0.1, LAST, 40 if fast else 200)])
    eta, tau = (x.ravel() for x in np.meshgrid(ETAS, TAUS, indexing="ij"))
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=SIGMA2, tau=tau)
    lanes = jax.jit(jax.vmap(unsymmetrised_flow, (0, Isotropic(None, None, 0, None, 0))))
    y0 = Symmetric(*(np.tile(a, (len(eta), 1, 1)) for a in (Wp, Wp.T @ Wp)))
    Wp = np.asarray(integrate(lanes, y0, k, ts, rtol=1e-9, atol=1e-12, solver="dop853").ys.Wp).swapaxes(0, 1)
    parts = ((Wp + sign * Wp.swapaxes(-1, -2)) / 2 for sign in (1, -1))
    A, B = (np.linalg.norm(part, axis=(-2, -1)).reshape(len(ETAS), len(TAUS), -1) for part in parts)
    before = np.concatenate([B[..., :1], np.minimum.accumulate(B, axis=-1)[..., :-1]], axis=-1)
    return {"ts": ts, "A": A, "B": np.where(before > LEAST, B, np.nan)}


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
        bottom.plot(ts, data["B"][column, 0, 0] * np.exp(-eta * ts), **style.LAW)
        top.set(title=rf"$\eta = {eta:g}$", ylim=(0, None))
        bottom.set(xlabel="$t$", xscale="log", xlim=(0.1, LAST), yscale="log", ylim=(1e-6, 5))
    axes[0, 0].set_ylabel(r"$\|A\|$, symmetric part")
    axes[1, 0].set_ylabel(r"$\|B\|$, skew part")
    key = [*style.sweep([rf"$\tau = {tau:g}$" for tau in TAUS]), style.entry(r"$e^{-\eta t}\,\|B(0)\|$", **style.LAW)]
    constants = (
        r"$\alpha_p = 1$, $\sigma^2 = 0.2$ ($\kappa = 1.2$), $d = 8$; one Gaussian start (seed 0), $F = W_p^T W_p$; "
        r"thresholds $\tau^2/4\kappa = $" + ", ".join(f"{tau**2 / (4 + 4 * SIGMA2):.3g}" for tau in TAUS) + "."
    )
    return style.finish(figure, constants, key)
