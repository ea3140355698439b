"""Does training help random targets, and at which layer (Fig. 4)?

Protocol: three families of targets of graded randomness, 1 - agreement with the truth on train: labels of a supervised
network at an epoch ("argmax"), the same of standardised logits ("even"), and i.i.d. noise in the true labels. Labels of
an untrained network are a smooth function of the image, and few classes occur, so accuracy on them is high from the
start: their entropy and majority stand beside it.
"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, judged, log_gain, monotone, near, slope
from linbyol.claims import Run, Verdict, claim

FAMILIES = ("argmax", "noise")
HARDEST = {"argmax": "argmax 0", "even": "even 0", "noise": "noise 1"}
RATIOS = ("ncc_train", "ncc_test", "linear", "cdnv")
TARGETS = tuple(HARDEST.values())


def gains(r: Study, kind: str) -> np.ndarray:
    """(S, k) gain of the linear accuracy, the most random targets first."""
    found = [np.exp(log_gain(r.curve("linear", name))) for name, _ in reversed(r.family(kind))]
    return np.stack(found, axis=1)


def by_layer(r: Study, kind: str) -> np.ndarray:
    """(S, blocks, k) linear accuracy at the last epoch, the most random targets first."""
    return np.stack([r.depth("linear", name) for name, _ in reversed(r.family(kind))], axis=2)


def ratio(r: Study, quantity: str) -> np.ndarray:
    """(S, E) value on the classes over that on labels that are noise; inverted for CDNV, where small is good."""
    semantic, random = (r.curve(quantity, name) for name in ("classes", "noise 1"))
    return random / semantic if quantity == "cdnv" else semantic / random


def numbers(r: Study) -> dict[str, Any]:
    """Of each target set: randomness, entropy, majority, classes, and accuracies before and after."""
    rows = {}
    record = r.records["vicreg"]
    for kind in HARDEST:
        for name, randomness in r.family(kind):
            t = record.axis("targets", name)
            of = lambda what: float(r.array(f"target_{what}")[:, t].mean())  # noqa: B023, E731
            ends = lambda what: r.curve(what, name).mean(axis=0)[[0, -1]]  # noqa: B023, E731
            rows[name] = [randomness, of("entropy"), of("majority"), of("classes"), *ends("linear"), *ends("balanced")]
    columns = "randomness, entropy (nats), majority, classes, linear before and after, balanced before and after"
    return {"target_columns": columns, "targets": rows}


def judged_on_targets(run: Run, effects: Any) -> Verdict:
    """Of the training that has random targets."""
    return judged(run, effects, targets=TARGETS, raw=numbers)


@claim(
    "C14",
    title="Training helps targets near the semantic ones",
    statement="The gain of the linear accuracy through training falls monotonically with the targets' randomness, for "
    "labels of a network and for noise.",
    source="Fig. 4 left",
    kind="real data",
    expected="open",
)
def helps_semantic(run: Run) -> Verdict:
    return judged_on_targets(run, lambda r: {kind: monotone(gains(r, kind)) for kind in FAMILIES})


@claim(
    "C15",
    title="No significant gain on random targets",
    statement="The gain on the most random targets is within 2 spreads of 1: labels of the untrained network, as they "
    "are and of standardised logits, and noise.",
    source="Fig. 4 left",
    kind="real data",
    expected="open",
)
def random_stays(run: Run) -> Verdict:
    return judged_on_targets(
        run, lambda r: {name: near(np.exp(log_gain(r.curve("linear", name))), 1) for name in TARGETS}
    )


@claim(
    "C16",
    title="Accuracy rises as randomness falls, at every layer",
    statement="After training the linear accuracy is monotone in the targets' randomness at every block, for labels of "
    "a network and for noise.",
    source="Fig. 4 middle",
    kind="real data",
    expected="open",
)
def every_layer(run: Run) -> Verdict:
    return judged_on_targets(
        run,
        lambda r: {
            f"{kind}, {layer}": monotone(by_layer(r, kind)[:, b])
            for kind in FAMILIES
            for b, layer in enumerate(r.blocks())
        },
    )


@claim(
    "C17",
    title="Deep layers are best, and the gap widens toward semantic targets",
    statement="After training the last block is at least as good as the first at each randomness, and the difference "
    "grows as randomness falls, for labels of a network and for noise.",
    source="Fig. 4 middle",
    kind="real data",
    expected="open",
)
def deep_is_best(run: Run) -> Verdict:
    gap = lambda r, kind: by_layer(r, kind)[:, -1] - by_layer(r, kind)[:, 0]  # noqa: E731
    return judged_on_targets(
        run,
        lambda r: (
            {f"deep - shallow, least random {kind}": gap(r, kind)[:, -1] for kind in FAMILIES}
            | {f"gap grows, {kind}": monotone(gap(r, kind)) for kind in FAMILIES}
        ),
    )


@claim(
    "C18",
    title="Semantic over random grows in training",
    statement="NCC on train and test, linear accuracy and inverted CDNV, each on the classes over its value on labels "
    "that are noise, have a positive slope over the measured epochs.",
    source="Fig. 4 right; that CDNV is inverted is not confirmed",
    kind="real data",
    expected="open",
)
def ratios_grow(run: Run) -> Verdict:
    return judged_on_targets(run, lambda r: {quantity: slope(ratio(r, quantity)) for quantity in RATIOS})


@claim(
    "C19",
    title="Labels of a network at epoch 0 look random, and converge to the true ones",
    statement="The agreement of a supervised network's labels with the truth starts below a quarter, rises "
    "monotonically over the epochs on train and on test, and ends above 0.99 on train.",
    source="Section on random targets",
    kind="real data",
    expected="open",
)
def labels_converge(run: Run) -> Verdict:
    def agreement(r: Study, test: bool) -> np.ndarray:
        record = r.records["vicreg"]
        places = [record.axis("targets", f"argmax {epoch}") for epoch in record.about["epochs"]]
        return r.array("agreement_test")[:, places] if test else 1 - r.array("target_randomness")[:, places]

    return judged(
        run,
        lambda r: {
            "random at first": 0.25 - agreement(r, False)[:, 0],
            "rises on train": monotone(agreement(r, False)),
            "rises on test": monotone(agreement(r, True)),
            "true at last": agreement(r, False)[:, -1] - 0.99,
        },
        targets=TARGETS,
        raw=lambda r: numbers(r) | {"train": agreement(r, False).mean(axis=0), "test": agreement(r, True).mean(axis=0)},
    )
