"""What named public programs compute under the names RankMe and LiDAR, and which way a smoothing constant goes.

Each formula is written here from its description, in a few lines of NumPy; none of that code is run.
"""

import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every
from linbyol.representation import lidar, rankme
from linbyol.representation.bounds import moving_log_mean
from theory.clustering.untrained_labels import features, pixels

EPS = 1e-7


def entropy_rank(values: np.ndarray) -> float:
    """exp of the entropy of shares plus 1e-7."""
    p = values / values.sum() + EPS
    return float(np.exp(-np.sum(p * np.log(p))))


def principal_variances(h: np.ndarray) -> np.ndarray:
    """The eigenvalues of the centred covariance of rows."""
    return np.linalg.svd(h - h.mean(axis=0), compute_uv=False) ** 2 / (len(h) - 1)


def scatters(h: np.ndarray, images: np.ndarray, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """Within and between images, as LiDAR's definition has them."""
    means = np.stack([h[images == i].mean(axis=0) for i in np.unique(images)])
    within = h - means[np.searchsorted(np.unique(images), images)]
    around = means - means.mean(axis=0)
    S_w = within.T @ within / (len(h) - len(means)) + delta * np.eye(h.shape[1])
    return S_w, around.T @ around / (len(means) - 1)


def lda_matrix(h: np.ndarray, images: np.ndarray, delta: float) -> np.ndarray:
    """S_w^-½ S_b S_w^-½."""
    S_w, S_b = scatters(h, images, delta)
    values, vectors = np.linalg.eigh(S_w)
    root = vectors / np.sqrt(values) @ vectors.T
    return root @ S_b @ root


def views(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features of an untrained ReLU layer (64-24) on 60 digits with ten noisy views each, and the image of each row."""
    images = np.repeat(np.arange(60), 10)
    x = pixels()[rng.choice(len(pixels()), 60, replace=False)][images]
    return features(x + 0.1 * rng.standard_normal(x.shape), (64, 48, 24), rng), images


@claim(
    "C51",
    title="What reptrix calls RankMe is the rank of another spectrum",
    statement="The exponential of the entropy of the centred covariance's eigenvalues, which reptrix's get_rankme "
    "returns, differs from RankMe, which takes singular values of the features themselves.",
    source="reptrix, rankme.py, read",
    kind="numeric",
)
def not_rankme(run: Run) -> Verdict:
    h, _ = views(np.random.default_rng([run.seed, 51]))
    ours, theirs = rankme(h), entropy_rank(principal_variances(h))
    plain = entropy_rank(np.linalg.svd(h, compute_uv=False))
    differs = abs(theirs / ours - 1)
    return holds_if(abs(ours / plain - 1) < 1e-9 and differs > 0.05, rankme=ours, of_the_covariance=theirs)


@claim(
    "C52",
    title="What reptrix calls LiDAR is a spectrum of a matrix taken for data",
    statement="reptrix's get_lidar takes the principal variances of the rows of S_w^-½ S_b S_w^-½, where LiDAR takes "
    "the eigenvalues of that matrix: another number.",
    source="reptrix, lidar.py, read",
    kind="numeric",
)
def not_lidar(run: Run) -> Verdict:
    h, images = views(np.random.default_rng([run.seed, 52]))
    matrix = lda_matrix(h, images, 1e-4)
    ours, theirs = lidar(h, images), entropy_rank(principal_variances(matrix))
    plain = entropy_rank(np.maximum(np.linalg.eigvalsh(matrix), 0))
    return holds_if(abs(ours / plain - 1) < 1e-9 and abs(theirs / ours - 1) > 0.1, lidar=ours, of_its_rows=theirs)


@claim(
    "C55",
    title="A docstring has the direction of its smoothing reversed",
    statement="bmi says of its MINE's alpha that values closer to 1 smooth less; its code keeps the share alpha of the "
    "old mean, so that values closer to 1 smooth more.",
    source="cbg-ethz/bmi, _mine_estimator.py, read: logaddexp(log alpha + old, log(1 - alpha) + batch)",
    kind="reading",
)
def smoothing(run: Run) -> Verdict:
    """That recursion on a noisy series: the variance left is (1 - alpha)/(1 + alpha) of it, and falls with alpha."""
    rng = np.random.default_rng([run.seed, 55])
    series = np.log(2 + 0.1 * rng.standard_normal(4000))
    alphas, left = (0.1, 0.5, 0.9), []
    for alpha in alphas:
        means, mean = [], series[0]
        for new in series:
            mean = np.logaddexp(np.log(alpha) + mean, np.log1p(-alpha) + new)
            means.append(mean)
        left.append(np.exp(means[100:]).std() / np.exp(series).std())
    law = [np.sqrt((1 - a) / (1 + a)) for a in alphas]
    ours = float(moving_log_mean(jnp.log(2.0), jnp.log(5.0), 0.75))
    # a standard deviation from 3,900 numbers, of which alpha correlates 2/(1 - alpha): within 4/√(2·195) = 20 %
    return holds_if(
        every(np.diff(left) < 0, np.abs(np.divide(left, law) - 1) < 0.2) and abs(np.exp(ours) - 2.75) < 1e-6,
        alpha=alphas,
        standard_deviation_left=left,
        expected=law,
    )
