"""Does the regulariser, meant to prevent collapse, improve semantic alignment?

Protocol: VICReg with the weight of its variance term at 25 and at 5, 1 and 0.2, all else equal; short of collapse means
that the embeddings' RankMe stays above 2.
"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, judged
from linbyol.claims import Run, Verdict, claim
from linbyol.extremes import every

NEEDS = ("vicreg", "weaker")
COLLAPSED = 2.0


def by_weight(r: Study, quantity: str) -> dict[float, np.ndarray]:
    """Of each weight, falling, a quantity of the classes at the last epoch (S,)."""
    lanes = r.records["weaker"].about["lanes"]
    last = r.curve(quantity, "classes", training="weaker")[:, -1]
    weights = np.array([lane["variance"] for lane in lanes])
    found = {25.0: r.curve(quantity, "classes")[:, -1]}
    return found | {float(weight): last[weights == weight] for weight in sorted(set(weights), reverse=True)}


def ranks(r: Study) -> dict[float, np.ndarray]:
    """RankMe behind the projector by weight."""
    weights = np.array([lane["variance"] for lane in r.records["weaker"].about["lanes"]])
    found = {25.0: r.array("rankme")[:, -1, -1]}
    last = r.array("rankme", "weaker")[:, -1, -1]
    return found | {float(weight): last[weights == weight] for weight in sorted(set(weights), reverse=True)}


def falls(r: Study, quantity: str) -> dict[str, np.ndarray]:
    """What each weaker regulariser loses against the full one, where it does not collapse."""
    found = by_weight(r, quantity)
    kept = [weight for weight, rank in ranks(r).items() if weight < 25 and every(rank > COLLAPSED)]
    return {f"{quantity}, 25 over {weight:g}": found[25.0] - found[weight] for weight in kept}


def numbers(r: Study) -> dict[str, Any]:
    """Accuracies, NCC and rank by weight."""
    return {q: {f"{w:g}": x for w, x in by_weight(r, q).items()} for q in ("linear", "ncc_test")} | {
        "rankme": {f"{w:g}": x for w, x in ranks(r).items()}
    }


@claim(
    "C23",
    title="Regularisation improves semantic alignment",
    statement="The linear accuracy on the classes falls when the variance term of VICReg is weakened five, 25 or 125 "
    "times, wherever the embeddings do not collapse (RankMe above 2).",
    source="closing claim",
    kind="real data",
    expected="open",
)
def weaker_is_worse(run: Run) -> Verdict:
    return judged(run, lambda r: falls(r, "linear"), needs=NEEDS, raw=numbers)
