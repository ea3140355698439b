"""From the records of trained networks to a verdict: effects over seeds, and what counts as one.

An effect is a number for each training seed, positive where it speaks for the claim. Its spread is the standard
deviation over seeds (divisor S - 1; at least 3 seeds). It holds above 2 spreads, fails below -2, and settles nothing
between. A claim holds if all its effects do, and fails if one does. An effect that is no number a seed but a finding
about all of them (near 1, monotone) is +1, -1 or 0.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.clustering import records
from experiments.clustering.sizes import SIZES
from linbyol.claims import Run, Verdict, not_run
from linbyol.extremes import every

Values = Float[np.ndarray, " S"]
DATA = ("cifar100", "digits")  # the first that has what a claim needs decides it
COMMAND = "python -m experiments.clustering"


class Study(NamedTuple):
    """The records of one data set by training."""

    data: str
    records: dict[str, records.Record]

    def array(self, name: str, training: str = "vicreg") -> np.ndarray:
        """An array of a record, by its name."""
        return self.records[training].arrays[name].astype(float)

    def curve(self, quantity: str, target: str, layer: str = "", training: str = "vicreg") -> np.ndarray:
        """(S, E) of one layer, by default the encoder's output."""
        record = self.records[training]
        b = record.axis("layers", layer) if layer else len(self.blocks(training)) - 1
        return self.array(quantity, training)[:, :, b, record.axis("targets", target)]

    def depth(self, quantity: str, target: str, epoch: int = -1, training: str = "vicreg") -> np.ndarray:
        """(S, blocks) at one of the measured epochs."""
        t = self.records[training].axis("targets", target)
        return self.array(quantity, training)[:, epoch, : len(self.blocks(training)), t]

    def blocks(self, training: str = "vicreg") -> list[str]:
        """Names of the blocks."""
        return [name for name in self.records[training].about["layers"] if name != "projector"]

    def epochs(self, training: str = "vicreg") -> np.ndarray:
        """(E,)"""
        return np.array(self.records[training].about["epochs"], float)

    def family(self, kind: str, training: str = "vicreg") -> list[tuple[str, float]]:
        """Target sets whose names begin so, with their mean randomness, the least random first."""
        names = self.records[training].about["targets"]
        randomness = np.mean(self.array("target_randomness", training), axis=0)
        found = [(name, float(randomness[i])) for i, name in enumerate(names) if name.startswith(kind)]
        found += [("classes", 0.0)] if kind == "noise" else []
        return sorted(found, key=lambda one: one[1])


def study_of(data: str, size: str, out: Any = None) -> Study:
    """What there is of a data set, of a run's own folder or as it came with the project."""
    folder = (out or records.SHIPPED) / f"{data}-{size}"
    paths = sorted(path.with_suffix("") for path in folder.glob("*.json"))
    return Study(data, {path.name: found for path in paths if (found := records.read(path))})


def trainings(data: str, size: str) -> tuple[str, ...]:
    """Those that a size of a data set has."""
    return tuple(SIZES[data, size].trainings) if (data, size) in SIZES else ()


def judged(
    run: Run,
    effects: Callable[[Study], dict[str, Any]],
    *,
    needs: Sequence[str] = ("vicreg",),
    targets: Sequence[str] = (),
    arrays: Sequence[str] = (),
    raw: Callable[[Study], dict[str, Any]] = lambda study: {},
) -> Verdict:
    """The verdict of the first data set whose records have what is needed; the others' stand in `numbers`.

    effects  name -> numbers over seeds (S,), or one finding
    needs    trainings; of the first of them also target sets and arrays
    raw      further numbers, as they are
    """
    size = "full" if run.size == "full" else "cpu"
    found = [study for study in (study_of(data, size) for data in DATA) if _has(study, needs, targets, arrays)]
    if not found:
        words = f" of {', '.join(needs)}" + (f" with {', '.join((*targets, *arrays))}" if targets or arrays else "")
        able = [data for data in DATA if set(needs) <= set(trainings(data, size))]
        return not_run(f"needs records{words}: {COMMAND} {(able or DATA)[0]} --size {size}")
    rows = {study.data: _row(effects(study), raw(study)) for study in found}
    first = found[0]
    lead = first.records[needs[0]]
    outcomes = [outcome for _, _, outcome in rows[first.data]["effects"].values()]
    verdict = "fails" if "fails" in outcomes else "holds" if set(outcomes) == {"holds"} else "undecided"
    minutes = sum(first.records[name].minutes for name in needs)
    seeds = sorted(set(lead.about["seeds"]))
    note = f"Stored: {first.data}, size {size}, seeds {seeds[0]}-{seeds[-1]}, {minutes:.0f} min."
    return Verdict(verdict, {"data": first.data, **rows.pop(first.data), **rows}, tuple(seeds), note)


def log_gain(curve: np.ndarray) -> Values:
    """log m(T)/m(0) of a curve (S, E)."""
    return np.log(curve[:, -1] / curve[:, 0])


def rise(curve: np.ndarray) -> Values:
    """m(T) - m(0)."""
    return curve[:, -1] - curve[:, 0]


def near(values: np.ndarray, aim: float) -> int:
    """+1 if the mean is within 2 spreads of the aim, else -1."""
    return 1 if abs(np.mean(values) - aim) <= 2 * spread(values) else -1


def at_least(values: np.ndarray) -> int:
    """+1 if the mean is no more than a spread below 0, -1 if more than two, else 0."""
    mean, width = np.mean(values), spread(values)
    return 1 if mean >= -width else -1 if mean < -2 * width else 0


def monotone(values: np.ndarray) -> int:
    """Of (S, k): +1 if no step falls by more than its spread and the whole rises by 2, -1 if a step falls by 2."""
    steps = np.diff(values, axis=1)
    mean, width = steps.mean(axis=0), np.std(steps, axis=0, ddof=1)
    whole = values[:, -1] - values[:, 0]
    if (mean < -2 * width).any():
        return -1
    return 1 if every(mean >= -width) and whole.mean() > 2 * spread(whole) else 0


def slope(curve: np.ndarray) -> Values:
    """Least-squares slope of each row against the place in it."""
    x = np.arange(curve.shape[1]) - (curve.shape[1] - 1) / 2
    return curve @ x / (x @ x)


def spread(values: np.ndarray) -> float:
    """Standard deviation over seeds."""
    return float(np.std(values, ddof=1)) if np.ndim(values) else 0.0


def _row(effects: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    rows = {}
    for name, values in effects.items():
        mean, width = float(np.mean(values)), spread(values)
        good = np.ndim(values) == 0 or (len(values) >= 3 and every(np.isfinite(values)))
        outcome = "undecided" if not good else "holds" if mean > 2 * width else "fails" if mean < -2 * width else ""
        rows[name] = [mean, width, outcome or "undecided"]
    return {"effects": rows, "columns": "mean, spread over seeds, outcome", **raw}


def _has(study: Study, needs: Sequence[str], targets: Sequence[str], arrays: Sequence[str]) -> bool:
    if set(needs) - set(study.records):
        return False
    lead = study.records[needs[0]]
    return set(targets) <= set(lead.about.get("targets", ())) and set(arrays) <= set(lead.arrays)
