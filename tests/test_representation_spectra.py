"""Spectra, similarity, dimension, agreement and health: closed forms, independent programs, bad input."""

import numpy as np
import pytest
import scipy.stats
from sklearn.datasets import load_digits

from linbyol.checks import InputError
from linbyol.representation import (
    alignment,
    alpha_req,
    cka,
    effective_rank,
    explained_variance_area,
    health,
    kmeans_agreement,
    lidar,
    measure,
    participation_ratio,
    power_law,
    rankme,
    silhouette,
    spectra,
    two_nn,
    uniformity,
    unit_rows,
)


def with_spectrum(rng, values, n, centred=False):
    """Features (n, d) with these singular values, orthogonal to (1, …, 1) if centred."""
    d = len(values)
    left = rng.standard_normal((n, d))
    left = np.linalg.qr(left - left.mean(0) if centred else left)[0]
    return left @ np.diag(values) @ np.linalg.qr(rng.standard_normal((d, d)))[0]


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_spectra_in_closed_form(rng, monkeypatch, direct, wide):
    """By the features themselves and by the smaller Gram matrix, d < N and N < d."""
    monkeypatch.setattr(spectra, "DIRECT", 2**40 if direct else 0)
    k = np.arange(1, 41)
    for values in (np.ones(40), k**-1.0, 0.9**k):
        h = with_spectrum(rng, values, 100)
        h = h.T.copy() if wide else h
        assert effective_rank(h) == pytest.approx(np.exp(scipy.stats.entropy(values)), rel=1e-10)
        p = values / values.sum() + 1e-7
        assert rankme(h) == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-10)
    h = with_spectrum(rng, k**-0.7, 100, centred=True) + 5 * rng.standard_normal(40)
    assert alpha_req(h, fit=(1, 40)) == pytest.approx(1.4, rel=1e-9)
    assert alpha_req(h) == pytest.approx(1.4, rel=1e-9)
    assert power_law(h)[2:] == (10, 40)
    shares = k**-1.4 / np.sum(k**-1.4)
    assert participation_ratio(h) == pytest.approx(1 / np.sum(shares**2), rel=1e-9)
    assert explained_variance_area(h) == pytest.approx(np.mean(np.cumsum(shares)), rel=1e-9)


def test_rank_one_by_gram_matrices_has_no_tail_of_rounding(rng, monkeypatch):
    monkeypatch.setattr(spectra, "DIRECT", 0)
    h = np.outer(rng.standard_normal(300), rng.standard_normal(200))
    assert effective_rank(h) == pytest.approx(1, abs=1e-10)
    assert rankme(h) - 1 == pytest.approx(199e-7 * np.log(1e7), rel=0.02)  # to first order in eps
    assert effective_rank(h.astype(np.float32)) == pytest.approx(1, abs=1e-3)  # its own rounding: 200 · 6e-8 · ln(1e7)


def test_float32_spectra_are_those_of_float64(rng, monkeypatch):
    h = with_spectrum(rng, 0.9 ** np.arange(60), 300).astype(np.float32) + 3
    expected = rankme(h.astype(np.float64)), participation_ratio(h.astype(np.float64))
    for direct in (0, 2**40):
        monkeypatch.setattr(spectra, "DIRECT", direct)
        assert (rankme(h), participation_ratio(h)) == pytest.approx(expected, rel=1e-6)


def test_cka_by_every_route(rng, monkeypatch):
    x, y = rng.standard_normal((50, 20)), rng.standard_normal((50, 70))
    y[:, :20] += x
    H = np.eye(50) - 1 / 50
    K, L = H @ x @ x.T @ H, H @ y @ y.T @ H
    biased = np.sum(K * L) / (np.linalg.norm(K) * np.linalg.norm(L))
    wide = np.concatenate([x, np.zeros((50, 60))], axis=1)  # N < d on both sides
    for h in (x, wide):
        assert cka(h, y, debiased=False) == pytest.approx(biased, rel=1e-12)
        assert cka(1e4 * h + 7, y) == pytest.approx(cka(x, y), rel=1e-9)
    monkeypatch.setattr(spectra, "DIRECT", 0)
    single = cka(x.astype(np.float32) + 100, y.astype(np.float32))
    assert single == pytest.approx(cka(x, y), abs=1e-4)  # float32 at 100: 4e-6 of each number
    with pytest.warns(RuntimeWarning, match="vary on both sides"):
        assert np.isnan(cka(np.ones((50, 3)), y))
    with pytest.raises(InputError, match="`h2` must have 50 rows as `h1` has, one a sample, but has 49"):
        cka(x, y[1:])
    with pytest.raises(InputError, match="`h1` must have at least 4 rows, but has 3"):
        cka(x[:3], y[:3])


def test_sphere(rng):
    x, y = rng.standard_normal((2, 30, 5))
    u, v = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    assert alignment(x, 3 * y) == pytest.approx(np.mean(np.sum((u - v) ** 2, 1)), rel=1e-12)
    assert alignment(x, y, alpha=1) == pytest.approx(np.mean(np.linalg.norm(u - v, axis=1)), rel=1e-12)
    pairs = [np.exp(-2 * np.sum((u[i] - u[j]) ** 2)) for i in range(30) for j in range(i)]
    assert uniformity(x) == pytest.approx(np.log(np.mean(pairs)), rel=1e-12)
    assert uniformity(np.ones((4, 3))) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(np.asarray(unit_rows(x)), u, rtol=1e-14)
    with pytest.warns(RuntimeWarning, match="A row of `h` is 0"):
        assert np.isnan(uniformity(np.zeros((3, 2))))
    with pytest.raises(InputError, match=r"h\[2\] is 0"):
        rankme(unit_rows(x * (np.arange(30) != 2)[:, None]))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_two_nearest_neighbours_count_dimensions(rng, d):
    flat = rng.uniform(size=(2000, d)) @ np.linalg.qr(rng.standard_normal((20, d)))[0].T + 30
    found = two_nn(flat)
    assert abs(found.dimension - d) < 4 * found.error + 0.03 * d  # the edge of the cube thins the neighbours out
    assert found.error == pytest.approx(d / np.sqrt(1800), rel=0.15)
    twice = two_nn(np.concatenate([flat, flat[:500]]))
    assert twice[:3] == pytest.approx(found[:3], rel=1e-12)
    assert twice.duplicates == 500
    assert two_nn(flat.astype(np.float32)).dimension == pytest.approx(found.dimension, rel=1e-2)


def test_two_nearest_neighbours_without_neighbours():
    with pytest.warns(RuntimeWarning, match="ten distinct rows, but has 1"):
        assert np.isnan(two_nn(np.ones((50, 3))).dimension)


def test_agreement_with_clusters(rng):
    labels = np.repeat(["x", "y", "z"], 40)
    h = 20 * np.repeat(np.eye(3, 6), 40, axis=0) + rng.standard_normal((120, 6))
    assert kmeans_agreement(h, labels)[:3] == pytest.approx((1, 1, 3))
    assert silhouette(h, labels) > 0.8
    assert abs(kmeans_agreement(h, rng.permutation(labels)).ari) < 0.1
    for scale in (1e-40, 1e-25, 1e25, 1e36):  # whose squares float32 does not hold
        moved = (scale * h).astype(np.float32)
        assert kmeans_agreement(moved, labels)[:2] == pytest.approx((1, 1))
        assert silhouette(moved, labels) == pytest.approx(silhouette(h, labels), rel=1e-4)
    assert silhouette(1e200 * h, labels) == pytest.approx(silhouette(h, labels), rel=1e-12)
    with pytest.warns(RuntimeWarning, match="from 2 to N - 1 classes"):
        assert np.isnan(silhouette(h, np.arange(120)))


def test_lidar_without_views(rng):
    with pytest.warns(RuntimeWarning, match="two groups"):
        assert np.isnan(lidar(rng.standard_normal((5, 3)), np.arange(5)))
    with pytest.warns(RuntimeWarning, match="needs a delta above the rounding of variances of "):
        assert np.isnan(lidar(1e9 * rng.standard_normal((8, 30)), np.arange(8) // 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_health_has_three_verdicts(rng, dtype):
    c = rng.standard_normal(256)
    c /= np.linalg.norm(c)
    noise = rng.standard_normal((600, 256))
    assert health(noise.astype(dtype)).verdict == "spread"
    assert health((noise[:, :8] @ noise[:8]).astype(dtype)).verdict == "dimensional collapse"
    fallen = health((c + 1e-5 * noise).astype(dtype))
    assert fallen.verdict == "collapsed"
    assert fallen.std == pytest.approx(1e-5, rel=0.01)
    assert fallen.mean_share == pytest.approx(1 - 128e-10, rel=1e-9)  # ½ 256 · 1e-10 of the norm is not the mean's
    for h in (np.tile(c, (5, 1)), np.zeros((5, 4))):
        assert health(h.astype(dtype))[::2] == ("collapsed", 0)
    assert health(load_digits().data.astype(dtype)).verdict == "spread"
    with pytest.raises(InputError, match="`h` must have at least 2 rows, but has 1"):
        health(noise[:1])


@pytest.mark.parametrize("measure", [rankme, participation_ratio, alpha_req, explained_variance_area])
def test_a_spectrum_of_nothing_is_no_number_and_says_so(measure):
    with pytest.warns(RuntimeWarning, match="NaN"):
        assert np.isnan(measure(np.zeros((6, 3))))


def test_everything_at_once_says_how_and_how_sure(rng):
    C, n = 5, 60
    means, mix = rng.standard_normal((C, 16)), rng.standard_normal((16, 16)) / 3
    labels = np.repeat(np.arange(C), n)
    draw = lambda: means[labels] + rng.standard_normal((C * n, 16)) @ mix  # noqa: E731
    h, other = draw(), draw()
    sets = {"class": labels, "odd": labels % 2}
    found = measure(h, sets, other, sets)
    assert found.health == health(h)
    assert found["rankme"].value == rankme(h)
    assert {m.labels for m in found.measurements} == {"", "class", "odd"}
    assert all(m.convention and np.isfinite(m.value) and m.error >= 0 for m in found.measurements)
    draws = [measure(draw(), labels, only=("clusters", "spectra", "dimension")) for _ in range(15)]
    for name in ("cdnv", "directional_cdnv", "nc1", "nc1_quotient", "ncc_train", "participation_ratio", "two_nn"):
        spread = np.std([one[name].value for one in draws], ddof=1)  # to 19 %
        errors = np.mean([one[name].error for one in draws])
        assert 0.6 < errors / spread < 1.7, name
    units = measure(h, labels, only=["clusters"], normalise=True)
    assert "unit sphere" in units["cdnv"].convention
    assert units["cdnv"].value == measure(np.asarray(unit_rows(h)), labels, only=["clusters"])["cdnv"].value
    with pytest.raises(InputError, match="lacks 'odd'"):
        measure(h, sets, other, {"class": labels})
    with pytest.raises(InputError, match="`only` must be one of clusters, spectra"):
        measure(h, only=["cluster"])


def test_one_class_leaves_what_needs_no_labels(rng):
    h = rng.standard_normal((40, 6))
    with pytest.warns(RuntimeWarning, match="class"):
        found = measure(h, np.zeros(40))
    unlabelled = measure(h)
    assert found.health == unlabelled.health
    assert all(found[m.name] == m and np.isfinite(m.value) for m in unlabelled.measurements)
    assert np.isnan([found[name].value for name in ("cdnv", "nc1", "nc2_equinorm", "silhouette")]).all()


def test_an_error_that_cannot_be_is_no_number_and_is_silent(rng):
    """A class of which a part has no sample, and parts that leave one class alone."""
    h = rng.standard_normal((40, 6))
    found = measure(h, np.arange(40) == 0, only=["clusters"])  # one group holds all of a class
    assert np.isfinite([m.value for m in found.measurements]).all()
    assert np.isnan([found[name].error for name in ("cdnv", "directional_cdnv", "nc1", "nc2_equinorm")]).all()


def test_numbers_of_collapsed_features_say_so(rng):
    labels, c = np.arange(60) % 3, np.eye(8)[0]
    h = 1e-5 * (rng.standard_normal((60, 8)) + 9 * np.eye(8)[labels])
    fallen = measure((c + h).astype(np.float32), labels, only=["clusters"])
    assert fallen.health.verdict == "collapsed"
    assert fallen["ncc_train"].value == 1  # as of features that are well: it knows no scale
    assert all("COLLAPSED" in m.convention for m in fallen.measurements)
    assert not any("COLLAPSED" in m.convention for m in measure(h, labels, only=["clusters"]).measurements)
