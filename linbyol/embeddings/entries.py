"""The arrays of one file, whatever its format, read without trust: nothing is unpickled, and each read in its turn."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from linbyol.store import FileError, reading

MAGIC = {  # how a file of each kind begins
    "an npz archive": b"PK",
    "a single array (npy)": b"\x93NUMPY",
    "a Parquet table": b"PAR1",
    "a pickle": b"\x80",
    "an HDF5 file": b"\x89HDF",
    "a gzip file": b"\x1f\x8b",
}
NAMES = {
    ".npz": "an npz archive",
    ".npy": "a single array (npy)",
    ".parquet": "a Parquet table",
    ".safetensors": "a safetensors file",
    ".csv": "a table of text",
    ".tsv": "a table of text",
}
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
WAY = "save features and labels with np.savez or safetensors"


class Entry(NamedTuple):
    """An array of a file that is not read yet."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]  # the array, memory-mapped where the file allows it


def entries(path: Path) -> list[Entry]:
    """The arrays of a file. Raises `FileError` for what is not a file of its name's format, or is damaged."""
    from linbyol.embeddings import archives, tables, tensors

    readers: dict[str, Callable[[Path], list[Entry]]] = {
        ".npz": archives.npz,
        ".npy": archives.npy,
        ".safetensors": tensors.safetensors,
        ".parquet": tables.parquet,
        ".csv": tables.text,
        ".tsv": tables.text,
    }
    _check_kind(path)
    found = readers[path.suffix.lower()](path)
    if objects := [entry.name for entry in found if entry.dtype.hasobject]:
        way = "save words as np.array(…, dtype=str), numbers with their own dtype"
        raise FileError(
            f"Array `{objects[0]}` of {path} holds Python objects, which would have to be unpickled: {way}."
        )
    return found


def _check_kind(path: Path) -> None:
    """The file is there, has a name of a known format, and begins as that format does."""
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise FileError(f"File {path} is by its name a pickle, which could run any code: {WAY}.")
    if suffix not in NAMES:
        raise FileError(f"File {path} must be one of {', '.join(NAMES)}.")
    with reading(path):
        try:
            mode = path.stat().st_mode
        except ValueError as error:  # a name with a NUL
            raise FileError(f"File {path!r} cannot be read: {error}.") from None
        if not stat.S_ISREG(mode):
            raise FileError(f"File {path} cannot be read: it is no regular file.")
        with path.open("rb") as file:
            begin = file.read(16)
    if not begin:
        raise FileError(f"File {path} is empty.")
    kind = next((kind for kind, magic in MAGIC.items() if begin.startswith(magic)), "")
    if begin[8:9] == b"{" and int.from_bytes(begin[:8], "little") < 1 << 40:  # the length of a header in JSON
        kind = "a safetensors file"
    if kind == "a pickle":
        raise FileError(f"File {path} is a pickle, which could run any code, and not {NAMES[suffix]}: {WAY}.")
    expected = NAMES[suffix]
    if (kind or "a table of text") != expected:
        what = f"it begins as {kind}" if kind else f"it does not begin as {expected}"
        raise FileError(f"File {path} is not what its name says: {what}.")
