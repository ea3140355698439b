"""Leaves of a pytree as plain NumPy arrays and back, bit by bit: JAX and NumPy arrays of any type, keys, numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.checks import InputError, fields

NUMBERS = (bool, int, float)


def named(state: Any) -> dict[str, Any]:
    """The leaves of a state by their key paths, `state.params[0].W`."""
    leaves = fields("state", state)
    if len(found := dict(leaves)) < len(leaves):
        names = [name for name, _ in leaves]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Argument `state` has two leaves that are both called `{twice}`.")
    return found


def describe(name: str, leaf: Any) -> dict[str, Any]:
    """Shape and type of a leaf as plain values; `leaf` may be a `jax.ShapeDtypeStruct`."""
    if isinstance(leaf, NUMBERS):
        return {"shape": [], "dtype": type(leaf).__name__}
    if not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")) or str(leaf.dtype) == "object":
        raise InputError(f"Argument `{name}` must be an array or a number, but is {leaf!r:.60}.")
    return {"shape": list(leaf.shape), "dtype": str(leaf.dtype)}


def encode(leaf: Any) -> np.ndarray:
    """The leaf as an array that an npz archive keeps: keys by their data, bfloat16 as unsigned integers."""
    if _is_key(leaf):
        leaf = jax.random.key_data(leaf)
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable and leaf.is_fully_replicated:
        leaf = leaf.addressable_data(0)  # every process holds all of it
    x = np.asarray(leaf)
    return x.view(f"u{x.dtype.itemsize}") if x.dtype.kind == "V" else x  # npz would forget which type it was


def implementation(leaf: Any) -> str | None:
    """The name of a key's generator."""
    return str(jax.random.key_impl(leaf)) if _is_key(leaf) else None


def decode(name: str, x: np.ndarray, like: Any, implementation: str | None) -> Any:
    """The leaf of the kind of `like` (number, NumPy array, JAX array with its sharding) with the bits of x."""
    if isinstance(like, NUMBERS):
        return type(like)(x.item())
    if _is_key(like):
        return jax.random.wrap_key_data(jnp.array(x), impl=implementation)
    if np.dtype(like.dtype).kind == "V":
        x = x.view(like.dtype)
    if isinstance(like, np.ndarray | np.generic):
        return x
    sharding = getattr(like, "sharding", None)
    if sharding is not None and len(sharding.device_set) > 1:
        return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])
    found = jnp.array(x)  # a copy: its memory may be donated
    if found.dtype != x.dtype:
        raise InputError(f"Argument `{name}` is {x.dtype} in the checkpoint, which needs jax_enable_x64.")
    return found


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
