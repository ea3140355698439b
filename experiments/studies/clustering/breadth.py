"""Does the picture hold across methods, depths and widths, and for other partitions than the classes?"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, judged, log_gain, near, rise
from experiments.studies.clustering.through_training import after_saturation, gap
from linbyol.claims import Run, Verdict, claim
from linbyol.extremes import least

SETTINGS = ("vicreg", "simclr", "shallow", "narrow")


def of_training(r: Study, training: str) -> Study:
    """The study as if this training were the leading one."""
    return r._replace(records=r.records | {"vicreg": r.records[training]})


def picture(r: Study) -> dict[str, Any]:
    """The effects of C2 to C6 that need no superclasses."""
    samples, classes = (r.curve("ncc_train", level) for level in ("samples", "classes"))
    gains = {level: log_gain(r.curve("linear", level)) for level in ("samples", "classes")}
    return {
        "C2": log_gain(samples),
        "C3": after_saturation(samples, classes),
        "C4 samples": -rise(gap(r, "samples")),
        "C4 classes": -rise(gap(r, "classes")),
        "C5": gains["classes"] - 2 * gains["samples"],
        "C6": near(np.exp(gains["samples"]), 1),
    }


def sign(values: Any) -> int:
    """Of an effect: +1, -1, or 0 where it settles nothing."""
    mean, width = np.mean(values), np.std(values, ddof=1) if np.ndim(values) else 0.0
    return int(mean > 2 * width) - int(mean < -2 * width)


def agreements(r: Study) -> dict[str, int]:
    """Of each effect: +1 where no setting says the opposite of the leading one, -1 where one does, 0 if it is open."""
    signs = {
        training: {name: sign(x) for name, x in picture(of_training(r, training)).items()} for training in SETTINGS
    }
    first = signs[SETTINGS[0]]
    found = {}
    for name, lead in first.items():
        products = [lead * signs[training][name] for training in SETTINGS[1:]]
        found[name] = -1 if least(products) < 0 else int(least(products) > 0)
    return found


@claim(
    "C59",
    title="The picture holds across methods, depths and widths",
    statement="C2 to C6, without superclasses, come to the same verdicts for VICReg and SimCLR, for five blocks and "
    "three, and for width 64 and 32.",
    source="abstract",
    kind="real data",
    expected="open",
)
def across_settings(run: Run) -> Verdict:
    return judged(
        run,
        agreements,
        needs=SETTINGS,
        raw=lambda r: {
            training: {name: sign(x) for name, x in picture(of_training(r, training)).items()} for training in SETTINGS
        },
    )


@claim(
    "C60",
    title="Several partitions of the data are clustered at once",
    statement="Clusters that k-means finds in another seed's features are told apart by the nearest centre in this "
    "seed's, on images of the test set, at least three times as often as shuffled labels, for at least three k.",
    source="after Dubois et al. 2022",
    kind="real data",
    expected="open",
)
def partitions(run: Run) -> Verdict:
    def third(r: Study) -> np.ndarray:
        """(S,) NCC less three times that of shuffled labels, at the k that is third best in the mean."""
        found = (r.array("partitions.ncc") - 3 * r.array("partitions.shuffled"))[:, -1]
        return found[:, np.argsort(found.mean(axis=0))[-3]]

    return judged(
        run,
        lambda r: {"third best": third(r)},
        arrays=("partitions.k",),
        raw=lambda r: {
            "k": r.array("partitions.k"),
            "untrained": r.array("partitions.ncc")[:, 0].mean(axis=0),
            "trained": r.array("partitions.ncc")[:, -1].mean(axis=0),
            "shuffled": r.array("partitions.shuffled")[:, -1].mean(axis=0),
        },
    )
