"""npz and npy: headers first, then arrays memory-mapped where they lie plainly in the file."""

import io
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from linbyol.embeddings.entries import Entry
from linbyol.machine import check_memory
from linbyol.store import FileError, reading

PIECE = 1 << 22  # bytes read at once
LOCAL = 30  # bytes of a zip member's own header before its name


def npy(path: Path) -> list[Entry]:
    """The one array, named as the file."""
    with reading(path), path.open("rb") as file:
        shape, order, dtype = _header(path, path.stem, file)
        begin, size = file.tell(), path.stat().st_size
    _check_size(path, path.stem, shape, dtype, size - begin)
    return [Entry(path.stem, shape, dtype, lambda: _mapped(path, dtype, begin, shape, order))]


def npz(path: Path) -> list[Entry]:
    """The arrays by their names; what is not compressed is memory-mapped after its checksum was found right."""
    found = []
    with reading(path):
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if member.filename.endswith(".npy"):
                        found.append(_member(path, archive, member))
        except FileError:
            raise
        except OSError as error:
            if error.errno is not None:
                raise
            raise FileError(f"File {path} is damaged: {error}.") from None
        except Exception as error:  # noqa: BLE001 - a damaged archive raises zlib, zip, value and end-of-file errors alike
            raise FileError(f"File {path} is damaged: {_first_line(error)}.") from None
    return found


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as file:
        shape, order, dtype = _header(path, name, file)
        header = file.tell()
    _check_size(path, name, shape, dtype, member.file_size - header)
    if member.compress_type != zipfile.ZIP_STORED:
        return Entry(name, shape, dtype, lambda: _unpacked(path, member, dtype))
    with path.open("rb") as file:
        file.seek(member.header_offset)
        local = file.read(LOCAL)
        begin = member.header_offset + LOCAL + sum(int.from_bytes(local[i : i + 2], "little") for i in (26, 28))

    def read() -> np.ndarray:
        _check_sum(path, name, begin, member)
        return _mapped(path, dtype, begin + header, shape, order)

    return Entry(name, shape, dtype, read)


def _header(path: Path, name: str, file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether columns lie together, dtype)."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)
    except ValueError as error:
        raise FileError(f"Array `{name}` of {path} has no readable header: {_first_line(error)}.") from None


def _check_size(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype, size: int) -> None:
    promised = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and promised != size:
        what = f"`{name}` of shape {shape} and dtype {dtype} takes {promised} bytes, but {size} are there"
        raise FileError(f"File {path} is damaged: {what}.")


def _check_sum(path: Path, name: str, begin: int, member: zipfile.ZipInfo) -> None:
    found, left = 0, member.file_size
    with reading(path), path.open("rb") as file:
        file.seek(begin)
        while left and (piece := file.read(min(PIECE, left))):
            found, left = zlib.crc32(piece, found), left - len(piece)
    if left or found != member.CRC:
        raise FileError(f"File {path} is damaged: the checksum of `{name}` is wrong.")


def _mapped(path: Path, dtype: np.dtype, begin: int, shape: tuple[int, ...], columns: bool) -> np.ndarray:
    if 0 in shape:
        return np.zeros(shape, dtype)
    with reading(path):
        return np.memmap(path, dtype, "r", begin, shape, "F" if columns else "C")


def _unpacked(path: Path, member: zipfile.ZipInfo, dtype: np.dtype) -> np.ndarray:
    check_memory(f"File {path}", 2 * member.file_size, FileError)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return _loaded(file.read())
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise FileError(f"File {path} is damaged: {_first_line(error)}.") from None


def _loaded(content: bytes) -> Any:
    return np.load(io.BytesIO(content), allow_pickle=False)


def _first_line(error: Exception) -> str:
    words = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r":? <[^>]* object at 0x\w+>", "", words).rstrip(".")
