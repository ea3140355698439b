"""Eqs. 62-63 solved once for every claim on a predictor that is not symmetric: instances by name."""

from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linbyol.equations import Isotropic, Symmetric, unsymmetrised_flow
from linbyol.extremes import every
from linbyol.integrate import integrate
from theory.proving.mode_runs import between, uniforms

SIZE = 4
FIG8 = [(eta, tau) for eta in (0.001, 0.01, 0.05) for tau in (0.2, 0.4, 1.0)]
GROUPS = {
    "balanced": 5, "unbalanced": 8, "no decay": 5, "small": 5, "positive": 3, "collapsing": 3, "figure 8": len(FIG8),
}  # fmt: skip


class Runs(NamedTuple):
    """One group of solved instances as NumPy arrays."""

    ts: np.ndarray  # (N, t)
    ys: Symmetric  # leaves (N, t, d, d)
    k: Isotropic  # leaves (N, 1)

    @property
    def A(self) -> np.ndarray:
        """Symmetric part of Wp."""
        return (self.ys.Wp + np.swapaxes(self.ys.Wp, -1, -2)) / 2

    @property
    def B(self) -> np.ndarray:
        """Skew part of Wp."""
        return (self.ys.Wp - np.swapaxes(self.ys.Wp, -1, -2)) / 2


@cache
def runs(seed: int) -> dict[str, Runs]:
    """balanced: C = 0 with random (τ, α_p, η); unbalanced: the same with C ≠ 0; no decay: C ≠ 0, η = 0;
    small: C ≠ 0, a large τ, a small η and a small Wp, so that K < 0 at the start; positive: C ≠ 0 and η = 0.8 τ²/(4κ),
    so that K ⪰ (3/2) η - τ²/(4κ) > 0 on any Wp and F, from above p_+; collapsing: C ≠ 0 and η far above the threshold,
    up to e^-8 only; figure 8: C = 0, α_p = 1, one start.
    """
    N = sum(GROUPS.values())
    groups = np.split(np.arange(N), np.cumsum(list(GROUPS.values()))[:-1])
    balanced, _, no_decay, small, positive, collapsing, figure_8 = groups
    u = uniforms(seed, 68)[:, :N]
    tau, alpha_p, eta = between(0.3, 1.2, u[0]), between(0.5, 3, u[1]), between(0.01, 0.1, u[2])
    eta[no_decay], eta[small], tau[small] = 0, eta[small] / 3, np.maximum(tau[small], 0.8)
    eta[positive] = 0.8 * tau[positive] ** 2 / 5  # κ = 1.25
    eta[collapsing], tau[collapsing] = 0.1, 0.3
    alpha_p[figure_8], (eta[figure_8], tau[figure_8]) = 1, np.transpose(FIG8)
    t1 = 20 / np.where(eta > 0, eta, 0.02)  # e^-20 in what decays at the rate η
    t1[collapsing] *= 0.4
    rng = np.random.default_rng([seed, 690])
    Wp = 0.7 * rng.standard_normal((N, SIZE, SIZE))
    Wp[small] /= 5
    Wp[figure_8] = Wp[figure_8[0]]
    G = 0.45 * rng.standard_normal((N, SIZE, SIZE))
    F = G @ np.swapaxes(G, -1, -2)
    F[small] /= 10
    goal = (tau / 1.25)[positive, None, None] * np.eye(SIZE)  # τ/κ, above p_+
    Wp[positive], F[positive] = goal + Wp[positive] / 10, goal**2 / alpha_p[positive, None, None] + F[positive] / 10
    without_C = np.concatenate([balanced, figure_8])
    F[without_C] = (np.swapaxes(Wp, -1, -2) @ Wp / alpha_p[:, None, None])[without_C]
    k = Isotropic(alpha_p, np.zeros(N), eta, np.full(N, 0.25), tau)
    ts, ys, ok = jax.tree.map(np.asarray, _solve(Symmetric(Wp, F), k, t1))
    if not every(ok):
        raise RuntimeError(f"{np.sum(~ok)} of {N} instances did not reach their last time.")
    found = [jax.tree.map(lambda a, i=i: a[i], (ts, ys, jax.tree.map(lambda a: a[:, None], k))) for i in groups]
    return {name: Runs(*group) for name, group in zip(GROUPS, found, strict=True)}


def size(M: np.ndarray) -> np.ndarray:
    """Frobenius norms of the last two axes."""
    return np.linalg.norm(M, axis=(-2, -1))


@eqx.filter_jit
def _solve(y0: Symmetric, k: Isotropic, t1: Any) -> Any:
    def solve(y: Symmetric, k: Isotropic, t1: Any) -> Any:
        clock = jnp.linspace(0, 1, 201)
        solution = integrate(unsymmetrised_flow, y, k, t1 * clock, rtol=1e-10, atol=1e-13)
        return solution.ts, solution.ys, solution.ok

    return jax.vmap(solve)(y0, k, t1)
