"""Fashion-MNIST as published: four idx files, gzipped or not, in FashionMNIST/raw.

H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv 1708.07747. An idx file is 0, 0, the data type (8: uint8),
the number of axes, their lengths as big-endian uint32, and the bytes (Y. LeCun's format of MNIST).
"""

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from experiments.datasets.originals import read_original
from experiments.datasets.splits import Dataset, Split, split_of
from linbyol.store import FileError

FOLDER = "FashionMNIST/raw"
PARTS = {"train": "train", "test": "t10k"}
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
LARGEST = 1 << 27  # bytes a file may unpack to: nearly three times the largest original


def read_fashion_mnist(folder: Path, first: int | None) -> Dataset:
    """The set from FashionMNIST/raw in the data folder."""
    return Dataset("fashion-mnist", *(_split(folder, part, first) for part in PARTS.values()), CLASSES)


def _split(folder: Path, part: str, first: int | None) -> Split:
    images = read_idx(folder, f"{part}-images-idx3-ubyte", 3)
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte", 1)
    split = split_of(folder / FOLDER / f"{part}-images-idx3-ubyte", images[..., None], labels, len(CLASSES))
    return Split(split.images[:first], split.labels[:first])


def read_idx(folder: Path, name: str, axes: int) -> np.ndarray:
    """Bytes with so many axes. The gzipped file goes before the bare one, since its checksum is known."""
    path = folder / FOLDER / f"{name}.gz"
    if path.exists():
        content = unzip(path, read_original(path, f"{FOLDER}/{name}.gz"))
    else:
        path = folder / FOLDER / name
        content = read_original(path, f"{FOLDER}/{name}")
    head = 4 + 4 * axes
    if content[:4] != bytes([0, 0, 8, axes]) or len(content) < head:
        raise FileError(f"File {path} is no idx file of bytes with {axes} axes.")
    shape = struct.unpack(f">{axes}I", content[4:head])
    if len(content) - head != math.prod(shape):
        raise FileError(
            f"File {path} must hold {math.prod(shape)} bytes after its head, but holds {len(content) - head}."
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def unzip(path: Path, packed: bytes) -> bytes:
    """The content of a gzipped file, of at most `LARGEST` bytes."""
    stream = zlib.decompressobj(wbits=31)  # gzip
    try:
        content = stream.decompress(packed, LARGEST)
    except zlib.error as error:
        raise FileError(f"File {path} is no sound gzip file: {error}.") from None
    if not stream.eof:
        raise FileError(f"File {path} ends too early, or unpacks to more than {LARGEST} bytes.")
    return content
