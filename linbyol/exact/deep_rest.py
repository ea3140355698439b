"""Where a balanced mode of deep JEPA or MAE rests under weight decay, and the time it takes to come near.

ẇ/w = h(w) - eta with h(w) = w^(m-1) (λ_d - λ_s w^q), m = 2L, q = 1 (JEPA) or m = L, q = L + 1 (MAE). h rises up to its
peak and falls from there, so a mode has a barrier w_minus below and a rest w_plus above it, or neither. On arrays of
NumPy. Derived.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from linbyol.checks import check_choice, check_constants
from linbyol.equations import DeepMode
from linbyol.exact.deep_modes import KINDS

HALVINGS = 200  # to the last digit of a barrier as small as 1e-40 of the peak
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PIECES = 16


class Rests(NamedTuple):
    """A mode's fixed points besides 0, nan where there are none."""

    w_minus: np.ndarray  # the start from which a mode survives; 0 if all do
    w_plus: np.ndarray


def deep_rests(k: DeepMode, loss: str) -> Rests:
    """The barrier and the rest of a layer under decay k.eta, of loss "JEPA" or "MAE"; broadcasts."""
    check_choice("loss", loss, KINDS)
    check_constants(k)
    lambda_d, lambda_s, eta = np.broadcast_arrays(*(np.asarray(x, float) for x in (k.lambda_d, k.lambda_s, k.eta)))
    kind = KINDS[loss](k.depth)
    free = (lambda_d / lambda_s) ** (1 / kind.q)
    peak = free * ((kind.m - 1) / (kind.m - 1 + kind.q)) ** (1 / kind.q)
    h = lambda w: w ** (kind.m - 1) * (lambda_d - lambda_s * w**kind.q)  # noqa: E731
    exists = (h(peak) >= eta) & ((kind.m > 1) | (h(peak) > eta))
    w_minus = _crossing(lambda w: h(w) >= eta, np.zeros_like(peak), peak)
    w_plus = _crossing(lambda w: h(w) < eta, peak, free)
    w_minus, w_plus = np.where(eta > 0, w_minus, 0.0), np.where(eta > 0, w_plus, free)
    return Rests(*(np.where(exists, w, np.nan) for w in (w_minus, w_plus)))


def _crossing(beyond: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Between low and high, where `beyond` turns true."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        there = beyond(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high


def growth_time(x0: Any, x: Any, low: Any, rest: Any, growth: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Time from x0 to x along ẋ = x growth(x), where low ≤ x0 < x < rest lie between zeros of the rate, () or (m,).

    In u = ln((x - low)/(rest - x)) the integrand has neither zero nor pole. 0 where x ≤ x0, inf where x0 ≤ low.
    """
    x0, x, low, rest = np.broadcast_arrays(*(np.asarray(v, float) for v in (x0, x, low, rest)))
    leaves = x0 > low
    start = np.where(leaves & (x0 < x), x0, (low + x) / 2)
    u0, u = (np.log((v - low) / (rest - v)) for v in (start, x))
    total = np.zeros_like(u)
    for i in range(PIECES):
        for node, weight in zip((NODES + 1) / 2, WEIGHTS / 2, strict=True):
            at = u0 + (u - u0) * (i + node) / PIECES
            here = (low + rest * np.exp(at)) / (1 + np.exp(at))
            slope = (here - low) * (rest - here) / (rest - low)
            total += weight * slope / (here * growth(here))
    time = (u - u0) / PIECES * total
    return np.where(leaves, np.where(x0 < x, time, 0.0), np.where(np.isfinite(rest), np.inf, np.nan))
