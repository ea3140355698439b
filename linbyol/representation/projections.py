"""The second reading, with the means known: samples in the span of the class means, where the classes differ.

NCC, NC1 and directional CDNV ask for nothing outside this span, whose dimension is at most C - 1: one product with
the features gives them all.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.class_statistics import ClassStatistics
from linbyol.representation.class_sums import FAR, members
from linbyol.representation.features import (
    blocks,
    check_finite,
    comparable,
    feature_rows,
    label_column,
    working_type,
)
from linbyol.representation.normalised import Rows


class Span(NamedTuple):
    """The directions in which the class means differ, around the mean of all samples; r = min(C - 1, d)."""

    origin: Float[np.ndarray, " d"]
    directions: Float[np.ndarray, "d r"]
    sizes: Float[np.ndarray, " r"]  # singular values of the centred means, largest first: those of √C S_B^½
    far: bool  # whether the origin lies so far out that it must be subtracted first
    extreme: bool  # whether squares would leave the range of float32

    def of(self, means: Float[np.ndarray, "C d"]) -> Float[np.ndarray, "C r"]:
        """Means in these directions."""
        return (means - self.origin) @ self.directions


def span(found: ClassStatistics, dtype: type = np.float64) -> Span:
    """The span of the centred means, its directions rounded to the type of the features that are to be projected."""
    origin = found.mean.astype(dtype).astype(float)
    centred = found.means - found.mean
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    rank = max(1, min(len(found.labels) - 1, len(origin)))
    variance = found.within.sum() / found.samples + np.mean(sizes**2)
    far = bool(origin @ origin > FAR * variance)
    extreme = not 1e-20 < max(origin @ origin, variance) < 1e25
    return Span(origin, directions[:rank].T.astype(dtype).astype(float), sizes[:rank], far, extreme)


def coordinates(name: str, h: Rows, to: Span) -> Iterator[tuple[slice, np.ndarray, Float[np.ndarray, "n r"]]]:
    """(rows, the block, its coordinates in the span), a block at a time; `InputError` if not finite."""
    dtype = float if to.extreme else working_type(h)
    origin: np.ndarray = to.origin.astype(dtype)
    directions: np.ndarray = np.asfortranarray(to.directions, dtype)
    start: np.ndarray = (to.origin @ to.directions).astype(dtype)
    for rows, block in blocks(h, dtype=dtype):
        with np.errstate(over="ignore", invalid="ignore"):
            found = (block - origin) @ directions if to.far else block @ directions - start
        if not np.isfinite(found).all():
            check_finite(name, block, rows.start)
            found = (block.astype(float) - to.origin) @ to.directions  # too large for float32
        yield rows, block, found


def with_classes(h: Any, labels: Any, found: ClassStatistics) -> tuple[Rows, np.ndarray]:
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


def check_width(name: str, h: Rows, found: ClassStatistics) -> None:
    """As many features as the statistics have."""
    if h.shape[1] != found.means.shape[1]:
        raise InputError(
            f"Argument `{name}` must have {found.means.shape[1]} features as the centres have, but has {h.shape[1]}."
        )


class Along(NamedTuple):
    """Sums over samples of their squared deviations from the mean of their class, in the span."""

    within: Float[np.ndarray, " r"]  # along each direction, over all samples
    lines: Float[np.ndarray, "C C"]  # ⟨h - μ_i, μ_j - μ_i⟩² over class i


def along(centres: Float[np.ndarray, "C r"], codes: np.ndarray, z: Float[np.ndarray, "n r"]) -> Along:
    """Of one block with coordinates z around the class means in the span."""
    apart = z - centres[codes]
    toward = apart.astype(z.dtype) @ centres.T.astype(z.dtype)
    toward -= np.take_along_axis(toward, codes[:, None], 1)
    lines = members(codes, len(centres), z.dtype) @ np.square(toward, out=toward)
    return Along(np.einsum("nr,nr->r", apart, apart), lines)


def all_along(h: Any, labels: Any, found: ClassStatistics) -> tuple[Span, Along]:
    """The span, and the sums over all samples."""
    h, codes = with_classes(h, labels, found)
    to = span(found, working_type(h))
    centres = to.of(found.means)
    parts = [along(centres, codes[rows], z) for rows, _, z in coordinates("h", h, to)]
    return to, Along(*(np.sum(parts_of, axis=0) for parts_of in zip(*parts, strict=True)))


def floor(found: ClassStatistics) -> float:
    """What rounding of the features may make of a singular value of the centred means that is 0."""
    return found.rounding * float(np.linalg.norm(found.means))
