"""Small networks on top of an encoder: projectors and predictors."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.networks.layers import BatchNorm, batch_norm, linear
from experiments.networks.parts import Chain, Relu
from linbyol.checks import check_choice

NORMS = ("batch", "batch-no-affine", None)


def mlp(
    key: Array,
    sizes: Sequence[int],
    *,
    norm: str | None = None,
    bias: bool = True,
    final_norm: bool = False,
    dtype: Any = jnp.float32,
) -> Chain:
    """Linear (norm ReLU Linear)*, from sizes[0] inputs to sizes[-1] outputs; `final_norm` ends with a norm.

    norm "batch" has a scale and a shift, "batch-no-affine" neither. Two sizes are one linear map.
    """
    layers: list[Any] = []
    for i, place in enumerate(jax.random.split(key, len(sizes) - 1)):
        last = i == len(sizes) - 2
        layers.append(linear(place, sizes[i], sizes[i + 1], bias=bias, dtype=dtype))
        layers += norm_of(norm, sizes[i + 1], dtype) if final_norm or not last else []
        layers += [] if last else [Relu()]
    return Chain(tuple(layers))


def norm_of(norm: str | None, d: int, dtype: Any) -> list[BatchNorm]:
    """The norm of this name as a list, empty for None."""
    check_choice("norm", norm, NORMS)
    return [] if norm is None else [batch_norm(d, affine=norm == "batch", dtype=dtype)]
