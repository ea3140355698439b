"""Mutual information of Gaussians in closed form: what every estimator can be held against."""

from typing import Any

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError, check_moment, check_numbers
from linbyol.representation.probing import check_positive


def gaussian_information(cov: Any, n: int) -> float:
    """I(X; Z) = ½ log(det Σ_x det Σ_z / det Σ) in nats of jointly Gaussian x, the first n coordinates, and z.

    cov is their covariance (n + d, n + d). Infinite where it is singular, though those of x and z are not.
    """
    check_numbers("cov", cov)
    check_moment("cov", cov)
    cov = np.asarray(cov, float)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 0 < n < len(cov):
        raise InputError(f"Argument `n` must be a whole number between 1 and {len(cov) - 1}, but is {n!r}.")
    scale = np.sqrt(np.diagonal(cov))
    if (i := int(np.argmin(scale))) >= 0 and scale[i] == 0:
        raise InputError(f"Argument `cov` must have positive variances, but cov[{i}, {i}] = 0.")
    correlation = cov / np.outer(scale, scale)
    parts = correlation[:n, :n], correlation[n:, n:], correlation
    return float(np.dot([0.5, 0.5, -0.5], [_log_det(part) for part in parts]))


def gaussian_channel(W: Any, cov: Any, noise: Any) -> float:
    """I(X; WX + N(0, noise I)) = ½ log det(I + W Σ_x Wᵀ/noise) in nats, for Gaussian x of covariance cov (n, n).

    W is (d, n). Grows without bound as noise → 0, since I(X; f(X)) is infinite.
    """
    check_numbers("W", W)
    check_numbers("cov", cov)
    check_moment("cov", cov)
    check_positive("noise", noise)
    W, cov = np.asarray(W, float), np.asarray(cov, float)
    if W.ndim != 2 or W.shape[1] != len(cov):
        raise InputError(f"Argument `W` must have shape (d, {len(cov)}) for this `cov`, but has shape {W.shape}.")
    return log_det_one_plus(W @ cov @ W.T / noise)


def log_det_one_plus(A: Float[np.ndarray, "d d"]) -> float:
    """½ log det(I + A) of a symmetric positive semidefinite A."""
    return float(0.5 * np.sum(np.log1p(np.maximum(np.linalg.eigvalsh(A), 0))))


def _log_det(A: np.ndarray) -> float:
    sign, log = np.linalg.slogdet(A)
    return float(log) if sign > 0 else -np.inf
