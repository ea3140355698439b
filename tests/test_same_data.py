"""The table of SAME_DATA.md: our column against independent programs, the others' as computed, both as printed."""

import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.linalg
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestCentroid

import theory.clustering
from theory.clustering import same_data

TABLE = (Path(theory.clustering.__path__[0]) / "SAME_DATA.md").read_text("utf-8")


@pytest.fixture(scope="module")
def ours():
    return same_data.ours()


def printed():
    """measure -> (our number, {program: number}), as the table has them."""
    found = {}
    for line in TABLE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"-?\d+\.\d+", cells[1]):
            others = [part.rsplit(" ", 1) for part in cells[2].split(", ") if part]
            found[cells[0]] = float(cells[1]), {name: float(number) for name, number in others}
    return found


def test_the_table_says_what_is_computed(ours):
    elsewhere = same_data.elsewhere()
    table = printed()
    assert set(table) == set(ours)
    for measure, (number, others) in table.items():
        assert number == pytest.approx(ours[measure], abs=6e-5), measure  # four digits are printed
        assert others == pytest.approx(elsewhere.get(measure, {}), abs=6e-5), measure


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # scikit-learn's, of a unit that is never on
def test_our_column_is_that_of_independent_programs(ours):
    h, y, train = same_data.layer()
    v, images, _ = same_data.views()
    n, classes = len(h), np.unique(y)
    means = np.stack([h[y == c].mean(axis=0) for c in classes])
    within = h - means[y]
    variance = np.array([np.mean(np.sum(within[y == c] ** 2, axis=1)) for c in classes])
    apart = ((means[:, None] - means) ** 2).sum(axis=2)
    pairs = (variance[:, None] + variance) / (2 * apart + np.eye(10))
    around = means - h.mean(axis=0)
    size = np.linalg.norm(around, axis=1)
    few = np.ix_(*[[c for c in classes if c not in (3, 7)]] * 2)
    p = scipy.linalg.svdvals(h)
    p = p / p.sum() + 1e-7
    S_w = np.cov(v.T - np.stack([v[images == i].mean(axis=0) for i in images]).T, bias=True) * 600 / 540
    S_b = np.cov(np.stack([v[images == i].mean(axis=0) for i in range(60)]).T)
    q = scipy.linalg.eigh(S_b, S_w + 1e-4 * np.eye(32), eigvals_only=True)
    q = np.maximum(q, 0) / q.sum() + 1e-7
    lines = [(m - k, h[y == c] - k) for c, k in zip(classes, means, strict=True) for m in means if (m != k).any()]
    angles = 1 - pdist(around, "cosine")
    spectrum = np.sort(np.linalg.eigvalsh(np.cov(h.T)))[::-1]
    near = KDTree(np.unique(h, axis=0)).query(np.unique(h, axis=0), 3)[0]
    mu = np.sort(np.log(near[:, 2] / near[:, 1]))
    up = -np.log(1 - np.arange(len(mu)) / len(mu))
    kept = slice(0, int(0.9 * len(mu)))
    sphere = v / np.linalg.norm(v, axis=1, keepdims=True)
    a, b = v[0::10], v[1::10]
    unit = jnp.asarray(np.concatenate([a, b]))
    deviations = [np.sqrt(np.var(z, axis=0, ddof=1) + 1e-4) for z in (a, b)]
    expected = {
        "CDNV": pairs[~np.eye(10, dtype=bool)].mean(),
        "CDNV, two classes absent": pairs[few][~np.eye(8, dtype=bool)].mean(),
        "CDNV, directional": np.mean([np.mean((x @ w) ** 2) / (w @ w) ** 2 for w, x in lines]),
        "NCC, test": NearestCentroid().fit(h[train], y[train]).score(h[~train], y[~train]),
        "NC1": np.trace(within.T @ within / n @ np.linalg.pinv(around.T @ around / 10, rcond=1e-10)) / 10,
        "NC2, equal norms": size.std() / size.mean(),
        "NC2, equal angles": np.mean(np.abs(angles + 1 / 9)),
        "RankMe": np.exp(-np.sum(p * np.log(p))),
        "LiDAR": np.exp(-np.sum(q * np.log(q))),
        "participation ratio": spectrum.sum() ** 2 / np.sum(spectrum**2),
        "alpha-ReQ, indices 1 to 20": -np.polyfit(np.log(np.arange(1, 21)), np.log(spectrum[:20]), 1)[0],
        "TwoNN": (mu[kept] @ up[kept]) / (mu[kept] @ mu[kept]),
        "silhouette": silhouette_score(h, y),
        "alignment of two views": np.mean(np.sum((sphere[0::10] - sphere[1::10]) ** 2, axis=1)),
        "uniformity": np.log(np.mean(np.exp(-2 * pdist(sphere, "sqeuclidean")))),
        "CKA, 20 rows of independent data": debiased(*same_data._independent()),
        "VICReg, invariance": np.mean((a - b) ** 2),
        "VICReg, variance": np.mean([np.maximum(0, 1 - s).mean() for s in deviations]),
        "NT-Xent": float(optax.losses.ntxent(unit, jnp.asarray(np.tile(np.arange(60), 2)), temperature=0.5)),
    }
    assert ours == pytest.approx(expected, rel=1e-8)  # NC1's pseudo-inverse and LiDAR's S_w have conditions of 10³


def debiased(x, w):
    """From the (n, n) matrices, term by term."""
    n = len(x)

    def hsic(K, L):
        A, B = (M - np.diag(np.diag(M)) for M in (K, L))
        both, one = A.sum() * B.sum() / ((n - 1) * (n - 2)), (A @ B).sum() * 2 / (n - 2)
        return (np.trace(A @ B) + both - one) / (n * (n - 3))

    K, L = x @ x.T, w @ w.T
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
