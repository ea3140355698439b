"""Tables, a row a sample: CSV with a line of names, and Parquet where pyarrow is.

Columns `h0, h1, …` (or h_0, h.0, h[0], block3/h_0, bare numbers) are a layer; a column of labels or ids is named as an
array would be, and `split` says train or test row by row. Of what is left, words and, beside numbered columns, whole
numbers are label sets; without numbered columns all that is left and is numbers is one layer. A first column without a
name, as pandas writes it, holds the ids.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from linbyol.embeddings.entries import Entry
from linbyol.embeddings.naming import SPLITS, meaning
from linbyol.machine import check_memory
from linbyol.store import FileError, reading

ROWS = 4096  # read at once
NUMBERED = re.compile(r"^(.*?)[_.\-\[ ]?(\d+)\]?$")
Columns = dict[str, np.ndarray]  # of words, or of numbers


def text(path: Path) -> list[Entry]:
    """The columns of a CSV file, commas, semicolons or tabs between them."""
    check_memory(f"File {path}", 4 * path.stat().st_size, FileError)
    return _arranged(path, _read(path))


def parquet(path: Path) -> list[Entry]:
    """The columns of a Parquet file; one of lists of numbers is a layer."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet
    except ImportError:
        way = "install pyarrow, or save features and labels with np.savez"
        raise FileError(f"File {path} needs the package pyarrow, which is not installed: {way}.") from None
    with reading(path):
        try:
            table = arrow.parquet.read_table(path)
        except (arrow.ArrowException, ValueError) as error:
            raise FileError(f"File {path} is not a readable Parquet table: {str(error).splitlines()[0]}.") from None
    columns: Columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if arrow.types.is_list(column.type) or arrow.types.is_fixed_size_list(column.type):
            rows = column.to_pylist()
            widths = {None if row is None else len(row) for row in rows}
            if len(widths) > 1 or None in widths:
                raise FileError(f"Column `{name}` of {path} must hold lists of one length.")
            columns[name] = np.array(rows, float)
        elif arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type):
            columns[name] = np.array(["" if value is None else value for value in column.to_pylist()])
        else:
            columns[name] = column.to_numpy()
    return _arranged(path, columns)


def _read(path: Path) -> Columns:
    """Columns of a text file; one of numbers alone is of numbers, an empty cell is NaN there."""
    with reading(path), path.open(newline="", encoding="utf-8-sig") as file:
        try:
            first = file.readline()
            delimiter = max(",;\t", key=first.count)
            head = next(csv.reader([first], delimiter=delimiter), [])
            _check_head(path, head)
            pieces: list[list[np.ndarray]] = [[] for _ in head]
            for piece in _pieces(path, file, head, delimiter):
                for column, values in zip(pieces, zip(*piece, strict=True), strict=True):
                    column.append(_numbers(np.array(values)))
        except (UnicodeDecodeError, csv.Error) as error:
            raise FileError(f"File {path} is no table of text: {str(error).rstrip('.')}.") from None
    if not pieces or not pieces[0]:
        raise FileError(f"File {path} holds no row below its names.")
    return {name: _joined(column) for name, column in zip(head, pieces, strict=True)}


def _check_head(path: Path, head: list[str]) -> None:
    if len(set(head)) < len(head):
        twice = next(name for name in head if head.count(name) > 1)
        raise FileError(f"File {path} must begin with the names of its columns, each another, but has {twice!r} twice.")
    named = [name for name in head if name]
    if all(map(_is_number, named)) and named != list(map(str, range(len(named)))):
        begin = ", ".join(head)
        raise FileError(f"File {path} must begin with the names of its columns, but begins with {begin!r:.60}.")


def _pieces(path: Path, file: Any, head: list[str], delimiter: str) -> Iterator[list[list[str]]]:
    rows = (row for row in csv.reader(file, delimiter=delimiter) if row)
    for start in itertools.count(0, ROWS):
        piece = list(itertools.islice(rows, ROWS))
        if not piece:
            return
        for i, row in enumerate(piece, start + 1):
            if len(row) != len(head):
                raise FileError(f"File {path} has {len(row)} cells in row {i}, but {len(head)} columns.")
        yield piece


def _numbers(words: np.ndarray) -> np.ndarray:
    """The words as numbers, an empty one as NaN; as they are if one is no number."""
    words = np.char.strip(words)
    for kind, filled in ((np.int64, words), (np.float64, np.where(words == "", "nan", words))):
        try:
            return filled.astype(kind)
        except (ValueError, OverflowError):
            continue
    return words


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    if any(piece.dtype.kind == "U" for piece in pieces):
        pieces = [np.where(piece.astype(str) == "nan", "", piece.astype(str)) for piece in pieces]
    return np.concatenate(pieces)


def _is_number(word: str) -> bool:
    try:
        float(word)
        return True
    except ValueError:
        return False


def _arranged(path: Path, columns: Columns) -> list[Entry]:
    """Layers from numbered columns, labels, ids; apart by split where a column says so."""
    split = next((name for name in columns if name.lower() in ("split", "subset", "partition")), None)
    known = {name: meaning(name or "ids").kind for name in columns if name != split}
    layers: dict[str, dict[int, str]] = {}
    for name in columns:
        if known.get(name) in ("features", "other") and columns[name].ndim == 1 and (found := NUMBERED.match(name)):
            layers.setdefault(found[1] or "h", {})[int(found[2])] = name
    layers = {name: members for name, members in layers.items() if len(members) > 1}
    numbered = {name for members in layers.values() for name in members.values()}
    arrays: Columns = {}
    for layer, members in layers.items():
        order = sorted(members)
        if order != list(range(order[0], order[0] + len(order))):
            gap = next(i for i in range(order[0], order[-1]) if i not in members)
            raise FileError(f"File {path} has columns of `{layer}` up to {order[-1]}, but none of number {gap}.")
        arrays[layer] = _matrix(path, columns, [members[i] for i in order])
    left = [name for name in columns if name not in numbered and name != split]
    loose = []
    for name in left:
        column, kind = columns[name], known[name]
        if kind in ("labels", "ids", "epoch") or column.ndim > 1:
            arrays[name or "ids"] = column
        elif column.dtype.kind not in "fiub" or (layers and not np.any(column[np.isfinite(column)] % 1)):
            arrays[f"labels/{name}"] = column
        else:
            loose.append(name)
    if loose and not layers:
        arrays["h"] = _matrix(path, columns, loose)
    return _apart(path, arrays, columns.get(split) if split is not None else None)


def _matrix(path: Path, columns: Columns, names: list[str]) -> np.ndarray:
    for name in names:
        if columns[name].dtype.kind not in "fiu":
            bad = int(np.argmin([_is_number(str(word)) for word in columns[name]]))
            where = f"{str(columns[name][bad])!r:.40} in row {bad + 1}"
            raise FileError(f"Column `{name}` of {path} must be numbers, but holds {where}.")
    return np.stack([columns[name] for name in names], axis=1)


def _apart(path: Path, arrays: Columns, split: np.ndarray | None) -> list[Entry]:
    if split is None:
        return [Entry(name, x.shape, x.dtype, lambda x=x: x) for name, x in arrays.items()]  # type: ignore[misc]
    words = np.char.lower(split.astype(str))
    if unknown := sorted(set(words.tolist()) - set(SPLITS)):
        raise FileError(f"Column `split` of {path} must say train, val or test, but says {unknown[0]!r}.")
    parts = {
        part: np.isin(words, [word for word in SPLITS if SPLITS[word] == part]) for part in ("train", "val", "test")
    }
    return [
        Entry(f"{part}/{name}", x[rows].shape, x.dtype, lambda x=x, rows=rows: x[rows])  # type: ignore[misc]
        for part, rows in parts.items()
        if rows.any()
        for name, x in arrays.items()
    ]
