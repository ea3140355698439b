"""Closed forms of a mode on the invariant parabola s = p²/alpha_p (Eq. 16), and Eq. 15.

Times are those of the flow; alpha_p drops out. Each function takes `Isotropic` or `Commuting`, any eta ≥ 0 and any tau
(of a negative one the mirror image, p → -p), numbers, arrays or lists; it broadcasts, and is differentiable. What no
mode can have raises `InputError` where its value is known (not under `jit`, `vmap` and `grad`). λ_s = 0 gives nan.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_nonnegative, check_numbers, check_times, concrete
from linbyol.cubic import Data, admitted, critical_polynomial, numbers, real, upright
from linbyol.exact.logarithms import expm1_over
from linbyol.exact.stable_manifold import collapses, separatrix
from linbyol.exact.transit import at_rest, beside, orbit_of, reached, remaining, restarted, solve, time_of, unknown

__all__ = [
    "collapses", "escape_time", "escape_time_asymptotics", "parabola", "parabola_time", "separatrix", "target_ratio",
]  # fmt: skip


def parabola_time(p: Any, p0: Any, k: Data) -> Float[Array, "*modes"]:
    """Time to go from p0 to p on the parabola, in closed form. Derived (see linbyol/exact/transit.py).

    Negative where p lies behind p0; inf at the fixed point that p0 tends to, -inf at the one that it comes from; nan
    where no orbit joins the two.
    """
    return _parabola_time(numbers("p", p), numbers("p0", p0), admitted(k))


@jax.jit
def _parabola_time(p: Array, p0: Array, k: Data) -> Array:
    p, side, orbit = orbit_of(p, p0, k)
    p, (start, end, p_minus, p_plus, _) = side * p, orbit
    still = at_rest(orbit)
    joined = ~still
    for root in (0, p_minus, p_plus):
        joined = joined & (jnp.sign(p - root) * jnp.sign(start - root) > 0)
    orbit = restarted(jnp.where(joined, start, jax.lax.stop_gradient(p_plus) + 1), orbit)
    there = jnp.where(joined, p, orbit.start)
    t = time_of(remaining(there, orbit), there, there - orbit.start, orbit)
    source = jnp.where((start > 0) & (start < p_plus), p_minus, jnp.nan)
    never = jnp.where(p == end, jnp.inf, jnp.where(p == source, -jnp.inf, jnp.nan))
    return jnp.where(joined, t, jnp.where(still, jnp.where(p == start, 0, jnp.nan), never))


def parabola(p0: Any, k: Data, ts: Any) -> Float[Array, "*times_modes"]:
    """p(t) of Eq. 16 from p(0) = p0, at times ts ≥ 0 (nan before): `parabola_time` inverted to machine precision.

    The axes of ts come first, then those of p0 and k broadcast. Derivatives in p0, k and ts come from the implicit
    function theorem, in forward and reverse mode, and stay right at fixed points and after p has reached its end.
    """
    return _parabola(numbers("p0", p0), admitted(k), times(ts))


def times(ts: Any) -> Array:
    """ts, a number, a list or an array, as an array; inf is a time, nan is none."""
    known = concrete(ts)
    finite = ts if known is None or known.dtype.kind != "f" else np.where(known == np.inf, 0, known)
    check_numbers("ts", finite)
    return real(ts)


@jax.jit
def _parabola(p0: Array, k: Data, ts: Array) -> Array:
    cubic = critical_polynomial(k)
    modes = jnp.broadcast_shapes(p0.shape, cubic.D.shape)
    t = ts.astype(cubic.D.dtype)
    t, side, orbit = orbit_of(t.reshape(*t.shape, *[1] * len(modes)), p0, k)
    known = (t >= 0) & ~unknown(orbit)
    still = beside(jnp.where(jnp.isfinite(t), t, 0), orbit)
    forgets = (orbit.start != orbit.p_minus) | (orbit.cubic.D < 0)
    still = jnp.where((t == jnp.inf) & forgets, orbit.end, still)
    moves = (t > 0) & jnp.isfinite(t) & ~at_rest(orbit)
    going = jnp.where(moves, t, 0)
    orbit = restarted(jnp.where(moves, orbit.start, jax.lax.stop_gradient(orbit.p_plus) + 1), orbit)
    y = jax.lax.custom_root(
        lambda y: time_of(y, *reached(y, orbit), orbit) - going,
        jnp.zeros_like(going),
        lambda residual, guess: solve(*jax.lax.stop_gradient((going, orbit))),
        lambda slope, x: x / slope(jnp.ones_like(x)),
    )
    p = side * jnp.where(moves, reached(y, orbit)[0], still)
    return jnp.where(known, p, jnp.nan)


def escape_time(p0: Any, k: Data, fraction: Any = 0.9) -> Float[Array, "*modes"]:
    """Time from p0 on the parabola to `fraction` of p_plus: 0 where it starts beyond, inf where it collapses."""
    fraction = numbers("fraction", fraction)
    x = concrete(fraction)
    if x is not None and not ((x > 0) & (x < 1)).all():
        raise InputError(f"Argument `fraction` must lie between 0 and 1, but is {x}.")
    return _escape_time(numbers("p0", p0), admitted(k), fraction)


@jax.jit
def _escape_time(p0: Array, k: Data, fraction: Array) -> Array:
    fraction, side, orbit = orbit_of(fraction, p0, k)
    start, end, p_minus, p_plus, _ = orbit
    goal = fraction * p_plus
    on_the_way = (end > 0) & (start > p_minus) & (start < goal)
    t = _parabola_time(side * jnp.where(on_the_way, goal, start), p0, k)
    t = jnp.where(on_the_way, t, jnp.where((end > 0) & (start >= goal), 0, jnp.inf))
    return jnp.where(unknown(orbit), jnp.nan, t)


def escape_time_asymptotics(p0: Any, k: Data) -> Float[Array, "*modes"]:
    """1/(λ_d p0) + (λ_s/λ_d²) ln(1/p0), tau λ_d for λ_d: the escape time at eta = 0 as p0 → 0, up to a constant.

    inf for p0 ≤ 0, which collapses.
    """
    side, (a, b, _, _) = upright(critical_polynomial(admitted(k)))
    p0, side, a, b = jnp.broadcast_arrays(numbers("p0", p0).astype(a.dtype), side, a, b)
    escapes = side * p0 > 0
    start = jnp.where(escapes, side * p0, 1)
    return jnp.where(escapes, 1 / (a * start) - b / (a * a) * jnp.log(start), jnp.inf)


def target_ratio(ts: Any, p: Any, k: Any, tau0: Any = 0.0) -> Float[Array, "t *modes"]:
    """Eq. 15: tau(t) = beta e^(-beta t) ∫₀ᵗ p e^(beta t') dt' / p(t) on the parabola, from samples p(ts) of one sign.

    ts (t,), p (t, *modes); k.beta and tau0 broadcast against the modes. ts[0] is the start, and tau0 = tau(ts[0]) adds
    tau0 p(0) e^(-beta t)/p(t); it is 0 in the paper. The samples are joined by straight lines, so the error is of
    second order in their distance. Differs: dt' for the paper's dt.
    """
    ts, p, tau0 = numbers("ts", ts), numbers("p", p), numbers("tau0", tau0)
    check_times(ts)
    beta = numbers("k.beta", k.beta)
    check_nonnegative("beta", beta)
    if p.shape[:1] != ts.shape:
        raise InputError(f"Argument `p` must have a row for each of the {ts.size} times, but has shape {p.shape}.")
    known = concrete(p)
    if known is not None and not ((known > 0).all(0) | (known < 0).all(0)).all():
        raise InputError("Argument `p` must keep one sign in each mode, but is 0 or changes it.")
    return _target_ratio(ts, p, beta, tau0)


@jax.jit
def _target_ratio(ts: Array, p: Array, beta: Array, tau0: Array) -> Array:
    modes = jnp.broadcast_shapes(p.shape[1:], beta.shape, tau0.shape)
    p = jnp.broadcast_to(p.reshape(*ts.shape, *[1] * (len(modes) + 1 - p.ndim), *p.shape[1:]), (*ts.shape, *modes))
    step = jnp.multiply(*jnp.broadcast_arrays(jnp.diff(ts).reshape(-1, *[1] * len(modes)), beta)).astype(p.dtype)
    forgotten, mean = jnp.exp(-step), expm1_over(-step)  # e^(-beta (t₁ - t)) over a step: at its start, on average
    gained = (1 - mean) * p[1:] + (mean - forgotten) * p[:-1]  # beta ∫ p e^(-beta (t₁ - t)) dt, p linear

    def advance(integral: Array, piece: tuple[Array, Array]) -> tuple[Array, Array]:
        integral = piece[0] * integral + piece[1]
        return integral, integral

    start = (jnp.broadcast_to(tau0, modes) * p[0]).astype(p.dtype)
    _, rest = jax.lax.scan(advance, start, (jnp.broadcast_to(forgotten, gained.shape), gained))
    return jnp.concatenate([start[None], rest]) / p
