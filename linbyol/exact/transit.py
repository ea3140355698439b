"""Transit on the invariant parabola (Eq. 16): the time of a mode as a function that inverts well, and its inverse.

With a = tau λ_d, b = λ_s and q(p) = b p² - a p + eta a mode obeys ṗ = -p q(p), so partial fractions give its time in
the logarithms l_0 = ln(p₁/p₀) and l_± = ln((p₁ - p_±)/(p₀ - p_±)). Two forms are used, each where it does not cancel:

    t = [ (l_0 - l_+)/p_+ + (l_- - l_0)/p_- ] / √D      for eta < eta_c/2, with D = a² - 4 b eta; good down to eta = 0
    t = [ (l_+ + l_-)/2 - l_0 - a S ] / eta             else, S = artanh(√D Y)/√D, which is analytic in D through 0

where Y = (m₁ - m₀)/(m₀ m₁ - D), m = 2 b p - a. `theory/paper/parabola.py` derives both.

The coordinate is y = -ln of the fraction of the way from start to end that is left. It is l_+ or l_0 up to its sign, so
the logarithm that diverges at the end is exact, and p(t) keeps its derivatives long after p has reached its end.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.fixed_points import Cubic, Data, critical_polynomial, predictor_roots, safe_sqrt


class Orbit(NamedTuple):
    """A start, the fixed point it tends to, and the roots (0 where they are not real), all of one shape."""

    start: Array
    end: Array
    p_minus: Array
    p_plus: Array
    cubic: Cubic


def orbit_of(x: Any, p0: Any, k: Data) -> tuple[Array, Orbit]:
    """x and the orbit of p0, broadcast to one shape."""
    cubic = critical_polynomial(k)
    _, *roots = predictor_roots(k)
    x, p0, *leaves = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(p0), *roots, *cubic)
    x, p0 = (v.astype(leaves[0].dtype) for v in (x, p0))
    p_minus, p_plus = (jnp.where(leaves[5] >= 0, root, 0) for root in leaves[:2])
    rises = (p_plus > 0) & (p0 > 0) & (p0 >= p_minus)
    return x, Orbit(p0, jnp.where(rises, p_plus, 0), p_minus, p_plus, Cubic(*leaves[2:]))


def remaining(p: Array, orbit: Orbit) -> Array:
    """y of p: -ln of the fraction of the way from start to end that is left at p."""
    return -_log_ratio(p - orbit.end, orbit.start - orbit.end, p - orbit.start)


def reached(y: Array, orbit: Orbit) -> tuple[Array, Array]:
    """p and p - p0 at y."""
    # Near a double root dp_plus/dk is infinite while p(t) is smooth in k, and any other end serves as well.
    end = jnp.where(_near_threshold(y, orbit), jax.lax.stop_gradient(orbit.end), orbit.end)
    way = orbit.start - end
    return end + way * jnp.exp(-y), way * jnp.expm1(-y)


def time_of(y: Array, p: Array, change: Array, orbit: Orbit) -> Array:
    """Time from the start to p = start + change, where y = remaining(p)."""
    a, b, eta, D = orbit.cubic
    start, p_minus, p_plus = orbit.start, orbit.p_minus, orbit.p_plus
    falls = orbit.end == 0
    root = safe_sqrt(jnp.where(D > 0, D, 1))
    l_0 = jnp.where(falls, -y, _log_ratio(p, start, change, ~falls))
    l_plus = jnp.where(falls, _log_ratio(p - p_plus, start - p_plus, change, falls), -y)
    l_minus = _log_ratio(p - p_minus, start - p_minus, change)

    # (l_- - l_0)/p_minus = ln(1 + p_minus z)/p_minus -> z as eta -> 0
    denominator = p * (start - p_minus)
    z = jnp.where(denominator == 0, jnp.where(change == 0, 0, jnp.inf), change / _nonzero(denominator))
    small = (jnp.abs(l_minus - l_0) < 0.4) | (p_minus == 0)
    slow = jnp.where(small, z * _log1p_over(jnp.where(small, p_minus * z, 0)), (l_minus - l_0) / _nonzero(p_minus))
    early = ((l_0 - l_plus) / _nonzero(p_plus) + slow) / root

    near = _near_threshold(y, orbit)
    from_end = jnp.where(falls, jnp.inf, jnp.sqrt(jnp.maximum(D, 0)))  # m at p_plus, where 2 b p - a cancels
    m0 = _refined(2 * b * start - a, from_end + 2 * b * (start - orbit.end))
    m1 = _refined(2 * b * p - a, from_end + 2 * b * (start - orbit.end) * jnp.exp(-y))
    m_change = 2 * b * change
    mean = jnp.where(near, _log_ratio(m1 * m1 - D, m0 * m0 - D, m_change * (m0 + m1), near), l_plus + l_minus) / 2
    S = jnp.where(near, _artanh(m_change, m0 * m1 - D, D), (l_plus - l_minus) / (2 * root))
    late = (mean - l_0 - a * S) / _nonzero(eta)
    return jnp.where(8 * b * eta < a * a, early, jnp.where(eta > 0, late, jnp.nan))


def solve(t: Float[Array, "*modes"], orbit: Orbit) -> Float[Array, "*modes"]:
    """The y at which `time_of` is t ≥ 0, by Newton's method kept inside a shrinking bracket."""
    (a, b, eta, D), start, end = orbit.cubic, orbit.start, orbit.end
    root = jnp.sqrt(jnp.maximum(D, 0))

    def speed(p: Array, left: Array) -> Array:  # ẏ, with p - end = left
        return jnp.where(end == 0, (b * p - a) * p + eta, p * (root + b * left))

    first, last = speed(start, start - end), speed(end, jnp.zeros_like(end))
    bottom = jnp.clip(a / _nonzero(2 * b), 0, jnp.maximum(start, 0))
    least = jnp.where(end == 0, speed(bottom, bottom), last)  # ẏ is monotone else
    low, high = t * jnp.minimum(jnp.minimum(first, last), least), t * jnp.maximum(first, last)
    y = jnp.where(last > first, low, high)  # the side from which Newton's steps do not overshoot

    def unfinished(state: tuple) -> Array:
        return jnp.any(~state[4]) & (state[5] < 200)

    def improve(state: tuple) -> tuple:
        low, high, y, last_step, done, turns = state
        p, change = reached(y, orbit)
        excess = time_of(y, p, change, orbit) - t
        late = ~(jnp.isfinite(excess) & (excess < 0))  # also where p runs out of digits
        low, high = jnp.where(late, low, y), jnp.where(late, y, high)
        step = -excess * speed(p, (start - end) * jnp.exp(-y))
        good = (y + step >= low) & (y + step <= high) & (jnp.abs(step) <= last_step / 2)
        middle = jnp.where((low > 0) & (high > 4 * low), jnp.sqrt(low) * jnp.sqrt(high), low + (high - low) / 2)
        new = jnp.where(done, y, jnp.where(good, y + step, middle))
        size = jnp.abs(new - y)
        return low, high, new, size, done | (size <= 2 * jnp.finfo(y.dtype).eps * new), turns + 1

    done = ~(jnp.isfinite(high) & (high > 0))
    return jax.lax.while_loop(unfinished, improve, (low, high, y, jnp.full_like(y, jnp.inf), done, 0))[2]


def _near_threshold(y: Array, orbit: Orbit) -> Array:
    """Where the roots are so close, or gone, that l_+ - l_- would cancel."""
    a, b, _, D = (jax.lax.stop_gradient(x) for x in orbit.cubic)
    start, end, y = (jax.lax.stop_gradient(x) for x in (orbit.start, orbit.end, y))
    m0 = 2 * b * start - a
    m1 = 2 * b * (end + (start - end) * jnp.exp(-y)) - a
    apart = 4 * D * (m1 - m0) ** 2 > (m0 * m1 - D) ** 2  # √D |Y| > 1/2
    return (D <= 0) | ((a * a > 100 * D) & ~apart & (start != end))


def _refined(x: Array, better: Array) -> Array:
    """x with the value of `better`, the same number without cancellation, where that is finite."""
    return x + jax.lax.stop_gradient(jnp.where(jnp.isfinite(better), better - x, 0))


def _artanh(rise: Array, run: Array, D: Array) -> Array:
    """artanh(√D Y)/√D for Y = rise/run; arctan(√-D Y)/√-D on the branch that runs through run = 0 where D < 0."""
    Y = jnp.where((run == 0) & (rise != 0), jnp.sign(rise) * jnp.inf, rise / _nonzero(run))
    x = D * jnp.where(jnp.isfinite(Y), Y * Y, 0)
    small = (jnp.abs(x) < 1e-3) & ((D >= 0) | (run > 0))
    x_small = jnp.where(small, x, 0)
    series = sum(x_small**j / (2 * j + 1) for j in range(6))
    above = ~small & (D > 0) & (x < 1)
    root = jnp.sqrt(jnp.where(above, D, 1))
    hyperbolic = jnp.arctanh(jnp.where(above, root * Y, 0)) / root
    below = ~small & (D < 0)
    root = jnp.sqrt(jnp.where(below, -D, 1))
    circular = jnp.arctan2(jnp.where(below, root * rise, 0), jnp.where(below, run, 1)) / root
    return jnp.where(small, Y * series, jnp.where(D > 0, hyperbolic, circular))


def _log_ratio(new: Array, old: Array, change: Array, wanted: Array | bool = True) -> Array:
    """ln(new/old) for new = old + change of one sign; 0 where old is 0, or where it is not wanted."""
    new, old, change = (jnp.where(wanted & (old != 0), x, other) for x, other in ((new, 1), (old, 1), (change, 0)))
    x = change / old
    small = jnp.abs(x) < 0.5
    return jnp.where(small, jnp.log1p(jnp.where(small, x, 0)), jnp.log(jnp.where(small, 1, jnp.abs(new / old))))


def _log1p_over(x: Array) -> Array:
    """ln(1 + x)/x, 1 at 0."""
    small = jnp.abs(x) < 1e-3
    x_small, x_large = jnp.where(small, x, 0), jnp.where(small, 1, x)
    series = sum((-x_small) ** j / (j + 1) for j in range(6))
    return jnp.where(small, series, jnp.log1p(x_large) / x_large)


def _nonzero(x: Array) -> Array:
    return jnp.where(x == 0, 1, x)
