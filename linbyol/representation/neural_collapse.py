"""NC1 to NC5: how near class means and classifier are to neural collapse; 0 is collapse in each."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError, check_choice
from linbyol.representation.centres import coinciding, squared_distances
from linbyol.representation.class_statistics import ClassStatistics, of
from linbyol.representation.features import comparable, feature_rows, label_column, whole
from linbyol.representation.nearest_centre import ncc_classify
from linbyol.representation.projections import Span, all_along, floor, span
from linbyol.representation.variability import alone


class NC2(NamedTuple):
    """How far the centred class means are from a simplex ETF."""

    equinorm: float  # standard deviation over mean of ‖μ_c - μ_G‖
    equiangular: float  # mean over pairs of |cos(μ_i - μ_G, μ_j - μ_G) + 1/(C - 1)|


def nc1(h: Any, labels: Any = None, *, form: str = "pinv") -> float:
    """Within-class scatter against that of the class means; h (N, d), labels (N,). 0 is collapse.

    S_W is the within-class scatter over N, S_B that of the means of the classes present around the mean of ALL samples
    over C. form="pinv": tr(S_W S_B⁺)/C, the pseudo-inverse cut at rank C - 1 and at what rounding leaves. form="svd":
    the same number from the (d, d) matrices, which costs N d² (or statistics with scatter). form="quotient":
    tr S_W/tr S_B, from statistics alone. ∞ if two means coincide; NaN, with a warning, with fewer than two classes.
    """
    check_choice("form", form, FORMS)
    found = of(h, labels, scatter=form == "svd")
    if alone(found, "NC1"):
        return float("nan")
    if coinciding(found, squared_distances(found.means)).any():
        return float("inf")
    return FORMS[form](found, h, labels)


def _pinv(found: ClassStatistics, h: Any, labels: Any) -> float:
    if isinstance(h, ClassStatistics):
        return _svd(found, h, labels)
    to, sums = all_along(h, labels, found)
    return from_span(found, to, sums.within)


def _svd(found: ClassStatistics, h: Any, labels: Any) -> float:
    if found.scatter is None:
        raise InputError('Argument `form` must be "quotient" for statistics without scatter, but is not.')
    to = span(found)
    return from_span(found, to, np.einsum("dr,dr->r", to.directions, found.scatter @ to.directions))


def from_span(found: ClassStatistics, to: Span, within: Float[np.ndarray, " r"]) -> float:
    """tr(S_W S_B⁺)/C from the within-class squares along the directions of the span."""
    kept = to.sizes > floor(found)
    return float(np.sum(within[kept] / to.sizes[kept] ** 2) / found.samples)


def _quotient(found: ClassStatistics, h: Any, labels: Any) -> float:
    C = len(found.labels)
    return float(found.within.sum() / found.samples / (np.sum((found.means - found.mean) ** 2) / C))


FORMS: dict[str, Callable[[ClassStatistics, Any, Any], float]] = {"pinv": _pinv, "svd": _svd, "quotient": _quotient}


def nc2(h: Any, labels: Any = None) -> NC2:
    """Equal norms and equal angles of the class means around the mean of all samples; both 0 for a simplex ETF.

    h (N, d) with labels (N,), or `ClassStatistics`. NaN, with a warning, with fewer than two classes.
    """
    found = of(h, labels)
    if alone(found, "NC2"):
        return NC2(float("nan"), float("nan"))
    centred = found.means - found.mean
    norms = np.linalg.norm(centred, axis=1)
    _warn_of_zeros("NC2", norms)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = centred / norms[:, None]
        cosines = (unit @ unit.T)[np.triu_indices(len(norms), 1)]
        return NC2(float(np.std(norms) / np.mean(norms)), float(np.mean(np.abs(cosines + 1 / (len(norms) - 1)))))


def nc3(h: Any, labels: Any = None, *, weights: Any) -> float:
    """Self-duality: ‖A/‖A‖ - M/‖M‖‖ (Frobenius) for weights A (C, d), in the order of the sorted labels, and the
    centred class means M (C, d); 0 where the classifier's weights are the class means up to scale, 2 at most.
    """
    found = of(h, labels)
    A = whole("weights", feature_rows("weights", weights))
    M = found.means - found.mean
    if A.shape != M.shape:
        raise InputError(f"Argument `weights` must have shape {M.shape}, (classes, features), but has {A.shape}.")
    if alone(found, "NC3"):
        return float("nan")
    _warn_of_zeros("NC3", np.array([np.linalg.norm(A), np.linalg.norm(M)]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.linalg.norm(A / np.linalg.norm(A) - M / np.linalg.norm(M)))


def nc4(h: Any, labels: Any, *, predicted: Any, train_h: Any = None, train_labels: Any = None) -> float:
    """Share of the samples h (N, d) on which a classifier and the nearest class centre disagree.

    predicted (N,) are the labels that the classifier says, `linear_probe(…).predicted` for one. Centres are those of
    train_h and train_labels where they are given, else of h and labels.
    """
    own = train_h is None
    nearest = ncc_classify(h if own else train_h, labels if own else train_labels, h)
    predicted = label_column("predicted", predicted, len(nearest))
    comparable("predicted", predicted, "the labels", nearest)
    return float(np.mean(predicted != nearest))


def nc5(h: Any, labels: Any, other_h: Any) -> float:
    """Orthogonality to what is out of distribution: the mean over classes of |cos(μ_c, mean of other_h)|.

    arXiv 2310.06823, Eq. 5. h (N, d), labels (N,), other_h (M, d). The means are not centred; 0 is orthogonal.
    """
    found = of(h, labels)
    other = whole("other_h", feature_rows("other_h", other_h)).mean(axis=0)
    if len(other) != found.means.shape[1]:
        raise InputError(f"Argument `other_h` must have {found.means.shape[1]} features, but has {len(other)}.")
    _warn_of_zeros("NC5", np.append(np.linalg.norm(found.means, axis=1), np.linalg.norm(other)))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = found.means @ other / np.linalg.norm(found.means, axis=1) / np.linalg.norm(other)
    return float(np.mean(np.abs(cosines)))


def _warn_of_zeros(what: str, norms: Float[np.ndarray, " k"]) -> None:
    if not (norms > 0).all():
        warnings.warn(f"{what} needs directions, but a mean or the weights are 0: NaN.", RuntimeWarning, stacklevel=3)
