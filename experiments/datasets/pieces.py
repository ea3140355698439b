"""Data sets in compact pieces: SPLIT-START-STOP.med.xz holds images START to STOP - 1 of a split, see `median`.

Beside the pieces of NAME/ lie its labels (labels.npz, or STL-10's own train_y.bin and test_y.bin) and class names in
the original file. Only the pieces that are needed are opened; what they decode to is kept in a cache.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.datasets import cifar, decoded, stl10
from experiments.datasets.median import DamagedError, restore, unzip
from experiments.datasets.originals import read_original
from experiments.datasets.splits import Dataset, split_of
from linbyol.store import FileError, read_arrays

NAME = re.compile(r"(train|test)-(\d{1,9})-(\d{1,9})\.med\.xz")


class Piece(NamedTuple):
    """Images start … stop - 1 of a split."""

    path: Path
    start: int
    stop: int


def read_cifar(folder: Path, name: str, first: int | None) -> Dataset:
    """CIFAR-10 or CIFAR-100 from its pieces; the labels say how many images each split has."""
    place = folder / name
    meta, original = {"cifar10": ("batches.meta", "cifar-10-batches-py"), "cifar100": ("meta", "cifar-100-python")}[
        name
    ]
    words = cifar.pickled_words({str(place / meta): read_original(place / meta, f"{original}/{meta}")})
    keys = ("{}",) if len(words) == 1 else ("{}_fine", "{}_coarse")
    arrays = read_arrays(place / "labels.npz", *(key.format(part) for part in ("train", "test") for key in keys))
    splits = []
    for part in ("train", "test"):
        labels, *coarse = (arrays[key.format(part)] for key in keys)
        images = read_images(place, part, (cifar.SIDE, cifar.SIDE, 3), first)
        if len(images) < min(first or len(labels), len(labels)):
            raise FileError(f"Folder {place} holds {len(images)} {part} images, but labels of {len(labels)}.")
        n = len(images)
        splits.append(
            split_of(place, images, labels[:n], len(words[0]), *(c[:n] for c in coarse), *map(len, words[1:]))
        )
    return Dataset(name, *splits, words[0], *words[1:])


def read_stl10(folder: Path, first: int | None) -> Dataset:
    """The images of STL-10 that the pieces hold: the start of each split."""
    place = folder / "stl10"
    splits = []
    for part in ("train", "test"):
        known = read_original(place / f"{part}_y.bin", f"stl10_binary/{part}_y.bin")
        labels = stl10.labels_from_zero(place / f"{part}_y.bin", known)
        images = read_images(place, part, (stl10.SIDE, stl10.SIDE, 3), first)
        splits.append(split_of(place, images, labels[: len(images)], 10))
    words = stl10.class_names(read_original(place / "class_names.txt", "stl10_binary/class_names.txt"))
    return Dataset("stl10", *splits, words)


def find_pieces(place: Path, part: str, first: int | None = None) -> list[Piece]:
    """The pieces of a split in order, as many as `first` images need. Raises `FileError` for a gap."""
    found = sorted(
        Piece(path, int(match[2]), int(match[3]))
        for path in place.glob(f"{part}-*.med.xz")
        if (match := NAME.fullmatch(path.name))
    )
    found.sort(key=lambda piece: piece.start)
    end = 0
    chosen = []
    for piece in found:
        if piece.start != end or piece.stop <= piece.start:
            raise FileError(f"Folder {place} lacks the {part} images from {end} on: {piece.path.name} comes next.")
        chosen.append(piece)
        end = piece.stop
        if first is not None and end >= first:
            break
    if not chosen:
        raise FileError(f"Folder {place} holds no pieces of its {part} images, {part}-00000-….med.xz.")
    return chosen


def read_images(place: Path, part: str, shape: tuple[int, int, int], first: int | None) -> np.ndarray:
    """The first images of a split, uint8 (N, h, w, c), from the cache or decoded.

    Pieces are unzipped side by side on the cores there are; predictions are undone in this thread alone, since its
    many short NumPy calls would wait for Python's lock in several.
    """
    from linbyol.progress import bar

    pieces = find_pieces(place, part, first)
    images = np.empty((pieces[-1].stop, *shape), np.uint8)
    parts = [images[piece.start : piece.stop] for piece in pieces]
    with bar(f"reading {place.name} {part}", len(pieces)) as advance, ThreadPoolExecutor(cores()) as pool:
        try:
            for piece, part_images, (name, residuals) in zip(
                pieces, parts, pool.map(_open, pieces, parts), strict=True
            ):
                if residuals is not None:
                    restore(residuals, part_images)
                    pool.submit(decoded.keep, name, part_images)
                advance(f"reading {piece.path.name}")
        except BaseException:  # an interruption does not wait for the pieces that are left
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return images if first is None or first >= len(images) else images[:first].copy()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open(piece: Piece, images: np.ndarray) -> tuple[str, np.ndarray | None]:
    """The name of a piece in the cache, and None if `images` were filled from there, else the residuals."""
    try:
        name = decoded.key(piece.path)
        if decoded.recall(name, images):
            return name, None
        return name, unzip(piece.path.read_bytes(), images.shape)
    except DamagedError as error:
        raise FileError(f"File {piece.path} {error}.") from None
    except OSError as error:
        raise FileError(f"File {piece.path} cannot be read: {error.strerror or error}.") from None


def shapes(place: Path, shape: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of the splits, from the names of the pieces."""
    return {part: (find_pieces(place, part)[-1].stop, *shape) for part in ("train", "test")}
