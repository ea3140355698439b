"""Features of one network at every block and after its projector, on images as they are or on views of them."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, UInt8

from experiments.augment import plain
from experiments.clustering.kept import Network
from experiments.networks import join, split
from experiments.trainer.blocks import rows_of
from experiments.trainer.model import Identity
from experiments.trainer.state import Plan

Layers = dict[str, Float[np.ndarray, "N d"]]
BLOCK = 500  # images a pass


def features(plan: Plan, net: Network, x: Iterable[Array]) -> Layers:
    """Of each layer, block1, block2, …, projector, the features (N, d) of batches x (b, h, w, c) put together.

    A block's are the means over its pixels. A projector that does nothing is left out; the encoder's output is that of
    its last block.
    """
    parts = split(net[:2])
    found = [jax.device_get(_outputs(*parts, batch, plan.dtype)) for batch in x]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def batches(plan: Plan, images: UInt8[np.ndarray, "N h w c"]) -> Iterable[Array]:
    """Images as the network takes them, without augmentation."""
    return (plain(images[i : i + BLOCK], plan.recipe, plan.compute) for i in range(0, len(images), BLOCK))


def logits(plan: Plan, net: Network, images: UInt8[np.ndarray, "N h w c"]) -> Float[np.ndarray, "N C"]:
    """What a supervised network says of images as they are."""
    parts = split(net)
    return np.concatenate([np.asarray(_logits(*parts, x)) for x in batches(plan, images)])


@partial(jax.jit, static_argnums=3)
def _outputs(parameters: Any, statistics: Any, x: Array, dtype: Any) -> dict[str, Array]:
    encoder, projector = join(parameters, statistics)
    blocks = encoder.blocks(x)
    found = {f"block{i}": rows_of(block, False) for i, block in enumerate(blocks, 1)}
    if not isinstance(projector, Identity):
        found["projector"] = projector(encoder.head(blocks[-1], False)[0], False)[0]
    return {name: h.astype(dtype) for name, h in found.items()}


@jax.jit
def _logits(parameters: Any, statistics: Any, x: Array) -> Array:
    for part in join(parameters, statistics):
        x, _ = part(x, False)
    return x
