"""What is measured of features, one row a measure: its convention, what it needs, and where its error is from.

Features come as given unless they were normalised before. Where a measure has no error of its own, it is that of a
jackknife over ten random parts of the rows: the measure ten times, on nine tenths each.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from linbyol import representation as measured

PARTS = 10
FEW = 5000  # rows for what costs their square, evenly among all
K = 20  # neighbours that vote
WIDEST = 8192  # features for what costs their cube
NAN = float("nan")


class Sample(NamedTuple):
    """Features of one layer, with what a measure may need beside them."""

    h: np.ndarray
    labels: np.ndarray | None = None
    held_h: np.ndarray | None = None  # of the test set
    held_labels: np.ndarray | None = None
    groups: np.ndarray | None = None  # ids, where several rows have one

    def taken(self, rows: np.ndarray) -> "Sample":
        """Some of the rows."""
        some = lambda x: None if x is None else x[rows]  # noqa: E731
        return self._replace(h=self.h[rows], labels=some(self.labels), groups=some(self.groups))

    @property
    def few(self) -> "Sample":
        """`FEW` of the rows at most."""
        n = len(self.h)
        return self if n <= FEW else self.taken(np.unique(np.linspace(0, n - 1, FEW).round().astype(int)))


class Value(NamedTuple):
    """A number, and its standard error, NaN where none is known."""

    value: float
    error: float = NAN


class Measure(NamedTuple):
    """One measure."""

    name: str
    title: str
    needs: Literal["features", "groups", "labels", "test"]
    best: str  # where good features have it
    convention: str
    of: Callable[[Sample], Value]
    jackknife: bool = False


def _share(found: Any, samples: int) -> Value:
    """An accuracy and its binomial error."""
    return Value(found.accuracy, float(np.sqrt(found.accuracy * (1 - found.accuracy) / samples)))


def _power_law(s: Sample) -> Value:
    found = measured.power_law(s.h)
    return Value(found.alpha, found.error)


def _two_nn(s: Sample) -> Value:
    found = measured.two_nn(s.few.h)
    return Value(found.dimension, found.error)


def _nearest(s: Sample, test: bool) -> Value:
    held = (s.held_h, s.held_labels) if test else (s.h, s.labels)
    found = measured.nearest_centre(s.h, s.labels, *held)
    return Value(found.accuracy, found.error)


def _ridge(s: Sample) -> Value:
    if s.h.shape[1] > WIDEST:
        return Value(NAN)
    return _share(measured.ridge_probe(*_four(s)), len(s.held_h))  # type: ignore[arg-type]


def _knn(s: Sample) -> Value:
    return _share(measured.knn_probe(*_four(s), k=K), len(s.held_h))  # type: ignore[arg-type]


def _four(s: Sample) -> tuple[Any, ...]:
    """Train and test for the probes, which want whole numbers."""
    _, codes = np.unique(np.concatenate([s.labels, s.held_labels]), return_inverse=True)  # type: ignore[list-item]
    return s.h, codes[: len(s.h)], s.held_h, codes[len(s.h) :]


class Clusters:
    """Agreement with k-means, which gives two measures: the last one is kept."""

    def __init__(self) -> None:
        self.last: tuple[Any, Any, Any] = (None, None, None)

    def __call__(self, s: Sample, score: str) -> Value:
        if self.last[0] is not s.h or self.last[1] is not s.labels:
            self.last = s.h, s.labels, measured.kmeans_agreement(s.few.h, s.few.labels)
        return Value(getattr(self.last[2], score))


_agreement = Clusters()


def _plain(function: Callable[..., Any], *needs: str) -> Callable[[Sample], Value]:
    """A function of the features, and of what else is named, that gives one number."""
    return lambda s: Value(float(function(s.h, *(getattr(s, name) for name in needs))))


FEW_ROWS = f"at most {FEW} rows, evenly among all"
MEASURES = (
    Measure("rankme", "RankMe", "features", "high, at most min(N, d)",
            "exp of the entropy of σ/Σσ + 1e-7, σ the singular values of h itself: not centred, not squared",
            _plain(measured.rankme), True),
    Measure("participation_ratio", "participation ratio", "features", "high, at most min(N, d)",
            "(Σ λ)²/Σ λ², λ the eigenvalues of the centred covariance", _plain(measured.participation_ratio), True),
    Measure("alpha_req", "alpha-ReQ", "features", "about 1",
            "minus the slope of log λ over log k, k from 10 to 99, or from 1 where fewer than 20 λ are not 0; the "
            "error is that of the fit", _power_law),
    Measure("two_nn", "TwoNN dimension", "features", "",
            f"fit through 0, the upper tenth and copies of rows left out; {FEW_ROWS}; the error is d/√n", _two_nn),
    Measure("uniformity", "uniformity", "features", "low",
            f"log mean exp(-2‖x - x′‖²) over pairs of rows on the unit sphere; {FEW_ROWS}",
            lambda s: Value(measured.uniformity(s.few.h)), True),
    Measure("lidar", "LiDAR", "groups", "high",
            "groups are rows of the same id; within-group covariance + 1e-4 I, divisor N - C; 1e-7 added to the shares",
            _plain(measured.lidar, "groups")),
    Measure("ncc_train", "NCC train", "labels", "1", "nearest class centre, Euclidean, on the rows that gave the "
            "centres; ties to the smallest label; the error is binomial", lambda s: _nearest(s, False)),
    Measure("ncc_test", "NCC test", "test", "1", "centres from train alone; a label without a centre counts as an "
            "error; the error is binomial", lambda s: _nearest(s, True)),
    Measure("ridge_test", "linear test", "test", "1", "ridge regression of one-hot labels on standardised features, "
            "the penalty chosen on a fifth of train; the error is binomial", _ridge),
    Measure("knn_test", "kNN test", "test", "1",
            f"{K} neighbours by cosine, weights exp(cos/0.1); the error is binomial", _knn),
    Measure("cdnv", "CDNV", "labels", "0", "(Var_i + Var_j)/(2‖μ_i - μ_j‖²) over pairs of the classes present, divisor "
            "n; ∞ where two means coincide", _plain(measured.cdnv, "labels"), True),
    Measure("directional_cdnv", "directional CDNV", "labels", "0", "the variance along the line between two means over "
            "their squared distance, over ordered pairs", _plain(measured.directional_cdnv, "labels"), True),
    Measure("nc1", "NC1", "labels", "0", "tr(S_W S_B⁺)/C, S_B of the class means around the mean of all samples",
            _plain(measured.nc1, "labels"), True),
    Measure("nc2_equinorm", "NC2 norms", "labels", "0", "standard deviation over mean of the centred means' norms",
            lambda s: Value(measured.nc2(s.h, s.labels).equinorm), True),
    Measure("nc2_equiangular", "NC2 angles", "labels", "0", "mean |cos + 1/(C - 1)| over pairs of centred class means",
            lambda s: Value(measured.nc2(s.h, s.labels).equiangular), True),
    Measure("kmeans_ari", "k-means ARI", "labels", "1", "adjusted Rand index of the labels with as many clusters, best "
            f"of 4 starts, seed 0; {FEW_ROWS}", lambda s: _agreement(s, "ari")),
    Measure("kmeans_nmi", "k-means NMI", "labels", "1", "normalised mutual information, arithmetic mean, of the same "
            "clusters; above 0 by chance", lambda s: _agreement(s, "nmi")),
    Measure("silhouette", "silhouette", "labels", "1", f"mean over rows, Euclidean; {FEW_ROWS}",
            lambda s: Value(measured.silhouette(s.few.h, s.few.labels)), True),
)  # fmt: skip


def jackknife(measure: Measure, sample: Sample, seed: int = 0) -> float:
    """The standard error √((G - 1)/G Σ (m_g - mean)²) of the measure without each of G random parts of the rows."""
    n = len(sample.h)
    if n < 2 * PARTS:
        return NAN
    part = np.random.default_rng(seed).permutation(n) % PARTS
    found = np.array([measure.of(sample.taken(np.flatnonzero(part != g))).value for g in range(PARTS)])
    if not np.isfinite(found).all():
        return NAN
    return float(np.sqrt((PARTS - 1) / PARTS * np.sum((found - found.mean()) ** 2)))
