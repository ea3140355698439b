"""The largest and the least number that a check compares, and whether every condition is met.

Python's `max` passes over a NaN that is not the first, `all` of nothing is true, and False is the number 0. Here NaN,
nothing at all, and a truth value among numbers are errors, so that the claim is left undecided.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np


def largest(*values: Any) -> float:
    """The largest of all numbers in arrays, lists, iterators and values of dictionaries."""
    return float(_numbers(values).max())


def least(*values: Any) -> float:
    """The least of them."""
    return float(_numbers(values).min())


def every(*conditions: Any) -> bool:
    """Whether all truth values in arrays, lists, iterators and values of dictionaries are true."""
    return bool(_joined(conditions, "b", "true or false").all())


def finite(tree: Any) -> Any:
    """The same arrays, of which each number must be finite: what integrators return before it is compared."""
    if not every(np.isfinite(np.asarray(leaf)) for leaf in jax.tree.leaves(tree)):
        raise ValueError("A trajectory is not finite.")
    return tree


def relative_gap(A: Any, B: Any) -> float:
    """max |A - B| relative to the largest |B|."""
    return largest(np.abs(np.asarray(A) - np.asarray(B))) / largest(np.abs(np.asarray(B)))


def _numbers(values: Any) -> np.ndarray:
    found = _joined(values, "fiu", "numbers")
    if np.isnan(found).any():
        raise ValueError("What is NaN cannot be compared.")
    return found


def _joined(values: Any, kinds: str, name: str) -> np.ndarray:
    leaves = [np.ravel(leaf) for leaf in _leaves(values)]
    if not sum(leaf.size for leaf in leaves):
        raise ValueError("Nothing is there to be compared.")
    for leaf in leaves:
        if leaf.dtype.kind not in kinds:
            raise TypeError(f"What is compared must be {name}, but is {leaf[:3].tolist()}.")
    return np.concatenate(leaves)


def _leaves(value: Any) -> Iterator[np.ndarray]:
    """Arrays as they are; lists entry by entry, since NumPy makes a number of a truth value among numbers."""
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, np.ndarray | np.generic | jax.Array | bool | int | float):
        yield np.asarray(value)
    elif hasattr(value, "__iter__") and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    else:
        raise TypeError(f"What is compared must be numbers or truth values, but is {value!r}.")
