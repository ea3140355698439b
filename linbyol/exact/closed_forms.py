"""Closed forms of a mode on the invariant parabola s = p²/alpha_p (Eq. 16), and Eq. 15.

Times are those of the flow; alpha_p drops out. Each function takes `Isotropic` (with its tau ≥ 0) or `Commuting`, any
eta ≥ 0, broadcasts, and is differentiable. Where λ_s = 0, or tau λ_d = eta = 0, they give nan.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import InputError, concrete
from linbyol.exact.stable_manifold import collapses, separatrix
from linbyol.exact.transit import orbit_of, reached, remaining, solve, time_of
from linbyol.fixed_points import Data, critical_polynomial, predictor_roots, safe_sqrt

__all__ = [
    "collapses", "escape_time", "escape_time_asymptotics", "parabola", "parabola_time", "separatrix", "target_ratio",
]  # fmt: skip


@jax.jit
def parabola_time(p: Any, p0: Any, k: Data) -> Float[Array, "*modes"]:
    """Time to go from p0 to p on the parabola, in closed form. Derived (see linbyol/exact/transit.py).

    Negative where p lies behind p0; inf at the fixed point that p0 tends to, -inf at the one that it comes from; nan
    where no orbit joins the two.
    """
    p, orbit = orbit_of(p, p0, k)
    start, end, p_minus, p_plus, _ = orbit
    source = jnp.where((start > 0) & (start < p_plus), p_minus, jnp.nan)
    roots = (0, p_minus, p_plus)
    joined = jnp.full(p.shape, True)
    for root in roots:
        joined = joined & (jnp.sign(p - root) * jnp.sign(start - root) > 0)
    there = jnp.where(joined, p, start)
    t = time_of(remaining(there, orbit), there, there - start, orbit)
    starts_still = (start == 0) | (start == p_minus) | (start == p_plus)
    t = jnp.where(joined, t, jnp.where(p == end, jnp.inf, jnp.where(p == source, -jnp.inf, jnp.nan)))
    return jnp.where(p == start, 0, jnp.where(starts_still, jnp.nan, t))


@jax.jit
def parabola(p0: Any, k: Data, ts: Any) -> Float[Array, "*times_modes"]:
    """p(t) of Eq. 16 from p(0) = p0, at times ts ≥ 0 (nan before): `parabola_time` inverted to machine precision.

    The axes of ts come first, then those of p0 and k broadcast. Derivatives in p0, k and ts come from the implicit
    function theorem, in forward and reverse mode, and stay right after p has reached its end.
    """
    cubic = critical_polynomial(k)
    modes = jnp.broadcast_shapes(jnp.shape(p0), cubic.D.shape)
    t = jnp.asarray(ts, dtype=cubic.D.dtype)
    t, orbit = orbit_of(t.reshape(*t.shape, *[1] * len(modes)), p0, k)
    start, end, p_minus, _, (_, _, eta, D) = orbit
    moves = (t > 0) & jnp.isfinite(t) & (start != p_minus) & ((start != 0) | (eta > 0))
    going = jnp.where(moves, t, 0)
    y = jax.lax.custom_root(
        lambda y: time_of(y, *reached(y, orbit), orbit) - going,
        jnp.zeros_like(going),
        lambda residual, guess: solve(*jax.lax.stop_gradient((going, orbit))),
        lambda slope, x: x / slope(jnp.ones_like(x)),
    )
    growth = jnp.exp(jnp.minimum(p_minus * safe_sqrt(D) * jnp.where(jnp.isfinite(t), t, 0), 700))
    still = jnp.where(start == p_minus, p_minus + (start - p_minus) * growth, start)  # the saddle, with its derivative
    p = jnp.where(moves, reached(y, orbit)[0], still)
    p = jnp.where((t == jnp.inf) & (start != p_minus), end, p)
    return jnp.where(t >= 0, p, jnp.nan)


def escape_time(p0: Any, k: Data, fraction: Any = 0.9) -> Float[Array, "*modes"]:
    """Time from p0 on the parabola to `fraction` of p_plus: 0 where it starts beyond, inf where it collapses."""
    x = concrete(fraction)
    if x is not None and not ((x > 0) & (x < 1)).all():
        raise InputError(f"Argument `fraction` must lie between 0 and 1, but is {x}.")
    _, p_minus, p_plus = predictor_roots(k)
    p0, p_minus, goal = jnp.broadcast_arrays(jnp.asarray(p0, dtype=p_plus.dtype), p_minus, fraction * p_plus)
    survives = (p0 > 0) & (p0 >= p_minus)
    on_the_way = survives & (p0 > p_minus) & (p0 < goal)
    t = parabola_time(jnp.where(on_the_way, goal, p0), p0, k)
    return jnp.where(on_the_way, t, jnp.where(survives & (p0 >= goal), 0, jnp.inf))


def escape_time_asymptotics(p0: Any, k: Data) -> Float[Array, "*modes"]:
    """1/(λ_d p0) + (λ_s/λ_d²) ln(1/p0), tau λ_d for λ_d: the escape time at eta = 0 as p0 → 0, up to a constant."""
    a, b, _, _ = critical_polynomial(k)
    return 1 / (a * p0) - b / (a * a) * jnp.log(jnp.asarray(p0))


def target_ratio(
    ts: Float[Array, " t"], p: Float[Array, "t *modes"], k: Any, tau0: Any = 0.0
) -> Float[Array, "t *modes"]:
    """Eq. 15: tau(t) = beta e^(-beta t) ∫₀ᵗ p e^(beta t') dt' / p(t) on the parabola, from samples p(ts) of one sign.

    ts[0] is the start, and tau0 = tau(ts[0]) adds tau0 p(0) e^(-beta t)/p(t); it is 0 in the paper. The samples are
    joined by straight lines, so the error is of second order in their distance. Differs: dt' for the paper's dt.
    """
    p = jnp.asarray(p)
    step = jnp.diff(ts).reshape(-1, *[1] * (p.ndim - 1)) * k.beta  # beta Δt
    forgotten = jnp.exp(-step)
    safe = jnp.where(step > 0, step, 1)
    mean = jnp.where(step > 0, -jnp.expm1(-safe) / safe, 1)  # of e^(-beta (t₁ - t)) over a step
    gained = (1 - mean) * p[1:] + (mean - forgotten) * p[:-1]  # beta ∫ p e^(-beta (t₁ - t)) dt, p linear

    def advance(integral: Array, piece: tuple[Array, Array]) -> tuple[Array, Array]:
        integral = piece[0] * integral + piece[1]
        return integral, integral

    start = tau0 * p[0]
    _, rest = jax.lax.scan(advance, start, (jnp.broadcast_to(forgotten, gained.shape), gained))
    return jnp.concatenate([start[None], rest]) / p
