"""Features of a run at every block and after the projector, for all images of its data set, streamed to a file."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import linbyol
from experiments.augment import plain
from experiments.networks import join, split
from experiments.networks.parts import Flatten, MeanPool
from experiments.trainer.evaluation import BLOCK, at_rest
from experiments.trainer.loop import TrainingError
from experiments.trainer.model import Identity
from experiments.trainer.saved import Saved
from experiments.trainer.session import lane_of
from experiments.trainer.state import Plan
from linbyol.embeddings.writing import check_space, growing
from linbyol.progress import bar


class Written(NamedTuple):
    """What was written: the width of each layer, images of each split, and the settings that the file itself has."""

    layers: dict[str, int]
    images: dict[str, int]
    labels: list[str]
    config: dict[str, Any]


def write(saved: Saved, lane: int, path: str | Path, *, flat: bool = False) -> Written:
    """Write the features of one lane, named as `linbyol.embeddings` reads them; whole or not at all.

    Layers are block1/h, block2/h, …, encoder/h where the encoder ends in something else than its last block, and
    projector/z where there is one; of a block of (h, w, c) the mean over its pixels, or with `flat` all of it. Images
    are as they are, with running statistics of batch normalisation, at step 0 refreshed as in `evaluate`. Ids count
    the images of the data set, those for testing after those for training. Raises `TrainingError` for features that
    are not finite, and `FileError` where the file cannot be written.
    """
    session, plan = saved.session, saved.session.plan._replace(mesh=None)
    dataset = session.dataset
    splits = {"train": dataset.train, "test": dataset.test}
    net = at_rest(session, saved.state, lane, untrained=saved.step == 0, parts=("encoder", "projector"))
    here = jax.local_devices()[0]
    parts = jax.device_put(jax.device_get(split(net)), here)
    outputs = partial(_outputs, plan, flat, *parts)
    shapes = jax.eval_shape(outputs, jax.ShapeDtypeStruct((1, *dataset.train.images.shape[1:]), jnp.uint8))
    widths = {name: x.shape[1] for name, x in shapes.items()}
    total = sum(len(part.images) for part in splits.values())
    check_space(path, total * sum(widths.values()) * jnp.dtype(plan.dtype).itemsize)
    seed = int(np.asarray(lane_of(session, session.seeds, lane)))
    config = {"command": "features", "run": saved.path.resolve().name, "data": dataset.name, "step": saved.step}
    config |= {"epoch": saved.epoch, "seed": seed, "lane": lane, "flat": flat, "normalised": False}
    config |= {"batch_norm": "refreshed at step 0" if saved.step == 0 else "running statistics"}
    config["linbyol"] = linbyol.__version__
    labels = ["labels"]
    with growing(path, config) as arrays, bar("features", total) as advance:
        arrays.put("epoch", np.array(saved.epoch))
        first = 0
        for name, part in splits.items():
            arrays.put(f"{name}/ids", first + np.arange(len(part.images)))
            arrays.put(f"{name}/labels", part.labels)
            if part.coarse is not None:
                arrays.put(f"{name}/labels/superclass", part.coarse)
                labels = ["labels", "superclass"]
            first += len(part.images)
            size = min(BLOCK, len(part.images))
            for i in range(0, len(part.images), size):
                images = part.images[i : i + size]
                padded = np.concatenate([images, np.repeat(images[:1], size - len(images), axis=0)])
                for layer, h in outputs(padded).items():
                    rows = np.asarray(h)[: len(images)]
                    if not np.isfinite(rows).all():
                        broken = int(np.atleast_1d(saved.state.broken)[lane])
                        why = f": its loss ceased to be so at step {broken}" if broken >= 0 else ""
                        what = f"Features of lane {lane} (seed {seed}) are not finite in {layer}"
                        raise TrainingError(f"{what} at step {saved.step}{why}.")
                    arrays.append(f"{name}/{layer}", rows)
                advance(None, len(images))
    return Written(widths, {name: len(part.images) for name, part in splits.items()}, labels, config)


@partial(jax.jit, static_argnums=(0, 1))
def _outputs(plan: Plan, flat: bool, parameters: Any, statistics: Any, images: Array) -> dict[str, Array]:
    """Each layer's features (b, d)."""
    encoder, projector = join(parameters, statistics)
    blocks = encoder.blocks(plain(images, plan.recipe, plan.compute))
    found = {f"block{i}/h": rows_of(x, flat) for i, x in enumerate(blocks, 1)}
    h, _ = encoder.head(blocks[-1], False)
    if not _same(encoder.head.layers, blocks[-1], flat):
        found["encoder/h"] = h
    if not isinstance(projector, Identity):
        found["projector/z"], _ = projector(h, False)
    return {name: x.astype(plan.dtype) for name, x in found.items()}


def rows_of(x: Array, flat: bool) -> Array:
    """(b, h, w, c) or (b, d) as (b, d)."""
    if flat or x.ndim == 2:
        return x.reshape(x.shape[0], -1)
    return MeanPool()(x, False)[0]


def _same(head: tuple[Any, ...], x: Array, flat: bool) -> bool:
    """Whether the encoder's output is what its last block gives as rows."""
    return not head or (len(head) == 1 and isinstance(head[0], Flatten if flat or x.ndim == 2 else MeanPool))
