"""A data set of the user's own: a folder of images, one folder a class."""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from experiments.datasets.splits import Dataset, Split, split_of, stratified
from linbyol.store import FileError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "PPM", "WEBP")
GREY, COLOUR = ("1", "L"), ("1", "L", "LA", "P", "RGB", "RGBA")  # Pillow's modes of eight bits or less
LARGEST = 4096  # pixels a side


def read_folder(folder: Path, first: int | None) -> Dataset:
    """From train/CLASS/*.png and test/CLASS/*.png, or CLASS/*.png, of which a fifth of each class is for testing.

    Images must have one size; if all are grey they have one channel, else three. Classes are in the order of their
    names, images in an order that a hash of their names decides, so that the first ones are of all classes.
    Raises `FileError`.
    """
    parts = [folder / part for part in ("train", "test")]
    divided = all(part.is_dir() for part in parts)
    roots = parts if divided else [folder]
    classes = tuple(sorted({path.name for root in roots for path in root.iterdir() if path.is_dir()}))
    found = [_files(root, classes) for root in roots]
    for root, (files, _) in zip(roots, found, strict=True):
        if not files:
            raise FileError(f"Folder {root} holds no images CLASS/*.png (or {', '.join(SUFFIXES[1:])}).")
    if not divided:
        files, labels = found[0]
        found = [([files[i] for i in index], labels[index]) for index in stratified(labels)]
    found = [(files[:first], labels[:first]) for files, labels in found]
    channels = _check([path for files, _ in found for path in files])
    splits = (split_of(folder, _read(files, channels), labels, len(classes)) for files, labels in found)
    train, test = splits
    return Dataset(folder.resolve().name, Split(*train), Split(*test), classes)


def _files(root: Path, classes: tuple[str, ...]) -> tuple[list[Path], np.ndarray]:
    """Paths and labels, in the order of a hash of CLASS/NAME."""
    found = [
        (hashlib.sha256(f"{name}/{path.name}".encode()).digest(), path, label)
        for label, name in enumerate(classes)
        for path in ((root / name).iterdir() if (root / name).is_dir() else ())
        if path.suffix.lower() in SUFFIXES
    ]
    found.sort()
    return [path for _, path, _ in found], np.array([label for *_, label in found], np.int32)


def _check(paths: list[Path]) -> int:
    """Channels of all images, 1 or 3, from their heads alone; they must have one size."""
    size = None
    channels = 1
    for path in paths:
        with _open(path) as image:
            if image.mode not in COLOUR:
                raise FileError(f"Image {path} must have 8 bits a channel, grey or colour, but has mode {image.mode}.")
            if max(image.size) > LARGEST:
                raise FileError(f"Image {path} is {_words(image.size)}, but may have at most {LARGEST} a side.")
            size = size or image.size
            if image.size != size:
                raise FileError(
                    f"Image {path} is {_words(image.size)}, but {paths[0]} is {_words(size)}: all must have one size."
                )
            channels = channels if image.mode in GREY else 3
    return channels


def _read(paths: list[Path], channels: int) -> np.ndarray:
    """uint8 (N, h, w, c)."""
    images = []
    for path in paths:
        try:
            with _open(path) as image:
                images.append(np.asarray(image.convert("L" if channels == 1 else "RGB")))
        except (OSError, SyntaxError, ValueError) as error:  # Pillow's errors of a damaged image
            if isinstance(error, FileError):
                raise
            raise FileError(f"Image {path} cannot be read: {str(error).rstrip('.')}.") from None
    return np.stack(images).reshape(len(images), *images[0].shape[:2], channels)


def _open(path: Path) -> Any:
    """The image, of which only the head is read yet."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"):  # of size, which is checked here
            return Image.open(path, formats=FORMATS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise FileError(f"Image {path} cannot be read: it is no image, or a damaged one.") from None


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]} pixels"
