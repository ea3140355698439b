"""Features with known statistics, and the measures in a few plain lines that share nothing with the library."""

import numpy as np
from jaxtyping import Float, Int

Features = Float[np.ndarray, "N d"]
Labels = Int[np.ndarray, " N"]


def blobs(rng: np.random.Generator, C: int, n: int, d: int, spread: float = 1.0) -> tuple[Features, Labels]:
    """n samples of each of C classes around standard normal means, shuffled."""
    labels = rng.permutation(np.repeat(np.arange(C), n))
    return rng.standard_normal((C, d))[labels] + spread * rng.standard_normal((C * n, d)), labels


def simplex(C: int) -> Float[np.ndarray, "C C"]:
    """C unit vectors of R^C with equal angles, of sum 0."""
    return (np.eye(C) - 1 / C) * np.sqrt(C / (C - 1))


def around(means: Float[np.ndarray, "C d"], s: float) -> tuple[Features, Labels]:
    """Samples whose classes have exactly these means and the covariance s² I: means ± s √d e_k for each axis k."""
    C, d = means.shape
    steps = s * np.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])
    return (means[:, None, :] + steps).reshape(-1, d), np.repeat(np.arange(C), 2 * d)


def plain_cdnv(h: Features, labels: Labels) -> float:
    """By the definition, class by class and pair by pair."""
    classes = [h[labels == c] for c in np.unique(labels)]
    centres = [a.mean(axis=0) for a in classes]
    variances = [np.mean(np.sum((a - m) ** 2, axis=1)) for a, m in zip(classes, centres, strict=True)]
    pairs = [(i, j) for i in range(len(classes)) for j in range(i)]
    apart = [2 * np.sum((centres[i] - centres[j]) ** 2) for i, j in pairs]
    return float(np.mean([(variances[i] + variances[j]) / a for (i, j), a in zip(pairs, apart, strict=True)]))


def rotation(rng: np.random.Generator, d: int) -> Float[np.ndarray, "d d"]:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def relative(a: float, b: float) -> float:
    """How far a is from b, over b."""
    return abs(a / b - 1)
