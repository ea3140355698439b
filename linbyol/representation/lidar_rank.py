"""LiDAR: the effective rank of what tells images apart from their augmentations."""

import warnings
from typing import Any

import numpy as np
import scipy.linalg

from linbyol.representation.class_statistics import of
from linbyol.representation.spectra import EPS, entropy_rank


def lidar(h: Any, groups: Any = None, *, delta: float | int = 1e-4, eps: float | int = EPS) -> float:
    """LiDAR (arXiv 2312.04000) of h (N, d): rows of one image have one of the `groups` (N,), and not of one class.

    exp of the entropy of the normalised eigenvalues, plus eps, of S_w^-½ S_b S_w^-½: S_w within groups with divisor
    N - C, plus delta I; S_b of the C group means around their mean, divisor C - 1. Neither scale-free, for delta, nor
    label-free. NaN, with a warning, with fewer than two groups or with no group of two rows, and where delta is lost in
    the rounding of features that are as large as 1e6 and fewer than their dimensions.
    """
    found = of(h, groups, scatter=True)
    N, C = found.samples, len(found.labels)
    if C < 2 or N == C:
        warnings.warn("LiDAR needs two groups, and one of two rows: NaN.", RuntimeWarning, stacklevel=2)
        return float("nan")
    assert found.scatter is not None
    within = found.scatter / (N - C) + delta * np.eye(len(found.scatter))
    centred = (found.means - found.means.mean(axis=0)) / np.sqrt(C - 1)
    try:
        root = np.linalg.cholesky(within)
    except np.linalg.LinAlgError:
        size = f"{np.trace(within) / len(within):.3g}"
        warnings.warn(
            f"LiDAR needs a delta above the rounding of variances of {size}: NaN.", RuntimeWarning, stacklevel=2
        )
        return float("nan")
    white = scipy.linalg.solve_triangular(root, centred.T, lower=True)  # (d, C), white whiteᵀ similar to S_w^-1 S_b
    eigenvalues = np.zeros(len(within))
    found_values = np.linalg.svd(white, compute_uv=False)[: min(len(within), C - 1)] ** 2
    eigenvalues[: len(found_values)] = found_values
    return entropy_rank(eigenvalues, eps)
