"""The gradient at a kernel over both views of a batch: what `experiments.networks.convolution` does, and what it could.

There the views are a `vmap` axis, and on a GPU an axis of cotangents is taken by patches, for XLA's own rule makes a
grouped convolution of it. With many lanes that pays; with two views and one seed two calls of cuDNN may be faster.
"""

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.gpu.ready import in_turn
from experiments.networks.ways import lax_to_kernel, patches_to_kernel

VIEWS = 2
SHAPES = {f"stage {i + 1}": (32 >> i, 64 << i) for i in range(4)}  # side and channels of ResNet-18's 3×3 maps
TINY = {"stage 1": (8, 4)}


def by_patches(x: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """As it is now."""
    return jnp.sum(jax.vmap(lambda x, g: patches_to_kernel(x, g, 1, 1, shape))(x, g), axis=0)


def grouped(x: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """XLA's own rule."""
    return jnp.sum(jax.vmap(lambda x, g: lax_to_kernel(x, g, 1, 1, shape))(x, g), axis=0)


def view_by_view(x: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """A call for each view."""
    return sum(lax_to_kernel(x[i], g[i], 1, 1, shape) for i in range(VIEWS))  # type: ignore[return-value]


def at_once(x: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """Both views as one batch: what a network without the axis would do."""
    return lax_to_kernel(*(a.reshape(-1, *a.shape[2:]) for a in (x, g)), 1, 1, shape)


WAYS: dict[str, Callable[..., Array]] = {
    "patches": by_patches, "grouped": grouped, "view by view": view_by_view, "at once": at_once
}  # fmt: skip


def measure(stage: str, batch: int, *, tiny: bool) -> dict[str, Any]:
    """Milliseconds of each way in bfloat16, in turn, and how far each is from `at_once` in float32."""
    side, c = (TINY if tiny else SHAPES)[stage]
    x, g = (
        jax.random.normal(jax.random.key(i), (VIEWS, batch, side, side, c), jnp.float32).astype(jnp.bfloat16)
        for i in range(2)
    )
    shape, times = (3, 3, c, c), 2 if tiny else 50
    with jax.default_matmul_precision("highest"):
        exact = jax.jit(functools.partial(at_once, shape=shape))(*(a.astype(jnp.float32) for a in (x, g)))
    contenders, away = {}, {}
    for name, way in WAYS.items():
        run = jax.jit(functools.partial(way, shape=shape))
        found = run(x, g).astype(jnp.float32)  # compiles
        away[name] = float(jnp.linalg.norm((found - exact).ravel()) / jnp.linalg.norm(exact.ravel()))
        contenders[name] = functools.partial(milliseconds, run, x, g, times)
    rounds = in_turn(contenders, 2 if tiny else 7)
    return {
        "batch": batch,
        "side": side,
        "channels": c,
        "milliseconds": {name: statistics.median(values) for name, values in rounds.items()},
        "relative_difference": away,
        "operations": 2 * 9 * c * c * side**2 * batch * VIEWS,
    }


def milliseconds(run: Callable[..., Array], x: Array, g: Array, times: int) -> float:
    """Of one of `times` calls that follow on each other."""
    began = time.perf_counter()
    for _ in range(times):
        last = run(x, g)
    jax.block_until_ready(last)
    return 1e3 * (time.perf_counter() - began) / times
