"""The second pass, with the means known: how the samples of each class lie around its mean, in chosen directions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.class_statistics import ClassStatistics
from linbyol.representation.features import blocks, comparable, feature_rows, label_column, working_type


def deviations(h: Any, labels: Any, found: ClassStatistics) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(classes (n,), h - mean of the class (n, d)), a block at a time; classes count in the statistics' order."""
    h, codes = with_classes(h, labels, found)
    shift: np.ndarray = found.mean.astype(working_type(h))
    means = (found.means - shift).astype(shift.dtype)
    for rows, block in blocks("h", h):
        yield codes[rows], block - shift - means[codes[rows]]


def with_classes(h: Any, labels: Any, found: ClassStatistics) -> tuple[np.ndarray, np.ndarray]:
    """The features behind the door, and for each row the place of its label among the statistics' labels."""
    if isinstance(h, ClassStatistics):
        raise InputError("Argument `h` must be features here, but is statistics, which do not hold enough.")
    h = feature_rows("h", h)
    check_width("h", h, found)
    column = label_column("labels", labels, len(h))
    comparable("labels", column, "the statistics", found.labels)
    codes = np.minimum(np.searchsorted(found.labels, column), len(found.labels) - 1)
    if (found.labels[codes] != column).any():
        raise InputError("Argument `labels` must have only labels that the statistics have seen.")
    return h, codes


def check_width(name: str, h: np.ndarray, found: ClassStatistics) -> None:
    """As many features as the statistics have."""
    if h.shape[1] != found.means.shape[1]:
        raise InputError(
            f"Argument `{name}` must have {found.means.shape[1]} features as the centres have, but has {h.shape[1]}."
        )


def along_lines(h: Any, labels: Any, found: ClassStatistics) -> Float[np.ndarray, "C C"]:
    """Mean over class i of ⟨h - μ_i, μ_j - μ_i⟩²."""
    C = len(found.labels)
    centred = found.means - found.mean
    sums = np.zeros((C, C))
    for codes, apart in deviations(h, labels, found):
        n = len(codes)
        along = apart @ centred.T.astype(apart.dtype)
        along -= along[np.arange(n), codes][:, None]
        sums += members(codes, C) @ (along * along)
    return sums / found.counts[:, None]


def within_along(
    h: Any, labels: Any, found: ClassStatistics, directions: Float[np.ndarray, "d r"]
) -> Float[np.ndarray, " r"]:
    """Σ over all samples of ⟨h - mean of its class, direction⟩²."""
    sums = np.zeros(directions.shape[1])
    for _, apart in deviations(h, labels, found):
        along = apart @ directions.astype(apart.dtype)
        sums += np.einsum("nr,nr->r", along, along)
    return sums


def members(codes: np.ndarray, C: int) -> scipy.sparse.csr_array:
    """(C, n), 1 where the sample belongs to the class."""
    n = len(codes)
    return scipy.sparse.csr_array((np.ones(n), (codes, np.arange(n))), shape=(C, n))
