"""Rows of several files are those of the same samples, or the files are refused: nothing is paired in silence."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from linbyol.store import FileError


class Rows(NamedTuple):
    """The rows that one file has of a split."""

    path: Path
    split: str
    number: int
    ids: np.ndarray | None
    array: str  # one that has so many rows

    @property
    def where(self) -> str:
        """The file, and its split."""
        return f"{self.path}" if self.split == "all" else f"{self.path} ({self.split})"


def paired(first: Rows, other: Rows) -> tuple[np.ndarray | None, str]:
    """(the order of the other's rows that makes them the first's, None if they are so already; a note, or "").

    By ids where both have them, else by position, which the note says. Raises `FileError` for other numbers of rows,
    for ids that are not the same, and for ids that are there twice in another order.
    """
    if first.number != other.number:
        what = f"`{other.array}` has {other.number} rows, but `{first.array}` of {first.where} has {first.number}"
        raise FileError(f"Files cannot be paired: in {other.where} {what}.")
    if first.ids is None or other.ids is None:
        lacks = [rows.where for rows in (first, other) if rows.ids is None]
        who = "neither has ids" if len(lacks) == 2 else f"{lacks[0]} has no ids"
        return None, f"Rows of {other.where} and {first.where} are paired by position: {who}."
    if first.ids.dtype.kind != other.ids.dtype.kind and "U" in (first.ids.dtype.kind, other.ids.dtype.kind):
        raise FileError(
            f"Files cannot be paired: ids of {other.where} are {_kind(other)}, of {first.where} {_kind(first)}."
        )
    if np.array_equal(first.ids, other.ids):
        return None, ""
    alone = np.setdiff1d(other.ids, first.ids)
    if len(alone):
        what = f"{len(alone)} of the ids of {other.where} are not in {first.where}, the first is {alone[0]}"
        raise FileError(f"Files cannot be paired: {what}.")
    order, counts = np.unique(other.ids, return_counts=True)
    if (counts > 1).any():
        twice = order[np.argmax(counts > 1)]
        raise FileError(f"Files cannot be paired: id {twice} is there twice in {other.where}, in another order.")
    missing = np.setdiff1d(first.ids, other.ids)
    if len(missing):
        raise FileError(f"Files cannot be paired: {other.where} lacks the id {missing[0]} of {first.where}.")
    by_id = np.argsort(other.ids, kind="stable")
    return by_id[np.searchsorted(other.ids[by_id], first.ids)], ""


def _kind(rows: Rows) -> str:
    return "words" if rows.ids is not None and rows.ids.dtype.kind == "U" else "numbers"
