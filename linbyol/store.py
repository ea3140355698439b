"""Files that are written whole or not at all, and arrays that are read without trust."""

import io
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from linbyol.checks import InputError


class FileError(InputError):
    """A file that cannot be read or is not what it should be; the message is one sentence with its name."""


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write beside, then rename: a reader sees the old file or the new one."""
    path = Path(path)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            try:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).chmod(0o666 & ~_umask())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InputError(f"File {path} cannot be written: {error.strerror or error}.") from None


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


def read_arrays(path: str | Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays of an npz archive, never unpickled; the named ones must be there."""
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FileError(f"File {path} must be an npz archive, but is a single array.")
            missing = [name for name in names if name not in archive.files]
            if missing:
                found = ", ".join(archive.files) or "nothing"
                raise FileError(f"File {path} must hold the array `{missing[0]}`, but holds {found}.")
            return {name: archive[name] for name in archive.files}
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"File {path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # noqa: BLE001 - a damaged archive raises zlib, zip, value and end-of-file errors alike
        raise FileError(f"File {path} is not a readable npz archive: {error}.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
