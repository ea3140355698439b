"""Matrix flows: the time of `integrate` against scipy's, and against the bare matrix products it cannot do without."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate

from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate
from linbyol.progress import track

RTOL, ATOL = 1e-6, 1e-9
STAGES = 6  # evaluations of the flow in an accepted step of Tsit5, whose last stage is the next one's first


def measure(sizes: Sequence[int], *, t1: float = 1.0, scipy_up_to: int = 256, repeats: int = 2) -> list[dict[str, Any]]:
    """One row a d, with n = 2 d: seconds of the flow, of its products alone, and of scipy."""
    return [_row(d, t1, d <= scipy_up_to, repeats) for d in track(list(sizes), "matrix flows")]


def problem(d: int) -> tuple[Weights, Constants]:
    """Random weights of the usual scale, and moments with eigenvalues of order 1."""
    rng, n = np.random.default_rng(d), 2 * d
    matrix = lambda *shape: rng.normal(size=shape) / np.sqrt(shape[-1])  # noqa: E731
    A, B, W = matrix(n, n), matrix(n, n), matrix(d, n)
    y0 = Weights(*map(jnp.asarray, (W, matrix(d, d) / 2 + np.eye(d) / 2, W)))
    return y0, Constants(1.0, 0.4, 0.05, jnp.asarray(A @ A.T), jnp.asarray(B @ B.T / 2))


@jax.jit
def products(y: Weights, k: Constants) -> Any:
    """The five matrix products of one evaluation of `weights_flow`, in the shapes that it has."""
    W, Wp, Wa = y
    E = Wa @ k.X
    P = (Wp @ W) @ k.X_aug
    return Wp.T @ E, P @ W.T


@jax.jit
def rate(y: Weights, k: Constants) -> Weights:
    return weights_flow(y, k)


def _row(d: int, t1: float, with_scipy: bool, repeats: int) -> dict[str, Any]:
    y0, k = problem(d)
    ts = np.array([0.0, t1])
    solve = lambda: jax.block_until_ready(integrate(weights_flow, y0, k, ts, rtol=RTOL, atol=ATOL))  # noqa: E731
    compiling, trajectory = _seconds(solve, 1)
    seconds, trajectory = _seconds(solve, repeats)
    evaluations = STAGES * int(trajectory.steps) + 2
    one_product, _ = _seconds(lambda: jax.block_until_ready(products(y0, k)), 3 * repeats)
    one_rate, _ = _seconds(lambda: jax.block_until_ready(rate(y0, k)), 3 * repeats)
    row = {
        "d": d,
        "n": 2 * d,
        "seconds": seconds,
        "compile_seconds": max(compiling - seconds, 0.0),
        "steps": int(trajectory.steps),
        "evaluations": evaluations,
        "products_seconds": evaluations * one_product,
        "times_products": seconds / (evaluations * one_product),
        "rate_times_products": one_rate / one_product,
    }
    if with_scipy:
        took, found = _seconds(lambda: _scipy(y0, k, t1), 1)
        ours = np.concatenate([np.asarray(leaf[-1]).ravel() for leaf in trajectory.ys])
        row |= {"scipy_seconds": took, "times_scipy": took / seconds, "difference": float(np.abs(ours - found).max())}
    return row


def _scipy(y0: Weights, k: Constants, t1: float) -> np.ndarray:
    """solve_ivp's RK45 on the flattened state, with NumPy's matrix products."""
    shapes = [leaf.shape for leaf in y0]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    constants = Constants(*(np.asarray(x) for x in k))

    def flat_rate(t: float, x: np.ndarray) -> np.ndarray:
        y = Weights(*(part.reshape(shape) for part, shape in zip(np.split(x, cuts), shapes, strict=True)))
        return np.concatenate([leaf.ravel() for leaf in weights_flow(y, constants)])

    start = np.concatenate([np.asarray(leaf).ravel() for leaf in y0])
    return scipy.integrate.solve_ivp(flat_rate, (0, t1), start, "RK45", rtol=RTOL, atol=ATOL).y[:, -1]


def _seconds(f: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The fastest of a few calls, and what it returned."""
    best = np.inf
    for _ in range(repeats):
        began = time.perf_counter()
        found = f()
        best = min(best, time.perf_counter() - began)
    return best, found
