"""Class statistics, CDNV, NCC and neural collapse: closed forms, independent programs, invariances, bad input."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestCentroid

from linbyol.checks import InputError
from linbyol.representation import (
    cdnv,
    clusters,
    directional_cdnv,
    merge,
    nc1,
    nc2,
    nc3,
    nc4,
    nc5,
    ncc,
    nearest_centre,
    statistics,
)


def features(rng, n=400, d=12, C=7, dtype=np.float64, offset=0.0, scale=1.0):
    """Clusters around random means; labels with gaps, one of them negative."""
    labels = np.array([-3, 0, 2, 5, 11, 40, 41])[rng.integers(0, C, n)]
    means = {label: rng.standard_normal(d) for label in np.unique(labels)}
    h = np.stack([means[label] for label in labels]) + 0.7 * rng.standard_normal((n, d))
    return (scale * h + offset).astype(dtype), labels


def plain_cdnv(h, labels):
    h = h.astype(np.float64)
    classes = [h[labels == c] for c in np.unique(labels)]
    pairs = [(a, b) for i, a in enumerate(classes) for b in classes[:i]]
    variance = lambda a: np.mean(np.sum((a - a.mean(0)) ** 2, 1))  # noqa: E731
    return np.mean([(variance(a) + variance(b)) / (2 * np.sum((a.mean(0) - b.mean(0)) ** 2)) for a, b in pairs])


def plain_directional(h, labels):
    h = h.astype(np.float64)
    classes = [h[labels == c] for c in np.unique(labels)]
    found = []
    for i, a in enumerate(classes):
        for j, b in enumerate(classes):
            if i != j:
                line = b.mean(0) - a.mean(0)
                unit = line / np.linalg.norm(line)
                found.append(np.var((a - a.mean(0)) @ unit) / (line @ line))
    return np.mean(found)


def plain_nc1(h, labels):
    h = h.astype(np.float64)
    names = np.unique(labels)
    M = np.stack([h[labels == c].mean(0) for c in names])
    around = h - M[np.searchsorted(names, labels)]
    S_W, S_B = around.T @ around / len(h), (M - h.mean(0)).T @ (M - h.mean(0)) / len(M)
    values, vectors = np.linalg.eigh(S_B)
    values, vectors = values[-len(M) + 1 :], vectors[:, -len(M) + 1 :]
    return np.trace(S_W @ (vectors / values) @ vectors.T) / len(M), np.trace(S_W) / np.trace(S_B)


@pytest.mark.parametrize(
    ("dtype", "offset", "scale", "tolerance"),
    [
        (np.float64, 0, 1, 1e-10),
        (np.float64, 3000, 1, 1e-9),  # rounding of the features, 5e-13 of their spread, over the smallest mean
        (np.float64, 0, 1e-7, 1e-10),
        (np.float32, 0, 1, 1e-4),
        (np.float32, 3000, 1, 1e-4),
        (np.float32, 0, 1e-7, 1e-4),
        (np.float32, 3e-4, 1e-7, 1e-4),
    ],
)
def test_measures_of_clusters_are_those_of_a_plain_program(rng, dtype, offset, scale, tolerance):
    h, labels = features(rng, dtype=dtype, offset=offset, scale=scale)
    train, test = slice(0, 300), slice(300, None)
    assert cdnv(h, labels) == pytest.approx(plain_cdnv(h, labels), rel=tolerance)
    assert directional_cdnv(h, labels) == pytest.approx(plain_directional(h, labels), rel=tolerance)
    by_pinv, quotient = plain_nc1(h, labels)
    assert nc1(h, labels) == pytest.approx(by_pinv, rel=tolerance)
    assert nc1(h, labels, form="svd") == pytest.approx(by_pinv, rel=tolerance)
    assert nc1(h, labels, form="quotient") == pytest.approx(quotient, rel=tolerance)
    oracle = NearestCentroid().fit(h[train].astype(np.float64), labels[train])
    found = nearest_centre(h[train], labels[train], h[test], labels[test])
    assert (found.predicted == oracle.predict(h[test].astype(np.float64))).all()
    assert ncc(h[train], labels[train], h[test], labels[test]) == np.mean(found.predicted == labels[test])


@pytest.mark.parametrize("spread", [1e-2, 1e-4])
def test_nearly_collapsed_classes_keep_their_digits_in_float32(rng, spread):
    """Σ‖h‖² - n‖μ‖² would have none left."""
    labels = rng.integers(0, 6, 300)
    h = (3 + rng.standard_normal((6, 20))[labels] + spread * rng.standard_normal((300, 20))).astype(np.float32)
    assert cdnv(h, labels) == pytest.approx(plain_cdnv(h, labels), rel=1e-4)
    assert directional_cdnv(h, labels) == pytest.approx(plain_directional(h, labels), rel=1e-4)
    assert nc1(h, labels) == pytest.approx(plain_nc1(h, labels)[0], rel=1e-4)
    assert ncc(h, labels, h, labels) == 1


def test_two_pairs():
    h, labels = np.array([[0.0], [2], [3], [5]]), ["a", "a", "b", "b"]
    assert cdnv(h, labels) == pytest.approx(1 / 9, rel=1e-14)
    assert directional_cdnv(h, labels) == pytest.approx(1 / 9, rel=1e-14)  # one dimension: there is one line
    assert cdnv([[0], [2], [3], [5]], [7, 7, -1, -1]) == pytest.approx(1 / 9, rel=1e-14)


def test_simplex(rng):
    """Unit-norm simplex in R^C, within-class covariance s² I exactly: ± √C s e_k around each vertex, k = 1 … C."""
    C, s = 5, 0.3
    vertices = (np.eye(C) - 1 / C) * np.sqrt(C / (C - 1))
    h = np.concatenate([v + sign * s * np.sqrt(C) * np.eye(C) for v in vertices for sign in (1, -1)])
    labels = np.repeat(np.arange(C), 2 * C)
    assert nc1(h, labels) == pytest.approx(s**2 * (C - 1) ** 2 / C, rel=1e-12)
    assert nc1(h, labels, form="quotient") == pytest.approx(s**2 * C, rel=1e-12)
    assert cdnv(h, labels) == pytest.approx(s**2 * (C - 1) / 2, rel=1e-12)
    assert nc2(h, labels) == pytest.approx((0, 0), abs=1e-12)
    assert nc3(h, labels, weights=7 * vertices) == pytest.approx(0, abs=1e-12)
    assert nc3(h, labels, weights=-vertices) == pytest.approx(2, rel=1e-12)
    assert nc4(h, labels, predicted=labels) == np.mean(labels != cdist(h, vertices).argmin(1))
    assert nc5(np.pad(h, ((0, 0), (0, 1))), labels, [[0.0] * C + [2.0]]) == pytest.approx(0, abs=1e-12)
    assert nc5(h, labels, h[labels == 0]) == pytest.approx((1 + (C - 1) / (C - 1)) / C, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_parts_merge_to_the_whole(rng, dtype):
    h, labels = features(rng, dtype=dtype, offset=50)
    whole = statistics(h, labels, scatter=True)
    parts = [statistics(h[rows], labels[rows], scatter=True) for rows in np.array_split(rng.permutation(len(h)), 7)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merge(merged, part)
    merged_tolerance = 1e-12 if dtype is np.float64 else 1e-5
    assert (merged.labels == whole.labels).all()
    assert (merged.counts == whole.counts).all()
    for name in ("means", "within", "scatter"):
        a, b = getattr(merged, name), getattr(whole, name)
        np.testing.assert_allclose(a, b, rtol=merged_tolerance, atol=merged_tolerance * np.abs(b).max())
    assert statistics(h[:9], labels[:9], scatter=True).update(h[9:], labels[9:]).samples == 400


def test_an_absent_class_changes_nothing(rng):
    """Classes are those that occur: whatever the labels' names, and whether others exist elsewhere."""
    h, labels = features(rng)
    kept = ~np.isin(labels, [0, 11])
    expected = plain_cdnv(h[kept], labels[kept])
    assert cdnv(h[kept], labels[kept]) == pytest.approx(expected, rel=1e-10)
    assert cdnv(h[kept], labels[kept].astype(str)) == pytest.approx(expected, rel=1e-10)
    assert cdnv(h[kept], labels[kept] + 0.5) == pytest.approx(expected, rel=1e-10)


def test_label_sets_and_layers_share_a_pass(rng):
    h, labels = features(rng)
    sets = {"fine": labels, "coarse": labels > 4, "sample": np.arange(len(h)) // 4}
    found = statistics({"first": h, "second": h[:, :3] ** 2}, sets)
    for name, column in sets.items():
        assert cdnv(found["first"][name]) == pytest.approx(plain_cdnv(h, column), rel=1e-10)
        assert cdnv(found["second"][name]) == pytest.approx(plain_cdnv(h[:, :3] ** 2, column), rel=1e-10)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_fell_to_one_point_does_not_read_as_good(rng, dtype):
    labels = np.arange(60) % 3
    h = np.tile(rng.standard_normal(8), (60, 1)).astype(dtype)
    rounded = h * (1 + np.finfo(dtype).eps * rng.integers(-1, 2, h.shape)).astype(dtype)
    for fallen in (h, rounded):
        assert cdnv(fallen, labels) == directional_cdnv(fallen, labels) == np.inf
        assert nc1(fallen, labels) == nc1(fallen, labels, form="quotient") == np.inf
        assert ncc(fallen, labels, fallen, labels) == pytest.approx(1 / 3)


def test_ties_go_to_the_smallest_label_and_unseen_labels_are_errors():
    found = nearest_centre([[0.0], [2.0]], [9, 4], [[1.0], [0.1], [2.0]], [4, 9, 7])
    assert list(found.predicted) == [4, 9, 4]
    assert (found.accuracy, found.unseen) == (2 / 3, 1)


GOOD, LABELS = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("h", "labels", "sentence"),
    [
        (np.where(GOOD == 7, np.nan, GOOD), LABELS, r"`h` must be finite, but h\[3, 1\] = nan"),
        (np.where(GOOD == 7, -np.inf, GOOD), LABELS, r"`h` must be finite, but h\[3, 1\] = -inf"),
        (GOOD.astype(object), LABELS, "`h` must be real numbers, but has dtype object"),
        (GOOD.astype(str), LABELS, "`h` must be real numbers"),
        (GOOD.astype(complex), LABELS, "`h` must be real numbers, but has dtype complex128"),
        (np.ma.masked_equal(GOOD, 7), LABELS, "`h` must have a number everywhere"),
        (GOOD[:, 0], LABELS, r"`h` must have shape \(N, d\)"),
        (GOOD[:0], LABELS[:0], r"`h` must have shape \(N, d\)"),
        (GOOD, LABELS[:5], r"`labels` must have one label a row, shape \(6,\), but has shape \(5,\)"),
        (GOOD, [0, 0, 1, 1, None, 2], r"`labels` must have a label for each row, but labels\[4\] is missing"),
        (GOOD, ["a", "a", "b", "b", float("nan"), "c"], r"labels\[4\] is missing"),
        (GOOD, np.array([0, 0, 1, np.nan, 2, 2]), r"labels\[3\] is missing"),
        (GOOD, np.array(["a", None, "b", "b", "c", "c"], object), r"labels\[1\] is missing"),
        (GOOD, LABELS.astype(complex), "`labels` must be numbers or strings"),
        (GOOD, np.ma.masked_equal(LABELS, 1), "`labels` must have a label for each row"),
    ],
)
def test_bad_input_gets_one_sentence(h, labels, sentence):
    with pytest.raises(InputError, match=sentence):
        cdnv(h, labels)


def test_train_and_test_must_fit():
    with pytest.raises(InputError, match="`h` must have 2 features as the centres have, but has 1"):
        ncc(GOOD, LABELS, GOOD[:, :1], LABELS)
    with pytest.raises(InputError, match="`labels` must be of the same kind as `train_labels`"):
        ncc(GOOD, LABELS, GOOD, LABELS.astype(str))


def test_one_class_is_no_number_and_says_so():
    for measure in (cdnv, directional_cdnv, nc1):
        with pytest.warns(RuntimeWarning, match="needs two classes"):
            assert np.isnan(measure(GOOD, np.zeros(6)))
    with pytest.warns(RuntimeWarning, match="needs two classes"):
        assert np.isnan(nc2(GOOD, np.zeros(6))).all()
    with pytest.warns(RuntimeWarning, match="needs two classes"):
        found = clusters(GOOD, np.zeros(6))
    assert np.isnan([found.cdnv, found.directional_cdnv, found.nc1, found.nc1_quotient, *found.nc2]).all()
    assert found.ncc_train == 1  # there is nothing to mistake it for
    assert np.isfinite(cdnv(GOOD[:5], LABELS[:5]))  # a class of one sample has variance 0


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e25), (np.float32, 1e-30), (np.float64, 1e60)])
def test_extreme_scales_are_not_seen(rng, dtype, scale):
    h, labels = features(rng, n=90)
    huge = (h * scale).astype(dtype)
    for measure in (cdnv, directional_cdnv, nc1):
        assert measure(huge, labels) == pytest.approx(measure(h, labels), rel=1e-5)
    assert ncc(huge, labels, huge, labels) == ncc(h, labels, h, labels)


@pytest.mark.parametrize("scale", [1e170, 1e-170])
def test_what_cannot_be_squared_is_refused(rng, scale):
    with pytest.raises(InputError, match="`h` must be of a size between 1e-70 and 1e"):
        cdnv(scale * rng.standard_normal((6, 2)), LABELS)


def test_means_without_direction_are_no_number_and_say_so():
    for measure in (nc2, lambda h, y: nc3(h, y, weights=np.ones((3, 2))), lambda h, y: nc5(h, y, h)):
        with pytest.warns(RuntimeWarning, match="needs directions"):
            assert np.isnan(measure(np.zeros((6, 2)), LABELS)).all()
    with pytest.raises(InputError, match="`predicted` must have one label a row"):
        nc4(GOOD, LABELS, predicted=LABELS[:5])
