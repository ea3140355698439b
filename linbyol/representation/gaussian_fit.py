"""What a Gaussian sees of a dependence: whitened coordinates, canonical variates and their correlations."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.special import logsumexp, ndtri
from scipy.stats import rankdata

RIDGE = 0.1  # times dimension/samples, added to the unit covariance of whitened coordinates
FLAT = 1e-10  # eigenvalues of the correlation below this share of the largest are rounding
CLOSEST = 1 - 1e-9  # of a squared correlation: 10 nats a direction
FAINT = (
    0.1  # a direction of unit variance on its own rows that has less than this deviation on others is not seen there
)
FLOOR = -30.0  # of a log density ratio: e^-30 is no more than 0 to any number of rows, and one odd row is one odd row


class Canonical(NamedTuple):
    """Pairs of directions u = x A + a, w = z B + b of unit variance, and the correlation of each pair."""

    A: Float[np.ndarray, "n k"]
    a: Float[np.ndarray, " k"]
    B: Float[np.ndarray, "d k"]
    b: Float[np.ndarray, " k"]
    rho: Float[np.ndarray, " k"]

    def table(self, x: Float[np.ndarray, "N n"], z: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N N"]:
        """log p(x_i, z_j)/(p(x_i) p(z_j)) of the fitted Gaussian: -½ c (u - w)² + e (u² + w²) - ½ log(1 - ρ²).

        c = ρ/(1 - ρ²) and e = ½ ρ/(1 + ρ) in each pair of directions: near ρ = 1 nothing cancels. At least `FLOOR`.
        """
        u, w = x @ self.A + self.a, z @ self.B + self.b
        c, e = self.sharpness, self.rho / (1 + self.rho) / 2
        side = [(v**2) @ (e - c / 2) for v in (u, w)]
        return np.maximum((u * c) @ w.T + side[0][:, None] + side[1][None, :] + self.offset, FLOOR)

    def bound(self, x: Float[np.ndarray, "N n"], z: Float[np.ndarray, "N d"]) -> float:
        """The Donsker-Varadhan bound of this table, its marginals over pairs of different rows."""
        T = self.table(x, z)
        pairs = np.diagonal(T).mean()
        np.fill_diagonal(T, -np.inf)
        return float(pairs - logsumexp(T) + np.log(len(T) * (len(T) - 1)))

    @property
    def sharpness(self) -> Float[np.ndarray, " k"]:
        """ρ/(1 - ρ²)."""
        return self.rho / (1 - self.rho**2)

    @property
    def offset(self) -> float:
        """-½ Σ log(1 - ρ²), the information of the fitted Gaussian."""
        return float(-0.5 * np.log1p(-(self.rho**2)).sum())


def whitened(h: Float[np.ndarray, "N d"], most: int) -> tuple[Float[np.ndarray, "N r"], bool]:
    """The leading r ≤ `most` principal components of the standardised features, unit variance each; whether some fell.

    Constant features are left out. Of the marginal of h alone: no pairing of rows enters.
    """
    h = h - h[:1]
    peak = np.abs(h).max(axis=0)
    h = h[:, peak > 0] / peak[peak > 0]  # no square overflows
    h = h - h.mean(axis=0)
    h /= h.std(axis=0)
    N, d = h.shape
    small = h @ h.T if d > N else h.T @ h
    kept = (max(0, len(small) - most), len(small) - 1)
    values, vectors = scipy.linalg.eigh(small, subset_by_index=kept)
    values, vectors = values[::-1], vectors[:, ::-1]
    real = values > max(FLAT, len(small) * np.finfo(float).eps) * values[0]
    values, vectors = values[real], vectors[:, real]
    total = h.size  # Σ of all eigenvalues: N a feature
    scores = vectors * np.sqrt(N) if d > N else h @ (vectors * np.sqrt(N / values))
    return scores, bool(values.sum() < total * (1 - 1e-6))


def normal_scores(h: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
    """Each feature mapped to a Gaussian by its ranks, ties to their mean: invertible, so no information is lost."""
    return ndtri((rankdata(h, axis=0) - 0.5) / len(h))


def canonical(
    x: Float[np.ndarray, "N n"], z: Float[np.ndarray, "N d"], vx: Float[np.ndarray, "M n"], vz: Float[np.ndarray, "M d"]
) -> Canonical:
    """Canonical directions of the rows (x, z), with means, variances and correlations on other rows (vx, vz).

    So a direction that is found where there is none has a correlation near 0, however few the samples are.
    """
    centre = x.mean(axis=0), z.mean(axis=0)
    x, z, vx, vz = x - centre[0], z - centre[1], vx - centre[0], vz - centre[1]
    roots = [np.linalg.cholesky(h.T @ h / len(h) + RIDGE * h.shape[1] / len(h) * np.eye(h.shape[1])) for h in (x, z)]
    cross = scipy.linalg.solve_triangular(roots[0], x.T @ z / len(x), lower=True)
    cross = scipy.linalg.solve_triangular(roots[1], cross.T, lower=True).T
    U, _, Vt = np.linalg.svd(cross, full_matrices=False)
    A = scipy.linalg.solve_triangular(roots[0].T, U)
    B = scipy.linalg.solve_triangular(roots[1].T, Vt.T)
    u, w = vx @ A, vz @ B
    A, B = A / np.maximum(u.std(axis=0), FAINT), B / np.maximum(w.std(axis=0), FAINT)
    a, b = -vx.mean(axis=0) @ A, -vz.mean(axis=0) @ B
    rho = np.mean((vx @ A + a) * (vz @ B + b), axis=0)
    squared = np.clip(rho**2 - (1 - rho**2) / len(vx), 0, CLOSEST)  # less what chance adds to a square
    return Canonical(A, a - centre[0] @ A, B, b - centre[1] @ B, np.sqrt(np.where(rho > 0, squared, 0)))
