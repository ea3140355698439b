"""Singular values of features, and the numbers that sum up how many directions they use."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError
from linbyol.representation.features import blocks, check_finite, feature_rows, whole
from linbyol.representation.normalised import Rows

EPS = 1e-7  # added to the shares by RankMe and LiDAR
DIRECT = 2**29  # N d min(N, d) up to which singular values come from the features, not from a Gram matrix
FIT = (10, 99)  # first and last index that alpha-ReQ is fitted over


class Gram(NamedTuple):
    """Moments of features in float64, whatever they are stored in."""

    samples: int
    mean: Float[np.ndarray, " d"]
    scatter: Float[np.ndarray, "d d"]  # Σ (h - mean)(h - mean)ᵀ


def gram(h: Rows, name: str = "h") -> Gram:
    """One pass over the features, a block at a time, around their first row."""
    shift, total, squares = h[0].astype(float), np.zeros(h.shape[1]), np.zeros((h.shape[1],) * 2)
    for rows, block in blocks(h, dtype=float):
        check_finite(name, block, rows.start)
        around = block - shift
        total += around.sum(axis=0)
        squares += around.T @ around
    mean = total / len(h)
    return Gram(len(h), shift + mean, squares - len(h) * np.outer(mean, mean))


def singular_values(h: Any, *, centred: bool = False) -> Float[np.ndarray, " r"]:
    """The min(N, d) singular values of h (N, d), or of h less its mean, largest first.

    Small features are decomposed as they are. Of large ones the eigenvalues of the smaller Gram matrix, h hᵀ or hᵀ h
    summed in float64, are taken; what rounding makes of those that are 0 counts as 0.
    """
    h = feature_rows("h", h)
    n, d = h.shape
    if n * d * min(n, d) <= DIRECT:
        x = whole("h", h)
        x = x - x[0] if centred else x
        return np.linalg.svd(x - x.mean(axis=0) if centred else x, compute_uv=False)
    if n < d:
        h, products = np.asarray(h), np.zeros((n, n))
        shift = h.mean(axis=0, dtype=float) if centred else np.zeros(d)
        step = max(1, 2**22 // n)
        for first in range(0, d, step):
            part = np.asarray(h[:, first : first + step], float) - shift[first : first + step]
            check_finite("h", part, 0)
            products += part @ part.T
        return _roots(products)
    return of_gram(gram(h), centred=centred)


def both(h: Any) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
    """Singular values of h (N, d) and of h less its mean, from one reading where h is large."""
    h = feature_rows("h", h)
    n, d = h.shape
    if n < d or n * d * min(n, d) <= DIRECT:
        return singular_values(h), singular_values(h, centred=True)
    found = gram(h)
    return of_gram(found, centred=False), of_gram(found, centred=True)


def of_gram(found: Gram, *, centred: bool) -> Float[np.ndarray, " d"]:
    """The singular values of features of which only the moments are known."""
    return _roots(found.scatter + (0 if centred else found.samples * np.outer(found.mean, found.mean)))


def _roots(products: Float[np.ndarray, "r r"]) -> Float[np.ndarray, " r"]:
    squares = np.linalg.eigvalsh(products)[::-1]
    return np.sqrt(np.where(squares > len(squares) * np.finfo(float).eps * squares[0], squares, 0))


def entropy_rank(values: Float[np.ndarray, " r"], eps: float) -> float:
    """exp(-Σ p log p), p = values/Σ values + eps; NaN, with a warning, where all are 0."""
    total = values.sum()
    if not total > 0:
        warnings.warn("All values are 0, so that they have no effective rank: NaN.", RuntimeWarning, stacklevel=3)
        return float("nan")
    p = values / total + eps
    p = p[p > 0]
    return float(np.exp(-np.sum(p * np.log(p))))


def rankme(h: Any, *, eps: float | int = EPS) -> float:
    """RankMe (arXiv 2210.02885): exp of the entropy of p_k = σ_k/Σσ + eps, σ the singular values of h (N, d) itself.

    Not centred, not squared. From 1 to min(N, d), but for eps: with eps = 1e-7 the value is off by about d eps (ln d -
    1) relative where all σ are equal. NaN, with a warning, where all features are 0.
    """
    return entropy_rank(singular_values(h), eps)


def effective_rank(h: Any) -> float:
    """The effective rank of Roy & Vetterli (2007): RankMe with eps = 0."""
    return rankme(h, eps=0.0)


def participation_ratio(h: Any) -> float:
    """(Σ λ)²/Σ λ² of the eigenvalues λ of the centred covariance of h (N, d); NaN, with a warning, if rows agree."""
    return participation(_shares(h, "participation ratio"))


def participation(shares: Float[np.ndarray, " r"]) -> float:
    """1/Σ p² of the shares of the variance."""
    return float(1 / np.sum(shares**2))


def explained_variance_area(h: Any) -> float:
    """The mean over k = 1 … r of the variance that the first k of the r = min(N, d) principal components explain.

    From (r + 1)/(2 r), where all explain the same, to 1, where the first explains all; features h (N, d) are centred.
    """
    return area(_shares(h, "explained variance"))


def area(shares: Float[np.ndarray, " r"]) -> float:
    """The mean of the cumulative shares of the variance."""
    return float(np.mean(np.cumsum(shares)))


class PowerLaw(NamedTuple):
    """A fit of log λ_k = c - alpha log k over first ≤ k ≤ last, counted from 1."""

    alpha: float
    error: float  # standard error of the slope, from the residuals
    first: int
    last: int


def power_law(h: Any, *, fit: tuple[int, int] | None = None) -> PowerLaw:
    """The fit behind `alpha_req`, with its error and the range that was used."""
    return fitted(_shares(h, "alpha-ReQ"), fit)


def fitted(squares: Float[np.ndarray, " r"], fit: tuple[int, int] | None = None) -> PowerLaw:
    """The power law of eigenvalues, largest first."""
    rank = int(np.sum(squares > len(squares) * np.finfo(float).eps * np.nanmax(squares, initial=0)))
    first, last = fit if fit is not None else (FIT if rank >= 2 * FIT[0] else (1, FIT[1]))
    last = min(last, rank)
    if not first >= 1:
        raise InputError(f"Argument `fit` must be indices (first, last) counted from 1, but is {fit!r}.")
    if last - first < 1:
        warnings.warn("alpha-ReQ needs two eigenvalues in its range that are not 0: NaN.", RuntimeWarning, stacklevel=3)
        return PowerLaw(float("nan"), float("nan"), first, last)
    x, y = np.log(np.arange(first, last + 1)), np.log(squares[first - 1 : last])
    x, y = x - x.mean(), y - y.mean()
    slope = x @ y / (x @ x)
    left = y - slope * x
    error = np.sqrt(left @ left / (len(x) - 2) / (x @ x)) if len(x) > 2 else np.nan
    return PowerLaw(-float(slope), float(error), first, last)


def alpha_req(h: Any, *, fit: tuple[int, int] | None = None) -> float:
    """alpha-ReQ: minus the slope of log λ_k against log k, λ the eigenvalues of the centred covariance of h (N, d).

    Least squares over the indices fit = (first, last), counted from 1, both within; by default 10 to 99, or from 1
    where fewer than 20 eigenvalues are not 0, and never beyond the last that is not. See `power_law`.
    """
    return power_law(h, fit=fit).alpha


def _shares(h: Any, what: str) -> Float[np.ndarray, " r"]:
    """λ/Σ λ of the centred covariance; NaN, with a warning, where all rows are the same."""
    squares = singular_values(h, centred=True) ** 2
    total = squares.sum()
    if not total > 0:
        warnings.warn(f"All rows are the same, so that there is no {what}: NaN.", RuntimeWarning, stacklevel=4)
        return np.full(len(squares), np.nan)
    return squares / total
