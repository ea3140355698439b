"""Smooth convex losses of linear classifiers, minimised by L-BFGS on the full batch until the gradient vanishes."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array


class Minimum(NamedTuple):
    """Where L-BFGS stopped: at the tolerance, where rounding forbids progress, or at its limit of iterations."""

    at: Any
    value: Array
    gradient: Array  # largest absolute entry
    steps: Array
    converged: Array


def tolerance(dtype: Any) -> float:
    """The gradient's largest entry at which to stop: an objective's error is of the order of its square."""
    return 1e-9 if jnp.finfo(dtype).bits == 64 else 1e-6


@functools.partial(jax.jit, static_argnums=0)
def minimise(loss: Callable[..., Array], start: Any, args: Any, tol: Any, most: Any) -> Minimum:
    """The minimum of loss(w, *args) over w from `start`; at most `most` steps. Compiles once a loss and shapes."""
    solver = optax.lbfgs()
    f = lambda w: loss(w, *args)  # noqa: E731
    value_and_grad = optax.value_and_grad_from_state(f)

    def step(carry: Any) -> Any:
        w, state, n, idle, least = carry
        value, grad = value_and_grad(w, state=state)
        updates, state = solver.update(grad, state, w, value=value, grad=grad, value_fn=f)
        w = optax.apply_updates(w, updates)
        new = optax.tree.get(state, "value")
        return w, state, n + 1, jnp.where(new < least, 0, idle + 1), jnp.minimum(new, least)

    def going(carry: Any) -> Array:
        _, state, n, idle, _ = carry
        return (n == 0) | ((_largest(optax.tree.get(state, "grad")) > tol) & (idle < 5) & (n < most))

    first = jnp.asarray(jnp.inf, jax.tree.leaves(start)[0].dtype)
    zero = jnp.zeros((), jnp.int32)
    w, state, n, idle, _ = jax.lax.while_loop(going, step, (start, solver.init(start), zero, zero, first))
    gradient = _largest(optax.tree.get(state, "grad"))
    return Minimum(w, optax.tree.get(state, "value"), gradient, n, (gradient <= tol) | (idle >= 5))


def _largest(tree: Any) -> Array:
    return functools.reduce(jnp.maximum, [jnp.max(jnp.abs(x)) for x in jax.tree.leaves(tree)])
