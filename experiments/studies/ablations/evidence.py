"""The records of the tables' trainings, and the verdict of a claim on them beside what was published."""

from collections.abc import Callable, Sequence
from math import hypot
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.ablations.studying import SHIPPED
from experiments.clustering import records
from experiments.studies.ablations.statistics import Values, interval, verdict_of
from linbyol.claims import Run, Verdict, not_run
from linbyol.published import PUBLISHED, Value

COMMAND = "python -m experiments.ablations"
PROBE = "ridge"
OF_SIZE = {"smoke": ("digits", "cpu"), "cpu": ("digits", "cpu"), "full": ("stl10", "full")}


class Study(NamedTuple):
    """The records of one data set and size by training."""

    records: dict[str, records.Record]

    def lanes(self, training: str, **where: float) -> list[int]:
        """Places of the lanes with these constants, one for each seed, in the order of the seeds.

        Values count as equal within rounding to single precision. Raises `ValueError` unless it is one a seed.
        """
        lanes, seeds = self.records[training].about["lanes"], self.seeds(training)
        found = [
            i
            for i, lane in enumerate(lanes)
            if not [k for k, x in where.items() if not np.isclose(lane[k], x, rtol=1e-6)]
        ]
        if [lanes[i]["seed"] for i in found] != seeds:
            raise ValueError(f"{where} must be one lane a seed of {training}, but is lanes {found}.")
        return found

    def seeds(self, training: str) -> list[int]:
        """All seeds, ascending."""
        return sorted({lane["seed"] for lane in self.records[training].about["lanes"]})

    def levels(self, training: str, constant: str) -> list[float]:
        """The values of a constant, ascending."""
        return sorted({lane[constant] for lane in self.records[training].about["lanes"]})

    def array(self, name: str, training: str, **where: float) -> np.ndarray:
        """(S, …) of an array of the record."""
        return self.records[training].arrays[name].astype(float)[self.lanes(training, **where)]

    def accuracy(self, training: str, **where: float) -> Values:
        """(S,) accuracy of the ridge probe after training, in percent."""
        return 100 * self.array(PROBE, training, **where)

    def untrained(self) -> Values:
        """(S,) of the untrained network."""
        decay, slow = self.usual()
        return 100 * self.array(f"untrained_{PROBE}", "regular", eta=decay, gamma_a=slow)

    def usual(self) -> tuple[float, float]:
        """Weight decay and momentum of the target, where they are neither 0 nor what a sweep made of them."""
        return self.levels("regular", "eta")[-1], self.levels("regular", "gamma_a")[-1]


def study_of(data: str, size: str, out: Path | None = None) -> Study:
    """What there is of a data set and size, of a run's own folder or as it came with the project."""
    folder = (out or SHIPPED) / f"{data}-{size}"
    paths = sorted(path.with_suffix("") for path in folder.glob("*.json"))
    return Study({path.name: found for path in paths if (found := records.read(path))})


def judged(
    run: Run,
    effects: Callable[[Study], dict[str, Values]],
    *,
    needs: Sequence[str],
    rows: Callable[[Study], dict[str, Values]],
    beside: dict[str, Any] | None = None,
    raw: Callable[[Study], dict[str, Any]] = lambda study: {},
) -> Verdict:
    """The verdict by `statistics`.

    effects  name -> number a seed, of which the claim wants a positive mean
    needs    trainings
    rows     name -> accuracy in percent a seed: what is put beside the published table
    beside   the published numbers: `published(…)`
    raw      further numbers, as they are
    """
    data, size = OF_SIZE[run.size]
    study = study_of(data, size)
    if missing := [name for name in needs if name not in study.records]:
        return not_run(f"needs records: {COMMAND} {data} --size {size} --only {' '.join(missing)}", **(beside or {}))
    found, ours = effects(study), rows(study)
    numbers = {
        "effects": {name: [round(x, 4) for x in interval(values)] for name, values in found.items()},
        "columns": "mean over seeds, ends of its 95 % interval",
        "ours": {name: [round(float(x), 2) for x in (np.mean(v), np.std(v, ddof=1))] for name, v in ours.items()},
        **raw(study),
        **(beside or {}),
    }
    seeds, minutes = study.seeds(needs[0]), sum(study.records[name].minutes for name in needs)
    about = study.records[needs[0]].about
    where, encoder = about["environment"]["device"], about["config"]["encoder"]["name"]
    note = f"Stored: {data}, {encoder}, seeds {seeds[0]}-{seeds[-1]}, {minutes:.0f} min on {where}."
    return Verdict(verdict_of(found), numbers, tuple(seeds), note)


def difference(high: Value, low: Value) -> dict[str, float | None]:
    """high - low with the spread of one pair of runs, None where a spread is not published."""
    known = high[1] is not None and low[1] is not None
    return {"difference": round(high[0] - low[0], 2), "spread": round(hypot(high[1], low[1]), 2) if known else None}


def published(
    id: str, *, above: Sequence[tuple[str, str]] = (), close: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """The published rows of a claim: `above` pairs (higher, lower) of them, `close` pairs that differ little."""
    rows = PUBLISHED.get(id, {})
    numbers: dict[str, Any] = {"published": {label: list(value) for label, value in rows.items()}} if rows else {}
    for word, pairs in (("above", above), ("close", close)):
        if pairs:
            numbers[word] = {f"{a} | {b}": difference(rows[a], rows[b]) for a, b in pairs}
    return numbers
