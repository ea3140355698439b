"""The nearest neighbours of frozen features, by cosine similarity, vote for a label."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import one_hot
from jaxtyping import Array, Float, Int

from linbyol.checks import check_count
from linbyol.representation.probing import ProbeResult, check_positive, samples

ENTRIES = 2**26  # numbers in the largest array of a block: 256 MB in float32


def knn_probe(
    train_h: Any, train_labels: Any, test_h: Any, test_labels: Any, *, k: int = 200, temperature: float = 0.1
) -> ProbeResult:
    """Accuracy on a test set of a vote of the k nearest train samples by cosine, weighted by exp(cos/temperature).

    Features as given, neither centred nor scaled; a row of zeros has cosine 0 with every other. Where k exceeds N, all
    vote. Among equal cosines the earlier train samples are the nearer ones; among equal votes the smallest label wins.
    Blocks of the test set keep the memory within bounds. Shapes and errors are those of `linear_probe`.
    """
    check_count("k", k)
    check_positive("temperature", temperature)
    data = samples(train_h, train_labels, test_h, test_labels)
    (n, _), (m, _) = data.train_h.shape, data.test_h.shape
    used = min(k, n)
    block = max(1, min(m, ENTRIES // max(n, used * len(data.labels))))
    with jax.default_matmul_precision("highest"):
        t = jnp.asarray(temperature, data.train_h.dtype)
        predicted = vote(data.train_h, data.train_y, data.test_h, t, used, len(data.labels), block)
    return data.result("knn", predicted, {"k": used, "temperature": float(temperature)})


@functools.partial(jax.jit, static_argnums=(4, 5, 6))
def vote(
    train_h: Float[Array, "N d"],
    train_y: Int[Array, " N"],
    test_h: Float[Array, "M d"],
    temperature: Float[Array, ""],
    k: int,
    classes: int,
    block: int,
) -> Int[Array, " M"]:
    """The class with the most weight for each row of test_h, `block` rows at a time."""
    train = _directions(train_h)

    def of_block(rows: Array) -> Array:
        found = jax.lax.top_k(_directions(rows) @ train.T, k)  # the lower index first among equals
        cosine, near = jax.lax.optimization_barrier(found)  # or a CPU sorts all of them: 19 times slower
        weight = jnp.exp((cosine - cosine[:, :1]) / temperature)  # over that of the nearest: cannot overflow
        votes = jnp.einsum("bk,bkc->bc", weight, one_hot(train_y[near], classes, dtype=weight.dtype))
        return jnp.argmax(votes, axis=1).astype(jnp.int32)

    m = test_h.shape[0]
    blocks = -(-m // block)
    padded = jnp.pad(test_h, ((0, blocks * block - m), (0, 0))).reshape(blocks, block, -1)
    return jax.lax.map(of_block, padded).reshape(-1)[:m]


def _directions(h: Array) -> Array:
    peak = jnp.max(jnp.abs(h), axis=1, keepdims=True)
    unit = h / jnp.where(peak > 0, peak, 1)  # in [-1, 1]: no square overflows
    size = jnp.sqrt(jnp.sum(unit * unit, axis=1, keepdims=True))
    return unit / jnp.where(size > 0, size, 1)
