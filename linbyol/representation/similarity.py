"""Linear CKA between two sets of features of the same samples: layers, epochs, seeds."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.features import feature_rows, whole


def cka(h1: Any, h2: Any, *, debiased: bool = True) -> float:
    """Linear centred kernel alignment of h1 (N, d1) and h2 (N, d2), row by row of the same samples; 1 is the same.

    debiased=True divides unbiased HSIC (Gram matrices with zero diagonals), whose mean is 0 on independent features,
    and which may be negative; it needs four samples. debiased=False divides ⟨K, L⟩ of the centred Gram matrices, which
    for few samples is far above 0 whatever the features. NaN, with a warning, where one side does not vary.
    """
    h1, h2 = feature_rows("h1", h1, least=4 if debiased else 2), feature_rows("h2", h2)
    if len(h1) != len(h2):
        raise InputError(f"Argument `h2` must have {len(h1)} rows as `h1` has, one a sample, but has {len(h2)}.")
    x, y = (_centred(name, h) for name, h in (("h1", h1), ("h2", h2)))
    product = _hsic if debiased else _alignment
    across, first, second = product(x, y), product(x, x), product(y, y)
    if not (first > 0 and second > 0):
        warnings.warn("CKA needs features that vary on both sides: NaN.", RuntimeWarning, stacklevel=2)
        return float("nan")
    return float(across / np.sqrt(first * second))


def _centred(name: str, h: np.ndarray) -> Float[np.ndarray, "N d"]:
    x = whole(name, h)
    x = x - x[0]
    x = x - x.mean(axis=0)
    peak = np.abs(x).max()
    return x / peak if peak > 0 else x


def _alignment(x: np.ndarray, y: np.ndarray) -> float:
    """⟨x xᵀ, y yᵀ⟩ by the smaller products."""
    if len(x) < min(x.shape[1], y.shape[1]):
        return float(np.sum((x @ x.T) * (y @ y.T)))
    return float(np.sum((x.T @ y) ** 2))


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased HSIC (Song et al.) times n (n - 3): A, B are the Gram matrices of x, y less their diagonals."""
    n = len(x)
    a, b = np.einsum("nd,nd->n", x, x), np.einsum("nd,nd->n", y, y)
    row_a, row_b = x @ x.sum(axis=0) - a, y @ y.sum(axis=0) - b  # A 1, B 1
    trace = _alignment(x, y) - a @ b
    return float(trace + row_a.sum() * row_b.sum() / ((n - 1) * (n - 2)) - 2 * (row_a @ row_b) / (n - 2))
