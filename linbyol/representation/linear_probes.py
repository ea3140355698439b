"""Linear classifiers on frozen features, by named protocols: accuracies of two protocols are not comparable."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp, one_hot, relu
from jaxtyping import Array

from linbyol.checks import InputError, check_choice
from linbyol.representation.adam_probe import paper
from linbyol.representation.minimise import minimise, tolerance
from linbyol.representation.probing import (
    ProbeResult,
    Samples,
    candidates,
    check_count,
    check_positive,
    held_out,
    samples,
    scale_of,
)

DECADES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # candidates for C, strongest penalty first


def linear_probe(
    train_h: Any, train_labels: Any, test_h: Any, test_labels: Any, *, protocol: str = "strict", **settings: Any
) -> ProbeResult:
    """Accuracy on a test set of a linear classifier trained on frozen features, by one of three protocols.

    Features (N, d) and (M, d), labels (N,) and (M,), any whole numbers; features are standardised on train.
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

    As scikit-learn's LinearSVC with its defaults: the bias is penalised too. With several C, chosen as in `strict`.
    """
    return _penalised(data, "svm", hinge, C, tol, max_steps)


PROTOCOLS: dict[str, Callable[..., ProbeResult]] = {"paper": paper, "strict": strict, "svm": squared_hinge}


def logistic(w: Any, x: Array, y: Array, part: Array, C: Array) -> Array:
    """The logistic objective over C n, n the size of the part; x (N, d), y (N, classes) one-hot, part (N,) of 0, 1."""
    W, b = w
    s = x @ W + b[None, :]
    loss = jnp.sum(part * (logsumexp(s, axis=1) - jnp.sum(s * y, axis=1)))
    return (loss + jnp.sum(W * W) / (2 * C)) / jnp.sum(part)


def hinge(w: Any, x: Array, y: Array, part: Array, C: Array) -> Array:
    """The support vector objective over C n."""
    W, b = w
    miss = relu(1 - (2 * y - 1) * (x @ W + b[None, :]))
    loss = jnp.sum(part[:, None] * miss * miss)
    return (loss + (jnp.sum(W * W) + jnp.sum(b * b)) / (2 * C)) / jnp.sum(part)


def _penalised(data: Samples, protocol: str, loss: Any, C: Any, tol: float | None, max_steps: int) -> ProbeResult:
    grid = candidates("C", C)
    check_count("max_steps", max_steps)
    h, dtype = data.train_h, data.train_h.dtype
    tol = tolerance(dtype) if tol is None else tol
    check_positive("tol", tol)
    y = one_hot(data.train_y, len(data.labels), dtype=dtype)

    def fit(start: Any, part: Array, C: float) -> Any:
        scale = scale_of(h, part)
        numbers = (jnp.asarray(value, dtype) for value in (C, tol))
        return scale, minimise(loss, start, (scale(h), y, part, next(numbers)), next(numbers), max_steps)

    start = (jnp.zeros((h.shape[1], len(data.labels)), dtype), jnp.zeros(len(data.labels), dtype))
    chosen, history, out = grid[len(grid) // 2], {}, held_out(data.train_y)
    if len(grid) > 1 and out.any():
        rest, tried, right = jnp.asarray(~out, dtype=dtype), [start], []
        for value in grid:  # each begins where the one before ended
            scale, found = fit(tried[-1], rest, value)
            tried.append(found.at)
            right.append(int(jnp.sum(_classes(scale(h[out]), found.at) == data.train_y[out])))
        best = int(np.argmax(right))
        chosen, start = grid[best], tried[best + 1]
        history = {"C": np.array(grid), "held_out_accuracy": np.array(right) / out.sum()}
    scale, found = fit(start, jnp.ones(h.shape[0], dtype), chosen)
    W, b = scale.unscaled(*found.at)
    setting = {"C": float(chosen), "objective": float(found.value) * float(chosen) * h.shape[0]}
    setting |= {"gradient": float(found.gradient), "steps": int(found.steps)}
    predicted = _classes(scale(data.test_h), found.at)
    more = {"history": history, "converged": bool(found.converged), "weights": W, "bias": b}
    return data.result(protocol, predicted, setting, **more)


def _classes(x: Array, w: Any) -> Array:
    return jnp.argmax(x @ w[0] + w[1][None, :], axis=1)
