"""Labels and ids of a file: one a row, words or whole numbers, and which of them are missing."""

from typing import Any, NamedTuple

import numpy as np

from linbyol.store import FileError

MISSING = ("", "nan", "NaN", "NA", "N/A", "null")  # words that say that there is none


class Column(NamedTuple):
    """One label set of the rows of a split."""

    values: np.ndarray  # (N,) whole numbers or words
    missing: np.ndarray  # (N,) of truth values

    @property
    def present(self) -> np.ndarray:
        """Rows that have a label."""
        return np.flatnonzero(~self.missing)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(np.unique(self.values[~self.missing]))

    def taken(self, order: np.ndarray) -> "Column":
        return Column(self.values[order], self.missing[order])


def labels_of(path: Any, name: str, values: np.ndarray, missing: str | None = None) -> Column:
    """Whole numbers, words or truth values; NaN, an empty word and the value `missing` stand for none.

    Raises `FileError` for fractions, and for what is not one value a row.
    """
    values = _one_a_row(path, name, values)
    if values.dtype.kind == "f":
        gone = np.isnan(values)
        bad = np.flatnonzero(~gone & (np.isinf(values) | (values % 1 != 0)))
        if len(bad):
            what = f"but {name}[{bad[0]}] = {values[bad[0]]:.6g}"
            raise FileError(f"Labels `{name}` of {path} must be whole numbers or words, {what}.")
        values = np.where(gone, 0, values).astype(np.int64)
    else:
        gone = np.isin(values, MISSING) if values.dtype.kind == "U" else np.zeros(len(values), bool)
    if missing is not None:
        gone = gone | (values.astype(str) == missing)
    if gone.all():
        raise FileError(f"Labels `{name}` of {path} are missing in all {len(values)} rows.")
    return Column(values, gone)


def ids_of(path: Any, name: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers or words, none missing."""
    values = _one_a_row(path, name, values)
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (np.mod(values, 1, where=np.isfinite(values), out=np.ones_like(values)) == 0)
        if not whole.all():
            i = int(np.argmin(whole))
            what = f"but {name}[{i}] = {values[i]:.6g}"
            raise FileError(f"Ids `{name}` of {path} must be whole numbers or words, none missing, {what}.")
        values = values.astype(np.int64)
    return values


def _one_a_row(path: Any, name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        hint = "; of one-hot rows take the argmax" if values.ndim == 2 else ""
        raise FileError(f"Array `{name}` of {path} must have one value a row, but has shape {values.shape}{hint}.")
    if values.dtype.kind not in "iufbUS":
        raise FileError(f"Array `{name}` of {path} must be numbers or words, but has dtype {values.dtype}.")
    if values.dtype.kind == "S":
        try:
            values = np.char.decode(values, "utf-8")
        except UnicodeDecodeError:
            raise FileError(f"Array `{name}` of {path} must be words in UTF-8.") from None
    return values.astype(np.int64) if values.dtype.kind == "b" else values
