"""TwoNN: the intrinsic dimension from the distances to the two nearest neighbours (Facco et al. 2017)."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.features import feature_rows, whole


class TwoNN(NamedTuple):
    """An intrinsic dimension, its standard error, and how many rows were left out as copies of others."""

    dimension: float
    error: float
    samples: int  # distinct rows
    duplicates: int


def two_nn(h: Any, *, discard: float | int = 0.1) -> TwoNN:
    """The intrinsic dimension of h (N, d): μ = r₂/r₁ of the two nearest neighbours is Pareto distributed with it.

    The fit of Facco et al.: the slope through 0 of -log(1 - F(μ)) against log μ, F the empirical distribution, its
    upper tenth (`discard`) left out. The error is d/√n of the n points in the fit. Rows that equal another one are left
    out and counted: a distance of 0 has no logarithm. NaN, with a warning, with fewer than ten distinct rows.
    """
    if not 0 <= discard < 1:
        raise InputError(f"Argument `discard` must be at least 0 and below 1, but is {discard!r}.")
    x = whole("h", feature_rows("h", h))
    distinct = np.unique(x, axis=0)
    n, copies = len(distinct), len(x) - len(distinct)
    if n < 10:
        warnings.warn(f"TwoNN needs ten distinct rows, but has {n}: NaN.", RuntimeWarning, stacklevel=2)
        return TwoNN(float("nan"), float("nan"), n, copies)
    near = nearest_two(distinct)
    log = np.sort(np.log(near[:, 1] / near[:, 0]))
    kept = max(2, int(n * (1 - discard)))
    up = -np.log1p(-np.arange(n) / n)[:kept]
    log = log[:kept]
    dimension = float(log @ up / (log @ log)) if log @ log > 0 else float("inf")
    return TwoNN(dimension, float(dimension / np.sqrt(kept)), n, copies)


def nearest_two(x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
    """Distances to the two nearest other rows: candidates by a product of matrices, then by differences."""
    x = x - x.mean(axis=0)
    n = len(x)
    squares = np.einsum("nd,nd->n", x, x)
    found = np.empty((n, 2))
    step, k = max(1, 2**22 // n), min(8, n)
    for first in range(0, n, step):
        rows = x[first : first + step]
        scores = squares[None, :] - 2 * rows @ x.T
        scores[np.arange(len(rows)), first + np.arange(len(rows))] = np.inf
        candidates = np.argpartition(scores, k - 1, axis=1)[:, :k] if k < n else np.tile(np.arange(n), (len(rows), 1))
        for i, places in enumerate(candidates):
            apart = np.sum((x[places[places != first + i]] - rows[i]) ** 2, axis=1)
            found[first + i] = np.sqrt(np.sort(apart)[:2])
    return found
