"""The sample level: random training images, a class each, and views of them; those for the test are fresh ones."""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from experiments.augment import Recipe, augment
from linbyol.checks import InputError, check_count

STREAM = {"train": 0, "test": 1}  # folded into the key: no view for the test is one for training


class Views(NamedTuple):
    """One view of every chosen image, and which image each is of."""

    x: Float[Array, "n h w c"]
    labels: Int[np.ndarray, " n"]


def sample_level(
    images: UInt8[np.ndarray, "N h w c"], recipe: Recipe, seed: int, *, number: int, views: int, split: str
) -> Iterator[Views]:
    """`views` random views, one a step, of `number` images chosen by the seed; labels 0 … number - 1.

    split is "train" or "test": the same images, other views. Raises `InputError` where there are too few images.
    """
    for name, value in (("number", number), ("views", views)):
        check_count(name, value)
    if number > len(images):
        raise InputError(f"Argument `number` must be at most the number of images, {len(images)}, but is {number}.")
    chosen = np.random.default_rng(seed).permutation(len(images))[:number]
    key = jax.random.fold_in(jax.random.key(seed), STREAM[split])
    index, pixels = jnp.arange(number, dtype=jnp.int32), jnp.asarray(images[chosen])
    for view in range(views):
        yield Views(augment(jax.random.fold_in(key, view), pixels, index, recipe), np.arange(number))
