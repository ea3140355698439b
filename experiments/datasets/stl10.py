"""STL-10 as published: binary files in stl10_binary, or in their archive.

A. Coates, H. Lee, A. Y. Ng, An analysis of single-layer networks in unsupervised feature learning (AISTATS 2011). An
image is 96 × 96 bytes of R, G and B each, column by column; labels on disk are 1 to 10, here 0 to 9.
"""

from pathlib import Path

import numpy as np

from experiments.datasets.archives import contents
from experiments.datasets.originals import check_archive, read_original
from experiments.datasets.splits import Dataset, Split, split_of
from linbyol.store import FileError

FOLDER = "stl10_binary"
ARCHIVE = "stl10_binary.tar.gz"
SIDE = 96
PIXELS = 3 * SIDE * SIDE
UNPACKED = 6_500_000_000  # bytes the archive may unpack to: twice what the original does


def read_folder(folder: Path, first: int | None) -> Dataset:
    """The set from stl10_binary in the data folder.

    The unlabelled images, 2.8 GB, stay on disk and are mapped into memory, so only their size is checked.
    """
    place = folder / FOLDER
    get = lambda name: read_original(place / name, f"{FOLDER}/{name}")  # noqa: E731
    train, test = (_split(place, get(f"{part}_X.bin"), get(f"{part}_y.bin"), part, first) for part in ("train", "test"))
    return Dataset("stl10", train, test, class_names(get("class_names.txt")), (), _unlabelled(place, first))


def read_archive(folder: Path, first: int | None) -> Dataset:
    """The labelled part of the set from its archive; unpack it (`linbyol data fetch stl10`) for the unlabelled one."""
    path = folder / ARCHIVE
    check_archive(path, ARCHIVE)
    names = [f"{FOLDER}/{part}_{what}.bin" for part in ("train", "test") for what in "Xy"]
    found = contents(path, [*names, f"{FOLDER}/class_names.txt"], UNPACKED)
    train, test = (
        _split(path, found[f"{FOLDER}/{part}_X.bin"], found[f"{FOLDER}/{part}_y.bin"], part, first)
        for part in ("train", "test")
    )
    return Dataset("stl10", train, test, class_names(found[f"{FOLDER}/class_names.txt"]))


def class_names(content: bytes) -> tuple[str, ...]:
    """One a line."""
    return tuple(content.decode("latin1").split())


def labels_from_zero(where: Path, content: bytes) -> np.ndarray:
    """Labels 1 to 10, a byte each, as 0 to 9."""
    labels = np.frombuffer(content, np.uint8)
    if (bad := np.flatnonzero((labels < 1) | (labels > 10))).size:
        raise FileError(f"Labels of {where} must be 1 to 10, but number {bad[0]} is {labels[bad[0]]}.")
    return labels.astype(np.int32) - 1


def _split(where: Path, pixels: bytes, labels: bytes, part: str, first: int | None) -> Split:
    if not pixels or len(pixels) % PIXELS:
        raise FileError(f"File {where}/{part}_X.bin must hold images of {PIXELS} bytes, but has {len(pixels)} bytes.")
    images = _upright(np.frombuffer(pixels, np.uint8))
    known = labels_from_zero(where / f"{part}_y.bin", labels)
    split = split_of(where / f"{part}_X.bin", images, known, 10)
    return Split(np.ascontiguousarray(split.images[:first]), split.labels[:first])


def _unlabelled(place: Path, first: int | None) -> np.ndarray | None:
    path = place / "unlabeled_X.bin"
    if not path.exists():
        return None
    if (size := path.stat().st_size) % PIXELS or not size:
        raise FileError(f"File {path} must hold images of {PIXELS} bytes, but has {size} bytes.")
    return _upright(np.memmap(path, np.uint8, mode="r"))[:first]


def _upright(pixels: np.ndarray) -> np.ndarray:
    """(N, h, w, c) from channels of columns."""
    return pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 3, 2, 1)
