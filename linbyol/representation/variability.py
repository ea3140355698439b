"""CDNV: the variance of two classes over the distance of their means, in all directions or along the line between."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from linbyol.representation.centres import coinciding, squared_distances
from linbyol.representation.class_statistics import ClassStatistics, of
from linbyol.representation.projections import all_along


def cdnv(h: Any, labels: Any = None) -> float:
    """Class-distance normalised variance, (Var_i + Var_j)/(2 ‖μ_i - μ_j‖²), averaged over the pairs of classes present.

    h (N, d) with labels (N,), or `ClassStatistics`. Var is the mean of ‖h - μ‖² with divisor n. Features as given,
    neither centred nor normalised; 0 is best. ∞ if two means coincide: they differ by no more than 4 roundings of the
    features in any coordinate. NaN, with a warning, if fewer than two classes are present.
    """
    found = of(h, labels)
    if alone(found, "CDNV"):
        return float("nan")
    squares = squared_distances(found.means)
    if coinciding(found, squares).any():
        return float("inf")
    i, j = np.triu_indices(len(found.labels), 1)
    with np.errstate(divide="ignore", over="ignore"):
        return float(np.mean((found.variances[i] + found.variances[j]) / (2 * squares[i, j])))


def directional_cdnv(h: Any, labels: Any) -> float:
    """The variance of class i along the line to μ_j over ‖μ_i - μ_j‖², averaged over ordered pairs of classes present.

    h (N, d) and labels (N,). Divisor n; ∞, NaN and the rest as for `cdnv`, whose value it never exceeds by more than
    the choice of pairs: it is what few-shot learning pays for.
    """
    found = of(h, labels)
    if alone(found, "Directional CDNV"):
        return float("nan")
    if coinciding(found, squared_distances(found.means)).any():
        return float("inf")
    return from_lines(found, all_along(h, labels, found)[1].lines)


def from_lines(found: ClassStatistics, lines: Float[np.ndarray, "C C"]) -> float:
    """Directional CDNV from Σ ⟨h - μ_i, μ_j - μ_i⟩² over the samples of each class i."""
    squares = squared_distances(found.means)
    np.fill_diagonal(squares, np.inf)
    C = len(squares)
    return float(np.sum(lines / found.counts[:, None] / squares / squares) / (C * (C - 1)))


def alone(found: ClassStatistics, what: str) -> bool:
    """Whether there are fewer than two classes, and a warning that says so."""
    if len(found.labels) > 1:
        return False
    warnings.warn(f"{what} needs two classes, but {len(found.labels)} is present: NaN.", RuntimeWarning, stacklevel=3)
    return True
