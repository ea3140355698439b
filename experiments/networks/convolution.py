"""Convolution of images with equal strides, in the ways that are fast on one machine or another.

x (b, h, w, c), kernel (kh, kw, c, o), zero padding on all four sides; as in PyTorch, h pixels become
(h + 2 padding - kh) // stride + 1. `experiments/bench/convolution.py` measures the ways.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.networks.ways import WAYS, Images, Kernel


def convolve(x: Images, kernel: Kernel, stride: int = 1, padding: int = 0, how: str = "auto") -> Images:
    """Cross-correlation of x with the kernel, in the dtype of x; `how` is a name in `WAYS` or "auto".

    Differentiable once, in reverse. Under `vmap` over kernels a CPU takes one kernel after the other, and a GPU makes
    patches and one batched product, since there a grouped convolution is slow.
    """
    return _convolve(x, kernel.astype(x.dtype), stride, padding, how)


def chosen(x: tuple[int, ...], kernel: tuple[int, ...], stride: int, padding: int, dtype: Any) -> str:
    """What "auto" takes for these shapes: the first rule that applies, on a GPU XLA's own way.

    Winograd is worth its rounding: a training step of `conv` at batch 128 takes 2.6 ms an image on one core, without it
    4.0, by patches alone 4.6; a 3×3 layer of 64 channels on 32 pixels, 128 on 16: a quarter and a third of the time.
    """
    kh, kw, c, o = kernel
    square = kh == kw
    rules = {
        "lax": jax.default_backend() != "cpu",
        "patches": square and (kh == 1 or c < 8 or (kh == stride and padding == 0)),  # few, or only another shape
        "winograd": square and kh == 3 and stride == 1 and min(x[1:3]) + 2 * padding - 2 >= 4 and min(c, o) >= 16,
    }
    exact = jnp.finfo(dtype).bits >= 32  # Winograd's sums cancel: not in bfloat16
    return next((way for way, applies in rules.items() if applies and (exact or way != "winograd")), "canonical")


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolve(x: Images, kernel: Kernel, stride: int, padding: int, how: str) -> Images:
    return _run("forward", _way(how, x.shape, kernel, stride, padding), x, kernel, stride, padding)


def _convolve_forward(
    x: Images, kernel: Kernel, stride: int, padding: int, how: str
) -> tuple[Images, tuple[Images, Kernel]]:
    return _convolve(x, kernel, stride, padding, how), (x, kernel)


def _convolve_backward(
    stride: int, padding: int, how: str, kept: tuple[Images, Kernel], g: Images
) -> tuple[Images, Kernel]:
    x, kernel = kept
    way = _way(how, x.shape, kernel, stride, padding)
    dx = _run("to_input", way, g, kernel, stride, padding, x.shape)
    return dx, _run("to_kernel", way, x, g, stride, padding, kernel.shape)


_convolve.defvjp(_convolve_forward, _convolve_backward)


def _way(how: str, x: tuple[int, ...], kernel: Kernel, stride: int, padding: int) -> str:
    return chosen(x, kernel.shape, stride, padding, kernel.dtype) if how == "auto" else how


def _run(step: str, name: str, a: Array, b: Array, stride: int, padding: int, *shape: tuple[int, ...]) -> Array:
    """One of a way's three maps (a, b) -> array; over an axis of kernels in the manner that suits the machine."""
    of = lambda name: lambda a, b: getattr(WAYS[name], step)(a, b, stride, padding, *shape)  # noqa: E731
    each = jax.custom_batching.custom_vmap(of(name))

    @each.def_vmap
    def rule(size: int, batched: list[bool], a: Array, b: Array) -> tuple[Array, bool]:
        if jax.default_backend() == "cpu":
            return _one_by_one(each, size, batched, a, b), True
        if step != "to_kernel" and batched == [True, False]:  # views of one network: a larger batch
            whole = [(size * of_x[0], *of_x[1:]) for of_x in shape]
            y = _run(step, name, a.reshape(-1, *a.shape[2:]), b, stride, padding, *whole)
            return y.reshape(size, -1, *y.shape[1:]), True
        if size == 2 and all(batched):  # a gradient of two views: patches would cost nine times the memory
            return jnp.stack([each(a[i], b[i]) for i in range(size)]), True
        grouped = name == "lax" and (batched[1] or step == "to_kernel")
        axes = [0 if here else None for here in batched]
        return jax.vmap(of("patches" if grouped else name), axes)(a, b), True

    return each(a, b)


def _one_by_one(f: Callable[[Array, Array], Array], size: int, batched: list[bool], a: Array, b: Array) -> Array:
    take = lambda x, here, i: x[i] if here else x  # noqa: E731
    return jax.lax.map(lambda i: f(take(a, batched[0], i), take(b, batched[1], i)), jnp.arange(size, dtype=jnp.int32))
