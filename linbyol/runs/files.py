"""What a run of the trainer left in its folder, read without trust: metrics.csv and spectra.jsonl.

A line of either belongs to a lane: a seed and, in a sweep, the values of what was swept, which stand in the columns
between `seed` and `lr`. Lanes that differ in their seed only form a group.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linbyol.store import FileError, read_bytes

METRICS, SPECTRA = "metrics.csv", "spectra.jsonl"


class Lane(NamedTuple):
    """One network of a run."""

    group: tuple[tuple[str, float], ...]  # what was swept, and its value
    seed: float


class Spectrum(NamedTuple):
    """Arrays measured at one step of one lane, by name: F and Wp ascending, cosines in the order of F."""

    step: float
    lane: Lane
    arrays: dict[str, np.ndarray]


class RunFiles(NamedTuple):
    """The table of a run by columns, nan where a cell is empty, and its spectra."""

    name: str
    columns: dict[str, np.ndarray]  # (rows,)
    lanes: list[Lane]  # in the order of their first rows
    which: np.ndarray  # (rows,) the place of each row's lane among them
    spectra: list[Spectrum]

    def series(self, column: str) -> dict[Lane, tuple[np.ndarray, np.ndarray]]:
        """Steps and finite values of a column, a lane each; lanes without any are left out."""
        found: dict[Lane, tuple[np.ndarray, np.ndarray]] = {}
        values = self.columns.get(column, np.full(len(self.which), math.nan))
        for i, lane in enumerate(self.lanes):
            mine = np.isfinite(values) & (self.which == i)
            if mine.any():
                found[lane] = self.columns["step"][mine], values[mine]
        return found

    def spectrum(self, name: str) -> dict[Lane, tuple[np.ndarray, np.ndarray]]:
        """Steps (t,) and values (t, d) of an array of the spectra, a lane each; lines of another d are left out."""
        found: dict[Lane, tuple[np.ndarray, np.ndarray]] = {}
        for lane in dict.fromkeys(line.lane for line in self.spectra):
            lines = [line for line in self.spectra if line.lane == lane and len(line.arrays.get(name, ()))]
            if lines:
                d = len(lines[-1].arrays[name])
                lines = [line for line in lines if len(line.arrays[name]) == d]
                found[lane] = np.array([x.step for x in lines]), np.stack([x.arrays[name] for x in lines])
        return found


def read(folder: str | Path) -> RunFiles:
    """The files of a run's folder, of one that is still running too. Raises `FileError` with the line that is wrong."""
    folder = Path(folder)
    if not (folder / METRICS).is_file() and (folder / "config.toml").is_file():
        way = "put it back, or train again in another folder"
        raise FileError(f"Run folder {folder} has no {METRICS}, which holds what is to be shown: {way}.")
    if not (folder / METRICS).is_file():
        reason = f"holds no {METRICS}" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
        raise FileError(f"Folder {folder} is not that of a run: it {reason}.")
    (head, *rows), path = [line.split(",") for line in _lines(folder / METRICS)] or [[""]], folder / METRICS
    if "step" not in head or len(set(head)) < len(head):
        raise FileError(f"File {path} must begin with the names of its columns, one of them `step`.")
    if not rows:
        raise FileError(f"File {path} holds no row yet.")
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise FileError(f"File {path}, line {number}, has {len(row)} cells, but the table has {len(head)} columns.")
    columns = {
        name: np.array([_number(path, number, name, row[i]) for number, row in enumerate(rows, 2)])
        for i, name in enumerate(head)
    }
    if not np.isfinite(columns["step"]).all():
        raise FileError(f"File {path} has a row without `step`.")
    swept = _swept(head)
    whose = [name for name in head if name == "seed" or name in swept]
    lanes = [_lane({name: columns[name][i] for name in whose}, swept) for i in range(len(rows))]
    known = {lane: i for i, lane in enumerate(dict.fromkeys(lanes))}
    which = np.array([known[lane] for lane in lanes])
    return RunFiles(folder.resolve().name, columns, list(known), which, _spectra(folder / SPECTRA, swept))


def _swept(head: list[str]) -> list[str]:
    """Columns between `seed` and `lr` (or `loss`)."""
    rest = head[head.index("seed") + 1 :] if "seed" in head else []
    ends = [rest.index(name) for name in ("lr", "loss") if name in rest]
    return rest[: min(ends)] if ends else []


def _lane(values: dict[str, Any], swept: list[str]) -> Lane:
    return Lane(tuple((name, float(values[name])) for name in swept), float(values.get("seed", 0)))


def _spectra(path: Path, swept: list[str]) -> list[Spectrum]:
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            values = json.loads(line)
            arrays = {
                name: np.array([math.nan if x is None else float(x) for x in value])
                for name, value in values.items()
                if isinstance(value, list)
            }
            found.append(Spectrum(float(values["step"]), _lane(values, swept), arrays))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise FileError(f"File {path}, line {number}, is no spectrum: {line!r:.60}.") from None
    return found


def _lines(path: Path) -> list[str]:
    """The whole lines; the last one may be in the making."""
    try:
        return read_bytes(path).decode().split("\n")[:-1]
    except UnicodeDecodeError:
        raise FileError(f"File {path} is no text.") from None


def _number(path: Path, number: int, name: str, cell: str) -> float:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        raise FileError(f"File {path}, line {number}: `{name}` must be a number, but is {cell!r:.40}.") from None
