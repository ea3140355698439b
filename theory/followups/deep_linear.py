"""A two-layer linear network (Saxe et al. 2013): its invariant in every dimension, and a mode in closed form."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.deep_linear import (
    Layers,
    Pair,
    Strength,
    Teacher,
    layers_balance,
    layers_flow,
    pair_balance,
    pair_flow,
    product,
    product_at,
    product_flow,
    task_loss,
)
from linbyol.extremes import every, largest
from theory.proving.instances import moment, orthogonal
from theory.proving.prover import slopes
from theory.proving.solves import follow
from theory.proving.words import residual

M, D, N = 4, 5, 6
TIMES = np.linspace(0.0, 12.0, 121)
LIMITS = {
    "largest_error_of_the_closed_form": 1e-8,
    "drift_of_a2_minus_b2": 1e-9,
    "drift_of_the_matrices": 1e-9,
    "gradient_of_the_loss_gap": 1e-12,  # rounding
    "matrices_against_modes_gap": 1e-12,
}


@cache
def proofs() -> dict[str, str]:
    """What SymPy leaves of: the invariant (symbolic sizes), that of a mode, u̇ at a = b, and the closed form."""
    m, d, n = sp.symbols("m d n", integer=True, positive=True)
    y = Layers(MatrixSymbol("W1", d, n), MatrixSymbol("W2", m, d))
    k = Teacher(MatrixSymbol("Sigma", n, n), MatrixSymbol("Cross", m, n))
    v = layers_flow(y, k)
    change = v.W1 @ y.W1.T + y.W1 @ v.W1.T - v.W2.T @ y.W2 - y.W2.T @ v.W2  # d/dt of layers_balance, quadratic
    shift = Layers(*(A + B for A, B in zip(y, v, strict=True))), Layers(*(A - B for A, B in zip(y, v, strict=True)))
    change_of_it = (layers_balance(shift[0], k) - layers_balance(shift[1], k)) / 2
    a, b, u, u0, s, t = sp.symbols("a b u u_0 s t", positive=True)
    pair, rate = Pair(a, b), pair_flow(Pair(a, b), Strength(s))
    invariant = pair_balance(pair, Strength(s))
    at = product_at(u0, s, sp.exp(-2 * s * t))
    return {
        "matrices": residual(change_of_it, symmetric=(k.Sigma,)) + residual(change, symmetric=(k.Sigma,)),
        "mode": residual(sp.diff(invariant, a) * rate.a + sp.diff(invariant, b) * rate.b),
        "product": residual(
            (rate.a * b + a * rate.b).subs({a: sp.sqrt(u), b: sp.sqrt(u)}) - product_flow(u, Strength(s))
        ),
        "closed form": residual(sp.simplify(sp.diff(at, t) - product_flow(at, Strength(s)))),
        "start": residual(sp.simplify(at.subs(t, 0) - u0)),
    }


def aligned_gap(rng: np.random.Generator) -> float:
    """On aligned weights (E[x xᵀ] = I) the flow of the matrices is that of the modes: the largest difference."""
    U, R, V = (orthogonal(rng, N) for _ in range(3))
    s, a, b = rng.uniform(0.2, 1.5, (3, N))
    rate = layers_flow(Layers((R * a) @ V.T, (U * b) @ R.T), Teacher(np.eye(N), (U * s) @ V.T))
    mode = pair_flow(Pair(a, b), Strength(s))
    return largest(np.abs(rate.W1 - (R * mode.a) @ V.T), np.abs(rate.W2 - (U * mode.b) @ R.T))


def numbers(rng: np.random.Generator) -> dict[str, float]:
    """A random instance: modes against the closed form, both invariants along their flows, and the loss's gradient."""
    s, u0 = Strength(rng.uniform(0.2, 2.0, 8)), 1e-3 * (1 + rng.uniform(size=8))
    k = Teacher(moment(rng, N), rng.standard_normal((M, N)))
    y = Layers(0.5 * rng.standard_normal((D, N)), 0.5 * rng.standard_normal((M, D)))
    starts = (pair_flow, Pair(np.sqrt(u0), np.sqrt(u0)), s), (pair_flow, Pair(*rng.standard_normal((2, 8))), s)
    even, odd, matrices = (follow(*start, TIMES) for start in (*starts, (layers_flow, y, k)))
    by_layer = (lambda A: task_loss(Layers(A, y.W2), k)), (lambda A: task_loss(Layers(y.W1, A), k))
    gradient = [slopes(loss, A) for loss, A in zip(by_layer, y, strict=True)]
    moved = lambda solved, Q: largest(np.abs(solved.map(Q) - solved.map(Q)[:1]))  # noqa: E731
    return {
        "largest_error_of_the_closed_form": largest(
            np.abs(even.ys.a * even.ys.b - product(jnp.asarray(u0), s, jnp.asarray(TIMES)))
        ),
        "drift_of_a2_minus_b2": moved(odd, pair_balance),
        "drift_of_the_matrices": moved(matrices, layers_balance),
        "gradient_of_the_loss_gap": largest(np.abs(g + v) for g, v in zip(gradient, layers_flow(y, k), strict=True)),
        "matrices_against_modes_gap": aligned_gap(rng),
    }


@claim(
    "B97",
    title="A deep linear mode, in closed form",
    statement="A balanced mode of a two-layer linear network has u = s/(1 + (s/u₀ - 1) e^(-2st)); off balance a² - b² "
    "is conserved, and W₁W₁ᵀ - W₂ᵀW₂ for any data.",
    source="Saxe et al. 2013",
    kind="numeric",
)
def saxe(run: Run) -> Verdict:
    found = numbers(np.random.default_rng([run.seed, 97]))
    left = {name: rest for name, rest in proofs().items() if rest}
    return holds_if(
        every(found[name] < limit for name, limit in LIMITS.items()) and not left,
        dimensions="symbolic",
        proofs=len(proofs()),
        residual=left,
        **found,
    )
