"""Sampling errors: the jackknife over a few groups of samples, on statistics that merge or on features in the span."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from linbyol.checks import InputError
from linbyol.representation.class_statistics import ClassStatistics, merge, statistics
from linbyol.representation.features import feature_rows, label_column, working_type
from linbyol.representation.projections import coordinates, span
from linbyol.representation.spectra import Gram, gram

GROUPS = 10  # of samples; each is left out once


def folds(n: int, groups: int, seed: int, labels: Any = None) -> Int[np.ndarray, " n"]:
    """The group of each sample, at random, as even as may be; within each class if labels are given."""
    if not 2 <= groups <= n:
        raise InputError(f"Argument `groups` must be from 2 to the number of samples, {n}, but is {groups}.")
    order = np.random.default_rng(seed).permutation(n)
    if labels is not None:
        order = order[np.argsort(np.asarray(labels)[order], kind="stable")]
    found = np.empty(n, np.int64)
    found[order] = np.arange(n) % groups
    return found


def deviation(values: Iterable[float]) -> float:
    """The standard error of a measure from its values with each of G groups left out: √((G - 1) Var), divisor G.

    NaN where one of them is not finite; what they warn of is about a part of the samples alone, and is not passed on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = np.fromiter(values, float)
        return float(np.sqrt((len(found) - 1) * np.var(found)))


def without_each(parts: Sequence[Any], joined: Callable[[Any, Any], Any] = merge) -> list[Any]:
    """All parts but one, for each, by 3 G joins: those before it and those behind it are joined once."""
    before, behind = [None], [None]
    for part in parts[:-1]:
        before.append(part if before[-1] is None else joined(before[-1], part))
    for part in parts[:0:-1]:
        behind.append(part if behind[-1] is None else joined(behind[-1], part))
    pairs = zip(before, reversed(behind), strict=True)
    return [b if a is None else a if b is None else joined(a, b) for a, b in pairs]


def statistics_without_each(h: Any, labels: Any, *, groups: int = GROUPS, seed: int = 0) -> list[ClassStatistics]:
    """Class statistics with each group of samples left out, from one pass over all."""
    h = feature_rows("h", h)
    classes, codes = np.unique(label_column("labels", labels, len(h)), return_inverse=True)
    fold = folds(len(h), groups, seed, codes)
    both = statistics(h, codes * groups + fold)
    parts = []
    for g in range(groups):
        here = both.labels % groups == g
        of_class = classes[both.labels[here] // groups]
        parts.append(
            both._replace(labels=of_class, counts=both.counts[here], means=both.means[here], within=both.within[here])
        )
    return without_each(parts)


def in_the_span(h: Any, found: ClassStatistics) -> Float[np.ndarray, "N r"]:
    """All samples in the span of the class means: small enough to be kept."""
    h = feature_rows("h", h)
    return np.concatenate([z for _, _, z in coordinates("h", h, span(found, working_type(h)))])


def grams_without_each(h: Any, *, groups: int = GROUPS, seed: int = 0) -> list[Gram]:
    """Mean and scatter of the features with each group of samples left out."""
    h = feature_rows("h", h)
    fold = folds(len(h), groups, seed)
    return without_each([gram(h[fold == g]) for g in range(groups)], _joined)


def _joined(a: Gram, b: Gram) -> Gram:
    n, apart = a.samples + b.samples, b.mean - a.mean
    scatter = a.scatter + b.scatter + np.outer(apart, apart) * (a.samples * b.samples / n)
    return Gram(n, a.mean + apart * (b.samples / n), scatter)
