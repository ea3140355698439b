"""What a data set is, and the sentences in which one that is not is refused."""

import hashlib
from typing import Any, NamedTuple

import numpy as np


class Split(NamedTuple):
    """Images as bytes, and what each shows."""

    images: np.ndarray  # uint8 (N, h, w, c)
    labels: np.ndarray  # int32 (N,), 0 … classes - 1
    coarse: np.ndarray | None = None  # int32 (N,), 0 … superclasses - 1


class Dataset(NamedTuple):
    """A data set in memory."""

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    superclasses: tuple[str, ...] = ()
    unlabelled: np.ndarray | None = None  # uint8 (U, h, w, c)
    notes: tuple[str, ...] = ()  # sentences about what was left out


def sha256_of(*arrays: np.ndarray) -> str:
    """SHA-256 of the arrays' shapes, types and content, in hexadecimal; 0.7 s a GB."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str} {array.shape}".encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def split_of(where: Any, images: Any, labels: Any, classes: int, coarse: Any = None, superclasses: int = 0) -> Split:
    """Images and labels that belong together, checked. Raises `FileError`, which names `where` they come from."""
    from linbyol.store import FileError

    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise FileError(f"Images of {where} must be bytes (uint8), but have dtype {images.dtype}.")
    if images.ndim != 4 or 0 in images.shape:
        raise FileError(f"Images of {where} must have shape (N, h, w, c), none of them 0, but have {images.shape}.")
    labels = labels_of(where, "Labels", labels, len(images), classes)
    if coarse is not None:
        coarse = labels_of(where, "Superclass labels", coarse, len(images), superclasses)
    return Split(images, labels, coarse)


def labels_of(where: Any, what: str, labels: Any, number: int, classes: int) -> np.ndarray:
    """One label an image, 0 … classes - 1, as int32 (number,)."""
    from linbyol.store import FileError

    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise FileError(f"{what} of {where} must be whole numbers, but have dtype {labels.dtype}.")
    if labels.shape != (number,):
        raise FileError(f"{what} of {where} must have shape ({number},), one an image, but have {labels.shape}.")
    if (bad := np.flatnonzero((labels < 0) | (labels >= classes))).size:
        i = int(bad[0])
        raise FileError(f"{what} of {where} must be 0 to {classes - 1}, but number {i} is {labels[i]}.")
    return labels.astype(np.int32)


def stratified(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a training and a test set: a fifth of the images, and of each class to within one, is for testing.

    Each class gives the whole part of its fifth, and those with the largest remainders one more, until ⌈N / 5⌉ are
    found; but the only image of a class is for training, so that no class is in the test set alone. Within a class
    they are spread evenly over its images, so that the split needs no random numbers. Both keep the order.
    """
    counts = np.bincount(labels)
    taken, remainder = counts // 5, counts % 5
    short = -(-len(labels) // 5) - int(taken.sum())
    order = np.lexsort((np.arange(len(counts)), -remainder))
    taken[order[(counts[order] > 1) & (remainder[order] > 0)][:short]] += 1
    test = np.zeros(len(labels), bool)
    for label in np.flatnonzero(counts):
        place = np.arange(counts[label] + 1) * taken[label] // counts[label]
        test[np.flatnonzero(labels == label)] = np.diff(place) == 1
    return np.flatnonzero(~test), np.flatnonzero(test)


def divided(where: Any, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`stratified`, or a `FileError` that names `where` the labels come from if no class has two images."""
    from linbyol.store import FileError

    train, test = stratified(labels)
    if not len(test):
        raise FileError(f"Images of {where} cannot be divided for training and testing: no class has two of them.")
    return train, test
