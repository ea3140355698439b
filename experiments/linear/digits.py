"""The handwritten digits that scikit-learn carries: 1,797 real images of 8 × 8 pixels, no download.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
"""

import functools
from typing import NamedTuple

import numpy as np


class Digits(NamedTuple):
    """Images centred by their mean and scaled by 1/16 (the pixels' range), and which digit each shows."""

    images: np.ndarray  # (1797, 8, 8, 1) float64
    labels: np.ndarray  # (1797,) int, 0-9
    mean: np.ndarray  # (8, 8, 1) float64, in [0, 1]: the mean image that was subtracted


@functools.cache
def digits() -> Digits:
    """All images, in the order of the data set."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = found.images[..., None] / 16
    mean = images.mean(axis=0)
    return Digits(images - mean, found.target, mean)


def whitened(rows: np.ndarray, k: int) -> np.ndarray:
    """Rows (N, n) on their k principal axes, scaled so that E[x xᵀ] = I, (N, k); rows are taken as centred."""
    s, U = np.linalg.eigh(rows.T @ rows / len(rows))  # ascending
    return rows @ U[:, -k:] / np.sqrt(s[-k:])
