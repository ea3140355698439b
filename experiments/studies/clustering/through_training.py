"""Do samples, classes and superclasses cluster, and in which order (Figs. 1 and 2)?

Protocol: features of the encoder's output (`experiments/clustering/measuring.py`); samples are training images, a class
each, on views for training and on fresh ones for the test. Normalised curves divide by the untrained network, which is
far above chance, so the raw values stand beside them.
"""

from typing import Any

import numpy as np

from experiments.clustering.measuring import LEVELS
from experiments.studies.clustering.evidence import Study, judged, log_gain, near, rise
from linbyol.claims import Run, Verdict, claim

ALL = ("samples", "classes", "superclasses")
REACHED = 0.95


def raw(quantity: str) -> Any:
    """Means over seeds of a quantity at each epoch and level."""

    def numbers(r: Study) -> dict[str, Any]:
        known = [t for t in ALL if t in r.records["vicreg"].about["targets"]]
        found = {t: np.round(r.curve(quantity, t).mean(axis=0), 4) for t in known}
        return {"epochs": r.epochs(), quantity: found}

    return numbers


def silhouette(r: Study, level: str) -> np.ndarray:
    """(S, E)"""
    return r.array("silhouette")[:, :, LEVELS.index(level)]


def after_saturation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What the second curve (S, E) still gains after the first reached 95 % of its final value."""
    reached = np.argmax(first >= REACHED * first[:, -1:], axis=1)
    return second[:, -1] - second[np.arange(len(second)), reached]


def gap(r: Study, level: str) -> np.ndarray:
    """|1 - NCC/linear| on the test set, (S, E)."""
    return np.abs(1 - r.curve("ncc_test", level) / r.curve("linear", level))


@claim(
    "C1",
    title="Clusters appear at the levels of samples, classes and superclasses",
    statement="From the untrained to the trained network the silhouette and the test accuracy of the nearest class "
    "centre both rise at all three levels.",
    source="Fig. 1",
    kind="real data",
    expected="open",
)
def three_levels(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: (
            {f"silhouette of {level}": rise(silhouette(r, level)) for level in ALL}
            | {f"NCC of {level}": log_gain(r.curve("ncc_test", level)) for level in ALL}
        ),
        targets=ALL,
        raw=raw("ncc_test"),
    )


@claim(
    "C2",
    title="Augmented samples cluster around their image mean",
    statement="NCC accuracy on the training views of the sample level rises: NCC(T)/NCC(0) > 1.",
    source="Fig. 2 left",
    kind="real data",
    expected="open",
)
def samples_cluster(run: Run) -> Verdict:
    return judged(
        run, lambda r: {"log gain of samples": log_gain(r.curve("ncc_train", "samples"))}, raw=raw("ncc_train")
    )


@claim(
    "C3",
    title="Semantic clustering follows later",
    statement="NCC train accuracy of the classes still rises after that of the samples, which rises, has reached 95 % "
    "of its final value.",
    source="Fig. 2 left",
    kind="real data",
    expected="open",
)
def semantic_later(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {
            "samples rise": rise(r.curve("ncc_train", "samples")),
            "classes after samples": after_saturation(r.curve("ncc_train", "samples"), r.curve("ncc_train", "classes")),
        },
        raw=raw("ncc_train"),
    )


@claim(
    "C4",
    title="The gap between NCC and linear accuracy narrows",
    statement="|1 - NCC/linear|, both on the test set, falls from the untrained to the trained network for "
    "sample-level and original targets.",
    source="Fig. 2 middle",
    kind="real data",
    expected="open",
)
def gap_narrows(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {f"gap closed for {level}": -rise(gap(r, level)) for level in ("samples", "classes")},
        raw=lambda r: raw("ncc_test")(r) | raw("linear")(r),
    )


@claim(
    "C5",
    title="Linear accuracy improves much for classes and superclasses",
    statement="The log-gain of the linear test accuracy on classes and on superclasses is at least twice that on "
    "samples, and positive.",
    source="Fig. 2 right",
    kind="real data",
    expected="open",
)
def semantic_gains(run: Run) -> Verdict:
    gain = lambda r, level: log_gain(r.curve("linear", level))  # noqa: E731
    return judged(
        run,
        lambda r: (
            {level: gain(r, level) for level in ("classes", "superclasses")}
            | {
                f"{level} beyond samples": gain(r, level) - 2 * gain(r, "samples")
                for level in ("classes", "superclasses")
            }
        ),
        targets=ALL,
        raw=raw("linear"),
    )


@claim(
    "C6",
    title="Sample-level linear accuracy does not improve much",
    statement="Linear test accuracy on samples, over its value in the untrained network, is within 2 spreads of 1.",
    source="Fig. 2 right",
    kind="real data",
    expected="open",
)
def samples_stay(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {"gain near 1": near(np.exp(log_gain(r.curve("linear", "samples"))), 1)},
        raw=lambda r: raw("linear")(r) | {"gain": np.exp(log_gain(r.curve("linear", "samples")))},
    )


@claim(
    "C35",
    title="An untrained network clusters far above chance",
    statement="NCC test accuracy at initialisation is more than 2.5 times chance for samples, classes and "
    "superclasses alike, so that a curve divided by its start is capped from the beginning.",
    source="derived",
    kind="real data",
    expected="open",
)
def far_above_chance(run: Run) -> Verdict:
    def over(r: Study, level: str) -> np.ndarray:
        record = r.records["vicreg"]
        sizes = {"samples": record.about["samples"][0], "classes": 100, "superclasses": 20}
        return r.curve("ncc_test", level)[:, 0] * sizes[level]

    return judged(
        run,
        lambda r: {f"{level} over chance": over(r, level) - 2.5 for level in ALL},
        targets=ALL,
        raw=raw("ncc_test"),
    )
