"""Parts without parameters, and how layers are put together; all are called as layers are."""

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
        h, w = (self.stride * ((n - self.size) // self.stride) + 1 for n in x.shape[1:3])
        largest = lambda views: jax.tree.reduce(jnp.maximum, views)  # noqa: E731
        x = largest([x[:, i : i + h : self.stride] for i in range(self.size)])
        return largest([x[:, :, j : j + w : self.stride] for j in range(self.size)]), self


class Flatten(eqx.Module):
    """(b, …) to (b, n)."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Flatten"]:
        return x.reshape(x.shape[0], -1), self


class MeanPool(eqx.Module):
    """Mean over all pixels: (b, h, w, c) to (b, c)."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "MeanPool"]:
        return jnp.mean(x, axis=(1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32)).astype(x.dtype), self
