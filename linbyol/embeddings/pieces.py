"""Which array of which file is what, by its own name, by that of its file, and by what else there is."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linbyol.embeddings.entries import Entry, entries
from linbyol.embeddings.naming import Meaning, context, meaning
from linbyol.machine import check_memory
from linbyol.store import FileError

BLOCK = 1 << 23  # numbers looked at together


class Piece(NamedTuple):
    """One array of a file, and what it is."""

    path: Path
    entry: Entry
    what: Meaning  # with the split and epoch that the file's name or place gives


def of_file(path: Path, split: str | None) -> list[Piece]:
    """The arrays of a file with their meanings; what its name says counts where an array's own says nothing."""
    found, around = entries(path), context(path.stem)
    epoch = around.epoch
    for entry in found:
        if entry.name.lower() in ("epoch", "step") and entry.shape == () and entry.dtype.kind in "iuf":
            epoch = float(entry.read()) if entry.name.lower() == "epoch" or epoch is None else epoch
    pieces = []
    for entry in found:
        what = meaning(entry.name)
        if path.suffix.lower() == ".npy" and what.kind == "other":
            what = what._replace(kind="features" if len(entry.shape) == 2 else "other")
        if entry.shape == () or what.kind == "epoch":
            continue
        epoch_here = epoch if what.epoch is None else what.epoch
        place = split or what.split or around.split
        pieces.append(Piece(path, entry, what._replace(epoch=epoch_here, split=place)))
    return pieces


def is_features(piece: Piece) -> bool:
    """Named so, or rows of real numbers that are named as nothing else."""
    kind, entry = piece.what.kind, piece.entry
    return kind == "features" or (kind == "other" and len(entry.shape) == 2 and _is_real(entry.dtype))


def _is_real(dtype: np.dtype) -> bool:
    return dtype.kind in "fiu" or dtype.name == "bfloat16"


def apart(pieces: list[Piece]) -> list[Piece]:
    """Layers of the same name, epoch and split in several files have the rest of the file's name before theirs."""
    holders: dict[Any, set[Path]] = {}
    key = lambda piece: (piece.what.name, piece.what.epoch, piece.what.split)  # noqa: E731
    for piece in filter(is_features, pieces):
        holders.setdefault(key(piece), set()).add(piece.path)
    shared = {path for paths in holders.values() if len(paths) > 1 for path in paths}
    rest = {path: context(path.stem).rest for path in shared}
    return [
        piece._replace(what=piece.what._replace(name="/".join(filter(None, (rest[piece.path], piece.what.name)))))
        if piece.path in shared and is_features(piece)
        else piece
        for piece in pieces
    ]


def one_whole(pieces: list[Piece]) -> list[Piece]:
    """Where some rows are for testing and the rest does not say what for, the rest is for training."""
    known = [piece for piece in pieces if piece.what.kind in ("labels", "ids") or is_features(piece)]
    splits = {piece.what.split for piece in known}
    if None in splits and "train" in splits:
        first = next(piece for piece in known if piece.what.split is None)
        raise FileError(
            f"Array `{first.entry.name}` of {first.path} must say whether it is of train or test, as others do."
        )
    place = "train" if len(splits) > 1 else "all"
    return [piece if piece.what.split else piece._replace(what=piece.what._replace(split=place)) for piece in pieces]


def features_of(piece: Piece, order: np.ndarray | None) -> np.ndarray:
    """The array (N, d), finite, in the order of the split."""
    entry, where = piece.entry, f"Features `{piece.entry.name}` of {piece.path}"
    if len(entry.shape) != 2 or 0 in entry.shape:
        hint = ": pool or flatten it" if len(entry.shape) > 2 else ""
        raise FileError(f"{where} must have shape (N, d), neither of them 0, but have {entry.shape}{hint}.")
    if not _is_real(entry.dtype):
        raise FileError(f"{where} must be real numbers, but have dtype {entry.dtype}.")
    if entry.shape[0] < 2:
        raise FileError(f"{where} must have at least 2 rows, but have 1.")
    h = entry.read()
    _check_finite(where, h)
    if order is None:
        return h
    check_memory(where, 2 * h.nbytes, FileError)
    return h[order]


def _check_finite(where: str, h: np.ndarray) -> None:
    step, bad, first = max(1, BLOCK // h.shape[1]), 0, ""
    for start in range(0, len(h), step):
        block = np.asarray(h[start : start + step])
        finite = np.isfinite(block.astype(np.float32) if block.dtype.name == "bfloat16" else block)
        if not finite.all():
            i, j = np.argwhere(~finite)[0]
            first = first or f"row {start + i}, column {j} is {float(block[i, j])}"
            bad += int((~finite).any(axis=1).sum())
    if bad:
        raise FileError(f"{where} must be finite, but {first} ({bad} of {len(h)} rows have such).")
