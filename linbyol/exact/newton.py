"""Newton's method kept inside a shrinking bracket, for many equations at once."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def root(
    miss: Callable[[Array], tuple[Array, Array]],
    low: Float[Array, "*modes"],
    high: Float[Array, "*modes"],
    start: Float[Array, "*modes"],
) -> Float[Array, "*modes"]:
    """The y between low ≥ 0 and high at which an increasing function is 0, to the last bits.

    miss   y -> the function's value, and the step that Newton's method takes from y
    start  best on the side from which Newton's steps do not overshoot
    Where high is no positive finite number, it is the start.
    """

    def unfinished(state: tuple) -> Array:
        return jnp.any(~state[4]) & (state[5] < 200)

    def improve(state: tuple) -> tuple:
        low, high, y, last_step, done, turns = state
        excess, step = miss(y)
        late = ~(jnp.isfinite(excess) & (excess < 0))  # also where the function runs out of digits
        low, high = jnp.where(late, low, y), jnp.where(late, y, high)
        good = (y + step >= low) & (y + step <= high) & (jnp.abs(step) <= last_step / 2)
        middle = jnp.where((low > 0) & (high > 4 * low), jnp.sqrt(low) * jnp.sqrt(high), low + (high - low) / 2)
        new = jnp.where(done, y, jnp.where(good, y + step, middle))
        size = jnp.abs(new - y)
        return low, high, new, size, done | (size <= 2 * jnp.finfo(y.dtype).eps * new), turns + 1

    done = ~(jnp.isfinite(high) & (high > 0))
    return jax.lax.while_loop(unfinished, improve, (low, high, start, jnp.full_like(start, jnp.inf), done, 0))[2]
