"""The door of the measures: features (N, d), read in blocks, and one label a row."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.checks import InputError
from linbyol.representation.normalised import Rows, UnitRows

BLOCK = 2**23  # numbers in a block: 32 MB in float32


def unit_rows(h: Any) -> UnitRows:
    """Features h (N, d) put on the unit sphere, for any measure here: cdnv(unit_rows(h), labels).

    Rows are divided by their norms as they are read, so that a memory-mapped file may be larger than memory. Raises
    `InputError` where a row is 0, when it is read.
    """
    h = feature_rows("h", h)
    return UnitRows(h, working_type(h))


def feature_rows(name: str, h: Any, *, least: int = 1, there: bool = False) -> Any:
    """h as a NumPy array (N, d), N ≥ `least`, that nothing was copied for where it was one; else `InputError`.

    A memory-mapped file stays on the disk, and with there=True an array of JAX where it is. Whether all is finite is
    seen as it is read.
    """
    shape = np.shape(h)
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"Argument `{name}` must have shape (N, d), neither of them 0, but has shape {shape}.")
    if np.ma.is_masked(h):
        raise InputError(f"Argument `{name}` must have a number everywhere, but has masked entries.")
    try:
        array = h if isinstance(h, UnitRows | jax.Array) else np.asarray(h)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if not (jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)):
        raise InputError(f"Argument `{name}` must be real numbers, but has dtype {array.dtype}.")
    if shape[0] < least:
        raise InputError(f"Argument `{name}` must have at least {least} rows, but has {shape[0]}.")
    return np.asarray(array) if isinstance(array, jax.Array) and not there else array


def working_type(h: Rows) -> type:
    """float32 for floats of at most 32 bits, else float64: whole numbers too."""
    return np.float32 if jnp.issubdtype(h.dtype, jnp.floating) and h.dtype.itemsize <= 4 else np.float64


def rounding(h: Rows) -> float:
    """The relative rounding of the features as they were stored; of float64 for whole numbers."""
    return float(jnp.finfo(h.dtype).eps) if jnp.issubdtype(h.dtype, jnp.floating) else float(np.finfo(float).eps)


def blocks(h: Rows, *, dtype: Any = None, least: int = 1) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows, h[rows] in `dtype`, or the working type), a block of at least so many rows at a time.

    Nothing is copied that is of that type already. Whether all is finite the reader sees, in what it makes of it.
    """
    step = max(1, least, BLOCK // h.shape[1])
    dtype = working_type(h) if dtype is None else dtype
    for start in range(0, len(h), step):
        rows = slice(start, min(start + step, len(h)))
        yield rows, np.asarray(h[rows], dtype)


def whole(name: str, h: Rows, dtype: Any = np.float64) -> np.ndarray:
    """All rows at once, in float64, finite."""
    block = np.asarray(h, dtype)
    check_finite(name, block, 0)
    return block


def check_finite(name: str, block: np.ndarray, start: int) -> None:
    """No NaN and no infinity; the sentence names the first."""
    with np.errstate(invalid="ignore", over="ignore"):
        total = block.sum()
    if np.isfinite(total) or (finite := np.isfinite(block)).all():
        return
    i, j = (int(x) for x in np.argwhere(~finite)[0])
    raise InputError(f"Argument `{name}` must be finite, but {name}[{start + i}, {j}] = {float(block[i, j])}.")


def label_column(name: str, labels: Any, n: int) -> np.ndarray:
    """One label a row: whole numbers, floats, booleans or strings, none missing; else `InputError`."""
    if isinstance(labels, list | tuple):
        _check_present(name, labels)
    if np.ma.is_masked(labels):
        raise InputError(f"Argument `{name}` must have a label for each row, but has masked entries.")
    column = np.asarray(labels)
    if column.shape != (n,):
        raise InputError(f"Argument `{name}` must have one label a row, shape {(n,)}, but has shape {column.shape}.")
    if column.dtype.kind == "O":
        _check_present(name, column)
        column = np.array(column.tolist())
    if column.dtype.kind == "f":
        _check_present(name, column)
    if column.dtype.kind not in "iufbUS" or column.shape != (n,):
        raise InputError(f"Argument `{name}` must be numbers or strings, but has dtype {np.asarray(labels).dtype}.")
    return column


def comparable(name: str, labels: np.ndarray, other: str, others: np.ndarray) -> None:
    """Both are numbers or both strings of one kind."""
    kinds = ["number" if x.dtype.kind in "iufb" else x.dtype.kind for x in (labels, others)]
    if kinds[0] != kinds[1]:
        raise InputError(
            f"Argument `{name}` must be of the same kind as `{other}`, but is {labels.dtype}, not {others.dtype}."
        )


def _check_present(name: str, labels: Any) -> None:
    if isinstance(labels, np.ndarray) and labels.dtype.kind == "f":
        missing = np.flatnonzero(np.isnan(labels))
        i = int(missing[0]) if len(missing) else -1
    else:
        i = next((i for i, x in enumerate(labels) if x is None or (isinstance(x, float | np.floating) and x != x)), -1)
    if i >= 0:
        raise InputError(f"Argument `{name}` must have a label for each row, but {name}[{i}] is missing.")
