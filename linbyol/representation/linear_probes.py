"""Linear classifiers on frozen features, by named protocols: accuracies of two protocols are not comparable."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp, one_hot, relu
from jaxtyping import Array

from linbyol.checks import InputError, check_choice, check_count
from linbyol.representation.adam_probe import paper
from linbyol.representation.minimise import Minimum, minimise, tolerance
from linbyol.representation.probing import (
    ProbeResult,
    Samples,
    candidates,
    check_positive,
    held_out,
    samples,
    scale_of,
)

DECADES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # candidates for C, strongest penalty first
FLOOR = 1e-3  # of the eigenvalues (their mean is 1) by which features are put on one scale
WIDE = 4096  # more features than these stay as they are: their eigenvectors would cost more than they save


def linear_probe(
    train_h: Any, train_labels: Any, test_h: Any, test_labels: Any, *, protocol: str = "strict", **settings: Any
) -> ProbeResult:
    """Accuracy on a test set of a linear classifier trained on frozen features, by one of three protocols.

    Features (N, d) and (M, d), labels (N,) and (M,), numbers or strings; features are standardised on train.
    protocol="paper" (needs key=) SELECTS ON THE TEST SET, as arXiv 2102.06810's released code does: see `paper`.
    protocol="strict" sees the test set once, at the end: see `strict`. protocol="svm": see `squared_hinge`.
    Raises `InputError` for features that are not finite, shapes that do not fit, unknown protocols and settings.
    """
    check_choice("protocol", protocol, PROTOCOLS)
    rule = PROTOCOLS[protocol]
    known = list(inspect.signature(rule).parameters)[1:]
    for name in settings:
        if name not in known:
            raise InputError(f'Argument `{name}` is no setting of protocol "{protocol}", which has {", ".join(known)}.')
    data = samples(train_h, train_labels, test_h, test_labels)
    with jax.default_matmul_precision("highest"):  # a GPU's short products (TF32) would end the descent early
        return rule(data, **settings)


def strict(
    data: Samples, *, C: float | Sequence[float] = DECADES, tol: float | None = None, max_steps: int = 1000
) -> ProbeResult:
    """Multinomial logistic regression with an L2 penalty, C chosen on a part of train, to convergence.

    Minimises C Σ loss + ½‖W‖², bias free, as scikit-learn's LogisticRegression. A fifth of each class of train is held
    out (`held_out`); each C of an increasing grid is fitted to the rest, and the best accuracy on the held-out part
    wins, the smaller C among equals; then all of train is fitted. Where C is one number or nothing can be held out,
    nothing is chosen (in the latter case the middle of the grid is used).
    """
    return _penalised(data, "strict", logistic, C, tol, max_steps)


def squared_hinge(
    data: Samples, *, C: float | Sequence[float] = 1.0, tol: float | None = None, max_steps: int = 1000
) -> ProbeResult:
    """Linear support vector machines, one class against the rest: C Σ max(0, 1 - y s)² + ½‖w‖² + ½b².

    As scikit-learn's LinearSVC with its defaults: the bias is penalised too. Ben-Shaul et al. (2023, arXiv 2305.15614)
    probe by LinearSVC, and do not say with which settings. With several C, chosen as in `strict`.
    """
    return _penalised(data, "svm", hinge, C, tol, max_steps)


PROTOCOLS: dict[str, Callable[..., ProbeResult]] = {"paper": paper, "strict": strict, "svm": squared_hinge}


def logistic(w: Any, x: Array, y: Array, part: Array, C: Array, q: Array) -> Array:
    """The logistic objective over C n, n the size of the part; x (N, d), y (N, classes) one-hot, part (N,) of 0, 1.

    The penalty is Σ q_i V_i² for weights V (d, classes): coordinates in which the descent is short (`descend`).
    """
    V, b = w
    s = x @ V + b[None, :]
    loss = jnp.sum(part * (logsumexp(s, axis=1) - jnp.sum(s * y, axis=1)))
    return (loss + jnp.sum(q[:, None] * V * V) / (2 * C)) / jnp.sum(part)


def hinge(w: Any, x: Array, y: Array, part: Array, C: Array, q: Array) -> Array:
    """The support vector objective over C n, in the terms of `logistic`."""
    V, b = w
    miss = relu(1 - (2 * y - 1) * (x @ V + b[None, :]))
    loss = jnp.sum(part[:, None] * miss * miss)
    return (loss + (jnp.sum(q[:, None] * V * V) + jnp.sum(b * b)) / (2 * C)) / jnp.sum(part)


@jax.jit
def spectrum(x: Array, part: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of the features' correlation over the part."""
    return jnp.linalg.eigh((x * part[:, None]).T @ x / jnp.sum(part))


@functools.partial(jax.jit, static_argnums=0)
def descend(
    loss: Any, start: Any, x: Array, y: Array, part: Array, basis: Any, C: Array, tol: Array, most: Array
) -> tuple[Any, Minimum]:
    """(W, b) at the minimum, found in coordinates W = P V that make the features uncorrelated and of one scale.

    Features of a network have eigenvalues over many decades; there this takes 5 to 40 times fewer steps than in W, and
    in float32 it comes nearer to the minimum. The floor keeps it from being slower where the classes are separable.
    """
    s, U = basis
    W, b = start
    q = 1 / (jnp.maximum(s, 0) + jnp.maximum(FLOOR, 1 / (C * jnp.sum(part))))
    P = U * jnp.sqrt(q)[None, :]
    found = minimise(loss, (P.T @ W / q[:, None], b), (x @ P, y, part, C, q), tol, most)
    V, b = found.at
    return (P @ V, b), found


def _penalised(data: Samples, protocol: str, loss: Any, C: Any, tol: float | None, max_steps: int) -> ProbeResult:
    grid = candidates("C", C)
    check_count("max_steps", max_steps)
    h, dtype = data.train_h, data.train_h.dtype
    n, d = h.shape
    tol = tolerance(dtype) if tol is None else tol
    check_positive("tol", tol)
    y = one_hot(data.train_y, len(data.labels), dtype=dtype)

    def fitted(part: Array, grid: list[float], start: Any) -> Any:
        """The scale of the part, and for each C the minimum; each begins where the one before ended."""
        scale, found = scale_of(h, part), []
        x = scale(h)
        basis = spectrum(x, part) if d <= WIDE else (jnp.ones(d, dtype), jnp.eye(d, dtype=dtype))
        for value in grid:
            start, minimum = descend(
                loss, start, x, y, part, basis, *(jnp.asarray(a, dtype) for a in (value, tol)), max_steps
            )
            found.append((start, minimum))
        return scale, found

    start = (jnp.zeros((d, len(data.labels)), dtype), jnp.zeros(len(data.labels), dtype))
    chosen, history, out = grid[len(grid) // 2], {}, held_out(data.train_y)
    if len(grid) > 1 and out.any():
        scale, tried = fitted(jnp.asarray(~out, dtype=dtype), grid, start)
        x, classes = scale(h[out]), data.train_y[out]
        right = np.array([int(jnp.sum(_classes(x, w) == classes)) for w, _ in tried])
        best = int(np.argmax(right))
        chosen, start = grid[best], tried[best][0]
        history = {"C": np.array(grid), "held_out_accuracy": right / out.sum()}
    scale, [(w, found)] = fitted(jnp.ones(n, dtype), [chosen], start)
    W, b = scale.unscaled(*w)
    setting = {"C": chosen, "objective": float(found.value) * chosen * n, "steps": int(found.steps)}
    more = {"history": history, "converged": bool(found.converged), "weights": W, "bias": b}
    return data.result(protocol, _classes(scale(data.test_h), w), setting, **more)


def _classes(x: Array, w: Any) -> Array:
    return jnp.argmax(x @ w[0] + w[1][None, :], axis=1)
