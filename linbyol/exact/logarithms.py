"""Logarithms, and their kin, whose value and derivatives keep their digits where the plain formula loses them."""

import math

import jax.numpy as jnp
from jaxtyping import Array


def artanh(rise: Array, run: Array, D: Array) -> Array:
    """artanh(√D Y)/√D for Y = rise/run; arctan(√-D Y)/√-D on the branch that runs through run = 0 where D < 0."""
    Y = jnp.where((run == 0) & (rise != 0), jnp.sign(rise) * jnp.inf, rise / nonzero(run))
    x = D * jnp.where(jnp.isfinite(Y), Y * Y, 0)
    small = (jnp.abs(x) < 1e-3) & ((D >= 0) | (run > 0))
    x_small = jnp.where(small, x, 0)
    series = sum(x_small**j / (2 * j + 1) for j in range(6))
    above = ~small & (D > 0) & (x < 0.5)  # at 1 its slope is infinite
    root = jnp.sqrt(jnp.where(above, D, 1))
    hyperbolic = jnp.arctanh(jnp.where(above, root * Y, 0)) / root
    below = ~small & (D < 0)
    root = jnp.sqrt(jnp.where(below, -D, 1))
    circular = jnp.arctan2(jnp.where(below, root * rise, 0), jnp.where(below, run, 1)) / root
    return jnp.where(small, Y * series, jnp.where(D > 0, hyperbolic, circular))


def log_ratio(new: Array, old: Array, change: Array, wanted: Array | bool = True) -> Array:
    """ln(new/old) for new = old + change of one sign; 0 where old is 0, or where it is not wanted."""
    new, old, change = (jnp.where(wanted & (old != 0), x, other) for x, other in ((new, 1), (old, 1), (change, 0)))
    x = change / old
    small = jnp.abs(x) < 0.5
    return jnp.where(small, jnp.log1p(jnp.where(small, x, 0)), jnp.log(jnp.where(small, 1, jnp.abs(new / old))))


def log1p_over(x: Array) -> Array:
    """ln(1 + x)/x, 1 at 0."""
    small = jnp.abs(x) < 1e-3
    x_small, x_large = jnp.where(small, x, 0), jnp.where(small, 1, x)
    series = sum((-x_small) ** j / (j + 1) for j in range(6))
    return jnp.where(small, series, jnp.log1p(x_large) / x_large)


def expm1_over(x: Array) -> Array:
    """(e^x - 1)/x, 1 at 0."""
    small = jnp.abs(x) < 1e-3
    x_small, x_large = jnp.where(small, x, 0), jnp.where(small, 1, x)
    series = sum(x_small**j / math.factorial(j + 1) for j in range(6))
    return jnp.where(small, series, jnp.expm1(x_large) / x_large)


def nonzero(x: Array) -> Array:
    return jnp.where(x == 0, 1, x)
