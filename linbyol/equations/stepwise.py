"""Stepwise learning (Simon et al., arXiv 2303.15438): a linear encoder under a Barlow-type loss, and its closed form.

L = ‖W Γ Wᵀ - I‖_F², Γ = ½ E[x x'ᵀ + x' xᵀ]. Recalled and derived, not read in the paper.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations.byol import Matrix, Scalar, Vector, identity


class Views(NamedTuple):
    """The data."""

    Gamma: Matrix  # (n, n), symmetrised correlation of two views


class Gain(NamedTuple):
    """The data of a mode."""

    gamma: Vector  # eigenvalue of Gamma


class Embedding(NamedTuple):
    """The linear encoder."""

    W: Matrix  # (d, n)


class Singular(NamedTuple):
    """Singular values of W, each along an eigenvector of Gamma."""

    s: Vector


def stepwise_loss(y: Embedding, k: Views) -> Scalar:
    """‖W Γ Wᵀ - I‖_F²; traces, so explicit matrices only."""
    excess = y.W @ k.Gamma @ y.W.T
    excess = excess - identity(excess)
    return (excess @ excess.T).trace()


def stepwise_flow(y: Embedding, k: Views) -> Embedding:
    """Ẇ = -4 (W Γ Wᵀ - I) W Γ."""
    G = y.W @ k.Gamma
    return Embedding(W=4 * (G - G @ y.W.T @ G))


def singular_flow(y: Singular, k: Gain) -> Singular:
    """ṡ = 4 γ s (1 - γ s²)."""
    return Singular(s=4 * k.gamma * y.s * (1 - k.gamma * y.s * y.s))


def squared_singular(s0: Vector, gamma: Vector, decayed: Vector) -> Vector:
    """s² = 1 / (γ + (1/s0² - γ) exp(-8 γ t)), with decayed = exp(-8 γ t)."""
    return 1 / (gamma + (1 / (s0 * s0) - gamma) * decayed)


def stepwise(s0: Float[Array, "..."], k: Gain, ts: Float[Array, " t"]) -> Float[Array, "t ..."]:
    """Singular values at times ts from s0 > 0; each rises to gamma^(-1/2) in one step, or falls where gamma < 0."""
    s0, gamma = jnp.broadcast_arrays(jnp.asarray(s0), jnp.asarray(k.gamma))
    ts = jnp.expand_dims(ts, tuple(range(1, s0.ndim + 1)))
    s0, gamma = s0[None], gamma[None]
    return jnp.sqrt(squared_singular(s0, gamma, jnp.exp(-8 * gamma * ts)))


def step_time(s0: Vector, k: Gain) -> Vector:
    """-ln(s0² γ)/(8 γ): when a small s² passes half of 1/γ, up to O(s0²); needs gamma > 0."""
    return -jnp.log(s0 * s0 * k.gamma) / (8 * k.gamma)
