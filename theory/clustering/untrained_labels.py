"""The labels that an untrained network gives are not random labels: few classes, and easy to predict."""

from functools import cache
from itertools import pairwise

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every, largest, least

NETWORKS, CLASSES = 4, 100
WIDTHS = (64, *[256] * 6, CLASSES)


@cache
def pixels() -> np.ndarray:
    """scikit-learn's digits, (1797, 64) in [0, 1]."""
    return load_digits().data / 16


def features(h: np.ndarray, widths: tuple[int, ...], rng: np.random.Generator, default: bool = False) -> np.ndarray:
    """An untrained ReLU network: He-normal weights and no biases, or PyTorch's default, uniform in ±1/√(inputs)."""
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        if default:
            h = h @ rng.uniform(-1, 1, (inputs, outputs)) / inputs**0.5 + rng.uniform(-1, 1, outputs) / inputs**0.5
        else:
            h = h @ rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
        h = np.maximum(h, 0) if i < len(widths) - 2 else h
    return h


def accuracy(labels: np.ndarray) -> float:
    """Of a ridge classifier on pixels, trained on two thirds of the digits, on the others."""
    x, test = pixels(), np.arange(len(labels)) % 3 == 0
    if len(set(labels[~test])) == 1:
        return float(np.mean(labels[test] == labels[~test][0]))
    return float(RidgeClassifier(alpha=1.0).fit(x[~test], labels[~test]).score(x[test], labels[test]))


@claim(
    "C31",
    title="Labels of an untrained network use few classes and are easy to predict",
    statement="The argmax over 100 outputs of untrained ReLU networks (64-256×6-100) on digits takes at most a third "
    "of the classes with He-normal weights and at most 5 with PyTorch's default, and a linear classifier predicts it "
    "on test images with an accuracy of 0.4 to 1, where independent random labels give 0.01.",
    source="derived",
    kind="real data",
)
def few_and_easy(run: Run) -> Verdict:
    """By seed 3 to 26 classes and 0.5 to 0.98 are usual, and 1 or 2, seldom 4, with PyTorch's weights.

    599 independent labels are guessed 6 ± 2.4 times.
    """
    rng = np.random.default_rng([run.seed, 31])
    found = {default: [features(pixels(), WIDTHS, rng, default).argmax(axis=1) for _ in range(NETWORKS)]
             for default in (False, True)}  # fmt: skip
    used = {name: [len(set(labels)) for labels in of] for name, of in found.items()}
    right = {name: [accuracy(labels) for labels in of] for name, of in found.items()}
    majority = [np.bincount(labels).max() / len(labels) for labels in found[False]]
    chance = accuracy(rng.integers(0, CLASSES, len(pixels())))
    digits = accuracy(load_digits().target)
    return holds_if(
        every(largest(used[False]) <= 33, largest(used[True]) <= 5, chance < 0.03)
        and least(right[False], right[True]) > 0.4,
        classes_of_100=used[False],
        majority_share=majority,
        test_accuracy=right[False],
        classes_by_default_weights=used[True],
        test_accuracy_by_default_weights=right[True],
        test_accuracy_of_independent_labels=chance,
        test_accuracy_of_true_digits=digits,
    )
