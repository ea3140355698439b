"""Transit of a balanced mode of deep JEPA or MAE at eta = 0: time as a function that inverts well.

Both read ẇ = λ_d w^m g with g = 1 - z^q, where z = w/w* is relative to the layer at rest: m = 2L, q = 1, w* = ρ (JEPA),
m = L, q = L + 1, w* = ρ^(1/(L+1)) (MAE). With s = ln(w/w0) and G = ln(g0/g) partial fractions over the roots of unity
ω_j of z^q = 1 give λ_d w*^(m-1) t between z0 and z as

    JEPA  s + G + Σ_{k=1}^{2L-1} (z0^-k - z^-k)/k,
    MAE   (z0^(1-L) - z^(1-L))/(L-1) + (G - Σ_{j≠0} Re[(ω_j^-2 - 1) ln((1 - z ω_j)/(1 - z0 ω_j))])/q,

s for the first term at L = 1. For 0 < z < 1 all terms that matter have one sign, so each keeps its digits. Far above
rest they cancel, and u = 1/z obeys |dt| ∝ u^(2L-1)/(1 - u^q) du for both losses: Gauss and Legendre's rule in
y = -ln(1 - u).

The coordinate is ξ = ln(z^q/|g|) minus its value at the start. It moves at q λ_d w^(m-1), which has neither zero nor
pole, so nothing is special at the fixed point, and s and G follow from ξ to their last digits, early and late.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linbyol.cubic import product_error
from linbyol.exact import newton
from linbyol.exact.logarithms import log_ratio

NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


class Kind(NamedTuple):
    """What tells JEPA from MAE, once the depth is known."""

    depth: int
    m: int
    q: int


class Path(NamedTuple):
    """A start w0 > 0, the rest w*, and the start relative to it: z0 = w0/w*, v0 = z0^q, g0 = 1 - v0."""

    w0: Array
    rest: Array
    z0: Array
    v0: Array
    g0: Array
    unit: Array  # 1/(λ_d w*^(m-1)): the time that a scaled time of 1 takes


def path_of(w0: Array, lambda_d: Array, lambda_s: Array, kind: Kind) -> Path:
    """The path that begins at w0."""
    rho = lambda_d / lambda_s
    rest = rho if kind.q == 1 else rho ** (1 / kind.q)
    g0 = gap(w0, lambda_d, lambda_s, kind.q)
    unit = 1 / (lambda_d * rest ** (kind.m - 1))
    return Path(w0, rest, w0 / rest, lambda_s * w0**kind.q / lambda_d, g0, unit)


def gap(w: Array, lambda_d: Array, lambda_s: Array, q: int) -> Array:
    """1 - λ_s w^q/λ_d, with the digits that the rounding of the power would take near the fixed point."""
    power, lost = w, jnp.zeros_like(w)
    for _ in range(q - 1):
        power, lost = power * w, lost * w + product_error(power, w)
    loss = lambda_d - lambda_s * power
    correction = lambda_s * lost + product_error(lambda_s, power)
    return (loss - jax.lax.stop_gradient(jnp.where(jnp.isfinite(correction), correction, 0))) / lambda_d


def scaled_time(s: Array, G: Array, z: Array, path: Path, kind: Kind) -> Array:
    """λ_d w*^(m-1) t from the path's start to z, where s = ln(z/z0) and G = ln(g0/g)."""
    edge = 1 / (1 - 1 / (4 * kind.depth))  # above it the terms cancel
    start, end = path.z0, z
    falls, rises = (start > edge) & (end <= edge), (start <= edge) & (end > edge)  # through the edge
    above = (start > edge) & (end > edge)
    crossing = jnp.where(falls | rises, jnp.abs(path.g0), 1)
    to_edge = jnp.log(crossing / (edge**kind.q - 1))  # ln of g0 relative to g at the edge
    s = jnp.where(falls, jnp.log(end / edge), jnp.where(rises, jnp.log(edge / start), jnp.where(above, 0, s)))
    G = jnp.where(falls, G - to_edge, jnp.where(rises, to_edge, jnp.where(above, 0, G)))
    near = _near(s, G, jnp.minimum(start, edge), kind)
    some = falls | rises | above
    start, end = (jnp.where(some, jnp.maximum(x, edge), 2 * edge) for x in (start, end))
    return near + jnp.where(some, _far(start, end, kind), 0)


def _near(s: Array, G: Array, z0: Array, kind: Kind) -> Array:
    s1, z1 = s[..., None], z0[..., None]
    ks = _row(range(1, kind.m) if kind.q == 1 else [kind.depth - 1], z1)
    powers = s if kind.q > 1 and kind.depth == 1 else -jnp.sum(z1**-ks * jnp.expm1(-ks * s1) / ks, axis=-1)
    if kind.q == 1:
        return s + G + powers
    theta = 2 * np.pi * np.arange(1, kind.q) / kind.q
    cos, sin, c2, s2 = (_row(f(a), z1) for a in (theta, 2 * theta) for f in (np.cos, np.sin))
    change = z1 * jnp.expm1(s1)
    n0, grown = 1 - 2 * z1 * cos + z1 * z1, change * (2 * z1 + change - 2 * cos)
    real = log_ratio(n0 + grown, n0, grown) / 2
    imaginary = jnp.arctan2(-change * sin, n0 - change * (cos - z1))
    return powers + (G - jnp.sum((c2 - 1) * real + s2 * imaginary, axis=-1)) / kind.q


def _far(start: Array, end: Array, kind: Kind) -> Array:
    """∫ u^(2L-1)/(1 - u^q) du from 1/start to 1/end, both below 1."""
    y0 = -jnp.log1p(-1 / start)
    way = jnp.log1p((start - end) / (start * (end - 1)))  # ln of (1 - 1/start)/(1 - 1/end)
    y = y0[..., None] + way[..., None] * _row((1 + NODES) / 2, y0[..., None])
    u = -jnp.expm1(-y)
    speed = u ** (2 * kind.depth - 1) * jnp.exp(-y) / (1 - u**kind.q)
    return way * jnp.sum(_row(WEIGHTS / 2, y) * speed, axis=-1)


def _row(values: Any, like: Array) -> Array:
    """Numbers along the last axis of an array of as many axes as another."""
    return jnp.asarray(values, like.dtype).reshape([1] * (like.ndim - 1) + [-1])


def reached(xi: Array, path: Path, kind: Kind) -> tuple[Array, Array, Array]:
    """s = ln(w/w0), G = ln(g0/g), and w itself at the coordinate ξ ≥ 0."""
    fading = path.g0 * jnp.expm1(-xi)
    small = jnp.abs(fading) < 0.5
    left = jnp.where(small | (fading > 0), 1 + fading, path.v0 + path.g0 * jnp.exp(-xi))  # z0^q/z^q, the same twice
    ln = jnp.where(small, jnp.log1p(jnp.where(small, fading, 0)), jnp.log(jnp.where(small, 1, left)))
    early = xi < 30
    G = jnp.where(early, jnp.log1p(path.v0 * jnp.expm1(jnp.where(early, xi, 0))), xi + ln)
    s = -ln / kind.q
    late = path.v0 > left / 2  # z^q > 1/2
    g = path.g0 * jnp.exp(-xi) / left
    at_rest = path.rest * jnp.exp(jnp.log1p(-jnp.where(late, g, 0)) / kind.q)
    return s, G, jnp.where(late, at_rest, path.w0 * jnp.exp(s))


def time_at(xi: Array, path: Path, kind: Kind) -> Array:
    """Time from the start to ξ."""
    s, G, w = reached(xi, path, kind)
    return path.unit * scaled_time(s, G, w / path.rest, path, kind)


def solve(t: Array, path: Path, lambda_d: Any, kind: Kind) -> Array:
    """The ξ at which `time_at` is t ≥ 0."""
    speed = lambda w: kind.q * lambda_d * w ** (kind.m - 1)  # noqa: E731
    first, last = speed(path.w0), speed(path.rest)
    low, high = t * jnp.minimum(first, last), t * jnp.maximum(first, last)

    def miss(xi: Array) -> tuple[Array, Array]:
        s, G, w = reached(xi, path, kind)
        excess = path.unit * scaled_time(s, G, w / path.rest, path, kind) - t
        return excess, -excess * speed(w)

    return newton.root(miss, low, high, jnp.where(last > first, low, high))
