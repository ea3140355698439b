"""Files of features and labels as one set of embeddings: layers × epochs × splits, over the same samples each."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linbyol.embeddings.columns import Column, ids_of, labels_of
from linbyol.embeddings.naming import LABELS
from linbyol.embeddings.pairing import Rows, paired
from linbyol.embeddings.pieces import Piece, apart, features_of, is_features, of_file, one_whole
from linbyol.store import FileError

PLACES = ("train", "val", "test", "all")  # the splits, in the order in which they are shown


class Layer(NamedTuple):
    """Features of one layer at one epoch, (N, d) for each split; memory-mapped where their file allows it."""

    name: str
    epoch: float | None
    features: dict[str, np.ndarray]

    @property
    def width(self) -> int:
        """d."""
        return next(iter(self.features.values())).shape[1]


class Embeddings(NamedTuple):
    """What some files hold. Rows of a split are the same samples in every layer and label set."""

    layers: list[Layer]
    labels: dict[str, dict[str, Column]]  # by label set, then by split
    ids: dict[str, np.ndarray]  # by split, where there are any
    rows: dict[str, int]  # of each split: "train", "val", "test", or "all" where there is but one
    notes: list[str]  # sentences about what was taken for granted or left out


def load(files: Sequence[Path], *, splits: dict[Path, str] | None = None, missing: str | None = None) -> Embeddings:
    """Read and pair the files. `splits` says of some whether all in them is "train" or "test".

    missing  a label, in words, that stands for none, as -1 often does

    Raises `FileError`, one sentence, for files that are not what their names say, features that are not finite real
    numbers, and rows that cannot be paired.
    """
    notes: list[str] = []
    pieces = [piece for path in files for piece in of_file(path, (splits or {}).get(path))]
    pieces = one_whole(apart(pieces))
    features = [piece for piece in pieces if is_features(piece)]
    if not features:
        holds = ", ".join(f"`{piece.entry.name}` {piece.entry.shape}" for piece in pieces[:6]) or "nothing"
        raise FileError(f"File {files[0]} must hold features (N, d), but holds {holds}.")
    rows = _rows(pieces, features)
    orders: dict[tuple[Path, str], np.ndarray | None] = {}
    sets: dict[str, Rows] = {}
    found = {piece.what.split for piece in features}
    for split in (place for place in PLACES if place in found):
        of_split = [one for (_, place), one in rows.items() if place == split]
        best = next((one for one in of_split if one.ids is not None and _has(features, one)), None)
        best = best or next(one for one in of_split if _has(features, one))
        sets[split] = best
        for one in of_split:
            orders[one.path, split], note = paired(best, one) if one is not best else (None, "")
            notes += [note] if note else []
    for (path, split), one in rows.items():
        if split not in sets:
            raise FileError(f"File {path} holds `{one.array}` of {split}, but no file holds features of {split}.")
    layers = _layers(features, orders)
    labels = _labels(pieces, orders, {split: one.number for split, one in sets.items()}, missing, notes)
    ids = {split: one.ids for split, one in sets.items() if one.ids is not None}
    notes += _overlap(ids)
    return Embeddings(layers, labels, ids, {split: one.number for split, one in sets.items()}, notes)


def _rows(pieces: list[Piece], features: list[Piece]) -> dict[tuple[Path, str], Rows]:
    """How many rows a file has of a split, and their ids; its arrays agree on it."""
    found: dict[tuple[Path, str], Rows] = {}
    for piece in [*features, *(piece for piece in pieces if piece.what.kind in ("labels", "ids"))]:
        path, entry, split = piece.path, piece.entry, piece.what.split or "all"
        known = found.setdefault((path, split), Rows(path, split, entry.shape[0], None, entry.name))
        if entry.shape[0] != known.number:
            what = f"`{entry.name}` has {entry.shape[0]} rows, but `{known.array}` has {known.number}"
            raise FileError(f"Arrays of {path} do not belong together: {what}.")
        if piece.what.kind == "ids":
            found[path, split] = known._replace(ids=ids_of(path, entry.name, entry.read()))
    return found


def _has(features: list[Piece], one: Rows) -> bool:
    return any(piece.path == one.path and piece.what.split == one.split for piece in features)


def _layers(features: list[Piece], orders: dict[Any, Any]) -> list[Layer]:
    found: dict[tuple[str, float | None], dict[str, Piece]] = {}
    for piece in features:
        what, places = piece.what, found.setdefault((piece.what.name, piece.what.epoch), {})
        if what.split in places:
            first = places[what.split]
            words = f"`{first.entry.name}` of {first.path} and `{piece.entry.name}` of {piece.path}"
            raise FileError(f"Two arrays are both features of {what.name}: {words}.")
        places[what.split or "all"] = piece
    layers: list[Layer] = []
    for (name, epoch), places in found.items():
        order = sorted(places, key=PLACES.index)
        read = {split: features_of(places[split], orders[places[split].path, split]) for split in order}
        widths = {split: h.shape[1] for split, h in read.items()}
        if len(set(widths.values())) > 1:
            they = ", ".join(f"{width} in {split}" for split, width in widths.items())
            raise FileError(f"Features of {name} must have one width, but have {they}: {_files(places)}.")
        layers.append(Layer(name, epoch, read))
    splits = [tuple(layer.features) for layer in layers]
    if odd := next((layer for layer in layers if set(layer.features) != set(splits[0])), None):
        apart = f"{odd.name} has {', '.join(odd.features)}, but {layers[0].name} has {', '.join(splits[0])}"
        raise FileError(f"Layers must have features of the same splits, but {apart}.")
    return sorted(layers, key=lambda layer: -1 if layer.epoch is None else layer.epoch)


def _files(places: dict[str, Piece]) -> str:
    return ", ".join(dict.fromkeys(str(piece.path) for piece in places.values()))


def _labels(
    pieces: list[Piece], orders: dict[Any, Any], rows: dict[str, int], missing: str | None, notes: list[str]
) -> dict[str, dict[str, Column]]:
    """Label sets by name and split; the same set in several files is the same labels."""
    found: dict[str, dict[str, Column]] = {}
    origin: dict[tuple[str, str], Path] = {}
    for piece in pieces:
        name, split, entry = piece.what.name, piece.what.split or "all", piece.entry
        if piece.what.kind in ("features", "ids") or is_features(piece):
            continue
        if piece.what.kind == "other" and not _is_label_set(piece, rows.get(split)):
            about = f"shape {entry.shape} and dtype {entry.dtype}"
            notes.append(f"Array `{entry.name}` of {piece.path} is left out: it has {about}.")
            continue
        column = labels_of(piece.path, entry.name, entry.read(), missing)
        if (order := orders.get((piece.path, split))) is not None:
            column = column.taken(order)
        notes += _odd_labels(name, split, column)
        if (earlier := found.setdefault(name, {}).get(split)) is not None:
            same = np.array_equal(earlier.values, column.values) and np.array_equal(earlier.missing, column.missing)
            if not same:
                raise FileError(f"Labels `{name}` of {piece.path} are not those of {origin[name, split]}.")
            continue
        found[name][split], origin[name, split] = column, piece.path
    for name, sets in found.items():
        kinds = {column.values.dtype.kind == "U" for column in sets.values()}
        if len(kinds) > 1:
            raise FileError(f"Labels `{name}` must be numbers or words in every split, but are both.")
    return dict(sorted(found.items(), key=lambda item: item[0].lower() not in LABELS))


def _is_label_set(piece: Piece, rows: int | None) -> bool:
    """A column of words or whole numbers, one a row, whatever its name."""
    return piece.entry.shape == (rows,) and piece.entry.dtype.kind in "iubUS"


def _odd_labels(name: str, split: str, column: Column) -> Iterable[str]:
    where = f"Labels `{name}`" + ("" if split == "all" else f" of {split}")
    if column.missing.any():
        gone, n = int(column.missing.sum()), len(column.values)
        yield f"{where} are missing in {gone} of {n} rows, which are left out there."
    values = column.values[~column.missing]
    if values.dtype.kind == "i" and values.min() < 0:
        many = int((values < 0).sum())
        yield f"{where} are negative in {many} rows, and classes like others; --missing {values.min()} leaves such out."


def _overlap(ids: dict[str, np.ndarray]) -> list[str]:
    if not {"train", "test"} <= ids.keys():
        return []
    both = np.intersect1d(ids["train"], ids["test"])
    words = f"{len(both)} ids stand in train and in test, the first is {both[0]}" if len(both) else ""
    return [f"{words}: what is said of test may be said of train."] if words else []
