"""What a set of labels is like, so that an accuracy on it can be judged."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from linbyol.checks import InputError


class Quality(NamedTuple):
    """Of labels: how many classes occur, how evenly, and how far they are the truth."""

    classes: int  # that occur
    entropy: float  # nats; at most log classes
    majority: float  # share of the largest class: what a constant answer gets right
    agreement: float  # share of labels that are the true ones, nan where there is no truth


def quality(labels: Shaped[np.ndarray, " N"], truth: Shaped[np.ndarray, " N"] | None = None) -> Quality:
    """The quality of labels (N,), compared with the true ones if there are any. Raises `InputError` for no labels."""
    if len(labels) == 0:
        raise InputError("Argument `labels` must hold at least one label, but is empty.")
    counts = np.unique(labels, return_counts=True)[1]
    p = counts / len(labels)
    agreement = float("nan") if truth is None else float(np.mean(labels == truth))
    return Quality(len(counts), float(-np.sum(p * np.log(p))), float(p.max()), agreement)


def balanced_accuracy(predicted: Int[np.ndarray, " M"], labels: Int[np.ndarray, " M"]) -> float:
    """Mean over the classes that occur in `labels` of the share of each that is predicted right."""
    codes = np.unique(labels, return_inverse=True)[1]
    right = np.bincount(codes, weights=predicted == labels)
    return float(np.mean(right / np.bincount(codes)))
