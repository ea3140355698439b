"""NCC: the class whose mean is nearest; the means come from the train set alone."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from linbyol.representation.centres import coinciding, representatives, squared_distances
from linbyol.representation.class_statistics import ClassStatistics, of
from linbyol.representation.features import blocks, comparable, feature_rows, label_column, working_type
from linbyol.representation.projections import check_width


class NearestCentre(NamedTuple):
    """What the nearest centres say of a set. A label without a centre counts as an error, and in `unseen`."""

    accuracy: float
    error: float  # of the accuracy, √(a (1 - a)/M): what another set of M samples would change
    predicted: Shaped[np.ndarray, " M"]  # labels
    unseen: int


def ncc(train_h: Any, train_labels: Any, h: Any, labels: Any) -> float:
    """Accuracy on (h, labels) of the nearest class centre, argmin_c ‖h - μ_c‖, centres from the train set alone.

    train_h (N, d) with train_labels (N,), or `ClassStatistics` with None; h (M, d), labels (M,). Features as given,
    neither centred nor normalised. Ties go to the smallest label; so do centres that coincide (see `cdnv`), so that
    features that fell to one point score no more than a guess. A label that train lacks counts as an error.
    """
    return nearest_centre(train_h, train_labels, h, labels).accuracy


def nearest_centre(train_h: Any, train_labels: Any, h: Any, labels: Any) -> NearestCentre:
    """`ncc` with its sampling error, the predictions, and how many labels have no centre."""
    found = of(train_h, train_labels)
    predicted = ncc_classify(found, None, h)
    column = label_column("labels", labels, len(predicted))
    comparable("labels", column, "train_labels", found.labels)
    accuracy = float(np.mean(predicted == column))
    error = float(np.sqrt(accuracy * (1 - accuracy) / len(column)))
    return NearestCentre(accuracy, error, predicted, int(np.sum(~np.isin(column, found.labels))))


def ncc_classify(train_h: Any, train_labels: Any, h: Any) -> Shaped[np.ndarray, " M"]:
    """The label of the nearest centre for each row of h (M, d); arguments and ties as for `ncc`."""
    found = of(train_h, train_labels)
    h = feature_rows("h", h)
    check_width("h", h, found)
    return found.labels[nearest(found, h)]


def nearest(found: ClassStatistics, h: np.ndarray) -> Int[np.ndarray, " M"]:
    """The place of the nearest centre among the labels; what a product of matrices leaves in doubt is seen to again."""
    shift: np.ndarray = found.mean.astype(working_type(h))
    centres = found.means - shift
    halves = np.einsum("cd,cd->c", centres, centres) / 2
    first = representatives(coinciding(found, squared_distances(found.means)))
    narrow = centres.astype(shift.dtype)
    reach = 64 * np.finfo(shift.dtype).eps * np.sqrt(2 * halves.max())
    places = np.empty(len(h), np.int64)
    for rows, block in blocks("h", h):
        around = block - shift
        scores = halves.astype(shift.dtype) - around @ narrow.T  # (‖h - μ_c‖² - ‖h‖²)/2
        best = scores.min(axis=1)
        size = np.sqrt(np.einsum("nd,nd->n", around, around)) + np.sqrt(2 * halves.max())
        near = scores <= (best + reach * size)[:, None]
        places[rows] = np.argmin(scores, axis=1)
        for i in np.flatnonzero(near.sum(axis=1) > 1):
            candidates = np.flatnonzero(near[i])
            apart = np.sum((around[i].astype(float) - centres[candidates]) ** 2, axis=1)
            places[rows.start + i] = candidates[np.argmax(apart <= apart.min() * (1 + 1e-14))]
    return first[places]
