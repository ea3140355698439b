"""Which part of the loss falls while a network learns: the invariance or the regularisation (Fig. 3)?

Protocol: the terms of the loss in training, weighted, means over a few batches at a time, from the first to the last.
VICReg's paper and its released code differ by d in the invariance and by 2 in the variance; training follows the code,
and the terms of the paper's convention are d and 2 times those of the code at each step, so both splits are exact. In
Barlow Twins Σ (1 - C_ii)² is the invariance, the redundancy the regularisation. BYOL has no regulariser: the loss
without its predictor, 2 - 2 cos(z, z′), plays the invariance, the rest the regulariser.
"""

from typing import Any

import numpy as np

from experiments.studies.clustering.evidence import Study, judged
from linbyol.claims import Run, Verdict, claim

CONVENTIONS = ("code", "paper")
SATURATED = 0.95


def terms(r: Study, convention: str, training: str = "vicreg") -> dict[str, np.ndarray]:
    """Invariance, variance, covariance (S, t) in a convention, from those of the released code."""
    d = r.records[training].about["config"]["projector"]["widths"][-1]
    factors = {"invariance": d, "variance": 2, "covariance": 1} if convention == "paper" else {}
    names = ("invariance", "variance", "covariance")
    return {name: factors.get(name, 1) * r.array(f"loss.{name}", training) for name in names}


def shares(parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each term (S,), its decrease over the total's, nan where the total does not fall."""
    falls = {name: x[:, 0] - x[:, -1] for name, x in parts.items()}
    total = sum(falls.values(), np.zeros(1))
    return {name: np.where(total > 0, fall / np.where(total > 0, total, 1), np.nan) for name, fall in falls.items()}


def correlation(r: Study, term: np.ndarray) -> np.ndarray:
    """(S,) of a term (S, t) with the linear accuracy on classes, over the epochs that are measured, without 0."""
    accuracy, epochs = r.curve("linear", "classes")[:, 1:], r.epochs()[1:]
    logged = r.array("loss.epoch")
    pairs = [(np.interp(epochs, logged, one), a) for one, a in zip(term, accuracy, strict=True)]
    return np.array([np.corrcoef(*pair)[0, 1] for pair in pairs])


def saturation(at: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """(S,) where a curve (S, t) has first made 95 % of its whole change."""
    change = (curve - curve[:, :1]) / (curve[:, -1:] - curve[:, :1])
    return at[np.argmax(change >= SATURATED, axis=1)]


def numbers(r: Study) -> dict[str, Any]:
    """First and last values and shares of the terms, in both conventions."""
    found = {}
    for convention in CONVENTIONS:
        parts = terms(r, convention)
        found[convention] = {name: [x[:, 0].mean(), x[:, -1].mean()] for name, x in parts.items()}
        found[f"shares, {convention}"] = shares(parts)
    return found


def invariance_shares(r: Study) -> dict[str, np.ndarray]:
    """The share of the decrease that is the invariance's, by convention."""
    return {convention: shares(terms(r, convention))["invariance"] for convention in CONVENTIONS}


def regularisation(r: Study) -> np.ndarray:
    """(S, t), weighted; the code's convention."""
    parts = terms(r, "code")
    return parts["variance"] + parts["covariance"]


@claim(
    "C7",
    title="The invariance loss does not improve much",
    statement="In VICReg less than half of the decrease of the loss is due to the weighted invariance term, in the "
    "convention of the released code and in that of the paper.",
    source="Fig. 3",
    kind="real data",
    expected="open",
)
def invariance_stays(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {f"1/2 - share, {name}": 1 / 2 - share for name, share in invariance_shares(r).items()},
        raw=numbers,
    )


@claim(
    "C8",
    title="The gain comes from the regularisation loss",
    statement="More than half of the decrease is due to variance and covariance in both conventions, and the "
    "correlation of the linear accuracy with the regularisation is more negative than with the invariance.",
    source="Fig. 3",
    kind="real data",
    expected="open",
)
def gain_is_regularisation(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: (
            {f"share - 1/2, {name}": 1 / 2 - share for name, share in invariance_shares(r).items()}
            | {
                "correlations": correlation(r, terms(r, "code")["invariance"]) - correlation(r, regularisation(r)),
            }
        ),
        raw=numbers,
    )


@claim(
    "C9",
    title="Invariance saturates before semantic accuracy",
    statement="The invariance loss has made 95 % of its change at an earlier epoch than the linear accuracy on the "
    "classes.",
    source="Fig. 3",
    kind="real data",
    expected="open",
)
def invariance_saturates(run: Run) -> Verdict:
    def when(r: Study) -> tuple[np.ndarray, np.ndarray]:
        accuracy = saturation(r.epochs(), r.curve("linear", "classes"))
        return accuracy, saturation(r.array("loss.epoch"), r.array("loss.invariance"))

    return judged(
        run,
        lambda r: {"epochs between": when(r)[0] - when(r)[1]},
        raw=lambda r: dict(zip(("accuracy saturates", "invariance saturates"), when(r), strict=True)),
    )


@claim(
    "C24",
    title="Opposite view: only the invariance loss falls",
    statement="The invariance term makes more than half of the decrease in both conventions, and the covariance term "
    "changes by less than a tenth of it.",
    source="facebookresearch/vicreg, issue 14",
    kind="real data",
    expected="open",
)
def only_invariance(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: (
            {f"share - 1/2, {name}": share - 1 / 2 for name, share in invariance_shares(r).items()}
            | {"covariance is stable": 0.1 - np.abs(shares(terms(r, "code"))["covariance"])}
        ),
        raw=numbers,
    )


@claim(
    "L29",
    title="In Barlow Twins the redundancy falls more than the invariance",
    statement="Of the decrease of the loss of Barlow Twins more than half is that of the weighted redundancy, "
    "λ Σ_{i≠j} C_ij², and not of the invariance, Σ (1 - C_ii)².",
    source="Fig. 3, for another method",
    kind="real data",
    expected="open",
)
def barlow_split(run: Run) -> Verdict:
    return _split(run, "barlow", ("invariance", "redundancy"))


@claim(
    "L30",
    title="In SimCLR the spread falls more than the alignment",
    statement="Of the decrease of NT-Xent, -mean(sim₊)/τ and the log-sum-exp apart, more than half is that of the "
    "log-sum-exp.",
    source="Fig. 3, for another method",
    kind="real data",
    expected="open",
)
def simclr_split(run: Run) -> Verdict:
    return _split(run, "simclr", ("alignment", "spread"))


@claim(
    "L31",
    title="In BYOL the predictor takes the regulariser's part",
    statement="In BYOL with a linear predictor the loss that there would be without the predictor, 2 - 2 cos(z, z′), "
    "makes less than half of the decrease of the loss; what the predictor removes makes the rest.",
    source="Fig. 3, joined to the linear theory of BYOL",
    kind="real data",
    expected="open",
)
def byol_split(run: Run) -> Verdict:
    def parts(r: Study) -> dict[str, np.ndarray]:
        split = r.array("modes.split", "byol")
        return {"without predictor": split[:, :, 1], "predictor": split[:, :, 2]}

    return judged(
        run,
        lambda r: {"share - 1/2": shares(parts(r))["predictor"] - 1 / 2},
        needs=("byol",),
        raw=lambda r: {name: x.mean(axis=0) for name, x in parts(r).items()} | {"shares": shares(parts(r))},
    )


def _split(run: Run, training: str, names: tuple[str, str]) -> Verdict:
    """Whether the second term of a training's loss makes more than half of the decrease."""
    parts = lambda r: {name: r.array(f"loss.{name}", training) for name in names}  # noqa: E731
    return judged(
        run,
        lambda r: {"share - 1/2": shares(parts(r))[names[1]] - 1 / 2},
        needs=(training,),
        raw=lambda r: {name: [x[:, 0].mean(), x[:, -1].mean()] for name, x in parts(r).items()} | shares(parts(r)),
    )
