"""A cache of decoded images: what is found there is checked, what cannot be kept there is no loss.

A file is the images' bytes and the SHA-256 of those bytes. Its name carries a key of what it was decoded from, so that
other pieces have other files.
"""

import hashlib
from pathlib import Path

import numpy as np

from experiments.datasets.places import cache_folder
from linbyol.checks import InputError
from linbyol.store import write_bytes

DIGEST = 32
TAIL = 64  # bytes at the end of an .xz file: the CRC64 of its content, its index and its footer


def key(path: Path) -> str:
    """A name for the content of an .xz file: its own name, its size and its end, which holds the content's checksum."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    mark = hashlib.sha256(f"{path.name} {size} ".encode() + tail).hexdigest()[:16]
    return f"{path.parent.name}-{path.name.split('.')[0]}-{mark}.images"


def recall(name: str, images: np.ndarray) -> bool:
    """Fill `images` from the cache; False if it has none, or none that is whole."""
    try:
        with (cache_folder() / "decoded" / name).open("rb") as file:
            if file.readinto(memoryview(images).cast("B")) != images.nbytes:
                return False
            return file.read(DIGEST + 1) == hashlib.sha256(images).digest()
    except OSError:
        return False


def keep(name: str, images: np.ndarray) -> None:
    """Write `images` to the cache, whole or not at all; a folder that is read-only or full is left as it is."""
    folder = cache_folder() / "decoded"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, images.tobytes() + hashlib.sha256(images).digest())
    except (OSError, InputError):
        pass
