"""What the card can do at most: operations a second of one large matrix product."""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np

SIDE, TINY = 8192, 64
IN_A_ROW, ROUNDS = 8, 5  # products in one call; the fastest call counts


@functools.cache
def product_rate(dtype: str, precision: str = "default", tiny: bool = False) -> float:
    """Multiplications and additions a second of (n, n) products of random numbers of this type."""
    n = TINY if tiny else SIDE
    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision(precision):
        a = (jax.random.normal(jax.random.key(0), (n, n), jnp.float32) / np.float32(np.sqrt(n))).astype(dtype)
        run = jax.jit(lambda x, a: jax.lax.fori_loop(0, IN_A_ROW, lambda _, x: x @ a, x))
        x, best = jax.block_until_ready(run(a, a)), np.inf
        for _ in range(ROUNDS):
            began = time.perf_counter()
            jax.block_until_ready(run(x, a))
            best = min(best, time.perf_counter() - began)
    return IN_A_ROW * 2 * n**3 / best
