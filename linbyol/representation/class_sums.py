"""The one pass behind the class statistics: sums and squares of each block, and two passes where these would cancel."""

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int, Shaped

from linbyol.checks import InputError
from linbyol.representation.class_statistics import ClassStatistics
from linbyol.representation.features import blocks, check_finite, rounding
from linbyol.representation.normalised import Rows

SAFE = {np.dtype(np.float32): 0.05, np.dtype(np.float64): 1e-3}  # variance a class must have beside its mean square
APART = 8  # rows of a class in a block, on average: one alone says nothing of its variance
REACH = 1e70
FAR = 4.0  # squared mean over variance from which features are read around their mean


class Sums:
    """Of one label set: counts, sums and sums of squares around a shift; beside them what was seen in two passes."""

    def __init__(self, column: Shaped[np.ndarray, " N"], shift: Float[np.ndarray, " d"], eps: float) -> None:
        self.labels, self.codes = np.unique(column, return_inverse=True)
        self.shift, self.eps = shift.astype(float), eps
        C = len(self.labels)
        self.counts, self.total, self.squares = np.zeros(C, np.int64), np.zeros((C, len(shift))), np.zeros(C)
        self.rest: ClassStatistics | None = None

    def add(self, rows: slice, around: Float[np.ndarray, "n d"], squares: Float[np.ndarray, " n"]) -> None:
        """A block less the shift, and the squared norm of each of its rows."""
        codes = self.codes[rows]
        C = len(self.labels)
        counts = np.bincount(codes, minlength=C)
        squared = np.bincount(codes, squares, C)
        with np.errstate(over="ignore", invalid="ignore"):
            total = members(codes, C, around.dtype) @ around
            of_mean = np.einsum("cd,cd->c", total, total, dtype=float) / np.maximum(counts, 1)
            kept = squared - of_mean >= SAFE[around.dtype] * squared  # False where a square has overflowed
        kept &= (squared > tiny(around.dtype) * counts * around.shape[1]) & (counts > 1)
        if not kept.all() and (alone := ~kept[codes]).any():
            self._look_twice(around, alone, codes)
            counts, squared, total = counts * kept, np.where(kept, squared, 0), np.where(kept[:, None], total, 0)
        self.counts += counts
        self.squares += squared
        self.total += total

    def _look_twice(self, around: np.ndarray, rows: np.ndarray, codes: np.ndarray) -> None:
        part = two_passes(around if rows.all() else around[rows], codes[rows], self.labels, self.shift, self.eps)
        self.rest = part if self.rest is None else self.rest.merge(part)

    def found(self) -> ClassStatistics:
        """The statistics of all that was added."""
        seen = self.counts > 0
        n, total = self.counts[seen], self.total[seen]
        within = self.squares[seen] - np.einsum("cd,cd->c", total, total) / n
        means = self.shift + total / n[:, None]
        if self.rest is None:
            return ClassStatistics(self.labels, n, means, within, None, self.eps)
        if not seen.any():
            return self.rest
        return self.rest.merge(ClassStatistics(self.labels[seen], n, means, within, None, self.eps))


def of_sets(h: Rows, sets: dict[str, np.ndarray], scatter: bool) -> dict[str, ClassStatistics]:
    """Statistics of every label set, from one reading of the features."""
    shift = origin(h)
    far = bool(shift.any())
    found = {name: Sums(column, shift, rounding(h)) for name, column in sets.items()}
    most = max(len(one.labels) for one in found.values())
    for rows, block in blocks(h, least=APART * most):
        around = block - shift if far else block
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.vecdot(around, around)
        if not np.isfinite(squares.sum()):
            check_finite("h", block, rows.start)
            with np.errstate(over="ignore"):
                squares = np.vecdot(around, around, dtype=float)  # too large to be squared in float32
        if not REACH**-2 < float(squares.max()) < REACH**2:
            check_size(around)
        for one in found.values():
            if scatter:
                part = two_passes(around, one.codes[rows], one.labels, one.shift, one.eps, scatter=True)
                one.rest = part if one.rest is None else one.rest.merge(part)
            else:
                one.add(rows, around, squares)
    return {name: one.found() for name, one in found.items()}


def check_size(around: Float[np.ndarray, "n d"]) -> None:
    """Features that are not 0 are of a size whose fourth power is a number in float64."""
    largest = float(np.abs(around).max())
    if largest and not 1 / REACH < largest < REACH:
        raise InputError(f"Argument `h` must be of a size between {1 / REACH:g} and {REACH:g}, but is {largest:.3g}.")


def two_passes(
    around: Float[np.ndarray, "n d"],
    codes: Int[np.ndarray, " n"],
    labels: Shaped[np.ndarray, " C"],
    shift: Float[np.ndarray, " d"],
    eps: float,
    *,
    scatter: bool = False,
) -> ClassStatistics:
    """Of a block less the shift: means around its first row, then squared distances from them."""
    present, codes = np.unique(codes, return_inverse=True)
    peak = np.abs(around).max()
    if not tiny(around.dtype) < peak * peak < 1 / tiny(around.dtype):
        around = around.astype(float)
    first = around[:1]
    apart = around - first
    belongs, counts = members(codes, len(present), apart.dtype), np.bincount(codes)
    means = (belongs @ apart) / counts[:, None].astype(apart.dtype)
    apart -= means[codes]
    left = (belongs @ apart).astype(float) / counts[:, None]  # what rounding left of the mean
    squares = np.bincount(codes, np.vecdot(apart, apart))
    return ClassStatistics(
        labels[present],
        counts,
        shift + first.astype(float) + means + left,
        np.maximum(squares - counts * np.einsum("cd,cd->c", left, left), 0),
        apart.T.astype(float) @ apart if scatter else None,
        eps,
    )


def origin(h: Rows) -> Float[np.ndarray, " d"]:
    """Where to read the features from: the mean of a few of them if it is far out, else 0; of their working type."""
    for _, block in blocks(h[: 4 * APART]):
        with np.errstate(over="ignore", invalid="ignore"):
            mean = block.mean(axis=0)
            around = block - mean
            far = np.vecdot(mean, mean) > FAR * np.vecdot(around, around).mean()
        return mean if far and np.isfinite(mean).all() else np.zeros_like(mean)
    raise AssertionError("features have a row")


def members(codes: Int[np.ndarray, " n"], C: int, dtype: type | np.dtype = np.float64) -> scipy.sparse.csr_array:
    """(C, n), 1 where the sample belongs to the class."""
    n = len(codes)
    return scipy.sparse.csr_array((np.ones(n, dtype), (codes, np.arange(n))), shape=(C, n))


def tiny(dtype: np.dtype) -> float:
    """Squares below this have lost digits."""
    return float(np.finfo(dtype).tiny) * 1e6
