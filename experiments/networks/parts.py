"""Parts without parameters, and how layers are put together; all are called as layers are."""

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

Layer = Any  # (x, train) -> (y, layer)


class Chain(eqx.Module):
    """One layer after the other."""

    layers: tuple[Layer, ...]

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Chain"]:
        moved = []
        for layer in self.layers:
            x, layer = layer(x, train)
            moved.append(layer)
        return x, Chain(tuple(moved))


class Residual(eqx.Module):
    """relu(skip(x) + factor · branch(x)); an empty skip is the identity."""

    branch: Chain
    skip: Chain
    factor: float = eqx.field(static=True, default=1.0)

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Residual"]:
        y, branch = self.branch(x, train)
        x, skip = self.skip(x, train)
        return jax.nn.relu(x + (y if self.factor == 1 else self.factor * y)), Residual(branch, skip, self.factor)


class Relu(eqx.Module):
    """max(x, 0)."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Relu"]:
        return jax.nn.relu(x), self


class MaxPool(eqx.Module):
    """Largest of each window, padded with 0: for what is not negative. PyTorch's sizes, rounded down."""

    size: int = eqx.field(static=True, default=2)
    stride: int = eqx.field(static=True, default=2)
    padding: int = eqx.field(static=True, default=0)

    def __call__(self, x: Array, train: bool) -> tuple[Array, "MaxPool"]:
        p = self.padding
        x = jnp.pad(x, [(0, 0), (p, p), (p, p), (0, 0)]) if p else x
        pool = largest_apart if self.size == self.stride else largest
        return pool(x, self.size, self.stride), self


def largest(x: Array, size: int, stride: int) -> Array:
    """Of each window, by shifted slices: XLA's own window reduction is ten times slower on a CPU."""
    h, w = (stride * ((n - size) // stride) + 1 for n in x.shape[1:3])
    most = lambda views: functools.reduce(jnp.maximum, views)  # noqa: E731
    x = most([x[:, i : i + h : stride] for i in range(size)])
    return most([x[:, :, j : j + w : stride] for j in range(size)])


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def largest_apart(x: Array, size: int, stride: int) -> Array:
    """`largest` for windows that do not overlap; equal pixels share the gradient."""
    return largest(x, size, stride)


def _largest_forward(x: Array, size: int, stride: int) -> tuple[Array, tuple[Array, Array]]:
    y = largest(x, size, stride)
    return y, (x, y)


def _largest_backward(size: int, stride: int, kept: tuple[Array, Array], g: Array) -> tuple[Array]:
    x, y = kept
    b, h, w, c = y.shape
    windows = x[:, : h * size, : w * size].reshape(b, h, size, w, size, c)
    wins = windows == y[:, :, None, :, None]
    share = g / jnp.sum(wins, axis=(2, 4), dtype=jnp.int32).astype(g.dtype)
    dx = jnp.where(wins, share[:, :, None, :, None], 0).reshape(b, h * size, w * size, c)
    return (jnp.pad(dx, [(0, 0), (0, x.shape[1] - h * size), (0, x.shape[2] - w * size), (0, 0)]),)


largest_apart.defvjp(_largest_forward, _largest_backward)


class Flatten(eqx.Module):
    """(b, …) to (b, n)."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Flatten"]:
        return x.reshape(x.shape[0], -1), self


class MeanPool(eqx.Module):
    """Mean over all pixels: (b, h, w, c) to (b, c)."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "MeanPool"]:
        return jnp.mean(x, axis=(1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32)).astype(x.dtype), self
