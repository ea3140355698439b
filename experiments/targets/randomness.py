"""Random targets of graded randomness: labels of a network at an epoch of its training, and noise in the true ones.

The labels of an untrained network look random, yet they are a smooth function of the image, and few classes occur. What
a probe scores on them says little without their entropy and majority. Two remedies stand beside them: logits that are
standardised before the largest is taken, so that the classes are used about evenly, and noise, which owes nothing to
the image.
"""

import numpy as np
from jaxtyping import Float, Int

from linbyol.checks import InputError, check_count


def argmax_labels(
    logits: Float[np.ndarray, "N C"], train_logits: Float[np.ndarray, "M C"] | None = None
) -> Int[np.ndarray, " N"]:
    """The class of the largest logit (the first of equals).

    With `train_logits`, each class's logits are first standardised by their mean and standard deviation there; a class
    whose logits are constant is left as it is but for the mean.
    """
    if train_logits is not None:
        mean, std = train_logits.mean(axis=0), train_logits.std(axis=0)
        logits = (logits - mean) / np.where(std > 0, std, 1)
    return np.argmax(logits, axis=1)


def noisy_labels(
    labels: Int[np.ndarray, " N"], fraction: float, classes: int, rng: np.random.Generator
) -> Int[np.ndarray, " N"]:
    """Each label replaced, with probability `fraction`, by one of `classes` drawn alike (which may be the same)."""
    _check_fraction(fraction)
    check_count("classes", classes)
    return np.where(rng.random(len(labels)) < fraction, rng.integers(0, classes, len(labels)), labels)


def permuted_labels(labels: Int[np.ndarray, " N"], fraction: float, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    """The labels of a `fraction` of the samples, chosen at random, permuted among them: the balanced form of noise."""
    _check_fraction(fraction)
    chosen = rng.permutation(len(labels))[: round(fraction * len(labels))]
    found = labels.copy()
    found[chosen] = labels[rng.permutation(chosen)]
    return found


def _check_fraction(fraction: float) -> None:
    if not 0 <= fraction <= 1:
        raise InputError(f"Argument `fraction` must be from 0 to 1, but is {fraction}.")
