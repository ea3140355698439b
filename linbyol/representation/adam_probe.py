"""arXiv 2102.06810's linear evaluation: logistic regression by Adam, the best test accuracy over the epochs."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int

from linbyol.checks import InputError, check_count, check_nonnegative, check_numbers
from linbyol.representation.probing import ProbeResult, Samples, check_positive, scale_of


def paper(
    data: Samples,
    *,
    key: Any = None,
    lr: float = 3e-4,
    weight_decay: float = 1e-3,
    batch: int = 128,
    epochs: int = 50,
) -> ProbeResult:
    """The released code's protocol. It SELECTS ON THE TEST SET: the best of `epochs` test accuracies is reported.

    Features standardised on train, Adam on the mean cross-entropy of shuffled batches, the last and smaller one kept;
    weight decay is an L2 term in the gradient of weights and bias (PyTorch's Adam). `key` decides the start, uniform
    in ±1/√d as PyTorch's, and the shuffling. `history` has loss and test accuracy of each epoch, `setting` the epoch
    chosen, the first among equals, and the last epoch's accuracy. The weights are those of the epoch chosen.
    """
    if key is None:
        raise InputError('Argument `key` must be a jax.random.key for protocol "paper", but is missing.')
    for name, value in (("batch", batch), ("epochs", epochs)):
        check_count(name, value)
    check_positive("lr", lr)
    check_numbers("weight_decay", weight_decay)
    check_nonnegative("weight_decay", weight_decay)
    n, d = data.train_h.shape
    dtype = data.train_h.dtype
    scale = scale_of(data.train_h, jnp.ones(n, dtype))
    for_start, for_order = jax.random.split(key)
    shapes = (d, len(data.labels)), (len(data.labels),)
    keys = jax.random.split(for_start)
    start = tuple(
        jax.random.uniform(k, s, dtype, -1, 1) / np.sqrt(d).astype(dtype) for k, s in zip(keys, shapes, strict=True)
    )
    rates = jnp.asarray(lr, dtype), jnp.asarray(weight_decay, dtype)
    train, test = (scale(data.train_h), data.train_y), (scale(data.test_h), data.test_y)
    best, loss, right = adam_epochs(start, train, test, for_order, *rates, min(batch, n), epochs)
    accuracy = np.asarray(right) / len(data.test_y)
    W, b = best
    predicted = jnp.argmax(test[0] @ W + b[None, :], axis=1)
    chosen = int(np.argmax(accuracy))
    setting = {"epoch": chosen + 1, "last_accuracy": float(accuracy[-1]), "lr": lr, "weight_decay": weight_decay}
    setting |= {"batch": batch, "epochs": epochs}
    history = {"epoch": np.arange(1, epochs + 1), "loss": np.asarray(loss), "test_accuracy": accuracy}
    weights, bias = scale.unscaled(W, b)
    return data.result("paper", predicted, setting, history=history, weights=weights, bias=bias)


@functools.partial(jax.jit, static_argnums=(6, 7))
def adam_epochs(
    start: Any, train: Any, test: Any, key: Array, lr: Array, weight_decay: Array, batch: int, epochs: int
) -> tuple[Any, Array, Int[Array, " epochs"]]:
    """(W, b) of the best epoch, and of each epoch the mean loss and how many test samples are right."""
    (x, y), (test_x, test_y) = train, test
    n = x.shape[0]
    steps = -(-n // batch)
    whole = jnp.arange(steps * batch, dtype=jnp.int32) < n  # the last batch is filled up, with weight 0
    solver = optax.chain(optax.add_decayed_weights(weight_decay), optax.adam(lr))

    def loss_of(w: Any, rows: Array, real: Array) -> Array:
        s = x[rows] @ w[0] + w[1][None, :]
        loss = optax.softmax_cross_entropy_with_integer_labels(s, y[rows])
        return jnp.sum(jnp.where(real, loss, 0)) / jnp.sum(real, dtype=s.dtype)

    def step(carry: Any, rows_real: Any) -> Any:
        w, state = carry
        loss, grad = jax.value_and_grad(loss_of)(w, *rows_real)
        updates, state = solver.update(grad, state, w)
        return (optax.apply_updates(w, updates), state), loss * jnp.sum(rows_real[1], dtype=loss.dtype)

    def epoch(carry: Any, i: Array) -> Any:
        w, state, best, most = carry
        order = jax.random.permutation(jax.random.fold_in(key, i), n).astype(jnp.int32)
        order = jnp.pad(order, (0, steps * batch - n)).reshape(steps, batch)
        (w, state), losses = jax.lax.scan(step, (w, state), (order, whole.reshape(steps, batch)))
        right = jnp.sum(jnp.argmax(test_x @ w[0] + w[1][None, :], axis=1) == test_y, dtype=jnp.int32)
        best = jax.tree.map(lambda a, b: jnp.where(right > most, a, b), w, best)
        return (w, state, best, jnp.maximum(right, most)), (jnp.sum(losses) / n, right)

    first = (start, solver.init(start), start, jnp.full((), -1, jnp.int32))
    (_, _, best, _), (loss, right) = jax.lax.scan(epoch, first, jnp.arange(epochs, dtype=jnp.int32))
    return best, loss, right
