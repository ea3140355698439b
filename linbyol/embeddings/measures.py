"""What is measured of one layer: `linbyol.representation.measure`, probes, and LiDAR where ids come in groups."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from linbyol import representation as measured
from linbyol.embeddings.columns import Column
from linbyol.representation import Health, Measurement

K = 20  # neighbours that vote
WIDEST = 8192  # features for what costs their cube
LABELLED = ("clusters", "agreement")  # families of measures
TITLES = {  # what tables show, in their order; where good features have it. JSON has the rest too
    "rankme": ("RankMe", "high, at most min(N, d)"),
    "participation_ratio": ("participation ratio", "high, at most min(N, d)"),
    "alpha_req": ("alpha-ReQ", "about 1"),
    "two_nn": ("TwoNN dimension", ""),
    "two_nn_at_4": ("TwoNN, wider", ""),
    "uniformity": ("uniformity", "low"),
    "lidar": ("LiDAR", "high"),
    "ncc_train": ("NCC train", "1"),
    "ncc": ("NCC test", "1"),
    "ridge": ("linear test", "1"),
    "knn": ("kNN test", "1"),
    "cdnv": ("CDNV", "0"),
    "directional_cdnv": ("directional CDNV", "0"),
    "nc1": ("NC1", "0"),
    "nc2_equinorm": ("NC2 norms", "0"),
    "nc2_equiangular": ("NC2 angles", "0"),
    "kmeans_ari": ("k-means ARI", "1"),
    "kmeans_nmi": ("k-means NMI", "1"),
    "silhouette": ("silhouette", "1"),
}


class Told(NamedTuple):
    """Measurements, and what was warned of meanwhile."""

    measurements: list[Measurement]
    warnings: list[str]


class Rows(NamedTuple):
    """Features of one layer on the rows that are measured, and on those held out; ids where several rows have one."""

    h: np.ndarray
    held_h: np.ndarray | None
    groups: np.ndarray | None


def measurements(rows: Rows, sets: Mapping[str, tuple[Column, Column | None]]) -> tuple[Health, list[Told]]:
    """The verdict, and the measurements by what was measured at once: all that is whole, then each set with gaps.

    sets  of each label set the labels of the rows, and of those held out
    """
    whole = {name: pair for name, pair in sets.items() if _is_whole(pair, rows.held_h)}
    held_h = rows.held_h if whole else None
    columns = {name: column.values for name, (column, _) in whole.items()}
    held = {name: other.values for name, (_, other) in whole.items() if other is not None}
    with _listening() as told:
        found = measured.measure(rows.h, columns or None, held_h, held if held_h is not None else None)
        some = list(found.measurements)
        if rows.groups is not None:
            how = "groups are rows of one id; S_w + 1e-4 I, divisor N - C; eps 1e-7"
            some.append(Measurement("lidar", "", measured.lidar(rows.h, rows.groups), None, how))
        if held_h is not None:
            for name, labels in held.items():
                some += _probes(name, rows.h, columns[name], held_h, labels)
    parts = [Told(some, told)]
    for name, pair in sets.items():
        if name not in whole:
            with _listening() as told:
                parts.append(Told(list(_with_gaps(name, rows, *pair)), told))
    return found.health, parts


def _is_whole(pair: tuple[Column, Column | None], held_h: np.ndarray | None) -> bool:
    column, other = pair
    if column.missing.any() or (held_h is not None and other is None):
        return False
    return other is None or not other.missing.any()


def _with_gaps(name: str, rows: Rows, column: Column, other: Column | None) -> Iterator[Measurement]:
    """With one label set, on the rows that have a label."""
    h, labels = rows.h[column.present], column.values[column.present]
    if len(h) < 2:
        return
    held_h, held = None, None
    if rows.held_h is not None and other is not None:
        held_h, held = rows.held_h[other.present], {name: other.values[other.present]}
    yield from measured.measure(h, {name: labels}, held_h, held, only=LABELLED).measurements
    if held_h is not None and held is not None:
        yield from _probes(name, h, labels, held_h, held[name])


def _probes(
    name: str, h: np.ndarray, labels: np.ndarray, held_h: np.ndarray, held: np.ndarray
) -> Iterator[Measurement]:
    """Accuracies on the rows held out, with their binomial errors; the probes want labels that are whole numbers."""
    _, codes = np.unique(np.concatenate([labels, held]), return_inverse=True)
    four = h, codes[: len(h)], held_h, codes[len(h) :]
    how = f"{K} neighbours by cosine, weights exp(cos/0.1)"
    rules = [("knn", lambda: measured.knn_probe(*four, k=K), how)]
    if h.shape[1] <= WIDEST:
        how = "ridge on one-hot labels, features standardised, the penalty chosen on a fifth of train"
        rules.insert(0, ("ridge", lambda: measured.ridge_probe(*four), how))
    for probe, rule, how in rules:
        a = rule().accuracy
        yield Measurement(probe, name, a, float(np.sqrt(a * (1 - a) / len(held))), how)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What is warned of inside, as sentences, each once; there when it is over."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield sentences
    said = [str(one.message) for one in seen if issubclass(one.category, RuntimeWarning)]
    sentences += dict.fromkeys(said)
