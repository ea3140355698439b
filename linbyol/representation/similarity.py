"""Linear CKA between two sets of features of the same samples: layers, epochs, seeds."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.features import BLOCK, blocks, check_finite, feature_rows, working_type
from linbyol.representation.normalised import Rows
from linbyol.representation.spectra import DIRECT


def cka(h1: Any, h2: Any, *, debiased: bool = True) -> float:
    """Linear centred kernel alignment of h1 (N, d1) and h2 (N, d2), row by row of the same samples; 1 is the same.

    debiased=True divides unbiased HSIC (Gram matrices with zero diagonals), whose mean is 0 on independent features,
    and which may be negative; it needs four samples. debiased=False divides ⟨K, L⟩ of the centred Gram matrices, which
    for few samples is far above 0 whatever the features. By the products of the smaller side, (d1, d2) or (N, N);
    of large float32 features in float32. NaN, with a warning, where one side does not vary.
    """
    h1, h2 = feature_rows("h1", h1, least=4 if debiased else 2), feature_rows("h2", h2)
    if len(h1) != len(h2):
        raise InputError(f"Argument `h2` must have {len(h1)} rows as `h1` has, one a sample, but has {len(h2)}.")
    sides = Side("h1", h1), Side("h2", h2)
    if not all(side.size > 0 for side in sides):
        warnings.warn("CKA needs features that vary on both sides: NaN.", RuntimeWarning, stacklevel=2)
        return float("nan")
    across, first, second = (_hsic(a, b, debiased) for a, b in (sides, sides[:1] * 2, sides[1:] * 2))
    if not (first > 0 and second > 0):
        warnings.warn("CKA's unbiased estimate of a norm is not positive: NaN.", RuntimeWarning, stacklevel=2)
        return float("nan")
    return float(across / np.sqrt(first * second))


class Side:
    """Features of one side, centred and of unit mean square as they are read: no copy is kept."""

    def __init__(self, name: str, h: Rows) -> None:
        self.h, (n, d) = h, h.shape
        self.dtype = float if n * d * min(n, d) <= DIRECT else working_type(h)
        first, total = h[0].astype(float), np.zeros(d)
        for rows, block in blocks(h, dtype=float):
            check_finite(name, block, rows.start)
            total += (block - first).sum(axis=0)
        self.mean, self.scale = first + total / n, 1.0
        self.squares = np.concatenate([np.vecdot(x, x) for x in self.read(n)])
        self.size = float(np.sqrt(self.squares.mean()))
        if self.size > 0:
            self.scale, self.squares = self.size, self.squares / self.size**2

    def read(self, step: int) -> Any:
        """Blocks of at most `step` rows."""
        step = max(1, min(step, BLOCK // self.h.shape[1]))
        for start in range(0, len(self.h), step):
            around = np.asarray(self.h[start : start + step], float) - self.mean
            yield (around / self.scale).astype(self.dtype)

    def products(self) -> Float[np.ndarray, "N N"]:
        """The Gram matrix of the samples."""
        x = np.concatenate(list(self.read(len(self.h))))
        return (x @ x.T).astype(float)


def _hsic(x: Side, y: Side, debiased: bool) -> float:
    """⟨K, L⟩ of centred Gram matrices, or unbiased HSIC (Song et al.) times n (n - 3).

    A, B are K, L less their diagonals a, b: A 1 = -a, since the rows of K sum to 0.
    """
    n, a, b = len(x.h), x.squares, y.squares
    if n < min(x.h.shape[1], y.h.shape[1]):
        aligned = float(np.sum(x.products() * y.products()))
    else:
        step = BLOCK // max(x.h.shape[1], y.h.shape[1])
        across = np.zeros((x.h.shape[1], y.h.shape[1]))
        for u, v in ((u, u) for u in x.read(step)) if x is y else zip(x.read(step), y.read(step), strict=True):
            across += u.T @ v
        aligned = float(np.sum(across**2))
    if not debiased:
        return aligned
    return aligned - a @ b + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * (a @ b) / (n - 2)
