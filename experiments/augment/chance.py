"""Random numbers as a function of a key, an image's index and a column: Threefry-2x32 (Salmon et al., SC 2011).

JAX's own generator runs on a CPU as a loop of five passes over memory, a third of the step of a small network; written
out it is one pass, and XLA drops the columns that nothing uses. It is the same function: see the tests.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt32

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key: Any, first: UInt32[Array, "..."], second: UInt32[Array, "..."]) -> tuple[Array, Array]:
    """The two words of the block (first, second) under a key of two words, in twenty rounds; broadcasts."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    x, y = first + keys[0], second + keys[1]
    for block in range(5):
        for r in ROTATIONS[block % 2]:
            x = x + y
            y = x ^ ((y << np.uint32(r)) | (y >> np.uint32(32 - r)))
        x, y = x + keys[(block + 1) % 3], y + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x, y


def bits(key: Array, index: Int[Array, " b"], start: int, number: int) -> UInt32[Array, "b number"]:
    """32 random bits an image for each of the columns `start` … `start + number`, which share blocks in pairs.

    `start` is even. `key` is a JAX key of the default kind (threefry).
    """
    pairs = start // 2 + np.arange((number + 1) // 2, dtype=np.uint32)
    words = threefry(jax.random.key_data(key), index.astype(jnp.uint32)[:, None], jnp.asarray(pairs)[None, :])
    return jnp.stack(words, axis=2).reshape(index.shape[0], -1)[:, :number]


def uniform(key: Array, index: Int[Array, " b"], start: int, number: int) -> Float[Array, "b number"]:
    """Uniform in [0, 1), float32: multiples of 2⁻²³."""
    mantissa = bits(key, index, start, number) >> np.uint32(9)
    return mantissa.astype(jnp.float32) * np.float32(2**-23)


def normal(key: Array, index: Int[Array, " b"], start: int, number: int) -> Float[Array, "b number"]:
    """Standard Gaussian numbers, float32: by the inverse of their distribution function at odd multiples of 2⁻²⁴."""
    odd = 2 * (bits(key, index, start, number) >> np.uint32(9)).astype(jnp.int32) + 1
    u = (odd - 2**23).astype(jnp.float32) * np.float32(2**-23)  # in (-1, 1), exact
    return np.float32(np.sqrt(2)) * jax.lax.erf_inv(u)
