"""Distances between the means of classes, and which of them cannot be told apart."""

import numpy as np
from jaxtyping import Bool, Float, Int

from linbyol.representation.class_statistics import ClassStatistics

COINCIDE = 4  # times the rounding of a feature: the means differ by no more in any coordinate


def squared_distances(means: Float[np.ndarray, "C d"]) -> Float[np.ndarray, "C C"]:
    """‖μ_i - μ_j‖² by a Gram matrix; by differences where the two would cancel."""
    around = means - means.mean(axis=0)
    gram = around @ around.T
    sizes = np.diag(gram)
    total = sizes[:, None] + sizes[None, :]
    squares = np.maximum(total - 2 * gram, 0)
    near = np.argwhere(np.triu(squares < 1e-4 * total, 1))
    for i, j in near:
        squares[i, j] = squares[j, i] = np.sum((means[i] - means[j]) ** 2)
    np.fill_diagonal(squares, 0)
    return squares


def coinciding(found: ClassStatistics, squares: Float[np.ndarray, "C C"]) -> Bool[np.ndarray, "C C"]:
    """Pairs of classes whose means differ in no coordinate by more than 4 roundings of the features there.

    Such a difference says nothing: the features have fallen to one point, and what is left of them is rounding.
    """
    limit = COINCIDE * found.rounding
    sizes = np.einsum("cd,cd->c", found.means, found.means)
    near = np.triu(squares <= limit**2 * (sizes[:, None] + sizes[None, :]), 1)
    same = np.zeros_like(near)
    for i, j in np.argwhere(near):
        a, b = found.means[i], found.means[j]
        same[i, j] = same[j, i] = bool((np.abs(a - b) <= limit * np.maximum(np.abs(a), np.abs(b))).all())
    return same


def representatives(same: Bool[np.ndarray, "C C"]) -> Int[np.ndarray, " C"]:
    """For each class the first one whose mean coincides with its own; itself, if none before it does."""
    return np.argmax(same | np.eye(len(same), dtype=bool), axis=1)
