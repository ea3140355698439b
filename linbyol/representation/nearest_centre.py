"""NCC: the class whose mean is nearest; the means come from the train set alone."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from linbyol.representation.centres import coinciding, representatives, squared_distances
from linbyol.representation.class_statistics import ClassStatistics, of
from linbyol.representation.features import comparable, feature_rows, label_column, working_type
from linbyol.representation.normalised import Rows
from linbyol.representation.projections import Span, check_width, coordinates, span


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


def nearest(found: ClassStatistics, h: Rows, name: str = "h") -> Int[np.ndarray, " M"]:
    """The place of the nearest centre among the labels."""
    to = span(found, working_type(h))
    rule = Rule(found, to, working_type(h))
    return np.concatenate([rule(block, z) for _, block, z in coordinates(name, h, to)])


class Rule:
    """The nearest centre in the span of the means; where that leaves doubt, by differences of the features."""

    def __init__(self, found: ClassStatistics, to: Span, dtype: type) -> None:
        self.places = np.unique(representatives(coinciding(found, squared_distances(found.means))))
        self.means = found.means[self.places]
        self.centres = to.of(self.means)
        self.halves = np.einsum("cr,cr->c", self.centres, self.centres) / 2
        size = found.within.sum() / found.samples + 2 * self.halves.max() + (0 if to.far else to.origin @ to.origin)
        self.size = float(np.sqrt(size))  # of a usual sample, as it was multiplied
        self.rounding = 32 * float(np.finfo(dtype).eps) * float(np.sqrt(2 * self.halves.max()))

    def __call__(self, block: Float[np.ndarray, "n d"], z: Float[np.ndarray, "n r"]) -> Int[np.ndarray, " n"]:
        scores = self.halves.astype(z.dtype) - z @ self.centres.T.astype(
            z.dtype
        )  # half of ‖h - μ_c‖² - ‖h‖², in the span
        places = np.argmin(scores, axis=1)
        doubt = self.rounding * np.maximum(self.size, np.sqrt(np.vecdot(z, z)))
        limit = np.take_along_axis(scores, places[:, None], 1) + doubt[:, None]
        for i in np.flatnonzero(np.count_nonzero(scores <= limit, axis=1) > 1):
            candidates = np.flatnonzero(scores[i] <= limit[i])
            apart = np.sum((block[i].astype(float) - self.means[candidates]) ** 2, axis=1)
            places[i] = candidates[np.argmax(apart <= apart.min() * (1 + 1e-14))]
        return self.places[places]
