"""Layers with parameters: linear maps, convolutions, batch normalisation; PyTorch's conventions and initial values.

Each is called `y, layer = layer(x, train)` on a batch, whose axis comes first, and computes in the dtype of x.
"""

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.networks.convolution import convolve
from experiments.networks.normalisation import affine, along, standardised
from linbyol.checks import InputError


class Linear(eqx.Module):
    """y = x Wᵀ + bias."""

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"] | None

    def __call__(self, x: Float[Array, "b in"], train: bool) -> tuple[Float[Array, "b out"], "Linear"]:
        return shifted(x @ self.weight.astype(x.dtype).T, self.bias), self


class Conv(eqx.Module):
    """Cross-correlation with `kernel`, zero padding on all sides; `how` as in `convolution.convolve`."""

    kernel: Float[Array, "kh kw in out"]
    bias: Float[Array, " out"] | None
    stride: int = eqx.field(static=True, default=1)
    padding: int = eqx.field(static=True, default=0)
    how: str = eqx.field(static=True, default="auto")

    def __call__(self, x: Float[Array, "b h w in"], train: bool) -> tuple[Float[Array, "b h2 w2 out"], "Conv"]:
        return shifted(convolve(x, self.kernel, self.stride, self.padding, self.how), self.bias), self


class Statistics(eqx.Module):
    """Running mean and variance of each channel; moved by training, not by gradients."""

    mean: Float[Array, " c"]
    var: Float[Array, " c"]  # unbiased


class BatchNorm(eqx.Module):
    """(x - mean)/√(var + eps), times scale plus shift, over all axes but the last.

    train=True: mean and biased variance of the batch, and the running ones move to (1 - momentum) old + momentum new,
    the new variance being the unbiased one. train=False: the running ones. Sums are at least float32.
    """

    scale: Float[Array, " c"] | None
    shift: Float[Array, " c"] | None
    statistics: Statistics
    momentum: float = eqx.field(static=True, default=0.1)
    eps: float = eqx.field(static=True, default=1e-5)

    def __call__(self, x: Float[Array, "b *s c"], train: bool) -> tuple[Float[Array, "b *s c"], "BatchNorm"]:
        old = self.statistics
        if not train:
            return affine(x, old.mean, old.var, self.scale, self.shift, self.eps), self
        count = x.size // x.shape[-1]
        if count == 1:
            raise InputError(
                "Batch normalisation must see two numbers of each channel at least, but a batch of shape "
                f"{x.shape} has one: set `batch` to 2 or more."
            )
        y, mean, var = standardised(x, self.scale, self.shift, self.eps)
        move = lambda old, new: old + self.momentum * (jax.lax.stop_gradient(new).astype(old.dtype) - old)  # noqa: E731
        moved = Statistics(move(old.mean, mean), move(old.var, var * (count / max(count - 1, 1))))
        return y, dataclasses.replace(self, statistics=moved)


def shifted(y: Array, bias: Float[Array, " c"] | None) -> Array:
    """y + bias along the last axis."""
    return y if bias is None else y + along(bias.astype(y.dtype), y)


def linear(key: Array, n: int, d: int, *, bias: bool = True, dtype: Any = jnp.float32) -> Linear:
    """n inputs, d outputs; uniform in ±1/√n, as in PyTorch."""
    for_weight, for_bias = jax.random.split(key)
    bound = 1 / math.sqrt(n)
    weight = jax.random.uniform(for_weight, (d, n), dtype, -bound, bound)
    return Linear(weight, jax.random.uniform(for_bias, (d,), dtype, -bound, bound) if bias else None)


def conv(
    key: Array,
    c: int,
    o: int,
    size: int = 3,
    *,
    stride: int = 1,
    padding: int | None = None,
    bias: bool = False,
    init: str = "uniform",
    how: str = "auto",
    dtype: Any = jnp.float32,
) -> Conv:
    """c channels to o; padding (size - 1)/2 unless given.

    init="uniform": ±1/√(c size²), as in PyTorch. init="he": Gaussian of variance 2/(o size²), as in its ResNets.
    """
    for_kernel, for_bias = jax.random.split(key)
    shape, bound = (size, size, c, o), 1 / math.sqrt(c * size * size)
    draw = {
        "uniform": lambda: jax.random.uniform(for_kernel, shape, dtype, -bound, bound),
        "he": lambda: jax.random.normal(for_kernel, shape, dtype) * math.sqrt(2 / (o * size * size)),
    }
    shift = jax.random.uniform(for_bias, (o,), dtype, -bound, bound) if bias else None
    return Conv(draw[init](), shift, stride, (size - 1) // 2 if padding is None else padding, how)


def batch_norm(c: int, *, affine: bool = True, dtype: Any = jnp.float32) -> BatchNorm:
    """Scale 1, shift 0; running mean 0, variance 1."""
    kept = jnp.promote_types(dtype, jnp.float32)
    statistics = Statistics(jnp.zeros((c,), kept), jnp.ones((c,), kept))  # buffers of their own, so all can be donated
    scale, shift = (jnp.ones((c,), dtype), jnp.zeros((c,), dtype)) if affine else (None, None)
    return BatchNorm(scale, shift, statistics)
