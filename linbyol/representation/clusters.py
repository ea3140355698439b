"""How a representation clusters by given labels: CDNV, NCC and neural collapse together, in two readings at most."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from linbyol.representation.centres import coinciding, squared_distances
from linbyol.representation.class_statistics import ClassStatistics, statistics
from linbyol.representation.features import feature_rows, label_column, working_type
from linbyol.representation.nearest_centre import Rule, nearest_centre
from linbyol.representation.neural_collapse import NC2, from_span, nc1, nc2
from linbyol.representation.projections import along, coordinates, span
from linbyol.representation.variability import cdnv, from_lines


class Clusters(NamedTuple):
    """What `clusters` found; conventions are those of the functions of the same names."""

    cdnv: float
    directional_cdnv: float
    ncc_train: float
    ncc: float | None  # on the test set, None without one
    nc1: float
    nc1_quotient: float
    nc2: NC2
    unseen: int  # test labels without a centre, errors in `ncc`
    statistics: ClassStatistics


def clusters(h: Any, labels: Any, test_h: Any = None, test_labels: Any = None) -> Any:
    """CDNV (both), NCC on train and test, NC1 (two forms) and NC2 of features h (N, d) with labels (N,): `Clusters`.

    The first reading of h gives the statistics, the second all that needs the class means; test_h (M, d) is read once.
    Mappings, of names to label sets or of layers to features, give mappings of results. With one class NCC is right by
    definition and the rest NaN, with warnings.
    """
    if isinstance(h, Mapping):
        return {name: clusters(h[name], labels, test_h and test_h[name], test_labels) for name in h}
    found = statistics(h, labels)
    if not isinstance(labels, Mapping):
        return _of_set(h, labels, found, test_h, test_labels)
    return {
        name: _of_set(h, column, found[name], test_h, None if test_labels is None else test_labels[name])
        for name, column in labels.items()
    }


def _of_set(h: Any, labels: Any, found: ClassStatistics, test_h: Any, test_labels: Any) -> Clusters:
    h = feature_rows("h", h)
    codes = np.searchsorted(found.labels, label_column("labels", labels, len(h)))
    to = span(found, working_type(h))
    rule, right = Rule(found, to, working_type(h)), 0
    C, centres = len(found.labels), to.of(found.means)
    within, lines = np.zeros(len(to.sizes)), np.zeros((C, C))
    for rows, block, z in coordinates("h", h, to):
        right += int(np.count_nonzero(rule(block, z) == codes[rows]))
        sums = along(centres, codes[rows], z)
        within += sums.within
        lines += sums.lines
    test = None if test_h is None else nearest_centre(found, None, test_h, test_labels)
    fallen = bool(coinciding(found, squared_distances(found.means)).any())
    one = C < 2
    return Clusters(
        cdnv=cdnv(found),
        directional_cdnv=float("nan") if one else float("inf") if fallen else from_lines(found, lines),
        ncc_train=right / len(h),
        ncc=None if test is None else test.accuracy,
        nc1=float("nan") if one else float("inf") if fallen else from_span(found, to, within),
        nc1_quotient=nc1(found, form="quotient"),
        nc2=nc2(found),
        unseen=0 if test is None else test.unseen,
        statistics=found,
    )
