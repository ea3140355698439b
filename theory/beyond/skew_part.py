"""Beyond the paper: the skew part B of Wp = A + B vanishes wherever there is weight decay (isotropic data).

With M = W Wᵀ - Wpᵀ Wp/α_p, which Theorem 1 makes e^(-2ηt) C, Eqs. 62-63 give for any τ(t)

    d/dt ½|B|² = -(κ/2) |[A, B]|² - κ tr(Wpᵀ Wp Bᵀ B) - η |B|² - α_p κ tr(Bᵀ Wp M).

The first three terms only lose, and the last is at most α_p κ e^(-2ηt) |C| |Wp| |B|, so that

    |B(t)| ≤ e^(-ηt) (|B(0)| + α_p κ |C| ∫₀ᵗ e^(-ηt') |Wp(t')| dt').

Wp stays bounded: with x = |Wp|, F ⪰ 0 and tr (WpᵀWp)² ≥ x⁴/d one has ẋ ≤ -κx³/d + |τ|x² + (α_pκ|C| - η)x
+ |τ| α_p max(tr C, 0), which is negative above its largest root. So B → 0 like e^(-ηt) for every C if η > 0.
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from sympy.matrices.expressions.trace import Trace

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import (
    Constants,
    Isotropic,
    Symmetric,
    Weights,
    symmetric_balance,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.extremes import every, largest
from linbyol.fixed_points import critical_eta
from linbyol.integrate import integrate
from theory.proving.instances import constants, weights
from theory.proving.skew_runs import FIG8, Runs, runs, size
from theory.proving.words import residual

BOUND = 1 + 1e-9  # ratio to a proven bound, up to the integrator


def lyapunov_rate(A: Any, B: Any, M: Any, k: Isotropic) -> Any:
    """The matrix whose trace is d/dt ½|B|², with M = W Wᵀ - Wpᵀ Wp/α_p, in SymPy or JAX; shapes (d, d)."""
    Wp, L = A + B, A @ B - B @ A
    loss = k.kappa * (L.T @ L) / 2 + k.kappa * (Wp.T @ Wp @ B.T @ B) + k.eta * (B.T @ B)
    return -loss - k.alpha_p * k.kappa * (B.T @ Wp @ M)


def symbolic_residual(rate: Any = lyapunov_rate) -> str:
    """What is left of the identity for symbolic d, "" if nothing: a trace does not see rotations and transposes."""
    d = sympy.Symbol("d", integer=True, positive=True)
    Wp, M = sympy.MatrixSymbol("W_p", d, d), sympy.MatrixSymbol("M", d, d)
    k = Isotropic(*sympy.symbols("alpha_p beta eta sigma2 tau"))
    A, B = (Wp + Wp.T) / 2, (Wp - Wp.T) / 2
    moving = unsymmetrised_flow(Symmetric(Wp, Wp.T @ Wp / k.alpha_p + M), k).Wp
    return residual(Trace(B.T @ moving - rate(A, B, M, k)), symmetric=(M,))


@claim(
    "B68b",
    title="Skew part: the Lyapunov identity, proven",
    statement="d/dt ½|B|² = -(κ/2)|[A,B]|² - κ tr(WpᵀWpBᵀB) - η|B|² - α_pκ tr(BᵀWpM), M = WWᵀ - WpᵀWp/α_p.",
    source="derived; Fig. 8",
    kind="symbolic",
)
def lyapunov_identity(run: Run) -> Verdict:
    left = symbolic_residual()
    return holds_if(left == "", seeds=(), dimensions="symbolic", residual=left)


@cache
def identity_residual(seed: int) -> float:
    """The identity at the integrated states of all instances, d/dt by jvp along the flow; relative to its terms."""

    def gap(y: Symmetric, k: Isotropic) -> Any:
        half = lambda y: jnp.sum((y.Wp - y.Wp.T) ** 2) / 8  # noqa: E731
        rate = jax.jvp(half, (y,), (unsymmetrised_flow(y, k),))[1]
        A, B = (y.Wp + y.Wp.T) / 2, (y.Wp - y.Wp.T) / 2
        law = jnp.trace(lyapunov_rate(A, B, symmetric_balance(y, k), k))
        return jnp.abs(rate - law) / (1 + jnp.abs(rate))

    groups = runs(seed).values()
    y = jax.tree.map(lambda *a: np.concatenate(a)[:, ::10], *(group.ys for group in groups))
    k = jax.tree.map(lambda *a: np.concatenate(a)[:, 0], *(group.k for group in groups))
    along = jax.vmap(gap, in_axes=(0, None))
    return float(jnp.max(jax.jit(jax.vmap(along))(y, k)))


@claim(
    "B68",
    title="Skew part: it vanishes where C = 0",
    statement="With F = WpᵀWp/α_p (C = 0): |B(t)| ≤ e^(-ηt) |B(0)| for any τ and α_p, by the Lyapunov identity.",
    source="derived; Fig. 8",
    kind="numeric",
)
def balanced_skew_part(run: Run) -> Verdict:
    group, error = runs(run.seed)["balanced"], identity_residual(run.seed)
    ratio = size(group.B) * np.exp(group.k.eta * group.ts) / size(group.B)[:, :1]
    early = group.k.eta * group.ts < 10  # later |B| is what the integrator leaves
    return holds_if(
        error < 1e-9 and ratio[early].max() <= BOUND,
        identity_residual=error,
        largest_ratio=ratio[early].max(),
        tau=group.k.tau[:, 0],
        alpha_p=group.k.alpha_p[:, 0],
        eta=group.k.eta[:, 0],
    )


def largest_predictor(group: Runs, C: np.ndarray) -> np.ndarray:
    """(N,) an a-priori bound of |Wp(t)| for all t, from the start and C alone (see the head of this file)."""
    norm, alpha_p, kappa, eta, tau = spectral(C), group.k.alpha_p, group.k.kappa, group.k.eta, group.k.tau
    rows = np.stack(
        [
            -kappa / C.shape[-1],
            np.abs(tau),
            alpha_p * kappa * norm[:, None] - eta,
            np.abs(tau) * alpha_p * np.maximum(np.trace(C, axis1=-2, axis2=-1), 0)[:, None],
        ],
        axis=1,
    )[:, :, 0]
    roots = [largest(0.0, [root.real for root in np.roots(row) if abs(root.imag) < 1e-9]) for row in rows]
    return np.maximum(roots, size(group.ys.Wp)[:, 0])


def spectral(C: np.ndarray) -> np.ndarray:
    """(N,) spectral norms."""
    return np.linalg.norm(C, ord=2, axis=(-2, -1))


@claim(
    "B68c",
    title="Skew part: it vanishes for every C once there is weight decay",
    statement="For η > 0 and any C, |B(t)| ≤ e^(-ηt) (|B(0)| + α_p κ |C| max|Wp| / η), with Wp bounded a priori.",
    source="derived; Fig. 8",
    kind="numeric",
)
def unbalanced_skew_part(run: Run) -> Verdict:
    group, left = runs(run.seed)["unbalanced"], symbolic_residual()
    y0, (ts, k) = jax.tree.map(lambda a: a[:, 0], group.ys), (group.ts, group.k)
    C = y0.F - np.swapaxes(y0.Wp, -1, -2) @ y0.Wp / k.alpha_p[:, :, None]
    bound_of_Wp = largest_predictor(group, C)[:, None]
    push = (k.alpha_p * k.kappa * spectral(C)[:, None] * bound_of_Wp) * -np.expm1(-k.eta * ts) / k.eta
    B, bound = size(group.B), np.exp(-k.eta * ts) * (size(group.B)[:, :1] + push)
    early = k.eta * ts < 10
    return holds_if(
        left == ""
        and every(size(group.ys.Wp) <= BOUND * bound_of_Wp)
        and every(B[early] <= BOUND * bound[early])
        and every(B[:, -1] < 1e-4 * B[:, 0]),  # e^-20 = 2e-9 times the bracket of the bound
        residual_of_the_identity=left,
        size_of_C=spectral(C),
        eta=k.eta[:, 0],
        largest_ratio_to_the_bound=(B / bound)[early].max(),
        largest_ratio_of_Wp=(size(group.ys.Wp) / bound_of_Wp).max(),
        B_at_the_end=B[:, -1] / B[:, 0],
    )


@claim(
    "B68d",
    title="Skew part: without weight decay it stays where C is not zero",
    statement="At η = 0 and C ≠ 0 the skew part of Wp need not vanish, even for isotropic data.",
    source="derived; Fig. 8",
    kind="numeric",
)
def undecayed_skew_part(run: Run) -> Verdict:
    group = runs(run.seed)["no decay"]
    k = jax.tree.map(lambda a: a[:, 0], group.k)
    rest = jax.jit(jax.vmap(unsymmetrised_flow))(jax.tree.map(lambda a: a[:, -1], group.ys), k)
    speed, B = size(np.asarray(rest.Wp)), size(group.B)
    stays = (B[:, -1] > 0.05 * B[:, 0]) & (speed < 1e-9)  # at rest, far above the integrator's error
    return holds_if(
        stays.any(), B_at_the_end=B[:, -1] / B[:, 0], speed_at_the_end=speed, instances_where_it_stays=int(stays.sum())
    )


@cache
def correlated(seed: int) -> dict[str, Any]:
    """Eight instances of the full flow, X and X_aug not commuting, Wa(0) = 0: four at η = 0, four at η = 0.02."""
    rng = np.random.default_rng([seed, 69])
    etas = np.repeat([0.0, 0.02], 4)
    drawn = [(weights(rng, 3, 6, 0.5), constants(rng, 6, alpha_p=1.0, beta=0.5, eta=eta)) for eta in etas]
    B, speed, gap = (np.asarray(a) for a in _solve_correlated(*jax.tree.map(lambda *a: np.stack(a), *drawn)))
    return {"B": B.reshape(2, 4, 3), "speed": speed.reshape(2, 4), "gap": gap}


@jax.jit
def _solve_correlated(y0: Weights, k: Constants) -> Any:
    def solve(y0: Weights, k: Constants) -> Any:
        y0 = y0._replace(Wa=0 * y0.Wa)
        solution = integrate(weights_flow, y0, k, jnp.array([0.0, 1500.0, 3000.0]))
        y = jax.tree.map(lambda a: a[-1], solution.ys)
        B = (solution.ys.Wp - jnp.swapaxes(solution.ys.Wp, -1, -2)) / 2
        gap = k.X @ k.X_aug - k.X_aug @ k.X
        return jnp.linalg.norm(B, axis=(-2, -1)), jnp.linalg.norm(weights_flow(y, k).Wp), jnp.linalg.norm(gap)

    return jax.vmap(solve)(y0, k)


@claim(
    "B69",
    title="Skew part: it need not vanish for correlated data",
    statement="With X and X_aug that do not commute the skew part of Wp stays at η = 0, and it can stay with decay.",
    source="derived; Appendix D",
    kind="numeric",
)
def correlated_skew_part(run: Run) -> Verdict:
    found = correlated(run.seed)
    B, speed = found["B"], found["speed"]
    late = B[:, :, -1] / B[:, :, 1]  # at t = 3000 over t = 1500: without decay rest is neared slowly
    undecayed = (B[0, :, -1] > 1e-3) & (late[0] > 0.9)
    decayed = (B[1, :, -1] > 1e-4) & (np.abs(late[1] - 1) < 1e-3) & (speed[1] < 1e-6)
    return holds_if(
        every(undecayed) and decayed.any(),
        commutator_of_X_and_X_aug=found["gap"],
        B_at_eta_0=B[0, :, -1],
        B_at_eta_0_02=B[1, :, -1],
        B_over_that_at_half_the_time=late,
        instances_settled_at_a_non_zero_B_with_decay=int(decayed.sum()),
    )


@claim(
    "B118",
    title="Figure 8: |B| vanishes, |A| may vanish too",
    statement="With F = WpᵀWp the skew part decays at every η and τ; the symmetric part also does where η > τ²/(4κ).",
    source="Fig. 8",
    kind="numeric",
)
def figure_8(run: Run) -> Verdict:
    group = runs(run.seed)["figure 8"]
    A, B = size(group.A), size(group.B)
    above = group.k.eta[:, 0] > np.asarray(critical_eta(group.k))[:, 0]
    skew = B[:, -1] / B[:, 0]
    kept = A[:, -1] > 1e-3
    return holds_if(
        skew.max() < 1e-6 and every(A[above, -1] <= 1e-3) and kept[~above].any() and above.any(),
        eta_and_tau=FIG8,
        B_at_the_end=skew,
        A_at_the_end=A[:, -1],
        above_the_threshold=above,
    )
