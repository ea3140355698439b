"""Everything at once, each number with its convention and, where there is one, its sampling error."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from linbyol.checks import InputError, check_choice
from linbyol.representation.class_statistics import ClassStatistics
from linbyol.representation.clusters import clusters
from linbyol.representation.features import feature_rows, label_column, unit_rows
from linbyol.representation.health_check import Health, judged
from linbyol.representation.intrinsic import two_nn
from linbyol.representation.nearest_centre import nearest_centre
from linbyol.representation.neural_collapse import nc1, nc2
from linbyol.representation.partitions import kmeans_agreement, silhouettes
from linbyol.representation.resampling import (
    GROUPS,
    deviation,
    folds,
    grams_without_each,
    in_the_span,
    statistics_without_each,
)
from linbyol.representation.spectra import area, both, entropy_rank, fitted, of_gram, participation
from linbyol.representation.sphere import uniformity
from linbyol.representation.variability import cdnv, directional_cdnv

ROWS = 5000  # of the measures that compare all pairs of rows
WIDE = 1024  # of the smaller side, up to which spectra are resampled


class Measurement(NamedTuple):
    """One number about features, and how to read it."""

    name: str
    labels: str  # the label set, "" for what needs none
    value: float
    error: float | None  # a standard error over samples, None where there is none
    convention: str


class Measures(NamedTuple):
    """What `measure` found: the verdict first, since what is measured on collapsed features says little."""

    health: Health
    measurements: tuple[Measurement, ...]

    def __getitem__(self, name: Any) -> Any:
        """The measurement of a name, or of ("name", "label set")."""
        if isinstance(name, int | slice):
            return tuple(self)[name]
        wanted = (name, None) if isinstance(name, str) else name
        found = [m for m in self.measurements if m.name == wanted[0] and wanted[1] in (None, m.labels)]
        if len(found) != 1:
            raise KeyError(name)
        return found[0]


class Input(NamedTuple):
    """Features with one label set, or none, and a test set, or none."""

    h: Any
    labels: Any
    test_h: Any
    test_labels: Any
    spectra: tuple[np.ndarray, np.ndarray]  # singular values, not centred and centred
    groups: int
    seed: int

    @property
    def some(self) -> np.ndarray:
        """At most ROWS rows, chosen by the seed, in their order."""
        n = len(self.h)
        return np.arange(n) if n <= ROWS else np.sort(np.random.default_rng(self.seed).permutation(n)[:ROWS])


Rows = Iterator[tuple[str, float, float | None, str]]


def measure(
    h: Any,
    labels: Any = None,
    test_h: Any = None,
    test_labels: Any = None,
    *,
    only: Iterable[str] = (),
    normalise: bool = False,
    groups: int = GROUPS,
    seed: int = 0,
) -> Measures:
    """All measures of features h (N, d), with labels (N,) or a mapping of label sets, each with convention and error.

    Errors are standard errors over samples: of the jackknife with `groups` groups of samples, each left out once (class
    statistics, spectra of at most 1,024 values), of a binomial (accuracies), or as the convention says. What compares
    all pairs of rows sees 5,000 of them at most, chosen by `seed`. `only`: names of the families in FAMILIES.
    normalise=True puts the features on the unit sphere first. Of collapsed features (see `health`) every convention
    says so. What one class, or too few rows, leave undefined is NaN, with a warning; so is an error, without one.
    """
    for name in only:
        check_choice("only", name, FAMILIES)
    h = feature_rows("h", h, least=2)
    test_h = None if test_h is None else feature_rows("test_h", test_h)
    if normalise:
        h, test_h = unit_rows(h), None if test_h is None else unit_rows(test_h)
    sets = labels if isinstance(labels, Mapping) else {} if labels is None else {"": labels}
    test_sets = test_labels if isinstance(test_labels, Mapping) else {"": test_labels}
    if test_h is not None and (missing := [name for name in sets if test_sets.get(name) is None]):
        raise InputError(f"Argument `test_labels` must have the label sets of `labels`, but lacks {missing[0]!r}.")
    spectra, found = both(h), []
    state = judged(h, spectra[0])
    scale = "on the unit sphere" if normalise else "features as given"
    scale += "; the features are COLLAPSED, so that this says little" if state.verdict == "collapsed" else ""
    for family, (rule, labelled) in FAMILIES.items():
        if only and family not in only:
            continue
        for name, column in sets.items() if labelled else [("", None)]:
            column = None if column is None else label_column("labels", column, len(h))
            given = Input(h, column, test_h, test_sets.get(name), spectra, min(groups, len(h)), seed)
            found += [Measurement(m[0], name, m[1], m[2], f"{m[3]}; {scale}") for m in rule(given)]
    return Measures(state, tuple(found))


def _clusters(x: Input) -> Rows:
    found = clusters(x.h, x.labels)
    parts = statistics_without_each(x.h, x.labels, groups=x.groups, seed=x.seed)
    error = lambda f: deviation(f(part) for part in parts)  # noqa: E731
    spanned = in_the_span(x.h, found.statistics)
    fold = folds(len(x.h), x.groups, x.seed, np.unique(x.labels, return_inverse=True)[1])
    in_span = lambda f: deviation(  # noqa: E731
        f(spanned[fold != g], x.labels[fold != g]) for g in range(x.groups)
    )
    yield "cdnv", found.cdnv, error(cdnv), "mean over pairs of classes present, divisor n"
    yield (
        "directional_cdnv", found.directional_cdnv, in_span(directional_cdnv),
        "mean over ordered pairs, divisor n; error within the span of the class means",
    )  # fmt: skip
    yield "nc1", found.nc1, in_span(nc1), "tr(S_W S_B^+)/C, rank C - 1; error within the span of the class means"
    yield "nc1_quotient", found.nc1_quotient, error(_quotient), "tr S_W/tr S_B, divisors N and C"
    yield "nc2_equinorm", found.nc2.equinorm, error(lambda s: nc2(s).equinorm), "std/mean of the centred means' norms"
    yield (
        "nc2_equiangular", found.nc2.equiangular, error(lambda s: nc2(s).equiangular),
        "mean |cos + 1/(C - 1)| of the centred means",
    )  # fmt: skip
    a = found.ncc_train
    yield "ncc_train", a, _binomial(a, len(x.h)), "centres of the same samples; ties to the smallest label"
    if x.test_h is not None:
        test = nearest_centre(found.statistics, None, x.test_h, x.test_labels)
        yield (
            "ncc",
            test.accuracy,
            test.error,
            f"centres of train; {test.unseen} test labels without a centre are errors",
        )


def _spectra(x: Input) -> Rows:
    n, d = x.h.shape
    values = x.spectra
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    if min(n, d) <= WIDE and d <= n:
        grams = grams_without_each(x.h, groups=x.groups, seed=x.seed)
        parts = [(of_gram(g, centred=False), of_gram(g, centred=True)) for g in grams]
    shares = lambda v: v[1] ** 2 / np.sum(v[1] ** 2)  # noqa: E731
    rules: dict[str, tuple[Callable[[tuple[np.ndarray, np.ndarray]], float], str]] = {
        "rankme": (lambda v: entropy_rank(v[0], 1e-7), "eps 1e-7, not centred, singular values not squared"),
        "effective_rank": (lambda v: entropy_rank(v[0], 0.0), "eps 0, not centred, singular values not squared"),
        "participation_ratio": (lambda v: participation(shares(v)), "eigenvalues of the centred covariance"),
        "explained_variance_area": (lambda v: area(shares(v)), "mean cumulative share, centred"),
    }
    with np.errstate(invalid="ignore"):
        for name, (rule, convention) in rules.items():
            error = deviation(rule(part) for part in parts) if parts else None
            yield name, rule(values), error, convention
        law = fitted(shares(values))
        slopes = [fitted(shares(part), (law.first, law.last)).alpha for part in parts if law.alpha == law.alpha]
    error = deviation(slopes) if slopes else None
    yield "alpha_req", law.alpha, error, f"indices {law.first} to {law.last}, eigenvalues of the centred covariance"


def _dimension(x: Input) -> Rows:
    rows = x.h[x.some]
    for part, whole in ((1, "all"), (4, "every 4th of them: the dimension at a larger scale")):
        found = two_nn(rows[::part])
        text = f"{found.samples} distinct rows, {whole}; {found.duplicates} copies left out; largest tenth discarded"
        yield "two_nn" if part == 1 else f"two_nn_at_{part}", found.dimension, found.error, text


def _uniformity(x: Input) -> Rows:
    rows = x.h[x.some]
    fold = folds(len(rows), max(2, min(x.groups, len(rows) // 2)), x.seed) if len(rows) > 3 else None
    parts = [] if fold is None else [uniformity(rows[fold == g]) for g in range(fold.max() + 1)]
    error = float(np.std(parts, ddof=1) / np.sqrt(len(parts))) if parts else None
    yield "uniformity", uniformity(rows), error, f"t = 2, {len(rows)} rows on the unit sphere; error of disjoint parts"


def _agreement(x: Input) -> Rows:
    rows = x.some
    some, labels = x.h[rows], x.labels[rows]
    scores = silhouettes(some, labels)
    yield (
        "silhouette", float(np.mean(scores)), float(np.std(scores) / np.sqrt(len(scores))),
        f"Euclidean, {len(rows)} rows",
    )  # fmt: skip
    found = [kmeans_agreement(some, labels, seed=x.seed + i, starts=1) for i in range(3)]
    for name in ("ari", "nmi"):
        values = [getattr(one, name) for one in found]
        text = f"k-means, {found[0].clusters} clusters, {len(rows)} rows; spread over 3 starts"
        yield f"kmeans_{name}", float(np.mean(values)), float(np.std(values, ddof=1)), text


FAMILIES: dict[str, tuple[Callable[[Input], Rows], bool]] = {  # and whether they need labels
    "clusters": (_clusters, True),
    "spectra": (_spectra, False),
    "dimension": (_dimension, False),
    "uniformity": (_uniformity, False),
    "agreement": (_agreement, True),
}


def _quotient(found: ClassStatistics) -> float:
    return nc1(found, form="quotient")


def _binomial(a: float, n: int) -> float:
    return float(np.sqrt(a * (1 - a) / n))
