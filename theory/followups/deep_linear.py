"""A two-layer linear network (Saxe et al. 2013): its invariant in every dimension, and a mode in closed form."""

from functools import cache

import jax
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
from linbyol.extremes import every
from linbyol.integrate import integrate
from theory.proving.instances import moment, orthogonal
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


def aligned_gap(key: jax.Array) -> jax.Array:
    """On aligned weights (E[x xᵀ] = I) the flow of the matrices is that of the modes: the largest difference."""
    keys = jax.random.split(key, 4)
    U, R, V = jax.vmap(lambda key: orthogonal(key, N))(keys[:3])
    s, a, b = jax.random.uniform(keys[3], (3, N), minval=0.2, maxval=1.5)
    rate = layers_flow(Layers((R * a[None]) @ V.T, (U * b[None]) @ R.T), Teacher(jnp.eye(N), (U * s[None]) @ V.T))
    mode = pair_flow(Pair(a, b), Strength(s))
    gaps = rate.W1 - (R * mode.a[None]) @ V.T, rate.W2 - (U * mode.b[None]) @ R.T
    return jnp.max(jnp.abs(jnp.stack(gaps)))


def _side_by_side(y: tuple[Pair, Pair, Layers], k: tuple[Strength, Strength, Teacher]) -> tuple[Pair, Pair, Layers]:
    """Three systems in one compilation."""
    return pair_flow(y[0], k[0]), pair_flow(y[1], k[1]), layers_flow(y[2], k[2])


@jax.jit
def numbers(key: jax.Array) -> dict[str, jax.Array]:
    """A random instance: modes against the closed form, both invariants along their flows, and the loss's gradient."""
    keys = jax.random.split(key, 8)
    s = jax.random.uniform(keys[0], (8,), minval=0.2, maxval=2.0)
    u0 = 1e-3 * (1 + jax.random.uniform(keys[1], (8,)))
    balanced = Pair(jnp.sqrt(u0), jnp.sqrt(u0))
    start = Pair(*jax.random.normal(keys[2], (2, 8)))
    k = Teacher(moment(keys[3], N), jax.random.normal(keys[4], (M, N)))
    y = Layers(0.5 * jax.random.normal(keys[5], (D, N)), 0.5 * jax.random.normal(keys[6], (M, D)))
    system = (balanced, start, y), (Strength(s), Strength(s), k)
    even, odd, matrices = integrate(_side_by_side, *system, TIMES, rtol=1e-12, atol=1e-14).ys
    error = jnp.max(jnp.abs(even.a * even.b - product(u0, Strength(s), jnp.asarray(TIMES))))
    drift = jnp.max(jnp.abs(pair_balance(odd, Strength(s)) - pair_balance(start, Strength(s))[None]))
    kept = jnp.max(jnp.abs(jax.vmap(lambda y: layers_balance(y, k))(matrices) - layers_balance(y, k)[None]))
    gradient = jax.grad(task_loss)(y, k)
    gap = jnp.stack([jnp.max(jnp.abs(g + v)) for g, v in zip(gradient, layers_flow(y, k), strict=True)]).max()
    return {
        "largest_error_of_the_closed_form": error,
        "drift_of_a2_minus_b2": drift,
        "drift_of_the_matrices": kept,
        "gradient_of_the_loss_gap": gap,
        "matrices_against_modes_gap": aligned_gap(keys[7]),
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
    found, left = numbers(jax.random.fold_in(run.key, 97)), {name: rest for name, rest in proofs().items() if rest}
    return holds_if(
        every(found[name] < limit for name, limit in LIMITS.items()) and not left,
        seeds=[run.seed],
        dimensions="symbolic",
        proofs=len(proofs()),
        residual=left,
        **found,
    )
