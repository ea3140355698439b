"""Does I(input; representation) fall in training, and with it what is spread within clusters (Fig. 3)?

Protocol: `experiments/clustering/information.py`. MINE with five critics on VICReg's encoder at each kept epoch; noise
on each entry of a quarter of the features' total variance: of theirs at that epoch, or of the untrained network's.
Beside it the same information from the density of the noise, which is known. An estimate within one nat of its ceiling,
the log of the number of its rows, settles nothing; nor does MINE where it misses more of what is known than it moves.
"""

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from experiments.clustering.information import KINDS
from experiments.studies.clustering.evidence import Study, judged
from linbyol.claims import Run, Verdict, claim
from linbyol.extremes import every

NEEDS = ("vicreg", "information")


def estimates(r: Study) -> dict[str, np.ndarray | None]:
    """Nats (S, E) by each estimator under each kind of noise, or None where they settle nothing."""
    found: dict[str, np.ndarray | None] = {}
    for k, kind in enumerate(KINDS):
        mine, known = (r.array(name, "information")[:, :, k] for name in ("value", "known"))
        moved = np.ptp(mine.mean(axis=0))
        near = (mine.mean(axis=0) > r.array("ceiling", "information") - 1).any()
        missed = np.max(known.mean(axis=0) - mine.mean(axis=0))
        found[f"MINE, noise of the {kind}"] = mine if not near and missed <= moved else None
        images = r.records["information"].about["images"][0]
        found[f"known noise, of the {kind}"] = known if every(known.mean(axis=0) <= np.log(images) - 1) else None
    return found


def raw(r: Study) -> dict[str, Any]:
    """Means over seeds at each epoch, in nats and bits, and what they are read beside."""
    rows = {}
    for k, kind in enumerate(KINDS):
        mean = {
            name: np.round(r.array(name, "information")[:, :, k].mean(axis=0), 4)
            for name in ("value", "spread", "shuffled", "untrained", "channel", "known")
        }
        rows[f"noise of the {kind}"] = mean | {"bits": np.round(mean["value"] / np.log(2), 4)}
    return {"epochs": r.epochs("information"), "ceiling": float(r.array("ceiling", "information")), **rows}


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation over epochs of two curves (S, E), a seed each."""
    return np.array([spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)])


@claim(
    "C10",
    title="I(X; Z) falls in training",
    statement="The information between input and representation with noise added to it, by MINE with five "
    "initialisations and by the known density of the noise, is smaller after training than before, beyond the spread, "
    "whether the noise keeps to the features' present scale or to the untrained network's.",
    source="Fig. 3",
    kind="real data",
    expected="open",
)
def compression(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Any]:
        return {
            f"fall in nats, {name}": 0 if curve is None else curve[:, 0] - curve[:, -1]
            for name, curve in estimates(r).items()
        }

    return judged(run, effects, needs=NEEDS, raw=raw)


@claim(
    "C58",
    title="Compression and clustering go together",
    statement="Over the epochs the information has a positive rank correlation with the classes' CDNV and a negative "
    "one with their NCC on train, by MINE and by the known density of the noise, under either noise.",
    source="Section on information",
    kind="real data",
    expected="open",
)
def with_clustering(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for estimate, curve in estimates(r).items():
            for name, sign, quantity in (("CDNV", 1, "cdnv"), ("NCC", -1, "ncc_train")):
                other = r.curve(quantity, "classes")
                value = 0 if curve is None else sign * correlations(curve, other)
                found[f"{'' if sign > 0 else 'minus '}correlation with {name}: {estimate}"] = value
        return found

    return judged(run, effects, needs=NEEDS)
