"""Ridge regression of one-hot labels on frozen features: a linear probe in closed form, all penalties at once."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import one_hot
from jaxtyping import Array, Float

from linbyol.representation.probing import ProbeResult, candidates, held_out, samples, scale_of

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # candidates for alpha


def ridge_probe(
    train_h: Any,
    train_labels: Any,
    test_h: Any,
    test_labels: Any,
    *,
    alpha: float | Sequence[float] = PENALTIES,
) -> ProbeResult:
    """Accuracy on a test set of ridge regression on one-hot labels, the largest output winning (the first of equals).

    Minimises mean‖y - W h - b‖² + alpha ‖W‖² on features standardised on train; alpha is n times smaller than
    scikit-learn's Ridge's, so that it keeps its meaning as n grows. A fifth of each class of train is held out; of an
    increasing grid the alpha with the best accuracy there wins, the larger among equals; then all of train is fitted.
    Where alpha is one number or nothing can be held out, nothing is chosen (in the latter case the middle one is used).
    Shapes and errors are those of `linear_probe`.
    """
    grid = candidates("alpha", alpha)
    data = samples(train_h, train_labels, test_h, test_labels)
    h, y = data.train_h, one_hot(data.train_y, len(data.labels), dtype=data.train_h.dtype)
    chosen, history, out = grid[len(grid) // 2], {}, held_out(data.train_y)
    with jax.default_matmul_precision("highest"):
        if len(grid) > 1 and out.any():
            right = _right(h, y, data.train_y, jnp.asarray(out), jnp.asarray(grid, h.dtype))
            accuracy = np.asarray(right) / out.sum()
            chosen = grid[len(grid) - 1 - int(np.argmax(accuracy[::-1]))]
            history = {"alpha": np.array(grid), "held_out_accuracy": accuracy}
        scale = scale_of(h, jnp.ones(h.shape[0], h.dtype))
        W, b = ridge_weights(scale(h), y, jnp.ones(h.shape[0], h.dtype), jnp.asarray([chosen], h.dtype))
        predicted = jnp.argmax(scale(data.test_h) @ W[0] + b[None, :], axis=1)
    weights, bias = scale.unscaled(W[0], b)
    return data.result("ridge", predicted, {"alpha": float(chosen)}, history=history, weights=weights, bias=bias)


@jax.jit
def ridge_weights(
    x: Float[Array, "N d"], y: Float[Array, "N C"], part: Float[Array, " N"], alpha: Float[Array, " A"]
) -> tuple[Float[Array, "A d C"], Float[Array, " C"]]:
    """Weights for every alpha, from one eigendecomposition of the smaller Gram matrix, and the bias.

    Of the samples whose `part` is 1, not 0; their x must have mean 0.
    """
    n = jnp.sum(part)
    bias = part @ y / n
    x, y = x * part[:, None], (y - bias[None, :]) * part[:, None]
    wide = x.shape[1] > x.shape[0]
    s, U = jnp.linalg.eigh(x @ x.T if wide else x.T @ x)  # = U diag(s) Uᵀ
    shrink = 1 / (jnp.maximum(s, 0)[None, :] + n * alpha[:, None])  # (A, rank)
    right = U.T @ (y if wide else x.T @ y)
    W = jnp.einsum("ij,aj,jc->aic", U, shrink, right)
    return (jnp.einsum("nd,anc->adc", x, W) if wide else W), bias


@jax.jit
def _right(h: Array, y: Array, classes: Array, out: Array, alpha: Array) -> Array:
    """For every alpha, how many of the held-out samples are right."""
    part = jnp.where(out, 0, 1).astype(h.dtype)
    x = scale_of(h, part)(h)
    W, b = ridge_weights(x, y, part, alpha)
    predicted = jnp.argmax(jnp.einsum("nd,adc->anc", x, W) + b[None, None, :], axis=2)
    return jnp.sum((predicted == classes[None, :]) & out[None, :], axis=1, dtype=jnp.int32)
