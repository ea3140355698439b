"""Embeddings analysed: the verdict of every layer, every measure with its error, and what layers have in common."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from linbyol import representation as measured
from linbyol.checks import InputError, check_choice
from linbyol.embeddings.collect import Embeddings, Layer
from linbyol.embeddings.columns import Column
from linbyol.embeddings.measures import MEASURES, Measure, Sample, jackknife
from linbyol.machine import check_memory

LARGEST = 1 << 26  # numbers in features whose jackknife is not left out
ALIKE = 24  # layers × epochs of which CKA is a table
CKA_ROWS = 5000


class Record(NamedTuple):
    """One number."""

    layer: str
    epoch: float | None
    labels: str | None  # the label set; None of what needs none
    measure: str
    value: float
    error: float  # standard error, NaN where none is known
    rows: int
    verdict: str  # on the features: what is measured of collapsed ones says little
    note: str  # what was warned of while it was measured


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
    errors: bool = True,
    show: Callable[[str], None] = lambda text: None,
) -> Analysis:
    """Measure all layers at all epochs, with all label sets or those named.

    normalise  put each row on the unit sphere first
    errors     the jackknife too, which takes most of the time
    show       told of each layer

    Raises `InputError` for an unknown label set. A number that cannot be is NaN, and its note says why.
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
    large = max(len(layer.features[base]) * layer.width for layer in found.layers) > LARGEST
    if large and errors:
        notes.append(f"Features of more than {LARGEST:,} numbers have no error by jackknife: it would take long.")
    verdicts, records = [], []
    for layer in found.layers:
        show(titled(layer.name, layer.epoch))
        features = {place: _rows(layer, place, normalise) for place in used}
        health = measured.health(features[base])
        verdicts.append(Verdict(layer.name, layer.epoch, layer.width, health))
        for label_set, sample in _samples(features, base, held, sets, found.ids.get(base)):
            records += _records(layer, label_set, sample, errors and not large, health.verdict)
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
    check_memory(f"Normalised features of {layer.name}", 8 * h.size)
    h = np.asarray(h, np.float64 if h.dtype == np.float64 else np.float32)
    size = np.linalg.norm(h, axis=1, keepdims=True)
    return h / np.where(size > 0, size, 1)


def _samples(
    features: dict[str, np.ndarray],
    base: str,
    held: str | None,
    sets: dict[str, dict[str, Column]],
    ids: np.ndarray | None,
) -> list[tuple[str | None, Sample]]:
    """What is measured without labels, and with each label set on the rows that have one."""
    groups = ids if ids is not None and len(np.unique(ids)) < len(ids) else None
    found: list[tuple[str | None, Sample]] = [(None, Sample(features[base], groups=groups))]
    for name, columns in sets.items():
        if base not in columns:
            continue
        parts: list[np.ndarray | None] = []
        for place in (base, held):
            column = columns.get(place) if place else None
            if column is None:
                parts += [None, None]
            elif column.missing.any():
                parts += [features[str(place)][column.present], column.values[column.present]]
            else:
                parts += [features[str(place)], column.values]
        found.append((name, Sample(*parts)))  # type: ignore[arg-type]
    return found


def _records(layer: Layer, name: str | None, sample: Sample, errors: bool, verdict: str) -> list[Record]:
    found = []
    for measure in MEASURES:
        if not _applies(measure, name, sample):
            continue
        value, error, note = _measured(measure, sample, errors)
        where = layer.name, layer.epoch, name, measure.name
        found.append(Record(*where, value, error, len(sample.h), verdict, note))
    return found


def _applies(measure: Measure, name: str | None, sample: Sample) -> bool:
    if name is None:
        return measure.needs == "features" or (measure.needs == "groups" and sample.groups is not None)
    return measure.needs == "labels" or (measure.needs == "test" and sample.held_h is not None)


def _measured(measure: Measure, sample: Sample, errors: bool) -> tuple[float, float, str]:
    """The value, its error, and what was warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            value, error = measure.of(sample)
            if errors and measure.jackknife and np.isfinite(value):
                error = jackknife(measure, sample)
        except InputError as refused:  # fewer rows than the measure needs
            return float("nan"), float("nan"), str(refused)
    said = [str(one.message) for one in told if issubclass(one.category, RuntimeWarning)]
    note = said[0] if said and not np.isfinite(value) else ""
    return value, error, "infinite: means of classes coincide" if value == np.inf and not note else note


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
    """For JSON: the analysis and the convention of every measure in it."""
    used = {record.measure for record in found.records}
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
        "conventions": {
            m.name: {"title": m.title, "best": m.best, "how": m.convention} for m in MEASURES if m.name in used
        },
        "notes": found.notes,
    }
