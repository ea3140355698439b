"""Do the eigenspaces align while a network trains (Fig. 2), and does Theorem 1 hold in it?

Theory: with weight decay Wp becomes symmetric (B68) and aligned with F (B70), its negative eigenvalues decay, and the
modes split into those that grow and those that die. Protocol: a linear predictor by gradient steps, with moving
average and weight decay, on fixed views; F of the projector's output, which batch statistics keep from being linear.
"""

from typing import Any

import numpy as np

from experiments.studies.ablations.evidence import Study, judged
from experiments.studies.ablations.statistics import Values
from linbyol.claims import Run, Verdict, claim

REST = 0.01  # share of the largest eigenvalue of Wp that a negative one may have


def along(r: Study, name: str) -> np.ndarray:
    """(S, t, …) of the run of the claim."""
    decay, slow = r.usual()
    return r.array(name, "regular", eta=decay, gamma_a=slow)


def moving(r: Study) -> tuple[Values, Values]:
    """How many of F's eigenvalues, in their order, grow between the first and the last measurement, and shrink."""
    change = along(r, "F")[:, -1] - along(r, "F")[:, 0]
    return (change > 0).sum(axis=1).astype(float), (change < 0).sum(axis=1).astype(float)


@claim(
    "B112",
    title="Fig. 2: alignment in training",
    statement="In training the eigenspaces of F and Wp align (mean cos(u_j, Wp u_j), weighted by F, above 0.9 and "
    "higher than at the start), Wp becomes more symmetric and positive semidefinite (least eigenvalue above -1 % of "
    "the largest), and the eigenvalues of F split into growing and shrinking ones; here of an MLP on the digits.",
    source="Fig. 2",
    kind="real data",
    expected="open",
)
def alignment(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Values]:
        cosine, asymmetry = along(r, "cosine"), along(r, "asymmetry")
        low, high = along(r, "Wp_min")[:, -1], along(r, "Wp_max")[:, -1]
        grow, shrink = moving(r)
        return {
            "cosine above 0.9": cosine[:, -1] - 0.9,
            "cosine rises": cosine[:, -1] - cosine[:, 0],
            "asymmetry falls": asymmetry[:, 0] - asymmetry[:, -1],
            "positive": low / high + REST,
            "some grow": grow - 1 / 2,
            "some shrink": shrink - 1 / 2,
        }

    def raw(r: Study) -> dict[str, Any]:
        names = ("cosine", "asymmetry", "commutator", "Wp_min", "Wp_max", "proportionality")
        curves = {name: np.round(along(r, name).mean(axis=0), 4) for name in names}
        grow, shrink = moving(r)
        return {"epoch": r.records["regular"].arrays["epoch"], **curves, "grow": grow.mean(), "shrink": shrink.mean()}

    return judged(run, effects, needs=("regular",), rows=lambda r: {"ridge": r.accuracy("regular", **at(r))}, raw=raw)


def at(r: Study) -> dict[str, float]:
    """Decay and moving average."""
    decay, slow = r.usual()
    return {"eta": decay, "gamma_a": slow}


@claim(
    "B10",
    title="Theorem 1 in a deep network",
    statement="In a real network the balance W Wᵀ + b bᵀ - WpᵀWp/α_p of the last projector layer (with bias) and a "
    "linear predictor decays as e^(-2ηt): after the first sixth of the training, whose steps are too large for a flow, "
    "its norm keeps within 2 % at η = 0, and falls over the second and third sixth at 2η within 10 %; here of an MLP "
    "on the digits, t = steps · lr/(1 - momentum), the second and third sixth at 40 % of the usual decay.",
    source="Theorem 1; derived",
    kind="real data",
    expected="open",
)
def last_layer(run: Run) -> Verdict:
    def norms(r: Study, place: int) -> np.ndarray:
        """(S, 7) at the same spacing in time."""
        _, slow = r.usual()
        return r.array("balance_norm", "regular", eta=r.levels("regular", "eta")[place], gamma_a=slow)

    def rate(r: Study) -> Values:
        """-d log ‖C‖/dt over 2η."""
        about = r.records["regular"].about
        o = about["config"]
        steps = about["images"][0] // o["run"]["batch"] * (about["epochs"][3] - about["epochs"][1])
        t = steps * o["optimiser"]["lr"] / (1 - o["optimiser"]["momentum"])
        C = norms(r, 1)
        return np.log(C[:, 1] / C[:, 3]) / (2 * r.levels("regular", "eta")[1] * t)

    def effects(r: Study) -> dict[str, Values]:
        kept = norms(r, 0)[:, 1:]
        return {
            "kept without decay": 0.02 - np.abs(kept / kept[:, :1] - 1).max(axis=1),
            "rate with decay": 0.1 - np.abs(rate(r) - 1),
        }

    return judged(
        run,
        effects,
        needs=("regular",),
        rows=lambda r: {},
        raw=lambda r: {
            "rate over 2η": rate(r),
            "first sixth, η = 0: ‖C‖ before": norms(r, 0)[:, 0].mean(),
            "after": norms(r, 0)[:, 1].mean(),
        },
    )
