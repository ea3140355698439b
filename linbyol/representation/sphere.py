"""Alignment and uniformity of features on the unit sphere (Wang & Isola 2020)."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.features import feature_rows, whole


def alignment(h1: Any, h2: Any, *, alpha: float | int = 2.0) -> float:
    """Mean ‖x - y‖^alpha over the rows of h1, h2 (N, d), two views of the same samples, put on the unit sphere; 0 best.

    NaN, with a warning, if a row is 0.
    """
    x, y = _directions("h1", h1), _directions("h2", h2)
    if x.shape != y.shape:
        raise InputError(f"Argument `h2` must have shape {x.shape} as `h1` has, but has shape {y.shape}.")
    return float(np.mean(np.sum((x - y) ** 2, axis=1) ** (alpha / 2)))


def uniformity(h: Any, *, t: float | int = 2.0) -> float:
    """log of the mean over pairs i < j of exp(-t ‖x_i - x_j‖²), x the rows of h (N, d) put on the unit sphere.

    0 is one point; the lower, the more uniform. NaN, with a warning, if a row is 0. Costs N² d operations.
    """
    x = _directions("h", h)
    n, total = len(x), 0.0
    if n < 2:
        raise InputError(f"Argument `h` must have at least two rows, but has {n}.")
    step = max(1, 2**22 // n)
    for first in range(0, n - 1, step):
        rows = x[first : first + step]
        squares = np.maximum(2 - 2 * rows @ x[first:].T, 0)
        total += float(np.sum(np.triu(np.exp(-t * squares), 1)))
    return float(np.log(total / (n * (n - 1) / 2)))


def _directions(name: str, h: Any) -> Float[np.ndarray, "N d"]:
    x = whole(name, feature_rows(name, h))
    peak = np.abs(x).max(axis=1, keepdims=True)
    if (peak == 0).any():
        warnings.warn(f"A row of `{name}` is 0 and has no direction: NaN.", RuntimeWarning, stacklevel=3)
    with np.errstate(invalid="ignore"):
        x = x / peak
        return x / np.linalg.norm(x, axis=1, keepdims=True)
