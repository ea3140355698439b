"""The cosine loss on modes (Bao, arXiv 2309.16109): balance, sixth order, the regimes, and how far the norms carry."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, Matrix, parabola_flow
from linbyol.equations.cosine import (
    Cosine,
    CosineModes,
    Norms,
    attraction,
    cosine_modes_flow,
    frozen_flow,
    mode_balance,
    norms,
    predictor_descent,
)
from linbyol.extremes import every, largest
from linbyol.integrate import integrate
from linbyol.losses import byol_cosine
from theory.proving.mode_runs import between, uniforms
from theory.proving.words import residual

DIMENSIONS = (16, 64, 192)  # features
BATCHES, SAMPLES = 16, 1500
TIMES = np.linspace(0.0, 2.0, 41)
MODES = 6
ROUNDING = 1e-12
BESIDE = (1.0001, 0.9999)  # how near to a threshold, in parts of it, both sides of it are looked at


@cache
def proofs() -> dict[str, Any]:
    """What SymPy leaves on three modes of: the balance's rate, the shrinking of Σ p²; and degrees in p."""
    p, s = (np.array(sp.symbols(f"{letter}_1:4", positive=True)) for letter in "ps")
    rho, kappa = sp.symbols("rho kappa", positive=True)
    k, y = Cosine(kappa, rho), CosineModes(p, s)
    rate = cosine_modes_flow(y, k)
    balance = rate.s - 2 * p * rate.p + 2 * rho * mode_balance(y, k)
    at = CosineModes(p, p * p)
    n, v = norms(at), cosine_modes_flow(at, k).p
    shrink = (p * v).sum() + 2 * (p**7).sum() / (n.predictor**3 * kappa * n.encoder) + rho * (p * p).sum()
    q = sp.Symbol("p")
    frozen = frozen_flow(q, Norms(*sp.symbols("N_Phi N_Psi T", positive=True)), k)
    return {
        "balance": "".join(residual(sp.expand(b)) for b in balance),
        "shrink": residual(sp.simplify(shrink)),
        "degree": int(sp.degree(sp.expand(frozen), q)),
        "degree_of_the_distance": int(sp.degree(sp.expand(parabola_flow(q, Isotropic(1, 0, rho, kappa - 1))), q)),
    }


@cache
def paths(seed: int) -> dict[str, Any]:
    """Six random modes off the parabola and on it, under the flow with its own norms."""
    a, b, c = jax.random.split(jax.random.fold_in(jax.random.key(seed), 95), 3)
    p = jax.random.uniform(a, (MODES,), minval=0.5, maxval=1.5)
    k = Cosine(1.0 + jax.random.uniform(c, ()), jnp.asarray(0.1))
    s = jnp.stack([p * p + jax.random.uniform(b, (MODES,)), p * p])
    ps = jnp.stack([p, p])
    solve = lambda p, s: integrate(cosine_modes_flow, CosineModes(p, s), k, TIMES, rtol=1e-10, atol=1e-12).ys  # noqa: E731
    return {"k": k, "ys": jax.jit(jax.vmap(solve))(ps, s)}


def features(key: Any, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Φ and a symmetric Wp of d features in general position, filled up with zeros to the largest of DIMENSIONS."""
    most = DIMENSIONS[-1]
    a, b, c = jax.random.split(key, 3)
    Q1, Q2 = (np.linalg.qr(np.asarray(jax.random.normal(r, (most, most)))[:d, :d])[0] for r in (a, b))
    f, w = np.asarray(jax.random.uniform(c, (2, most), minval=0.3, maxval=1.7))[:, :d]
    return tuple(np.pad(A, (0, most - d)) for A in (Q1 * np.sqrt(f), (Q2 * w) @ Q2.T))  # type: ignore[return-value]


@jax.jit
def gradient_errors(key: Any, Phi: Matrix, Wp: Matrix) -> jax.Array:
    """Gram matrix of the errors of -∂L/∂Wp in BATCHES independent estimates, in parts of the law's own square."""
    law = predictor_descent(Wp, Phi @ Phi.T, Cosine(1.5, 0.0))

    def error(key: Any) -> Any:
        x, noise1, noise2 = jax.random.normal(key, (3, SAMPLES, DIMENSIONS[-1]))
        f1, f2 = ((x + jnp.sqrt(0.5) * noise) @ Phi.T for noise in (noise1, noise2))
        return -jax.grad(lambda Wp: byol_cosine(f1 @ Wp.T, f2).total / 2)(Wp) - law

    errors = jax.lax.map(error, jax.random.split(key, BATCHES)).reshape(BATCHES, -1)
    return errors @ errors.T / jnp.sum(law * law)


def norm_of_mean(gram: np.ndarray) -> tuple[float, float]:
    """‖E error‖ and its standard error from the Gram matrix of independent estimates: no noise adds to it.

    The square is the mean inner product of two different estimates, its error the jackknife's.
    """
    m, total, rows, own = len(gram), gram.sum(), gram.sum(1), np.diagonal(gram)
    square = (total - own.sum()) / (m * (m - 1))
    without = (total - 2 * rows + 2 * own - own.sum()) / ((m - 1) * (m - 2))
    error = np.sqrt((m - 1) / m * np.sum((without - without.mean()) ** 2))
    size = np.sqrt(np.maximum(square, error))
    return float(size), float(error / (2 * size))


@claim(
    "B95",
    title="The cosine loss makes sixth-order modes",
    statement="With concentrated norms the modes keep s = p² + c e^(-2ρt), and on s = p² ṗ is of sixth order in p (the "
    "distance: third); the gradient is that of the cosine loss up to an error that falls with the feature dimension.",
    source="arXiv 2309.16109",
    kind="numeric",
)
def sixth_order(run: Run) -> Verdict:
    found = paths(run.seed)
    y, k = found["ys"], found["k"]
    kept = mode_balance(y, k) * jnp.exp(2 * k.rho * TIMES)[None, :, None]
    drift = float(jnp.max(jnp.abs(kept - kept[:, :1])))
    p, s = jax.random.uniform(jax.random.fold_in(run.key, 950), (2, MODES), minval=0.2, maxval=1.0)
    matrix = jnp.diagonal(predictor_descent(jnp.diag(p), jnp.diag(s), k))
    gap = float(jnp.max(jnp.abs(matrix - cosine_modes_flow(CosineModes(p, s), k).p)))
    key = jax.random.fold_in(run.key, 951)
    grams = [
        gradient_errors(jax.random.fold_in(key, d + 1), *features(jax.random.fold_in(key, d), d)) for d in DIMENSIONS
    ]
    sizes = [norm_of_mean(np.asarray(gram)) for gram in grams]
    error, spread = (np.array(column) for column in zip(*sizes, strict=True))
    falls = every(error[:-1] - error[1:] > 4 * np.hypot(spread[:-1], spread[1:]))
    shown = proofs()
    return holds_if(
        drift < 1e-9 and gap < ROUNDING and falls and not shown["balance"]
        and (shown["degree"], shown["degree_of_the_distance"]) == (6, 3),
        drift=drift,
        matrix_against_modes_gap=gap,
        feature_dimensions=list(DIMENSIONS),
        relative_gradient_error=error,
        its_standard_error=spread,
        slope_in_log_dimension=np.polyfit(np.log(DIMENSIONS), np.log(error), 1)[0],
        degree=shown["degree"],
        dimensions="3 modes (sums over modes have a fixed number of terms)"
    )  # fmt: skip


def equilibria(n: Norms, k: Cosine) -> np.ndarray:
    """Positive real zeros of `frozen_flow`, ascending; the coefficients are read off the function itself."""
    nodes = np.linspace(-1, 1, 7)
    coefficients = np.polyfit(nodes, frozen_flow(nodes, n, k), 6)  # exact: seven nodes, degree six
    roots = np.roots(coefficients[:-1])  # p = 0 divided out
    return np.sort(roots[(np.abs(roots.imag) < 1e-7) & (roots.real > 1e-9)].real)


@claim(
    "B95c",
    title="Regimes of the cosine loss at frozen norms",
    statement="As a state's norms shrink by a, the frozen flow passes once from 'collapse' (only p = 0) to two "
    "positive equilibria p₋ < p₊, at a² = max h/(ρ κ N_Ψ N_Φ), h = attraction · κ N_Ψ N_Φ/p; p₋/a falls to 0, so "
    "every mode with p > 0 passes it: if above some at first (bistable), it lies below all at last (stable).",
    source="arXiv 2309.16109 (names: its reviews; the criteria here are derived)",
    kind="numeric",
)
def regimes(run: Run) -> Verdict:
    """Eight states with constants of their own, each at 40 scales and just beside the threshold."""
    u = np.asarray(jax.random.uniform(jax.random.fold_in(run.key, 952), (8, MODES + 2), minval=0.3, maxval=1.2))
    right, falls, bistable, stable, orders = [], [], [], [], []
    for *p, noise, rho in u:
        p, k = np.array(p), Cosine(1 + noise, rho)
        n = norms(CosineModes(p, p * p))
        grid = np.linspace(1e-4, 2 * p.max(), 20001)
        h = attraction(CosineModes(grid, grid * grid), n, k) * (k.kappa * n.predictor * n.encoder) / grid
        threshold = np.sqrt(h.max() / (k.rho * k.kappa * n.predictor * n.encoder))
        scales = threshold * np.concatenate([np.geomspace(30, 1.1, 20), BESIDE, np.geomspace(0.9, 0.1, 20)])
        roots = [equilibria(norms(CosineModes(a * p, (a * p) ** 2)), k) / a for a in scales]
        right.append(np.array([len(r) for r in roots]) == np.where(scales < threshold, 2, 0))
        low = np.array([r[0] for r in roots if len(r)])
        falls.append(np.diff(low) < 0)
        orders.append(abs(np.log(low[-2] / low[-1]) / np.log(scales[-2] / scales[-1]) - 2))
        bistable.append(low[0] > p.min())
        stable.append(low[-1] < p.min())
    return holds_if(
        every(right, falls, stable) and largest(orders) < 0.05,
        states=len(u),
        threshold_met_within=BESIDE[0] - 1,
        bistable_below_the_threshold=bistable,
        order_of_p_minus_less_2=largest(orders),
    )


@jax.jit
def scale_slope(key: Any) -> jax.Array:
    """|<Wp, ∂L/∂Wp>| of the cosine loss on 50 random pairs of features in 8 dimensions."""
    f1, f2 = jax.random.normal(key, (2, 50, 8))
    Wp = jnp.eye(8) + f1[:8] / 4
    return jnp.abs(jnp.vdot(Wp, jax.grad(lambda Wp: byol_cosine(f1 @ Wp.T, f2).total)(Wp)))


@claim(
    "B95d",
    title="The stable equilibrium is one of frozen norms only",
    statement="With its own norms the sixth-order flow has no equilibrium but 0: on s = p², p > 0, d/dt ½Σp² = "
    "-2Σp⁷/(κ N_Ψ³ N_Φ) - ρ Σp² < 0; at equal modes and ρ = 0 p² falls at 4/(κ d²), and is 0 in finite time. The "
    "cosine loss itself is scale-free, so it keeps Σp² at ρ = 0: the O(1/d) is what concentrated norms leave out.",
    source="derived",
    kind="numeric",
)
def extinction(run: Run) -> Verdict:
    y = paths(run.seed)["ys"]
    size, ratio = np.asarray((y.p[1] ** 2).sum(-1)), np.asarray(y.p[1].max(-1) / y.p[1].min(-1))
    errors = []
    for d, noise, p0 in zip((2, 4, 7, 16), *between(0.1, 1.5, uniforms(run.seed, 954)[:2, :4]), strict=True):
        k = Cosine(1 + noise, 0.0)
        p = np.full(d, p0)
        v = cosine_modes_flow(CosineModes(p, p * p), k).p
        errors.append(np.abs(2 * p * v + 4 / (k.kappa * d**2)).max())
    of_the_loss, left = float(scale_slope(jax.random.fold_in(run.key, 953))), proofs()["shrink"]
    return holds_if(
        every(np.diff(size) < 0)
        and every(np.diff(ratio) < 0)
        and largest(errors) < ROUNDING
        and of_the_loss < ROUNDING
        and not left,
        sum_of_p2=[size[0], size[-1]],
        largest_over_smallest_p=[ratio[0], ratio[-1]],
        rate_of_p2_at_equal_modes_error=largest(errors),
        slope_of_the_loss_along_Wp=of_the_loss,
        dimensions="3 modes (sums over modes have a fixed number of terms)",
    )
