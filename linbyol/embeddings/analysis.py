"""Embeddings analysed: the verdict of every layer, every measure with its error, and what layers have in common."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from linbyol import representation as measured
from linbyol.checks import InputError, check_choice
from linbyol.embeddings.collect import Embeddings, Layer
from linbyol.embeddings.columns import Column
from linbyol.embeddings.measures import Rows, measurements
from linbyol.machine import check_memory
from linbyol.store import FileError

ALIKE = 24  # layers × epochs of which CKA is a table
CKA_ROWS = 5000
KINDS = {"alpha_req": "alpha-ReQ", "two_nn": "TwoNN", "two_nn_at_4": "TwoNN", "lidar": "LiDAR"}  # as warnings say


class Record(NamedTuple):
    """One number."""

    layer: str
    epoch: float | None
    labels: str | None  # the label set; None of what needs none
    measure: str
    value: float
    error: float  # standard error, NaN where none is known
    convention: str
    verdict: str  # on the features: what is measured of collapsed ones says little
    note: str  # why it is not finite


class Verdict(NamedTuple):
    """How one layer is at one epoch."""

    layer: str
    epoch: float | None
    width: int
    health: measured.Health


class Alike(NamedTuple):
    """Debiased linear CKA between layers × epochs."""

    names: list[str]
    values: np.ndarray  # (K, K)
    rows: int
    split: str


class Analysis(NamedTuple):
    """All that was found."""

    verdicts: list[Verdict]
    records: list[Record]
    alike: Alike | None
    splits: tuple[str, str | None]  # rows that are measured, and rows held out
    rows: dict[str, int]
    classes: dict[str, dict[str, int]]  # by label set and split
    normalised: bool
    notes: list[str]

    @property
    def verdict(self) -> str:
        """The worst of the layers'."""
        order = ("collapsed", "dimensional collapse", "spread")
        return min((one.health.verdict for one in self.verdicts), key=order.index)


def analyse(
    found: Embeddings,
    *,
    labels: Sequence[str] = (),
    normalise: bool = False,
    show: Callable[[str], None] = lambda text: None,
) -> Analysis:
    """Measure all layers at all epochs, with all label sets or those named.

    normalise  put each row on the unit sphere first
    show       told of each layer

    A number that cannot be is NaN, and its note says why. Raises `InputError` for an unknown label set, and `FileError`
    for features that have no direction to normalise.
    """
    for name in labels:
        if not found.labels:
            raise InputError(f"Argument `labels` names {name!r}, but the files hold no labels.")
        check_choice("labels", name, list(found.labels))
    places, notes = list(found.rows), list(found.notes)
    base = places[0]
    held = next((place for place in ("test", "val") if place in places and place != base), None)
    used = [base] if held is None else [base, held]
    notes += [f"Rows of {place} are not used." for place in places if place not in used]
    sets = {name: columns for name, columns in found.labels.items() if not labels or name in labels}
    known = found.ids.get(base)
    groups = known if known is not None and len(np.unique(known)) < len(known) else None
    pairs = {name: (of[base], of.get(held or "")) for name, of in sets.items() if base in of}
    for name in [name for name, (column, _) in pairs.items() if column.classes < 2]:
        notes.append(f"Labels `{name}` are of one class in {base}: what needs two is left out.")
        del pairs[name]
    notes += [sentence for name, (column, _) in pairs.items() for sentence in _alone(name, base, column)]
    verdicts: list[Verdict] = []
    records: list[Record] = []
    for layer in found.layers:
        show(titled(layer.name, layer.epoch))
        try:
            h, *other = [_rows(layer, place, normalise) for place in used]
            health, parts = measurements(Rows(h, other[0] if other else None, groups), pairs)
        except InputError as refused:
            why = f"{str(refused)[:1].lower()}{str(refused)[1:]}"
            raise FileError(f"Features of {titled(layer.name, layer.epoch)} cannot be measured: {why}") from None
        verdicts.append(Verdict(layer.name, layer.epoch, layer.width, health))
        for told in parts:
            for one in told.measurements:
                error = math.nan if one.error is None else one.error
                note = _why(one.name, one.value, told.warnings)
                where = layer.name, layer.epoch, one.labels or None, one.name
                records.append(Record(*where, one.value, error, one.convention, health.verdict, note))
    show("CKA")
    alike = _alike(found.layers, held or base, normalise, notes)
    classes = {name: {place: column.classes for place, column in columns.items()} for name, columns in sets.items()}
    if bad := [titled(one.layer, one.epoch) for one in verdicts if one.health.verdict == "collapsed"]:
        notes.append(f"Features of {'; '.join(bad)} are collapsed: what is measured of them says little.")
    if not sets:
        notes.append("The files hold no labels: what needs them is left out.")
    return Analysis(verdicts, records, alike, (base, held), found.rows, classes, normalise, notes)


def titled(layer: str, epoch: float | None) -> str:
    """The layer, and the epoch if there is one."""
    return layer if epoch is None else f"{layer}, epoch {epoch:g}"


def _rows(layer: Layer, place: str, normalise: bool) -> np.ndarray:
    h = layer.features[place]
    if not normalise:
        return h
    check_memory(f"Normalised features of {layer.name}", 2 * h.nbytes)
    return np.asarray(measured.unit_rows(h))


def _alone(name: str, place: str, column: Column) -> Iterator[str]:
    """Classes of one row cluster perfectly, whatever the features."""
    counts = np.unique(column.values[column.present], return_counts=True)[1]
    if single := int(np.sum(counts == 1)):
        about = f"{single} of {len(counts)} classes of `{name}` have one row in {place}"
        yield f"{about}: its variance is 0 and it is its own centre, which makes CDNV, NC1 and NCC train the better."


def _why(name: str, value: float, said: list[str]) -> str:
    """Why a number is not finite: what was said of its kind, of the smaller part last; or all that was said."""
    if math.isinf(value):
        equal = name.startswith("two_nn")
        return "infinite: both neighbours are equally far" if equal else "infinite: means of classes coincide"
    if not math.isnan(value):
        return ""
    about = [sentence for sentence in said if KINDS.get(name, name) in sentence]
    return (about[-1] if name == "two_nn_at_4" else about[0]) if about else " ".join(said) or "not defined here"


def _alike(layers: list[Layer], place: str, normalise: bool, notes: list[str]) -> Alike | None:
    """CKA of all pairs, on rows evenly among those of a split."""
    n = len(layers[0].features[place])
    if len(layers) < 2 or n < 4:
        return None
    if len(layers) > ALIKE:
        notes.append(f"CKA is left out: there are {len(layers)} layers × epochs, more than {ALIKE}.")
        return None
    some = np.unique(np.linspace(0, n - 1, min(n, CKA_ROWS)).round().astype(int))
    rows = [_rows(layer._replace(features={place: layer.features[place][some]}), place, normalise) for layer in layers]
    values = np.eye(len(layers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN where a layer does not vary
        for i in range(len(rows)):
            values[i, i] = measured.cka(rows[i], rows[i])
            for j in range(i):
                values[i, j] = values[j, i] = measured.cka(rows[i], rows[j])
    return Alike([titled(layer.name, layer.epoch) for layer in layers], values, len(some), place)


def to_plain(found: Analysis) -> dict[str, Any]:
    """For JSON."""
    return {
        "verdict": found.verdict,
        "rows": found.rows,
        "measured_on": found.splits[0],
        "held_out": found.splits[1],
        "classes": found.classes,
        "normalised": found.normalised,
        "layers": [one._asdict() | {"health": one.health._asdict()} for one in found.verdicts],
        "measures": [record._asdict() for record in found.records],
        "cka": None if found.alike is None else found.alike._asdict() | {"debiased": True},
        "notes": found.notes,
    }
