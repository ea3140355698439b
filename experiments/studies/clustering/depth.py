"""What does each block cluster, and is the last one best (Fig. 5)?

Protocol: mean over pixels of every block's output, at each measured epoch; the projector is no block and is compared
with the encoder apart.
"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, judged, monotone, slope
from linbyol.claims import Run, Verdict, claim

SEMANTIC = ("classes", "superclasses")


def numbers(*quantities: str) -> Any:
    """Means over seeds by block, at the first and the last epoch."""

    def found(r: Study) -> dict[str, Any]:
        known = [t for t in SEMANTIC if t in r.records["vicreg"].about["targets"]]
        rows = {f"{q} of {t}": [r.depth(q, t, e).mean(axis=0) for e in (0, -1)] for q in quantities for t in known}
        return {"blocks": r.blocks(), "rows": "untrained, trained", **rows}

    return found


def up_to_best(depth: np.ndarray) -> np.ndarray:
    """(S, k): the blocks up to the one that is best in the mean, or the first two."""
    return depth[:, : np.clip(np.argmax(depth.mean(axis=0)), 1, None) + 1]


def with_training(r: Study, target: str) -> dict[str, np.ndarray]:
    """Of each block, what the linear accuracy gains from the untrained to the trained network."""
    change = r.depth("linear", target, -1) - r.depth("linear", target, 0)
    return {f"{layer}, {target}": change[:, b] for b, layer in enumerate(r.blocks())}


def ratio(r: Study, epoch: int = -1) -> np.ndarray:
    """(S, blocks) linear accuracy on superclasses over that on classes."""
    return r.depth("linear", "superclasses", epoch) / r.depth("linear", "classes", epoch)


@claim(
    "C20",
    title="Linear accuracy improves with depth, and with training at every layer",
    statement="After training the linear accuracy on classes and on superclasses is monotone in depth up to the best "
    "block, and at every block it is above that of the untrained network.",
    source="Fig. 5 left, middle",
    kind="real data",
    expected="open",
)
def improves_with_depth(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: (
            {f"depth, {target}": monotone(up_to_best(r.depth("linear", target))) for target in SEMANTIC}
            | with_training(r, "classes")
            | with_training(r, "superclasses")
        ),
        targets=SEMANTIC,
        raw=numbers("linear"),
    )


@claim(
    "C21",
    title="For the original classes the last layer is not optimal",
    statement="After training the best block by linear accuracy on the classes lies before the last, by more than the "
    "spread of the difference.",
    source="Fig. 5 left",
    kind="real data",
    expected="open",
)
def last_is_not_best(run: Run) -> Verdict:
    def lead(r: Study) -> np.ndarray:
        depth = r.depth("linear", "classes")
        best = int(np.argmax(depth.mean(axis=0)[:-1]))
        return depth[:, best] - depth[:, -1]

    return judged(run, lambda r: {"best of the others - last": lead(r)}, raw=numbers("linear"))


@claim(
    "C22",
    title="The superclass over class accuracy varies with depth",
    statement="After training the ratio of the linear accuracies on superclasses and on classes differs between the "
    "blocks: its largest and its smallest mean over seeds lie more than 2 spreads of their difference apart.",
    source="Fig. 5 right; no sign is claimed",
    kind="real data",
    expected="open",
)
def hierarchy_varies(run: Run) -> Verdict:
    def range_of(r: Study) -> np.ndarray:
        found = ratio(r)
        order = np.argsort(found.mean(axis=0))
        return found[:, order[-1]] - found[:, order[0]]

    return judged(
        run,
        lambda r: {"largest - smallest": range_of(r)},
        targets=SEMANTIC,
        raw=lambda r: {"blocks": r.blocks(), "untrained": ratio(r, 0).mean(axis=0), "trained": ratio(r).mean(axis=0)},
    )


@claim(
    "C57",
    title="Clustering grows with depth, more strongly as training proceeds",
    statement="After training the test NCC of the classes rises with the block and their log CDNV falls (least-squares "
    "slopes over the blocks), and both slopes are steeper than in the untrained network.",
    source="Introduction; section on layers",
    kind="real data",
    expected="open",
)
def grows_with_depth(run: Run) -> Verdict:
    def slopes(r: Study, epoch: int) -> dict[str, np.ndarray]:
        ncc, cdnv = r.depth("ncc_test", "classes", epoch), r.depth("cdnv", "classes", epoch)
        return {"NCC rises": slope(ncc), "CDNV falls": -slope(np.log(cdnv))}

    return judged(
        run,
        lambda r: slopes(r, -1) | {f"{name}, steeper": x - slopes(r, 0)[name] for name, x in slopes(r, -1).items()},
        raw=numbers("ncc_test", "cdnv"),
    )


@claim(
    "L32",
    title="The encoder's output clusters classes better than the projector's",
    statement="After training the test NCC and the linear accuracy on the classes are higher in the encoder's output "
    "than behind the projector.",
    source="arXiv 2501.18452, which builds on this paper",
    kind="real data",
    expected="open",
)
def encoder_over_projector(run: Run) -> Verdict:
    def over(r: Study, quantity: str) -> np.ndarray:
        return (r.curve(quantity, "classes") - r.curve(quantity, "classes", layer="projector"))[:, -1]

    return judged(
        run,
        lambda r: {quantity: over(r, quantity) for quantity in ("ncc_test", "linear")},
        raw=lambda r: {
            quantity: [r.curve(quantity, "classes", layer)[:, -1].mean() for layer in ("", "projector")]
            for quantity in ("ncc_test", "linear")
        },
    )
