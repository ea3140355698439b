"""Means over unit slices by plain cubature, which know nothing of the closed forms: what claims are held against."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


@cache
def slices(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (q, d) and weights (q,) that sum to 1: a trapezoid for d = 2, Gauss and a trapezoid for d = 3.

    To rounding for smooth functions of a few oscillations.
    """
    angles = 2 * np.pi * np.arange(128) / 128
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if d == 2:
        return circle, np.full(len(circle), 1 / len(circle))
    x, w = np.polynomial.legendre.leggauss(56)
    r = np.sqrt(1 - x * x)
    u = np.concatenate([r[:, None, None] * circle, np.broadcast_to(x[:, None, None], (len(x), 128, 1))], axis=2)
    return u.reshape(-1, 3), np.repeat(w / (2 * 128), 128)


def mean(f: Callable[[np.ndarray], Any], S: np.ndarray) -> Any:
    """E_u f(uᵀSu) for S (d, d), d = 2 or 3; analytic in S where f is."""
    u, w = slices(len(S))
    return w @ f(np.einsum("qi,ij,qj->q", u, S, u))


def weighted_mean(f: Callable[[np.ndarray], Any], S: np.ndarray) -> np.ndarray:
    """E_u f(uᵀSu) u uᵀ, (d, d)."""
    u, w = slices(len(S))
    return np.einsum("q,qi,qj->ij", w * f(np.einsum("qi,ij,qj->q", u, S, u)), u, u)
