"""Where a mode with a set predictor ends, many settings in one solve, and that matrices agree with the modes."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from linbyol.equations import Commuting, Constants, Weights, simsiam, weights_flow
from linbyol.equations.directset import DirectSet, Encoder, directset_flow
from linbyol.extremes import finite, largest, relative_gap
from linbyol.fixed_points import predictor_roots
from linbyol.integrate import integrate
from linbyol.predictors import directset
from theory.proving.instances import orthogonal

LANES = 128  # settings a solve; fewer are filled up, so that every claim shares one compilation
LONG = 2e4  # the slowest rate of the settings below is 2e-3, so e^-40 is left of any start
DEAD = 1e-8  # an eigenvalue below it has collapsed: the atol of the solve is 1e-14
SIDE = 1e-6  # basin edges: how far beside the edge a start is, in parts of it


def settled(lam0: Any, k: DirectSet) -> np.ndarray:
    """lam at the time LONG from lam0; lam0 and the fields of k broadcast to (m,), m ≤ LANES.

    Compiled, since the explicit steps of so long a time are many, and there are many calls.
    """
    lam0, *fields = np.broadcast_arrays(np.atleast_1d(lam0), *k)
    m = lam0.size
    assert m <= LANES, m
    lam0, *fields = (np.pad(np.asarray(a, float), (0, LANES - m), mode="edge") for a in (lam0, *fields))
    end = integrate(directset_flow, Encoder(lam0), DirectSet(*fields), [0.0, LONG], rtol=1e-10, atol=1e-14)
    return finite(np.asarray(end.ys.lam)[-1, :m])


def levels(k: DirectSet) -> tuple[np.ndarray, np.ndarray]:
    """p_- and p_+ of a mode's data and decay; they do not depend on the rule."""
    eta, lambda_d, lambda_s = (np.asarray(a, float) for a in (k.eta, k.lambda_d, k.lambda_s))
    _, low, high = predictor_roots(Commuting(1.0, 0.0, eta, lambda_d, lambda_s))
    return np.asarray(low), np.asarray(high)


def settings(rng: np.random.Generator, m: int) -> tuple[np.ndarray, np.ndarray]:
    """m random pairs (eta, kappa) with eta between 0.3 and 0.8 of the threshold 1/(4 kappa)."""
    share, noise = rng.uniform(size=(2, m))
    kappa = 1.1 + 1.4 * noise
    return (0.3 + 0.5 * share) / (4 * kappa), kappa


def spread(*axes: Any) -> list[np.ndarray]:
    """The points of a grid: each axis as a flat array over all combinations."""
    return [a.reshape(-1) for a in np.meshgrid(*axes, indexing="ij")]


def largest_matrix_gap(rng: np.random.Generator, alphas: list[float], eps: float = 0.0, views: float = 0.0) -> float:
    """How far the rate of `weights_flow`, Wp set by `directset`, is from `directset_flow`, each alpha on its own data.

    The rule sees W X Wᵀ (views 0) or W (X + X_aug) Wᵀ (views 1); largest entry over the largest rate.
    """
    return largest(_matrix_gap(rng, alpha, eps, views) for alpha in alphas)


def _matrix_gap(rng: np.random.Generator, alpha: float, eps: float, views: float, d: int = 5) -> float:
    Q, (lam, lambda_d, noise) = orthogonal(rng, d), rng.uniform(0.2, 1.2, (3, d))
    lambda_s, lambda_f = lambda_d + noise, lambda_d + views * noise
    full = lambda v: (Q * v) @ Q.T  # noqa: E731
    W = full(lam)
    Wp = np.asarray(directset(jnp.asarray(full(lambda_f * lam**2)), alpha=alpha, eps=eps, norm=None))
    k = Constants(alpha_p=1.0, beta=0.0, eta=0.07, X=full(lambda_d), X_aug=full(noise))
    mode = directset_flow(Encoder(lam), DirectSet(alpha, k.eta, lambda_s, lambda_d, lambda_f, eps)).lam
    return relative_gap(Q.T @ simsiam(weights_flow)(Weights(W, Wp, W), k).W @ Q, np.diag(mode))
