"""The images that trainings are timed on: CIFAR-10's where it lies, else made up, since no rate depends on them."""

import numpy as np

from experiments.bench.ready import made_up
from experiments.datasets import Dataset, Split, load
from linbyol.store import FileError

FEW, MANY = 2_000, 50_000  # images that are read, and that a training has


def images(shape: tuple[int, int, int]) -> tuple[Dataset, str]:
    """(number, side, channels) of them, and what they are."""
    if shape == (MANY, 32, 3):
        try:
            found = load("cifar10", first=FEW)
        except FileError as error:
            return made_up(*shape), f"made up: {error}"
        again = lambda x: np.concatenate([x] * (MANY // FEW))  # noqa: E731
        train = Split(again(found.train.images), again(found.train.labels))
        return found._replace(train=train), f"CIFAR-10's first {FEW}, {MANY // FEW} times"
    return made_up(*shape), "made up"
