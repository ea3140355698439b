"""Matrix flows: the time of `integrate` against the bare matrix products it cannot do without, diffrax and scipy."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate

from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate
from linbyol.progress import track

RTOL, ATOL = 1e-6, 1e-9
STAGES = 6  # evaluations of the flow in an accepted step of Tsit5, whose last stage is the next one's first


LARGE = 512  # from here on a quarter of the time, solved once, and not by scipy
METHODS = ("RK45", "DOP853")  # of scipy


def measure(sizes: Sequence[int], *, t1: float = 1.0, scipy_up_to: int = 256, repeats: int = 3) -> list[dict[str, Any]]:
    """One row a d, with n = 2 d: seconds of `integrate`, of the products alone, of diffrax and of scipy."""
    return [
        _row(d, t1 if d < LARGE else t1 / 4, d <= scipy_up_to, repeats if d < LARGE else 1)
        for d in track(list(sizes), "matrix flows")
    ]


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


def diffrax_alone(t1: float) -> Callable[[Weights, Constants], diffrax.Solution]:
    """diffrax as its users would write it: Tsit5, the last state, no checks, all under jit."""

    @jax.jit
    def solve(y0: Weights, k: Constants) -> diffrax.Solution:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, k: weights_flow(y, k)),
            diffrax.Tsit5(),
            0.0,
            t1,
            None,
            y0,
            k,
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
            throw=False,
        )

    return solve


def _row(d: int, t1: float, with_scipy: bool, repeats: int) -> dict[str, Any]:
    """Solvers and products take turns, so that what else the machine does meets them alike."""
    y0, k = problem(d)
    ts, alone = np.array([0.0, t1]), diffrax_alone(t1)
    ours = lambda: jax.block_until_ready(integrate(weights_flow, y0, k, ts, rtol=RTOL, atol=ATOL).ys)  # noqa: E731
    theirs = lambda: jax.block_until_ready(alone(y0, k))  # noqa: E731
    compiling, found = _seconds(ours)
    _, other = _seconds(theirs)
    count = max(2, min(20, int(5e6 / d**3)))  # products in a row, some milliseconds
    many = lambda f: lambda: [jax.block_until_ready(f(y0, k)) for _ in range(count)]  # noqa: E731
    timed = {"ours": ours, "theirs": theirs, "products": many(products), "rate": many(rate)}
    best = dict.fromkeys(timed, np.inf)
    many(products)(), many(rate)()
    for _ in range(repeats if d > 64 else 5 * repeats):
        for name, f in timed.items():
            best[name] = min(best[name], _seconds(f)[0])
    steps = other.stats["num_steps"]  # the same tableau and controller, rejected steps too
    evaluations = STAGES * int(steps) + 2
    one_product = best["products"] / count
    flat = lambda ys: np.concatenate([np.asarray(leaf[-1]).ravel() for leaf in ys])  # noqa: E731
    row = {
        "d": d,
        "n": 2 * d,
        "t1": t1,
        "seconds": best["ours"],
        "compile_seconds": max(compiling - best["ours"], 0.0),
        "steps": int(steps),
        "evaluations": evaluations,
        "products_seconds": evaluations * one_product,
        "times_products": best["ours"] / (evaluations * one_product),
        "rate_times_products": best["rate"] / best["products"],
        "diffrax_seconds": best["theirs"],
        "times_diffrax": best["theirs"] / best["ours"],
        "diffrax_difference": float(np.abs(flat(found) - flat(other.ys)).max()),
    }
    for method in METHODS if with_scipy else ():
        took, last = _seconds(lambda method=method: _scipy(y0, k, t1, method))
        key = method.lower()
        row |= {f"{key}_seconds": took, f"times_{key}": took / best["ours"]}
        row |= {f"{key}_difference": float(np.abs(flat(found) - last).max())}
    return row


def _scipy(y0: Weights, k: Constants, t1: float, method: str) -> np.ndarray:
    """solve_ivp on the flattened state, with NumPy's matrix products."""
    shapes = [leaf.shape for leaf in y0]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    constants = Constants(*(np.asarray(x) for x in k))

    def flat_rate(t: float, x: np.ndarray) -> np.ndarray:
        y = Weights(*(part.reshape(shape) for part, shape in zip(np.split(x, cuts), shapes, strict=True)))
        return np.concatenate([leaf.ravel() for leaf in weights_flow(y, constants)])

    start = np.concatenate([np.asarray(leaf).ravel() for leaf in y0])
    return scipy.integrate.solve_ivp(flat_rate, (0, t1), start, method, rtol=RTOL, atol=ATOL).y[:, -1]


def _seconds(f: Callable[[], Any]) -> tuple[float, Any]:
    """The time of a call, and what it returned."""
    began = time.perf_counter()
    found = f()
    return time.perf_counter() - began, found
