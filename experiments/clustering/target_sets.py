"""The target sets of a study: labels of the training images and of those for the test, each with a name."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from experiments.clustering.kept import Trained
from experiments.clustering.layers import logits
from experiments.clustering.sizes import Size
from experiments.datasets import Dataset
from experiments.targets import argmax_labels, noisy_labels, quality


class TargetSet(NamedTuple):
    """Labels of the same images for training and for the test."""

    name: str
    train: Int[np.ndarray, " N"]
    test: Int[np.ndarray, " M"]
    randomness: float = 0.0  # 1 - agreement with the truth on train

    def row(self) -> dict[str, float]:
        """What its labels are like, on train; nats."""
        found = quality(self.train)
        row = {"randomness": self.randomness, "classes": float(found.classes), "entropy": found.entropy}
        return row | {"majority": found.majority}


def semantic(dataset: Dataset, test: int) -> list[TargetSet]:
    """The classes, and the superclasses where there are any."""
    found = [TargetSet("classes", dataset.train.labels, dataset.test.labels[:test])]
    if dataset.train.coarse is not None and dataset.test.coarse is not None:
        found.append(TargetSet("superclasses", dataset.train.coarse, dataset.test.coarse[:test]))
    return found


def noisy(dataset: Dataset, size: Size, seed: int) -> list[TargetSet]:
    """The classes with a fraction of labels replaced, on train and on test by draws of their own."""
    found, classes = [], len(dataset.classes)
    for fraction in size.noises:
        rng = np.random.default_rng([seed, round(1000 * fraction)])
        train, test = (
            noisy_labels(labels, fraction, classes, rng)
            for labels in (dataset.train.labels, dataset.test.labels[: size.test])
        )
        found.append(TargetSet(f"noise {fraction:g}", train, test, float(np.mean(train != dataset.train.labels))))
    return found


def labelled(labeller: Trained, size: Size) -> list[list[TargetSet]]:
    """Of each lane of a supervised training, its labels at each epoch: as they are, and of standardised logits.

    Images are as they are, statistics of batch normalisation the running ones; both splits have the same network.
    """
    session = labeller.session
    train, test = session.dataset.train, session.dataset.test
    found: list[list[TargetSet]] = [[] for _ in labeller.seeds]
    for epoch in labeller.epochs:
        for lane, net in enumerate(labeller.networks(epoch)):
            scores, test_scores = (logits(session.plan, net, x) for x in (train.images, test.images[: size.test]))
            for name, reference in (("argmax", None), ("even", scores)):
                labels = argmax_labels(scores, reference), argmax_labels(test_scores, reference)
                randomness = float(np.mean(labels[0] != train.labels))
                found[lane].append(TargetSet(f"{name} {epoch}", *labels, randomness))
    return found
