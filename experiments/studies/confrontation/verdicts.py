"""What came of the confrontation: of each prediction its error, and whether the theory was as good as it should be.

Of a linear encoder Lemma 1 must be right to 1 % in every mode at every time. Of a network `tangent` must have half the
median error of the best baseline, and name the survivors right in nine runs of ten. The other predictions say what each
assumption costs.
"""

from typing import Any

import numpy as np

from experiments.clustering.records import Record
from experiments.studies.confrontation.errors import BASELINES, confronted, errors
from linbyol.extremes import least

HALF = 0.5  # of the better baseline's median error, which the theory's must be below
SHARE = 0.9  # of the runs whose survivors must be named right


def judged(record: Record) -> str:
    """The prediction that the verdict is about."""
    return "lemma" if record.about["config"]["encoder"]["name"] == "linear" else "tangent"


def place_of(record: Record) -> int:
    """Of the epoch from which is predicted."""
    return int(np.flatnonzero(record.arrays["epoch"] == record.about["first"])[0])


def verdict(record: Record) -> dict[str, Any]:
    """Errors of predictions and baselines, what chance alone does, and the verdict, all from the record's arrays."""
    epochs, i = record.arrays["epoch"].astype(float), place_of(record)
    s = record.arrays["s"].astype(float)
    names = [name.removeprefix("s_") for name in record.arrays if name.startswith("s_")]
    found = {name: confronted(s[:, i:], record.arrays[f"s_{name}"].astype(float), epochs[i:]) for name in names}
    baselines = {
        name: confronted(s[:, i:], np.stack([base(lane, epochs, i) for lane in s]), epochs[i:])
        for name, base in BASELINES.items()
    }
    best, mine = least(x["median"] for x in baselines.values()), found[judged(record)]
    ratio, right = mine["median"] / best, mine["survivors right"] / len(s)
    exact = judged(record) == "lemma"
    met = mine["within 1 %"] == 1 if exact else ratio < HALF and right >= SHARE
    chance = {}
    if "repeated" in record.arrays:
        runs = np.concatenate([s[:1, i:], record.arrays["repeated"].astype(float)])
        mean = np.exp(np.log(runs).mean(axis=0))
        apart = np.concatenate([errors(mean, one) for one in runs]) * np.sqrt(len(runs) / (len(runs) - 1))
        of_mean = errors(mean, record.arrays[f"s_{judged(record)}"][0].astype(float))
        chance = {
            "runs": len(runs),
            "median of one run": float(np.median(np.abs(apart))),
            "median of the prediction from their mean": float(np.median(np.abs(of_mean))),
            "largest of the prediction from their mean": float(np.abs(of_mean).max()),
            "within 1 % of their mean": float(np.mean(np.abs(of_mean) < 0.01)),
        }
    return {
        "judged": judged(record),
        "predictions": found,
        "baselines": baselines,
        "over the better baseline": ratio,
        "survivors right": right,
        "chance": chance,
        "verdict": "holds" if met else "fails",
    }


def summary(training: str, found: dict[str, Any]) -> list[str]:
    """Lines of a table."""
    lines = [
        f"{training}: {found['verdict']} ({found['judged']}): median error {found['over the better baseline']:.3g} of "
        f"the better baseline's, survivors right in {100 * found['survivors right']:.0f} % of the runs"
    ]
    for name, row in (found["predictions"] | found["baselines"]).items():
        lines.append(
            f"  {name:12} median |Δ log s| {row['median']:.4f}, largest {row['largest']:.3g}, "
            f"within 1 %: {100 * row['within 1 %']:.0f} %, survivors right {row['survivors right']}, "
            f"escapes {'-' if row['escape'] is None else format(row['escape'], '.3g')}"
        )
    lines += [f"  chance: {name} {value:.4g}" for name, value in found["chance"].items()]
    return lines
