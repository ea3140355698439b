"""Ways to convolve: each has a forward map and the two maps of its backward pass, all of them bilinear.

forward(x, kernel, stride, padding) -> y
to_input(g, kernel, stride, padding, shape) -> the gradient at x of this shape, for the cotangent g of y
to_kernel(x, g, stride, padding, shape) -> the gradient at the kernel of this shape
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.networks import winograd
from experiments.networks.winograd import Images, Kernel

Shape = tuple[int, ...]


class Way(NamedTuple):
    """The three maps."""

    forward: Callable[..., Images]
    to_input: Callable[..., Images]
    to_kernel: Callable[..., Kernel]


def lax_forward(x: Images, kernel: Kernel, stride: int, padding: int) -> Images:
    """XLA's own convolution: cuDNN on a GPU, Eigen on a CPU."""
    return _lax(x, kernel, stride, [(padding, padding)] * 2)


def lax_to_input(g: Images, kernel: Kernel, stride: int, padding: int, shape: Shape) -> Images:
    """As JAX transposes it, which cuDNN knows."""
    x = jax.ShapeDtypeStruct(shape, g.dtype)
    return jax.linear_transpose(lambda x: lax_forward(x, kernel, stride, padding), x)(g)[0]


def lax_to_kernel(x: Images, g: Images, stride: int, padding: int, shape: Shape) -> Kernel:
    """As JAX transposes it, which cuDNN knows."""
    kernel = jax.ShapeDtypeStruct(shape, g.dtype)
    return jax.linear_transpose(lambda kernel: lax_forward(x, kernel, stride, padding), kernel)(g)[0]


def canonical_to_input(g: Images, kernel: Kernel, stride: int, padding: int, shape: Shape) -> Images:
    """By forward convolutions in the one layout that XLA hands to Eigen, in a loop too: 40 times faster there.

    Each residue of the input's rows and columns modulo the stride has a convolution of its own, without holes.
    """
    return _by_residues(lax_forward, g, kernel, stride, padding, shape)


def canonical_to_kernel(x: Images, g: Images, stride: int, padding: int, shape: Shape) -> Kernel:
    """As above: channels are the batch, the batch the channels, and the cotangent the kernel, with holes."""
    high = [stride * (n - 1) + k - m - padding for n, k, m in zip(g.shape[1:3], shape[:2], x.shape[1:3], strict=True)]
    pads = [(padding, high[0]), (padding, high[1])]
    found = _lax(x.transpose(3, 1, 2, 0), g.transpose(1, 2, 0, 3), 1, pads, holes=stride)
    return found.transpose(1, 2, 0, 3)


def patches_forward(x: Images, kernel: Kernel, stride: int, padding: int) -> Images:
    """Shifted slices side by side, and one matrix product."""
    kh, kw, c, o = kernel.shape
    x = _padded(x, padding)
    size = tuple((n - k) // stride + 1 for n, k in zip(x.shape[1:3], (kh, kw), strict=True))
    return _patches(x, kh, kw, stride, size) @ kernel.reshape(kh * kw * c, o)


def patches_to_input(g: Images, kernel: Kernel, stride: int, padding: int, shape: Shape) -> Images:
    """Patches of the cotangent, and the turned kernel."""
    return _by_residues(patches_forward, g, kernel, stride, padding, shape)


def patches_to_kernel(x: Images, g: Images, stride: int, padding: int, shape: Shape) -> Kernel:
    """One product over all pixels of all images."""
    kh, kw, c, o = shape
    columns = _patches(_padded(x, padding), kh, kw, stride, g.shape[1:3])
    return (columns.reshape(-1, kh * kw * c).T @ g.reshape(-1, o)).reshape(shape)


WAYS = {
    "lax": Way(lax_forward, lax_to_input, lax_to_kernel),
    "canonical": Way(lax_forward, canonical_to_input, canonical_to_kernel),
    "winograd": Way(winograd.forward, winograd.to_input, winograd.to_kernel),
    "patches": Way(patches_forward, patches_to_input, patches_to_kernel),
}


def _lax(x: Images, kernel: Kernel, stride: int, pads: list[tuple[int, int]], holes: int = 1) -> Images:
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), pads, rhs_dilation=(holes, holes), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _by_residues(
    forward: Callable[..., Images], g: Images, kernel: Kernel, stride: int, padding: int, shape: Shape
) -> Images:
    """Pixel stride q + r of the padded input sees taps r, r + stride, …, of output pixels q, q - 1, …"""
    b, h, w, c = shape
    kh, kw = kernel.shape[:2]
    turned = lambda taps: taps[::-1, ::-1].swapaxes(2, 3)  # noqa: E731
    if stride == 1 and kh == kw and padding < kh:
        return forward(g, turned(kernel), 1, kh - 1 - padding)
    rows, columns = (-(-(size + 2 * padding) // stride) for size in (h, w))
    parts = []
    for i in range(stride):
        for j in range(stride):
            taps = kernel[i::stride, j::stride]
            th, tw = taps.shape[:2]
            if th * tw == 0:
                parts.append(jnp.zeros((b, rows, columns, c), g.dtype))
                continue
            edges = [(0, 0, 0), (th - 1, rows - g.shape[1], 0), (tw - 1, columns - g.shape[2], 0), (0, 0, 0)]
            parts.append(forward(jax.lax.pad(g, jnp.zeros((), g.dtype), edges), turned(taps), 1, 0))
    found = jnp.stack(parts, axis=3).reshape(b, rows, columns, stride, stride, c)
    found = found.swapaxes(2, 3).reshape(b, rows * stride, columns * stride, c)
    return found[:, padding : padding + h, padding : padding + w]


def _patches(x: Images, kh: int, kw: int, stride: int, size: Shape) -> Float[Array, "b h w k"]:
    """(b, oh, ow, kh kw c): what each output pixel looks at; first along rows, then along columns."""
    if (kh, kw) == (stride, stride):
        x = x[:, : kh * size[0], : kw * size[1]].reshape(x.shape[0], size[0], kh, size[1], kw, x.shape[3])
        return x.swapaxes(2, 3).reshape(x.shape[0], *size, -1)
    span = [stride * (n - 1) + 1 for n in size]
    x = _beside([x[:, :, j : j + span[1] : stride] for j in range(kw)])
    return _beside([x[:, i : i + span[0] : stride] for i in range(kh)])


def _beside(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=3)


def _padded(x: Images, padding: int) -> Images:
    return jnp.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)]) if padding else x
