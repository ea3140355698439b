"""Target sets: what labels are like, random labels of graded randomness, and views of single images."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from experiments.augment import RECIPES
from experiments.clustering.probe import ALPHA, SharedRidge
from experiments.targets import (
    argmax_labels,
    balanced_accuracy,
    noisy_labels,
    permuted_labels,
    quality,
    sample_level,
)
from linbyol.checks import InputError
from linbyol.representation import ridge_probe


def test_quality_of_even_and_of_constant_labels():
    even = quality(np.repeat([3, 7, 9, 40], 5), np.repeat([3, 7, 9, 41], 5))
    assert (even.classes, even.majority, even.agreement) == (4, 0.25, 0.75)
    assert even.entropy == pytest.approx(np.log(4), abs=1e-12)
    assert quality(np.full(6, 2))[:3] == (1, 0.0, 1.0)
    assert np.isnan(quality(np.full(6, 2)).agreement)
    with pytest.raises(InputError, match="at least one label"):
        quality(np.zeros(0, int))


def test_balanced_accuracy_is_that_of_scikit_learn(rng):
    labels = rng.choice([0, 3, 8], 200, p=[0.8, 0.15, 0.05])
    predicted = np.where(rng.random(200) < 0.6, labels, 3)
    assert balanced_accuracy(predicted, labels) == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-12)


def test_noise_replaces_the_fraction_that_it_says(rng):
    labels = rng.integers(0, 10, 20_000)
    for fraction in (0.0, 0.25, 1.0):
        moved = np.mean(noisy_labels(labels, fraction, 10, rng) != labels)
        assert moved == pytest.approx(0.9 * fraction, abs=4 * 0.5 / np.sqrt(20_000))  # a tenth falls on itself
    for wrong in (-0.1, 1.5):
        with pytest.raises(InputError, match="from 0 to 1"):
            noisy_labels(labels, wrong, 10, rng)


def test_permuted_labels_keep_every_class_as_large_as_it_was(rng):
    labels = rng.integers(0, 7, 501)
    for fraction in (0.0, 0.5, 1.0):
        found = permuted_labels(labels, fraction, rng)
        assert (np.bincount(found) == np.bincount(labels)).all()
        assert np.mean(found != labels) <= fraction
    assert np.mean(permuted_labels(labels, 1.0, rng) != labels) > 0.75  # 6/7 in the mean


def test_standardised_logits_use_the_classes_evenly(rng):
    logits = rng.normal(size=(5000, 8)) * np.arange(1, 9) + 4 * np.arange(8)
    plain, even = argmax_labels(logits), argmax_labels(logits, logits)
    assert quality(plain).majority > 0.5
    assert quality(even).majority < 0.2
    constant = np.column_stack([logits, np.full(5000, 2.0)])
    assert np.isfinite(argmax_labels(constant, constant)).all()


def test_sample_level_has_fresh_views_for_the_test(rng):
    images = rng.integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    draw = lambda split: list(sample_level(images, RECIPES["digits"], 3, number=6, views=2, split=split))  # noqa: E731
    train, test = draw("train"), draw("test")
    assert [view.x.shape for view in train] == [(6, 8, 8, 1)] * 2
    assert (train[0].labels == np.arange(6)).all()
    views = [np.asarray(view.x) for view in (*train, *test)]
    assert all(not np.allclose(a, b) for i, a in enumerate(views) for b in views[:i])
    assert (np.asarray(draw("train")[1].x) == views[1]).all()
    with pytest.raises(InputError, match="at most the number of images, 30, but is 31"):
        next(sample_level(images, RECIPES["digits"], 3, number=31, views=1, split="train"))


def test_one_factorisation_gives_what_the_ridge_probe_gives(rng):
    labels = rng.integers(0, 4, 400)
    h = rng.normal(size=(400, 6)) * [1, 2, 30, 0.1, 1, 0] + rng.normal(size=(4, 6))[labels] + 5
    train, test = h[:300], h[300:]
    ours = SharedRidge(train, test).predict(labels[:300])
    assert (ours == ridge_probe(train, labels[:300], test, labels[300:], alpha=ALPHA).predicted).all()
