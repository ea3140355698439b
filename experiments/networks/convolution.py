"""Convolution of images with square strides, in the ways that are fast on one machine or another.

x (b, h, w, c), kernel (kh, kw, c, o), zero padding on all four sides; as in PyTorch, h pixels become
(h + 2 padding - kh) // stride + 1.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Images = Float[Array, "b h w c"]
Kernel = Float[Array, "kh kw c o"]


def convolve(x: Images, kernel: Kernel, stride: int = 1, padding: int = 0, how: str = "auto") -> Images:
    """Cross-correlation of x with the kernel, in the dtype of x; `how` is a name in `WAYS` or "auto"."""
    if how == "auto":
        how = "patches" if jax.default_backend() == "cpu" else "lax"
    return WAYS[how](x, kernel.astype(x.dtype), stride, padding)


def lax(x: Images, kernel: Kernel, stride: int, padding: int) -> Images:
    """XLA's own convolution: cuDNN on a GPU."""
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def patches(x: Images, kernel: Kernel, stride: int, padding: int) -> Images:
    """Shifted slices and one matrix product, and the same twice in the backward pass."""
    return _forward(_padded(x, padding), kernel, stride)


def _patches_forward(x: Images, kernel: Kernel, stride: int, padding: int) -> tuple[Images, tuple[Images, Kernel]]:
    return patches(x, kernel, stride, padding), (x, kernel)


def _patches_backward(stride: int, padding: int, kept: tuple[Images, Kernel], g: Images) -> tuple[Images, Kernel]:
    x, kernel = kept
    kh, kw, c, o = kernel.shape
    columns = _columns(_padded(x, padding), kh, kw, stride, g.shape[1:3])
    dkernel = columns.reshape(-1, kh * kw * c).T @ g.reshape(-1, o)
    return _backward_input(g, kernel, stride, padding, x.shape), dkernel.reshape(kernel.shape)


patches.defvjp(_patches_forward, _patches_backward)


def _backward_input(g: Images, kernel: Kernel, stride: int, padding: int, shape: tuple[int, ...]) -> Images:
    """Each residue of the input's rows and columns modulo the stride has a convolution of its own, without holes."""
    b, h, w, c = shape
    rows, columns = (-(-(size + 2 * padding) // stride) for size in (h, w))
    parts = []
    for i in range(stride):
        for j in range(stride):
            taps = kernel[i::stride, j::stride]
            th, tw = taps.shape[:2]
            if th * tw == 0:
                parts.append(jnp.zeros((b, rows, columns, c), g.dtype))
                continue
            full = jax.lax.pad(
                g,
                jnp.zeros((), g.dtype),
                [(0, 0, 0), (th - 1, rows - g.shape[1], 0), (tw - 1, columns - g.shape[2], 0), (0, 0, 0)],
            )
            parts.append(_forward(full, taps[::-1, ::-1].swapaxes(2, 3), 1))
    if stride == 1:
        whole = parts[0]
    else:
        whole = jnp.stack(parts, axis=3).reshape(b, rows, columns, stride, stride, c)
        whole = whole.swapaxes(2, 3).reshape(b, rows * stride, columns * stride, c)
    return whole[:, padding : padding + h, padding : padding + w]


def _forward(x: Images, kernel: Kernel, stride: int) -> Images:
    """Without padding."""
    kh, kw, c, o = kernel.shape
    size = tuple((n - k) // stride + 1 for n, k in zip(x.shape[1:3], (kh, kw), strict=True))
    return _columns(x, kh, kw, stride, size) @ kernel.reshape(kh * kw * c, o)


def _columns(x: Images, kh: int, kw: int, stride: int, size: tuple[int, ...]) -> Float[Array, "b h w k"]:
    """(b, oh, ow, kh kw c): what each output pixel looks at."""
    span = [stride * (n - 1) + 1 for n in size]
    parts = [x[:, i : i + span[0] : stride, j : j + span[1] : stride] for i in range(kh) for j in range(kw)]
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=3)


def _padded(x: Images, padding: int) -> Images:
    return jnp.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)]) if padding else x


WAYS: dict[str, Callable[[Images, Kernel, int, int], Images]] = {"lax": lax, "patches": patches}
