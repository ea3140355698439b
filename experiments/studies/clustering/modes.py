"""Do the modes that the linear theory lets grow carry the classes, and when?

Protocol: BYOL and DirectPred with a linear predictor; F = E z zᵀ of the projector's output on views of training images.
In the linear theory a mode has λ_d (shared by two views) and λ_s (of one view): it grows where
2 p (τ λ_d - λ_s p) exceeds 2η (Eqs. 12 and 16), so at equal p the modes with a large λ_d/λ_s are let grow. In a network
this ratio is measured along the eigenvectors of F, as is the share of each mode's variance that lies between classes.
"""

from typing import Any

import numpy as np
from scipy.stats import rankdata

from experiments.studies.clustering.evidence import Study, judged
from linbyol.claims import Run, Verdict, claim

METHODS = ("byol", "directpred")


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(S,) Spearman's correlation over modes of (S, d) and (S, d)."""
    ranks = [np.apply_along_axis(rankdata, 1, x) for x in (a, b)]
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(*ranks, strict=True)])


def growth(r: Study, method: str, epoch: int, later: int) -> np.ndarray:
    """(S, d) log of u_jᵀ F(t′) u_j over s_j with the eigenvectors of t."""
    grown = r.array("modes.grown", method)[:, epoch]
    return np.log(grown[:, later] / grown[:, epoch])


def predicted(r: Study, method: str) -> np.ndarray:
    """(S,) rank correlation of λ_d/λ_s at epoch 0 with what the untrained network's modes grow to."""
    return rank_correlation(r.array("modes.shared", method)[:, 0], growth(r, method, 0, -1))


def carried(r: Study, method: str, epoch: int) -> np.ndarray:
    """(S,) rank correlation of λ_d/λ_s with the classes' share, over the modes at an epoch."""
    return rank_correlation(r.array("modes.shared", method)[:, epoch], r.array("modes.classes", method)[:, epoch])


def weighted_share(r: Study, method: str) -> np.ndarray:
    """(S, E) the classes' share of the variance, each mode weighted by its eigenvalue."""
    s, share = r.array("modes.F", method), r.array("modes.classes", method)
    return np.sum(s * share, axis=2) / np.sum(s, axis=2)


def numbers(r: Study) -> dict[str, Any]:
    """By epoch, means over seeds."""
    found: dict[str, Any] = {"epochs": r.epochs(METHODS[0])}
    for method in METHODS:
        epochs = range(len(r.epochs(method)))
        found[method] = {
            "classes' share of the variance": weighted_share(r, method).mean(axis=0),
            "correlation of λ_d/λ_s and classes' share": [carried(r, method, e).mean() for e in epochs],
        }
    return found


@claim(
    "L33",
    title="The modes that views share are those that grow",
    statement="Over the eigenmodes of the untrained network's F, λ_d/λ_s has a positive rank correlation with the "
    "growth of each mode through training, in BYOL and in DirectPred.",
    source="Eqs. 12 and 16, beyond the linear model",
    kind="real data",
    expected="open",
)
def shared_modes_grow(run: Run) -> Verdict:
    return judged(run, lambda r: {m: predicted(r, m) for m in METHODS}, needs=METHODS, raw=numbers)


@claim(
    "L34",
    title="The modes that views share carry the classes",
    statement="After training λ_d/λ_s of a mode has a positive rank correlation with the share of its variance that "
    "lies between the classes, in BYOL and in DirectPred.",
    source="joins the linear theory to what representations cluster",
    kind="real data",
    expected="open",
)
def shared_modes_carry(run: Run) -> Verdict:
    return judged(run, lambda r: {m: carried(r, m, -1) for m in METHODS}, needs=METHODS, raw=numbers)


@claim(
    "L35",
    title="As its modes grow, the classes' share of the variance rises",
    statement="The share of the variance of z between the classes, modes weighted by their eigenvalues, is larger "
    "after training than before, in BYOL and in DirectPred.",
    source="joins the linear theory to what representations cluster",
    kind="real data",
    expected="open",
)
def share_rises(run: Run) -> Verdict:
    return judged(
        run,
        lambda r: {m: weighted_share(r, m)[:, -1] - weighted_share(r, m)[:, 0] for m in METHODS},
        needs=METHODS,
        raw=numbers,
    )
