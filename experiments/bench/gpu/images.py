"""The images that trainings are timed on: CIFAR-10's where it lies, else made up, since no rate depends on them."""

from pathlib import Path

import numpy as np

from experiments.bench.ready import made_up
from experiments.datasets import Dataset, Split, load
from experiments.datasets.places import data_folder
from linbyol.store import FileError

FEW, MANY = 2_000, 50_000  # images that are read, and that a training has


def cifar10(first: int | None = None) -> Dataset:
    """CIFAR-10 from the data folder, or from ~/raw. Raises `FileError`."""
    try:
        return load("cifar10", first=first)
    except FileError as error:
        raw = Path.home() / "raw"
        if not raw.is_dir() or raw == data_folder():
            raise
        try:
            return load("cifar10", folder=raw, first=first)
        except FileError as other:
            raise FileError(f"{error} {other}") from None


def images(shape: tuple[int, int, int]) -> tuple[Dataset, str]:
    """(number, side, channels) of them, and what they are."""
    if shape == (MANY, 32, 3):
        try:
            found = cifar10(first=FEW)
        except FileError as error:
            return made_up(*shape), f"made up: {error}"
        again = lambda x: np.concatenate([x] * (MANY // FEW))  # noqa: E731
        train = Split(again(found.train.images), again(found.train.labels))
        return found._replace(train=train), f"CIFAR-10's first {FEW}, {MANY // FEW} times"
    return made_up(*shape), "made up"
