"""Orbits of weights_flow's symmetry, W → Q W Rᵀ, Wp → Q Wp Qᵀ, Wa → Q Wa Rᵀ: which states they join, their dimension.

Q is any orthogonal matrix of the features, R any of the input that commutes with X and X_aug.
"""

from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.equations import Constants, Weights


def invariants(y: Weights, k: Constants) -> np.ndarray:
    """(m, 24) traces of random products of X, X_aug, WᵀW, Wᵀ Wp W and its transpose, which Q leaves alone.

    R conjugates all five, and the traces of all their products tell tuples apart up to that (Procesi, Sibirskii).
    """
    alpha_p, X, X_aug = (np.asarray(x) for x in (k.alpha_p, k.X, k.X_aug))
    WT = np.swapaxes(y.W, 1, 2)
    cubic = alpha_p * WT @ y.Wp @ y.W
    unit = np.linalg.norm(X + X_aug, 2)
    data = (np.broadcast_to(A / unit, cubic.shape) for A in (np.eye(len(X)) * unit, X, X_aug))
    letters = np.stack([*data, alpha_p * WT @ y.W, cubic, np.swapaxes(cubic, 1, 2)])
    product = np.eye(len(X))
    for coefficients in np.random.default_rng(0).normal(size=(6, 24, len(letters))):
        product = product @ np.einsum("rl,lmij->mrij", coefficients, letters)
    return np.trace(product, axis1=2, axis2=3)


def symmetries(k: Constants) -> np.ndarray:
    """(r, n, n): a basis of the skew matrices that commute with X and X_aug."""
    X, X_aug = np.asarray(k.X), np.asarray(k.X_aug)
    n = len(X)
    rows, columns = np.triu_indices(n, 1)
    skew = np.zeros((len(rows), n, n))
    skew[np.arange(len(rows)), rows, columns], skew[np.arange(len(rows)), columns, rows] = 1, -1
    moved = np.concatenate([(skew @ A - A @ skew).reshape(len(rows), n * n) for A in (X, X_aug)], axis=1)
    values, vectors = np.linalg.eigh(moved @ moved.T)
    still = values < (1e-8 * np.linalg.norm(X + X_aug, 2)) ** 2
    return np.einsum("sr,sij->rij", vectors[:, still], skew)


def tangents(y: Weights, turns: Any) -> tuple[list[Float[Array, " N"]], list[Float[Array, " N"]]]:
    """Where the infinitesimal symmetries move y, flat: those of the features (with a 0), and those of the data."""
    d = y.Wp.shape[-1]
    skew = [jnp.zeros((d, d)).at[i, j].set(1).at[j, i].set(-1) for i in range(d) for j in range(i)]
    still = Weights(*(0 * leaf for leaf in y))
    features = [still] + [Weights(A @ y.W, A @ y.Wp - y.Wp @ A, A @ y.Wa) for A in skew]
    data = [still._replace(W=y.W @ B.T, Wa=y.Wa @ B.T) for B in jnp.asarray(turns)]
    flat = lambda moves: [jax.flatten_util.ravel_pytree(move)[0] for move in moves]  # noqa: E731
    return flat(features), flat(data)
