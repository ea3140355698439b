"""The reference workload: amplitudes with an EMA target over two decades of constants, and its independent solution."""

from typing import Any

import numpy as np
import scipy.integrate

from linbyol.equations import Amplitudes, Isotropic, amplitudes_flow
from linbyol.equations.combinators import Flow

T1 = 100.0
FLOOR = 1e-300  # errors are relative to the value itself


def workload(N: int, seed: int = 0, dtype: Any = np.float64) -> tuple[Amplitudes, Isotropic]:
    """alpha_p log-uniform in [0.1, 10], beta in [0.01, 1], eta in [1e-3, 0.1]; sigma2 in [0, 1], w, p in [0.05, 1]."""
    rng = np.random.default_rng(seed)
    log = lambda low, high: (10 ** rng.uniform(np.log10(low), np.log10(high), N)).astype(dtype)  # noqa: E731
    even = lambda low, high: rng.uniform(low, high, N).astype(dtype)  # noqa: E731
    k = Isotropic(log(0.1, 10), log(0.01, 1), log(1e-3, 0.1), even(0, 1), np.ones(N, dtype))
    w = even(0.05, 1)
    return Amplitudes(w, even(0.05, 1), w.copy()), k


def take(tree: Any, index: Any) -> Any:
    """The chosen trajectories."""
    return type(tree)(*(leaf[index] for leaf in tree))


def dop853(
    y0: Any, k: Any, t1: float = T1, *, flow: Flow = amplitudes_flow, method: str = "DOP853", rtol: float = 1e-12,
    atol: float = 1e-15,
) -> np.ndarray:  # fmt: skip
    """scipy's solution at t1, one trajectory after the other: (N, fields)."""
    found = []
    for i in range(len(y0[0])):
        start, constants = take(y0, i), take(k, i)
        rate = lambda t, y, c=constants: flow(type(y0)(*y), c)  # noqa: E731
        found.append(scipy.integrate.solve_ivp(rate, (0, t1), start, method, rtol=rtol, atol=atol).y[:, -1])
    return np.array(found).reshape(-1, len(y0))


def relative_error(y: Any, exact: np.ndarray) -> np.ndarray:
    """(N,) largest relative error of a field."""
    found = np.stack([np.asarray(leaf) for leaf in y], axis=-1)
    return (np.abs(found - exact) / np.maximum(np.abs(exact), FLOOR)).max(axis=-1)
