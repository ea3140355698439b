"""A data set of the user's own in an npz archive."""

import zipfile
from pathlib import Path

import numpy as np

from experiments.datasets.splits import Dataset, Split, divided, split_of
from linbyol.store import FileError, read_arrays

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
RATIO = 200  # no photograph is compressed so far; a bomb is


def read_archive(path: Path, first: int | None) -> Dataset:
    """From train_images, train_labels, test_images, test_labels, or images, labels, and the names in `classes`, if any.

    Images are (N, h, w) or (N, h, w, c), uint8 or floats from 0 to 1; labels whole numbers from 0, or names. Raises
    `FileError`.
    """
    _check_size(path)
    arrays = read_arrays(path)
    in_parts = all(name in arrays for name in PARTS)
    if not in_parts and not ("images" in arrays and "labels" in arrays):
        found = ", ".join(arrays) or "nothing"
        raise FileError(f"File {path} must hold {', '.join(PARTS)}, or images and labels, but holds {found}.")
    names = [("train_images", "train_labels"), ("test_images", "test_labels")] if in_parts else [("images", "labels")]
    arrays |= _numbered(arrays, [labels for _, labels in names])
    classes = _classes(path, arrays, [arrays[labels] for _, labels in names])
    splits = [
        split_of(path, as_bytes(f"Array `{images}` of {path}", arrays[images]), arrays[labels], len(classes))
        for images, labels in names
    ]
    if not in_parts:
        whole = splits[0]
        splits = [Split(whole.images[i], whole.labels[i]) for i in divided(path, whole.labels)]
    elif only := sorted(set(splits[1].labels.tolist()) - set(splits[0].labels.tolist())):
        raise FileError(f"Class {classes[only[0]]!r} of {path} has test images, but none for training.")
    if splits[0].images.shape[1:] != splits[1].images.shape[1:]:
        shapes = " and ".join(str(split.images.shape[1:]) for split in splits)
        raise FileError(f"Images of {path} must have one size, but those for training and testing have {shapes}.")
    return Dataset(path.stem, *(Split(split.images[:first], split.labels[:first]) for split in splits), classes)


def as_bytes(what: str, images: np.ndarray) -> np.ndarray:
    """Images (N, h, w, c) as bytes: floats from 0 to 1 are rounded to 255ths. Raises `FileError`, which says `what`."""
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype.kind != "f":
        return images
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 1.0)
    if not 0 <= low <= high <= 1:  # nor NaN
        raise FileError(f"{what} must be bytes, or floats from 0 to 1, but has values from {low:.4g} to {high:.4g}.")
    return np.rint(255 * images).astype(np.uint8)


def _numbered(arrays: dict[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
    """Labels that are names as numbers, with `classes`: those given there, or all in alphabetical order."""
    if not all(arrays[name].dtype.kind == "U" for name in names):
        return {}
    words = np.concatenate([arrays[name] for name in names])
    classes = arrays.get("classes", np.unique(words))
    order = {word: number for number, word in enumerate(classes.tolist())}
    return {"classes": classes} | {
        name: np.array([order.get(word, -1) for word in arrays[name].tolist()], int) for name in names
    }


def _classes(path: Path, arrays: dict[str, np.ndarray], labels: list[np.ndarray]) -> tuple[str, ...]:
    """The names given, or the numbers up to the largest label."""
    if "classes" in arrays:
        names = arrays["classes"]
        if names.ndim != 1 or names.dtype.kind != "U":
            raise FileError(f"Array `classes` of {path} must be a list of names, but has dtype {names.dtype}.")
        return tuple(names.tolist())
    whole = [found for found in labels if found.dtype.kind in "iu" and found.size]
    largest = max((int(found.max()) for found in whole), default=0)
    if largest and largest >= sum(found.size for found in labels):
        raise FileError(f"Labels of {path} must be 0 to the number of classes - 1, but one is {largest}.")
    return tuple(map(str, range(largest + 1)))


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > RATIO * path.stat().st_size + (1 << 26):
            raise FileError(f"File {path} unpacks to {size} bytes, {RATIO} times its own: that is no set of images.")
    except OSError as error:
        raise FileError(f"File {path} cannot be read: {error.strerror or error}.") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"File {path} is not a readable npz archive: {str(error).rstrip('.')}.") from None
