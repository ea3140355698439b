"""Files that are written whole or not at all, and arrays that are read without trust."""

import errno
import io
import json
import math
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from linbyol.checks import InputError, check_numbers
from linbyol.interrupts import unfinished
from linbyol.machine import check_memory


class FileError(InputError):
    """A file that cannot be read or is not what it should be; the message is one sentence with its name."""


def write_bytes(path: str | Path, content: bytes) -> None:
    """The content as a file, by `writing`."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write beside, which is renamed at the end: a reader sees the old file or the new one, or none.

    Links stay; what they lead to is replaced. A file that was there keeps its mode. Raises `FileError` for what is no
    regular file or cannot be written.
    """
    target = destination(path)
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}.", delete=False) as part:
            unfinished.add(part.name)
            try:
                yield part  # type: ignore[misc]
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).chmod(mode)
                Path(part.name).replace(target)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
            finally:
                unfinished.discard(part.name)
    except OSError as error:
        raise FileError(f"File {path} cannot be written: {error.strerror or error}.") from None


def destination(path: str | Path) -> Path:
    """Where writing to a path goes: to the end of its links. Raises `FileError` for what is no regular file there."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode) and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        mode = stat.S_IFREG
    except (OSError, ValueError) as error:
        raise FileError(f"File {path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
    if not stat.S_ISREG(mode):
        raise FileError(f"File {path} cannot be written: it is {_kind(mode)}.")
    return Path(os.path.realpath(path))


def _kind(mode: int) -> str:
    """What there is instead of a regular file."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def write_text(path: str | Path, text: str) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """JSON for people and machines: indented, UTF-8, numbers that are not finite as null."""
    write_text(path, to_json(value) + "\n")


def to_json(value: Any, indent: int | None = 1) -> str:
    """JSON text of plain values and arrays; numbers that are not finite become null."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Arrays and NumPy numbers as lists and numbers, non-finite numbers as None."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(np.asarray(value).tolist())
    return str(value)


def write_arrays(path: str | Path, arrays: dict[str, Any]) -> None:
    """An npz archive; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(value) for name, value in arrays.items()})
    write_bytes(path, buffer.getvalue())


@contextmanager
def reading(path: str | Path, kind: str = "File", error: type[Exception] = FileError) -> Iterator[None]:
    """What the system refuses inside becomes a `FileError`, or another error, that names the file."""
    try:
        yield
    except OSError as refused:
        raise error(f"{kind} {path} cannot be read: {refused.strerror or refused}.") from None


def read_bytes(path: str | Path) -> bytes:
    """The content of a regular file. Raises `FileError`."""
    with reading(path):
        try:
            mode = Path(path).stat().st_mode
        except ValueError as error:  # a name with a NUL
            raise FileError(f"File {path!r} cannot be read: {error}.") from None
        if not stat.S_ISREG(mode):
            raise FileError(f"File {path} cannot be read: it is {_kind(mode)}.")
        return Path(path).read_bytes()


def read_json(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file. Raises `FileError`."""
    content = read_bytes(path)
    try:
        value = json.loads(content)
    except ValueError as error:
        raise FileError(f"File {path} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise FileError(f"File {path} must hold an object, but holds {type(value).__name__}.")
    return value


def read_arrays(path: str | Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays of an npz archive, never unpickled; the named ones must be there, and all must fit in memory."""
    with _opened(path) as archive:
        missing = [name for name in names if name not in archive.files]
        if missing:
            found = ", ".join(archive.files) or "nothing"
            raise FileError(f"File {path} must hold the array `{missing[0]}`, but holds {found}.")
        _shapes(path, archive.zip)
        return {name: _native(archive[name]) for name in archive.files}


def _native(array: np.ndarray) -> np.ndarray:
    """The array in this machine's order of bytes, which JAX wants."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of an npz archive, none of them unpacked."""
    with _opened(path) as archive:
        return _shapes(path, archive.zip)


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """The archive; what goes wrong while it is read is the file's fault."""
    content = read_bytes(path)
    if not content.startswith(b"PK"):
        found = "a single array (npy)" if content.startswith(b"\x93NUMPY") else "no archive" if content else "empty"
        raise FileError(f"File {path} is not a readable npz archive: it is {found}.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            yield archive
    except FileError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged archive raises zlib, zip, value and end-of-file errors alike
        raise FileError(f"File {path} is not a readable npz archive: {_first_line(error)}.") from None


def read_numbers(path: str | Path, *names: str) -> dict[str, np.ndarray]:
    """The named arrays of an npz archive, each of finite real numbers."""
    arrays = read_arrays(path, *names)
    with blaming(path):
        for name in names:
            check_numbers(name, arrays[name])
            if arrays[name].size == 0:
                raise InputError(f"Argument `{name}` must not be empty, but has shape {arrays[name].shape}.")
    return {name: arrays[name] for name in names}


def _shapes(path: str | Path, archive: zipfile.ZipFile) -> dict[str, tuple[int, ...]]:
    """Each array has the bytes that its header promises, and together they fit in memory; nothing is unpacked yet."""
    total, found = 0, {}
    for member in archive.infolist():
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            size = math.prod(shape) * dtype.itemsize
            if not dtype.hasobject and size != member.file_size - file.tell():
                words = f"an array of shape {shape} and dtype {dtype}, but {member.file_size - file.tell()} bytes"
                raise FileError(f"File {path} is damaged: `{member.filename}` says that it holds {words} follow.")
            total += size
            found[member.filename.removesuffix(".npy")] = shape
    check_memory(f"File {path}", 2 * total, FileError)
    return found


@contextmanager
def blaming(path: str | Path) -> Iterator[None]:
    """What is refused within is the file's fault: `InputError` becomes `FileError`, with the file's name."""
    try:
        yield
    except FileError:
        raise
    except InputError as error:
        raise FileError(f"File {path} cannot be used: {str(error)[:1].lower()}{str(error)[1:]}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
