"""Batch normalisation with its own backward pass: half the time of the differentiated formula on a CPU."""

import functools
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Channels = Float[Array, " c"]
Kept = tuple[Array, Channels, Channels, Channels | None, Channels | None]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def standardised(
    x: Float[Array, "b *s c"], scale: Channels | None, shift: Channels | None, eps: float
) -> tuple[Float[Array, "b *s c"], Channels, Channels]:
    """(y, mean, var): y = (x - mean)/√(var + eps) · scale + shift in the dtype of x, var biased, over all axes but c.

    Sums are at least float32. Differentiable once, in reverse, and in y alone: mean and var carry no gradient.
    """
    return _standardised_forward(x, scale, shift, eps)[0]


def affine(
    x: Array, mean: Channels, var: Channels, scale: Channels | None, shift: Channels | None, eps: float
) -> Array:
    """(x - mean)/√(var + eps) · scale + shift, in the dtype of x, computed in at least float32."""
    y = wide(x)
    factor = jax.lax.rsqrt(var.astype(y.dtype) + eps)
    factor = factor if scale is None else factor * scale.astype(y.dtype)
    y = (y - along(mean.astype(y.dtype), y)) * along(factor, y)
    return (y if shift is None else y + along(shift.astype(y.dtype), y)).astype(x.dtype)


def along(v: Channels, x: Array) -> Array:
    """v with as many axes as x, the last one its own."""
    return v.reshape((1,) * (x.ndim - 1) + v.shape)


def wide(x: Array) -> Array:
    """x in at least float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _standardised_forward(
    x: Array, scale: Channels | None, shift: Channels | None, eps: float
) -> tuple[tuple[Array, Channels, Channels], Kept]:
    y, count = wide(x), x.size // x.shape[-1]
    mean = _sums(y) / count
    var = _sums(jnp.square(y - along(mean, y))) / count
    return (affine(x, mean, var, scale, shift, eps), mean, var), (x, mean, var, scale, shift)


def _standardised_backward(eps: float, kept: Kept, cotangent: tuple[Array, Array, Array]) -> tuple:
    x, mean, var, scale, shift = kept
    g, y, count = wide(cotangent[0]), wide(x), x.size // x.shape[-1]
    root = jax.lax.rsqrt(var + eps)
    centred = y - along(mean, y)
    total, product = _sums(g), _sums(g * centred) * root  # of g, and of g times the standardised x
    factor = root if scale is None else root * scale.astype(y.dtype)
    dx = along(factor, y) * (g - along(total / count, y) - centred * along(root * product / count, y))
    return (
        dx.astype(x.dtype),
        None if scale is None else product.astype(scale.dtype),
        None if shift is None else total.astype(shift.dtype),
    )


standardised.defvjp(_standardised_forward, _standardised_backward)


def _sums(x: Array) -> Channels:
    """Over all axes but the last; on a CPU by way of rows of 2048 numbers, which XLA adds up twice as fast."""
    if jax.default_backend() != "cpu":
        return jnp.sum(x, axis=tuple(range(x.ndim - 1)))
    c = x.shape[-1]
    together = math.gcd(x.size // c, max(2048 // c, 1))
    long = jnp.sum(x.reshape(-1, together * c), axis=0)
    return jnp.sum(long.reshape(together, c), axis=0)
