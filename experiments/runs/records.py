"""Files that grow by whole lines: a table (CSV) and a list of objects (JSON lines), flushed to the disk as they grow.

A run that is killed and goes on ends with the bytes of one that was not: a checkpoint remembers `size`, and `cut(size)`
takes away what came later, a torn last line too. So nothing that differs from run to run (seconds, images/s) belongs
in these files. Numbers are the shortest decimals that give back the same bits in their own precision; what is not
finite is nan, inf or -inf in the table (a loss that became NaN is a result) and null in JSON; a cell without a value is
empty.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linbyol.checks import InputError
from linbyol.store import FileError, reading, to_json


@dataclass(frozen=True)
class Lines:
    """A file of lines, the first of which may be a header; opened by `Lines.open`."""

    path: Path
    header: bytes = b""

    @classmethod
    def open(cls, path: str | Path, header: str = "") -> "Lines":
        """The file as it is, but for a torn last line, or a new one. Raises `FileError` if its header is another."""
        lines = cls(Path(path), header.encode())
        content = lines._content()
        whole = content[: content.rfind(b"\n") + 1]
        if whole and not whole.startswith(lines.header):
            there = whole.split(b"\n", 1)[0].decode(errors="replace")
            raise FileError(f"File {path} begins with {there!r:.80}, not with {header.strip()!r:.80}.")
        if not whole:
            lines._write(0, lines.header)
        elif len(whole) < len(content):
            lines._write(len(whole), b"")
        return lines

    @property
    def size(self) -> int:
        """Bytes, to be remembered by a checkpoint."""
        with reading(self.path):
            return self.path.stat().st_size

    def append(self, *lines: str) -> None:
        """Add lines, all of them or none, and force them to the disk. Raises `FileError` where there is no space."""
        self._write(self.size, "".join(f"{line}\n" for line in lines).encode())

    def cut(self, size: int | None = None) -> None:
        """Keep the first `size` bytes, or the header alone. Raises `FileError` unless they are there and end a line."""
        size = len(self.header) if size is None else size
        content = self._content()
        if not len(self.header) <= size <= len(content):
            raise FileError(f"File {self.path} has {len(content)} bytes, but must go on from byte {size}.")
        if size and content[size - 1 : size] != b"\n":
            raise FileError(f"File {self.path} has no end of a line at byte {size}, from which it must go on.")
        self._write(size, b"")

    def _content(self) -> bytes:
        with reading(self.path):
            return self.path.read_bytes() if os.path.lexists(self.path) else b""

    def _write(self, size: int, content: bytes) -> None:
        """The first `size` bytes, then the content, forced to the disk; what was there if there is no space."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                os.ftruncate(handle, size)
                try:
                    written = 0
                    while written < len(content):
                        written += os.pwrite(handle, content[written:], size + written)
                    os.fsync(handle)
                except BaseException:
                    os.ftruncate(handle, size)
                    raise
            finally:
                os.close(handle)
        except OSError as error:
            raise FileError(f"File {self.path} cannot be written: {error.strerror or error}.") from None


@dataclass(frozen=True)
class Table:
    """A CSV file with fixed columns of numbers; opened by `Table.open`."""

    lines: Lines
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path, columns: Iterable[str]) -> "Table":
        """The table as it is, or a new one. Raises `FileError` for one of other columns."""
        columns = tuple(columns)
        if bad := [name for name in columns if not name.replace("_", "a").isalnum() or columns.count(name) > 1]:
            raise InputError(f"Argument `columns` must be different words, but has {bad[0]!r}.")
        return cls(Lines.open(path, ",".join(columns) + "\n"), columns)

    @property
    def size(self) -> int:
        """Bytes, to be remembered by a checkpoint."""
        return self.lines.size

    def append(self, *rows: Mapping[str, Any]) -> None:
        """Add rows, all of them or none; a column that a row lacks, or has as None, stays empty."""
        for row in rows:
            if unknown := row.keys() - set(self.columns):
                raise InputError(f"Table {self.lines.path} has no column `{min(unknown)}`.")
        cells = ([cell(name, row.get(name)) for name in self.columns] for row in rows)
        self.lines.append(*map(",".join, cells))

    def cut(self, size: int | None = None) -> None:
        """Keep the first `size` bytes, or the header alone."""
        self.lines.cut(size)


@dataclass(frozen=True)
class Objects:
    """A file with one JSON object a line; opened by `Objects.open`."""

    lines: Lines

    @classmethod
    def open(cls, path: str | Path) -> "Objects":
        """The file as it is, or a new one."""
        return cls(Lines.open(path))

    @property
    def size(self) -> int:
        """Bytes, to be remembered by a checkpoint."""
        return self.lines.size

    def append(self, *objects: Mapping[str, Any]) -> None:
        """Add objects of plain values and arrays, all of them or none."""
        short = [{name: shortest(value) for name, value in one.items()} for one in objects]
        self.lines.append(*(to_json(one, indent=None) for one in short))

    def cut(self, size: int | None = None) -> None:
        """Keep the first `size` bytes, or nothing."""
        self.lines.cut(size)


def cell(name: str, value: Any) -> str:
    """A number as the shortest decimal that gives back its bits in its precision; None as nothing."""
    if value is None:
        return ""
    x = np.asarray(value)
    if x.shape or x.dtype.kind not in "fiubV" or x.dtype.names:
        raise InputError(f"Column `{name}` must get a number, but gets {value!r:.60}.")
    return str(shortest(x))


def shortest(value: Any) -> Any:
    """Arrays as lists and scalars of Python, whose decimals are as short as their precision allows."""
    if isinstance(value, str | dict | list | tuple | None):
        return value
    x = np.asarray(value)
    if x.dtype.kind in "fV" and x.dtype != np.float64:
        shown = np.asarray(x, np.float32)  # half precision and bfloat16 fit into it
        return np.array([float(str(a)) for a in shown.ravel()]).reshape(x.shape).tolist()
    return (x.astype(int) if x.dtype.kind == "b" else x).tolist()
