"""The door of integration: state and constants checked, in one dtype and in the shapes of their flow."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linbyol import checks
from linbyol.equations.combinators import Flow


def prepare(flow: Flow, y0: Any, k: Any) -> tuple[Any, Any]:
    """The door: state and constants checked, as arrays of one floating dtype, the state in the shapes of its flow."""
    checks.check_numbers("y0", y0)
    checks.check_constants(k)
    if all(hasattr(y0, name) for name in ("W", "Wp", "Wa")):
        checks.check_weights(y0, k)
    check_leaves(y0)
    y0, k = jax.tree.map(_floating, (y0, k))
    for _ in range(2):  # a scalar leaf takes the shape that the others give the rate
        rate = rate_shapes(flow, y0, k)
        leaves = jax.tree.leaves(y0)
        dtype = jnp.result_type(*(leaf.dtype for leaf in jax.tree.leaves((y0, rate))))
        try:
            y0 = jax.tree.map(lambda a, r, dtype=dtype: jnp.broadcast_to(a, r.shape).astype(dtype), y0, rate)
        except ValueError:
            shapes = [(name, jnp.shape(leaf)) for name, leaf in checks.fields("y0", y0)]
            raise checks.InputError(
                f"Argument `y0` does not fit the flow's rate: shapes {shapes} against "
                f"{[leaf.shape for leaf in jax.tree.leaves(rate)]}."
            ) from None
        if all(a.shape == r.shape and a.dtype == r.dtype for a, r in zip(leaves, jax.tree.leaves(rate), strict=True)):
            break
    return y0, k


def check_leaves(y0: Any) -> None:
    """A state holds numbers."""
    if not jax.tree.leaves(y0):
        raise checks.InputError(f"Argument `y0` must hold numbers, but is {y0!r}.")


def rate_shapes(flow: Flow, y0: Any, k: Any) -> Any:
    """The shapes of flow(y0, k), of arrays. Raises `InputError` unless it is of the type of y0."""
    try:
        rate = _shapes(flow, y0, k)
    except checks.InputError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise checks.InputError(f"Arguments `y0` and `k` do not fit the flow: {_first_line(error)}") from error
    if jax.tree.structure(rate) != jax.tree.structure(y0):  # type: ignore[operator]
        raise checks.InputError(
            f"Argument `flow` must return the type of `y0`, {type(y0).__name__}, but returns {type(rate).__name__}."
        )
    return rate


def _shapes(flow: Flow, y: Any, k: Any) -> Any:
    """Traced once for each flow and shapes, where the flow has a hash."""
    leaves, tree = jax.tree.flatten((y, k))
    shapes = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype, weak_type=x.weak_type) for x in leaves)
    try:
        return _known_shapes(flow, tree, shapes)
    except TypeError:  # flows with traced numbers have no hash; what else is wrong is told again
        return jax.eval_shape(lambda y, k: flow(y, k), *jax.tree.unflatten(tree, shapes))


@lru_cache(maxsize=256)
def _known_shapes(flow: Flow, tree: Any, shapes: tuple) -> Any:
    return jax.eval_shape(lambda y, k: flow(y, k), *jax.tree.unflatten(tree, shapes))


def _floating(a: Any) -> Array:
    return jnp.asarray(a, dtype=None if jnp.issubdtype(jnp.result_type(a), jnp.floating) else float)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") + "."
