"""Learning rate and target momentum over the steps of a run, as factors of their settings; step counts from 0."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Step = Int[Array, ""]
Number = Float[Array, ""]


def constant(progress: Number) -> Number:
    """1 throughout."""
    return jnp.ones_like(progress)


def cosine(progress: Number) -> Number:
    """Half a cosine from 1 to 0 while progress goes from 0 to 1."""
    return (1 + jnp.cos(jnp.pi * progress)) / 2


SCHEDULES: dict[str, Callable[[Number], Number]] = {"constant": constant, "cosine": cosine}


def rate(schedule: str, step: Step, total: int, warmup: int, dtype: jnp.dtype) -> Number:
    """Factor of the learning rate: (step + 1)/warmup while it warms up, then the schedule over what is left."""
    now = step.astype(dtype)
    rising = (now + 1) / max(warmup, 1)
    progress = (now - warmup) / max(total - warmup, 1)
    return jnp.where(step < warmup, rising, SCHEDULES[schedule](jnp.clip(progress, 0, 1)))


def target_momentum(schedule: str, gamma_a: Number, step: Step, total: int) -> Number:
    """gamma_a, or 1 - (1 - gamma_a) (1 + cos(π step/total))/2, which rises to 1 (BYOL)."""
    return 1 - (1 - gamma_a) * SCHEDULES[schedule](step.astype(gamma_a.dtype) / max(total, 1))
