"""Do labels agree with what clusters of themselves: k-means and the silhouette, by scikit-learn."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError, check_count
from linbyol.representation.features import feature_rows, label_column, whole


class Agreement(NamedTuple):
    """How far k-means clusters agree with labels."""

    ari: float  # adjusted Rand index: 0 by chance, 1 the same
    nmi: float  # normalised mutual information, arithmetic mean: above 0 by chance
    clusters: int
    seed: int


def kmeans_agreement(h: Any, labels: Any, *, clusters: int | None = None, seed: int = 0, starts: int = 4) -> Agreement:
    """Agreement of labels (N,) with the best of `starts` runs of k-means on h (N, d), as many clusters as labels.

    Features as given, neither centred nor normalised.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    x = whole("h", feature_rows("h", h), None)
    column = label_column("labels", labels, len(x))
    k = len(np.unique(column)) if clusters is None else clusters
    check_count("clusters", k)
    check_count("starts", starts)
    if k > len(x):
        raise InputError(f"Argument `clusters` must be at most the number of rows, {len(x)}, but is {k}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct points than clusters: the scores say it
        found = KMeans(k, n_init=starts, random_state=seed).fit_predict(_unit(x))
    return Agreement(
        float(adjusted_rand_score(column, found)), float(normalized_mutual_info_score(column, found)), k, seed
    )


def silhouette(h: Any, labels: Any) -> float:
    """The mean silhouette of labels (N,) on h (N, d), Euclidean, from -1 to 1: N² d operations.

    A class of one row scores 0 there. NaN, with a warning, unless 2 ≤ classes < N.
    """
    return float(np.mean(silhouettes(h, labels)))


def silhouettes(h: Any, labels: Any) -> Float[np.ndarray, " N"]:
    """The silhouette of each row."""
    from sklearn.metrics import silhouette_samples

    x = whole("h", feature_rows("h", h))
    column = label_column("labels", labels, len(x))
    if not 2 <= len(np.unique(column)) < len(x):
        warnings.warn("The silhouette needs from 2 to N - 1 classes: NaN.", RuntimeWarning, stacklevel=3)
        return np.full(len(x), np.nan)
    return silhouette_samples(_unit(x), column)


def _unit(x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
    """The rows less the first, scaled by powers of two so that no square leaves the range of the type."""
    x = _scaled(x)
    return _scaled(x - x[0])


def _scaled(x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
    return np.ldexp(x, -int(np.frexp(np.abs(x).max())[1]))
