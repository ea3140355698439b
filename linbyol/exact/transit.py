"""Transit on the invariant parabola (Eq. 16): the time of a mode as a function that inverts well, and its inverse.

With a = tau λ_d ≥ 0, b = λ_s and q(p) = b p² - a p + eta a mode obeys ṗ = -p q(p), so partial fractions give its time
in the logarithms l_0 = ln(p₁/p₀) and l_± = ln((p₁ - p_±)/(p₀ - p_±)). Each form is used where it does not cancel:

    t = [ (l_0 - l_+)/p_+ + (l_- - l_0)/p_- ] / √D      for eta < eta_c/2, with D = a² - 4 b eta; good down to eta = 0
    t = [ (l_+ + l_-)/2 - l_0 - a S ] / eta             else, S = artanh(√D Y)/√D, which is analytic in D through 0

where Y = (m₁ - m₀)/(m₀ m₁ - D), m = 2 b p - a. `theory/paper/parabola.py` derives both. Far from the roots, where
all terms cancel, the time is that of u = 1/p, the smooth integral of u/(b - a u + eta u²), by Gauss and
Legendre's rule.

The coordinate is y = -ln of the fraction of the way from start to end that is left. It is l_+ or l_0 up to its sign, so
the logarithm that diverges at the end is exact, and p(t) keeps its derivatives long after p has reached its end.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.cubic import Cubic, Data, critical_polynomial, roots, safe_sqrt, upright
from linbyol.exact import newton
from linbyol.exact.logarithms import artanh, expm1_over, log1p_over, log_ratio, nonzero


class Orbit(NamedTuple):
    """A start, the fixed point it tends to, and the roots (0 where they are not real), of one shape, with a ≥ 0."""

    start: Array
    end: Array
    p_minus: Array
    p_plus: Array
    cubic: Cubic


def orbit_of(x: Any, p0: Any, k: Data) -> tuple[Array, Array, Orbit]:
    """x and the orbit of p0, broadcast to one shape, and the side: p0 times it is the start."""
    side, cubic = upright(critical_polynomial(k))
    x, p0, side, *leaves = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(p0), side, *roots(cubic), *cubic)
    x, p0 = (v.astype(side.dtype) for v in (x, p0))
    p_minus, p_plus = (jnp.where(leaves[5] >= 0, root, 0) for root in leaves[:2])
    return x, side, _orbit(side * p0, p_minus, p_plus, Cubic(*leaves[2:]))


def restarted(start: Array, orbit: Orbit) -> Orbit:
    """The orbit of another start."""
    return _orbit(start, *orbit[2:])


def _orbit(start: Array, p_minus: Array, p_plus: Array, cubic: Cubic) -> Orbit:
    rises = (p_plus > 0) & (start > 0) & (start >= p_minus)
    return Orbit(start, jnp.where(rises, p_plus, 0), p_minus, p_plus, cubic)


def beside(t: Array, orbit: Orbit) -> Array:
    """p at t, with its first derivatives, where the start is a fixed point; for any start at t = 0.

    There a disturbance obeys δp = e^(rate t) δp0 + (e^(rate t) - 1)/rate δṗ.
    """
    (a, b, eta, D), start = orbit.cubic, orbit.start
    root = safe_sqrt(D)
    rate = jnp.where(start == 0, -eta, jnp.where(start == orbit.p_minus, orbit.p_minus, -orbit.p_plus) * root)
    rate, start = jax.lax.stop_gradient((rate, start))
    speed = start * ((a - b * start) * start - eta)
    speed = jnp.where(at_rest(orbit), speed - jax.lax.stop_gradient(speed), speed)
    x = jnp.minimum(rate * t, jnp.log(jnp.finfo(t.dtype).max) / 2)
    return start + (orbit.start - start) * jnp.exp(x) + t * expm1_over(x) * speed


def at_rest(orbit: Orbit) -> Array:
    """Whether the start is a fixed point."""
    return (orbit.start == 0) | (orbit.start == orbit.p_minus) | (orbit.start == orbit.p_plus)


def unknown(orbit: Orbit) -> Array:
    """Whether the start, or a constant, is nan: where they are traced they cannot be refused."""
    return jnp.isnan(orbit.start) | jnp.isnan(orbit.cubic.D)


def remaining(p: Array, orbit: Orbit) -> Array:
    """y of p: -ln of the fraction of the way from start to end that is left at p."""
    return -log_ratio(p - orbit.end, orbit.start - orbit.end, p - orbit.start)


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
    l_0 = jnp.where(falls, -y, log_ratio(p, start, change, ~falls))
    l_plus = jnp.where(falls, log_ratio(p - p_plus, start - p_plus, change, falls), -y)
    l_minus = log_ratio(p - p_minus, start - p_minus, change)

    # (l_- - l_0)/p_minus = ln(1 + p_minus z)/p_minus -> z as eta -> 0
    denominator = p * (start - p_minus)
    z = jnp.where(denominator == 0, jnp.where(change == 0, 0, jnp.inf), change / nonzero(denominator))
    small = (jnp.abs(l_minus - l_0) < 0.4) | (p_minus == 0)
    slow = jnp.where(small, z * log1p_over(jnp.where(small, p_minus * z, 0)), (l_minus - l_0) / nonzero(p_minus))
    early = ((l_0 - l_plus) / nonzero(p_plus) + slow) / root

    near = _near_threshold(y, orbit)
    from_end = jnp.where(falls, jnp.inf, jnp.sqrt(jnp.maximum(D, 0)))  # m at p_plus, where 2 b p - a cancels
    m0 = _refined(2 * b * start - a, from_end + 2 * b * (start - orbit.end))
    m1 = _refined(2 * b * p - a, from_end + 2 * b * (start - orbit.end) * jnp.exp(-y))
    m_change = 2 * b * change
    mean = jnp.where(near, log_ratio(m1 * m1 - D, m0 * m0 - D, m_change * (m0 + m1), near), l_plus + l_minus) / 2
    S = jnp.where(near, artanh(m_change, m0 * m1 - D, D), (l_plus - l_minus) / (2 * root))
    late = (mean - l_0 - a * S) / nonzero(eta)
    near = jnp.minimum(jnp.abs(start), jnp.abs(p))
    far = (b * near > 10 * a) & (b * near * near > 100 * eta)
    t = jnp.where(8 * b * eta < a * a, early, jnp.where(eta > 0, late, jnp.nan))
    start, p, change = (jnp.where(far, x, 1) for x in (start, p, change))
    return jnp.where(far, _from_afar(start, p, change, orbit.cubic), t)


def _from_afar(start: Array, p: Array, change: Array, cubic: Cubic) -> Array:
    """∫ u/(b - a u + eta u²) du from 1/start to 1/p, to rounding where the poles lie ten times farther from 0."""
    a, b, eta, _ = cubic
    total, way = jnp.zeros_like(p), -change / (p * start)
    for node, weight in zip(*(x.tolist() for x in np.polynomial.legendre.leggauss(5)), strict=True):
        u = 1 / start + way * ((1 + node) / 2)
        total = total + u * (weight / 2) / (b - (a - eta * u) * u)
    return way * total


def solve(t: Float[Array, "*modes"], orbit: Orbit) -> Float[Array, "*modes"]:
    """The y at which `time_of` is t ≥ 0."""
    (a, b, eta, D), start, end = orbit.cubic, orbit.start, orbit.end
    root = jnp.sqrt(jnp.maximum(D, 0))

    def speed(p: Array, left: Array) -> Array:  # ẏ, with p - end = left
        return jnp.where(end == 0, (b * p - a) * p + eta, p * (root + b * left))

    first, last = speed(start, start - end), speed(end, jnp.zeros_like(end))
    bottom = jnp.clip(a / nonzero(2 * b), 0, jnp.maximum(start, 0))
    least = jnp.where(end == 0, speed(bottom, bottom), last)  # ẏ is monotone else
    low, high = t * jnp.minimum(jnp.minimum(first, last), least), t * jnp.maximum(first, last)
    y = jnp.where(last > first, low, high)  # the side from which Newton's steps do not overshoot

    def miss(y: Array) -> tuple[Array, Array]:
        p, change = reached(y, orbit)
        excess = time_of(y, p, change, orbit) - t
        return excess, -excess * speed(p, (start - end) * jnp.exp(-y))

    return newton.root(miss, low, high, y)


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
