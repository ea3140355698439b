"""Do supervised networks cluster classes as self-supervised ones do (Fig. 3, bars)?

Protocol: the same encoder, trained by cross-entropy on images as they are, by cross-entropy on augmented ones, and by
VICReg; NCC of the classes in the encoder's output, images as they are, centres from train.
"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, at_least, judged, log_gain
from linbyol.claims import Run, Verdict, claim

KINDS = ("supervised", "supervised_augmented", "vicreg")


def last(r: Study, quantity: str, training: str) -> np.ndarray:
    """(S,) at the last epoch, classes."""
    return r.curve(quantity, "classes", training=training)[:, -1]


def numbers(r: Study) -> dict[str, Any]:
    """Train and test NCC of each kind, untrained and trained."""
    curve = lambda kind, quantity: r.curve(quantity, "classes", training=kind).mean(axis=0)[[0, -1]]  # noqa: E731
    return {kind: {q: curve(kind, q) for q in ("ncc_train", "ncc_test", "linear")} for kind in KINDS}


@claim(
    "C11",
    title="Supervised networks cluster train samples by class",
    statement="Train NCC of a supervised network is far above that of a self-supervised one: its log-gain over the "
    "untrained network is at least twice as large.",
    source="Fig. 3; that the value is 1.0 is not confirmed",
    kind="real data",
    expected="open",
)
def supervised_clusters(run: Run) -> Verdict:
    gain = lambda r, kind: log_gain(r.curve("ncc_train", "classes", training=kind))  # noqa: E731
    return judged(
        run,
        lambda r: {
            "above": last(r, "ncc_train", "supervised") - last(r, "ncc_train", "vicreg"),
            "gain over twice the other's": gain(r, "supervised") - 2 * gain(r, "vicreg"),
        },
        needs=KINDS,
        raw=numbers,
    )


@claim(
    "C12",
    title="Self-supervised test NCC is at least the supervised one",
    statement="Test NCC of the classes after VICReg is above or equal, within a spread, to that after supervised "
    "training without augmentation.",
    source="Fig. 3; not confirmed",
    kind="real data",
    expected="open",
)
def ordering_on_test(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {"ssl - supervised": at_least(last(r, "ncc_test", "vicreg") - last(r, "ncc_test", "supervised"))},
        needs=KINDS,
        raw=numbers,
    )


@claim(
    "C13",
    title="Augmentation costs supervised train NCC a little, and gives test NCC much",
    statement="With augmentation the supervised train NCC is lower, the test NCC higher, and it rises by more than "
    "train falls.",
    source="Fig. 3; not confirmed",
    kind="real data",
    expected="open",
)
def augmentation(run: Run) -> Verdict:
    change = lambda r, q: last(r, q, "supervised_augmented") - last(r, q, "supervised")  # noqa: E731
    return judged(
        run,
        lambda r: {
            "train falls": -change(r, "ncc_train"),
            "test rises": change(r, "ncc_test"),
            "by more": change(r, "ncc_test") + change(r, "ncc_train"),
        },
        needs=KINDS,
        raw=numbers,
    )
