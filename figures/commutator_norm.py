"""Fig. 9: ‖[F, Wp]‖ of the symmetrised flow in time, for constant τ and η, with Theorem 3's bound.

What to see: the eigenspaces of F and Wp align where K is positive definite, at least as fast as e^(-2λ₀t) with λ₀ =
inf λ_min(K). Where η is small or τ large, K has negative eigenvalues at first and the commutator grows.
Differs: the paper states neither the start nor d, κ and τ; here F starts small (eigenvalues 0.01 to 0.03) and Wp
random.
"""

from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic, Symmetric, alignment_rate, commutator, symmetric_flow
from linbyol.integrate import integrate

CAPTION = (
    "Alignment of eigenspaces under Eq. 7 (d = 6, κ = 1.2, α_p = 1), as Fig. 9 of the paper. Top: ‖[F, Wp]‖ "
    "relative to its start, and Theorem 3's bound e^(−2λ₀t) where λ₀ = inf λ_min(K) > 0 (thin, dotted). Bottom: "
    "λ_min(K), whose negative values let the commutator grow."
)
CLAIMS = ("B119", "B22", "B24")
ETAS, TAUS = (0.0, 0.01, 0.1), (0.2, 0.5, 1.0)


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖[F, Wp]‖ relative to its start and λ_min(K), each (η, τ, t), and λ₀ (η, τ)."""
    del results
    rng, d = np.random.default_rng(0), 6
    U = np.linalg.qr(rng.normal(size=(d, d)))[0]
    A = rng.normal(size=(d, d)) / np.sqrt(d)
    y0 = Symmetric(Wp=0.15 * (A + A.T), F=(U * rng.uniform(0.01, 0.03, d)) @ U.T)
    ts = np.linspace(0.0, 60.0, 61 if fast else 301)
    eta, tau = (x.ravel() for x in np.meshgrid(ETAS, TAUS, indexing="ij"))
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.2, tau=tau)
    mapped = (0, Isotropic(None, None, 0, None, 0))
    y0 = Symmetric(*(np.tile(a, (len(eta), 1, 1)) for a in y0))
    lanes = jax.jit(jax.vmap(symmetric_flow, mapped))
    ys = integrate(lanes, y0, k, ts, rtol=1e-9, atol=1e-14, solver="dop853").ys

    @jax.jit
    @jax.vmap
    def measured(y: Symmetric) -> tuple[jax.Array, jax.Array]:
        return jax.vmap(commutator, mapped)(y, k), jax.vmap(alignment_rate, mapped)(y, k)

    L, K = (np.asarray(a).reshape(len(ts), len(ETAS), len(TAUS), d, d) for a in measured(ys))
    size = np.moveaxis(np.linalg.norm(L, axis=(-2, -1)), 0, -1)
    least = np.moveaxis(np.linalg.eigvalsh(K)[..., 0], 0, -1)
    return {"ts": ts, "size": size / size[..., :1], "least": least, "rate": least.min(-1)}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Two rows (commutator, λ_min(K)) of three panels (η)."""
    figure, axes = style.panels(2, 3, width="page", height=3.6, sharex=True, sharey="row", height_ratios=(1.5, 1))
    ts = data["ts"]
    for column, eta in enumerate(ETAS):
        top, bottom = axes[:, column]
        for row in range(len(TAUS)):
            upper, lower = style.lines("L", len(TAUS))[row], style.lines("K", len(TAUS))[row]
            top.plot(ts, data["size"][column, row], **upper)
            bottom.plot(ts, data["least"][column, row], **lower)
            if data["rate"][column, row] > 0:
                bound = np.exp(-2 * data["rate"][column, row] * ts)
                top.plot(ts, bound, **style.LAW | {"color": upper["color"]})
        top.set(title=rf"$\eta = {eta:g}$", yscale="log", ylim=(1e-7, 10), yticks=[1e-6, 1e-4, 1e-2, 1])
        bottom.axhline(0, color="0.6", linewidth=0.5, zorder=0)
        bottom.set(xlabel="$t$", xlim=(ts[0], ts[-1]))
    axes[0, 0].set_ylabel(r"$\|[F, W_p]\|$, relative")
    axes[1, 0].set_ylabel(r"$\lambda_{\min}(K)$")
    key = [*style.sweep([rf"$\tau = {tau:g}$" for tau in TAUS])]
    key.append(
        style.entry(r"bound $e^{-2\lambda_0 t}$ of Theorem 3, where $\lambda_0 > 0$", **style.LAW | {"color": "0.4"})
    )
    constants = (
        r"$\alpha_p = 1$, $\sigma^2 = 0.2$ ($\kappa = 1.2$), $d = 6$; $\lambda_0 = \inf_t \lambda_{\min}(K)$; "
        r"eigenvalues of $F(0)$ in [0.01, 0.03], $W_p(0)$ random and symmetric (seed 0)."
    )
    return style.finish(figure, constants, key)
