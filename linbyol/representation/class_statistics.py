"""Counts, means and scatter of the classes that occur: one pass over the features, mergeable, any labels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from linbyol.checks import InputError
from linbyol.representation.features import comparable, feature_rows, label_column


class ClassStatistics(NamedTuple):
    """What a pass over the features has seen of each class that occurs, in the order of the sorted labels."""

    labels: Shaped[np.ndarray, " C"]
    counts: Int[np.ndarray, " C"]
    means: Float[np.ndarray, "C d"]
    within: Float[np.ndarray, " C"]  # Σ ‖h - mean of the class‖² over the class
    scatter: Float[np.ndarray, "d d"] | None  # Σ (h - mean of its class)(…)ᵀ over all, where it was asked for
    rounding: float  # relative, of the features as they were stored

    @property
    def samples(self) -> int:
        """How many rows were seen."""
        return int(self.counts.sum())

    @property
    def mean(self) -> Float[np.ndarray, " d"]:
        """The mean of all samples."""
        around = self.means - self.means[:1]
        return self.means[0] + self.counts @ around / self.samples

    @property
    def variances(self) -> Float[np.ndarray, " C"]:
        """Var of each class: the mean of ‖h - mean‖², a trace, with divisor n."""
        return self.within / self.counts

    def update(self, h: Any, labels: Any) -> "ClassStatistics":
        """These and further samples, h (n, d) with labels (n,)."""
        return merge(self, statistics(h, labels, scatter=self.scatter is not None))

    def merge(self, other: "ClassStatistics") -> "ClassStatistics":
        """These and those of other samples (Chan, Golub & LeVeque)."""
        comparable("other", other.labels, "self", self.labels)
        if self.means.shape[1] != other.means.shape[1]:
            raise InputError(
                f"Argument `other` must have {self.means.shape[1]} features, but has {other.means.shape[1]}."
            )
        labels = np.union1d(self.labels, other.labels)
        counts = np.zeros((2, len(labels)), np.int64)
        means = np.zeros((2, len(labels), self.means.shape[1]))
        within = np.zeros(len(labels))
        for side, part in enumerate((self, other)):
            place = np.searchsorted(labels, part.labels)
            counts[side, place], means[side, place] = part.counts, part.means
            within[place] += part.within
        n = counts.sum(axis=0)
        apart = np.where(np.all(counts > 0, axis=0)[:, None], means[1] - means[0], 0)
        weight = counts[0] * (counts[1] / n)
        first = np.where((counts[0] > 0)[:, None], means[0], means[1])
        scatter = None
        if self.scatter is not None and other.scatter is not None:
            scatter = self.scatter + other.scatter + (apart.T * weight) @ apart
        return ClassStatistics(
            labels,
            n,
            first + apart * (counts[1] / n)[:, None],
            within + weight * np.einsum("cd,cd->c", apart, apart),
            scatter,
            max(self.rounding, other.rounding),
        )


def statistics(h: Any, labels: Any, *, scatter: bool = False) -> Any:
    """`ClassStatistics` of features h (N, d) with labels (N,), in one pass, a block at a time.

    Labels may be numbers or strings, with gaps; only those that occur are classes. With several label sets, a mapping
    from names to labels, a mapping of statistics from the same one pass; so too for features of several layers, a
    mapping from names to h. scatter=True keeps the within-class scatter (d, d) as well, which costs N d² operations.
    Features of JAX on a GPU or on several devices are summed where they lie. What float32 tells apart is kept at any
    offset or scale: sums run around a shift, and are merged in float64.
    Raises `InputError` for features that are not finite real numbers, missing labels, shapes that do not fit.
    """
    from linbyol.representation import class_sums, device_sums  # which need ClassStatistics

    if isinstance(h, Mapping):
        return {name: statistics(rows, labels, scatter=scatter) for name, rows in h.items()}
    apart = device_sums.lies_apart(h) and not scatter
    h = h if apart else feature_rows("h", h)
    if isinstance(labels, Mapping):
        sets = {name: label_column(f"labels[{name!r}]", column, len(h)) for name, column in labels.items()}
    else:
        sets = {"": label_column("labels", labels, len(h))}
    if not sets:
        raise InputError("Argument `labels` must have at least one label set, but is empty.")
    found = device_sums.on_devices(h, sets) if apart else class_sums.of_sets(h, sets, scatter)
    return found if isinstance(labels, Mapping) else found[""]


def merge(first: Any, second: Any) -> Any:
    """Statistics of two parts of the data as those of both; mappings of statistics name by name."""
    if isinstance(first, ClassStatistics) and isinstance(second, ClassStatistics):
        return first.merge(second)
    if not isinstance(first, Mapping) or not isinstance(second, Mapping) or first.keys() != second.keys():
        raise InputError("Arguments of `merge` must be statistics of the same layers and label sets.")
    return {name: merge(first[name], second[name]) for name in first}


def of(h: Any, labels: Any, *, scatter: bool = False) -> ClassStatistics:
    """h itself if it is statistics already (then without labels), else those of h."""
    if not isinstance(h, ClassStatistics):
        return statistics(h, labels, scatter=scatter)
    if labels is not None:
        raise InputError("Argument `labels` must be left out where `h` is statistics, which know theirs.")
    return h
