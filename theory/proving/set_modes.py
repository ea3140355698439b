"""Where a mode with a set predictor ends, many settings in one solve, and that matrices agree with the modes."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.equations import Commuting, Constants, Weights, simsiam, weights_flow
from linbyol.equations.directset import DirectSet, Encoder, directset_flow
from linbyol.extremes import finite
from linbyol.fixed_points import predictor_roots
from linbyol.integrate import integrate
from linbyol.predictors import directset
from theory.proving.instances import orthogonal

LANES = 128  # settings a solve; fewer are filled up, so that every claim shares one compilation
LONG = 2e4  # the slowest rate of the settings below is 2e-3, so e^-40 is left of any start
DEAD = 1e-8  # an eigenvalue below it has collapsed: the atol of the solve is 1e-14
SIDE = 1e-6  # basin edges: how far beside the edge a start is, in parts of it


def settled(lam0: Any, k: DirectSet) -> np.ndarray:
    """lam at the time LONG from lam0; lam0 and the fields of k broadcast to (m,), m ≤ LANES."""
    lam0, *fields = np.broadcast_arrays(np.atleast_1d(lam0), *k)
    m = lam0.size
    assert m <= LANES, m
    lam0, *fields = (np.pad(np.asarray(a, float), (0, LANES - m), mode="edge") for a in (lam0, *fields))
    end = integrate(directset_flow, Encoder(lam0), DirectSet(*fields), [0.0, LONG], rtol=1e-10, atol=1e-14)
    return finite(np.asarray(end.ys.lam[-1, :m]))


def levels(k: DirectSet) -> tuple[np.ndarray, np.ndarray]:
    """p_- and p_+ of a mode's data and decay; they do not depend on the rule."""
    eta, lambda_d, lambda_s = (np.asarray(a, float) for a in (k.eta, k.lambda_d, k.lambda_s))
    _, low, high = predictor_roots(Commuting(1.0, 0.0, eta, lambda_d, lambda_s))
    return np.asarray(low), np.asarray(high)


def settings(key: Any, m: int) -> tuple[np.ndarray, np.ndarray]:
    """m random pairs (eta, kappa) with eta between 0.3 and 0.8 of the threshold 1/(4 kappa)."""
    share, noise = jax.random.uniform(key, (2, m))
    kappa = 1.1 + 1.4 * np.asarray(noise)
    return (0.3 + 0.5 * np.asarray(share)) / (4 * kappa), kappa


def spread(*axes: Any) -> list[np.ndarray]:
    """The points of a grid: each axis as a flat array over all combinations."""
    return [a.reshape(-1) for a in np.meshgrid(*axes, indexing="ij")]


@partial(jax.jit, static_argnames="d")
def matrix_gap(key: Any, alpha: Any, eps: Any, views: Any, d: int = 5) -> jax.Array:
    """How far the rate of `weights_flow`, Wp set by `directset`, is from `directset_flow` on random commuting data.

    The rule sees W X Wᵀ (views 0) or W (X + X_aug) Wᵀ (views 1); largest entry over the largest rate.
    """
    a, b, c, e = jax.random.split(key, 4)
    Q = orthogonal(a, d)
    lam, lambda_d, noise = (jax.random.uniform(r, (d,), minval=0.2, maxval=1.2) for r in (b, c, e))
    lambda_s, lambda_f = lambda_d + noise, lambda_d + views * noise
    full = lambda v: (Q * v[None]) @ Q.T  # noqa: E731
    W = full(lam)
    Wp = directset(full(lambda_f * lam**2), alpha=alpha, eps=eps, norm=None)
    k = Constants(alpha_p=1.0, beta=0.0, eta=0.07, X=full(lambda_d), X_aug=full(noise))
    rate = simsiam(weights_flow)(Weights(W, Wp, W), k).W
    mode = directset_flow(Encoder(lam), DirectSet(alpha, k.eta, lambda_s, lambda_d, lambda_f, eps)).lam
    return jnp.max(jnp.abs(rate - full(mode))) / jnp.max(jnp.abs(mode))


def largest_matrix_gap(key: Any, alpha: list[float], eps: float = 0.0, views: float = 0.0) -> float:
    """`matrix_gap` for several exponents, each on its own data."""
    keys = jax.random.split(key, len(alpha))
    gaps = jax.vmap(matrix_gap, in_axes=(0, 0, None, None))(keys, jnp.asarray(alpha), eps, views)
    return float(gaps.max())
