"""CIFAR-10 and CIFAR-100 as published: pickled batches or binary records, in a folder or in their archive.

A. Krizhevsky, Learning multiple layers of features from tiny images (2009). An image is 3072 bytes: 1024 of R, G and B
each, row by row. Pickled batches are dicts of `data` (N, 3072) and labels; binary records are the labels, a byte each,
and the image.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.datasets.archives import contents
from experiments.datasets.originals import check_archive, read_original
from experiments.datasets.pickles import text, unpickle
from experiments.datasets.splits import Dataset, Split, split_of
from linbyol.store import FileError

SIDE = 32
PIXELS = 3 * SIDE * SIDE
UNPACKED = 400_000_000  # bytes an archive may unpack to: twice what the originals do


class Batch(NamedTuple):
    """Rows (N, 3072) and labels, as a file holds them, with the name of the file."""

    where: str
    rows: np.ndarray
    labels: Any
    coarse: Any


class Files(NamedTuple):
    """How one form of one set lies in its folder."""

    name: str
    folder: str
    train: tuple[str, ...]
    test: str
    meta: tuple[str, ...]
    batch: Callable[[str, bytes, bool], Batch]  # of (where, content, whether there are superclasses)
    words: Callable[[dict[str, bytes]], list[tuple[str, ...]]]  # class names, and those of superclasses


def pickled(where: str, content: bytes, fine: bool) -> Batch:
    """A batch from a pickle."""
    found = unpickle(where, content)
    keys = ("data", "fine_labels", "coarse_labels") if fine else ("data", "labels")
    if missing := [key for key in keys if key not in found]:
        raise FileError(f"File {where} must hold `{missing[0]}`, but holds {', '.join(found) or 'nothing'}.")
    rows, labels, *coarse = (found[key] for key in keys)
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != PIXELS:
        shape = getattr(rows, "shape", type(rows).__name__)
        raise FileError(f"Images of {where} must have shape (N, {PIXELS}), but have {shape}.")
    return Batch(where, rows, _labels(where, labels), _labels(where, coarse[0]) if coarse else None)


def binary(where: str, content: bytes, fine: bool) -> Batch:
    """A batch from binary records."""
    size = PIXELS + (2 if fine else 1)
    if not content or len(content) % size:
        raise FileError(f"File {where} must hold records of {size} bytes, but has {len(content)} bytes.")
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    return Batch(where, records[:, -PIXELS:], records[:, -PIXELS - 1], records[:, 0] if fine else None)


def pickled_words(meta: dict[str, bytes]) -> list[tuple[str, ...]]:
    """Class names from batches.meta or meta."""
    ((where, content),) = meta.items()
    found = unpickle(where, content)
    keys = ("fine_label_names", "coarse_label_names") if "fine_label_names" in found else ("label_names",)
    if not all(isinstance(found.get(key), list) for key in keys):
        raise FileError(f"File {where} must hold the list `{keys[0]}`, but holds {', '.join(found) or 'nothing'}.")
    return [tuple(text(word) for word in found[key]) for key in keys]


def lines(meta: dict[str, bytes]) -> list[tuple[str, ...]]:
    """Class names from text files, one a line."""
    return [tuple(content.decode("latin1").split()) for content in meta.values()]


def read(files: Files, get: Callable[[str], tuple[str, bytes]], first: int | None) -> Dataset:
    """The set from files that `get` opens by name, as (where, content); no batch more than `first` needs."""
    words = files.words(dict(get(name) for name in files.meta))
    fine = len(words) > 1
    batches = []
    for name in files.train:
        batches.append(files.batch(*get(name), fine))
        if first is not None and sum(len(batch.rows) for batch in batches) >= first:
            break
    test = [files.batch(*get(files.test), fine)]
    return Dataset(files.name, _split(batches, words, first), _split(test, words, first), words[0], *words[1:])


def read_folder(files: Files, folder: Path, first: int | None) -> Dataset:
    """The set from its folder in the data folder."""

    def get(name: str) -> tuple[str, bytes]:
        path = folder / files.folder / name
        return str(path), read_original(path, f"{files.folder}/{name}")

    return read(files, get, first)


def read_archive(files: Files, archive: str, folder: Path, first: int | None) -> Dataset:
    """The set from its archive in the data folder."""
    path = folder / archive
    check_archive(path, archive)
    names = [f"{files.folder}/{name}" for name in (*files.train, files.test, *files.meta)]
    found = contents(path, names, UNPACKED)
    return read(files, lambda name: (f"{archive}/{name}", found[f"{files.folder}/{name}"]), first)


def _labels(where: str, labels: Any) -> np.ndarray:
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise FileError(f"Labels of {where} must be a list of whole numbers from 0 to 255.")
    return np.array(labels, np.int32)


def _split(batches: list[Batch], words: list[tuple[str, ...]], first: int | None) -> Split:
    """Batches as one split; each is checked under the name of its file."""
    counts = [len(word) for word in words]
    parts = []
    for batch in batches:
        images = batch.rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        parts.append(split_of(batch.where, images, batch.labels, counts[0], batch.coarse, *counts[1:]))
    joined = (None if part[0] is None else np.concatenate(part)[:first] for part in zip(*parts, strict=True))
    images, labels, coarse = joined
    return Split(np.ascontiguousarray(images), labels, coarse)


_TEN = tuple(f"data_batch_{i}" for i in range(1, 6))
CIFAR10 = Files("cifar10", "cifar-10-batches-py", _TEN, "test_batch", ("batches.meta",), pickled, pickled_words)
CIFAR100 = Files("cifar100", "cifar-100-python", ("train",), "test", ("meta",), pickled, pickled_words)
CIFAR10_BINARY = Files(
    "cifar10",
    "cifar-10-batches-bin",
    tuple(f"{name}.bin" for name in _TEN),
    "test_batch.bin",
    ("batches.meta.txt",),
    binary,
    lines,
)
CIFAR100_BINARY = Files(
    "cifar100",
    "cifar-100-binary",
    ("train.bin",),
    "test.bin",
    ("fine_label_names.txt", "coarse_label_names.txt"),
    binary,
    lines,
)
