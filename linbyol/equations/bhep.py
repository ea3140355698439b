"""The statistic of Baringhaus, Henze, Epps and Pulley (BHEP) on Gaussian features: N(0, I) as a whole, not by slices.

R = E_t |E exp(itᵀz) - exp(-|t|²/2)|² with the weight N(0, beta² I) on t; on modes plain algebra, the product being over
the last axis of an array.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from linbyol.equations.byol import Matrix, Scalar, Vector
from linbyol.equations.regularised import Alike, Encoder, Features, covariance, encoder_flow, features_flow, root


class Bhep(NamedTuple):
    """As `Regularised`, with the width of the weight."""

    a: Scalar
    mu: Scalar
    X: Matrix  # (n, n)
    X_aug: Matrix  # (n, n)
    beta: Scalar = 1
    eta: Scalar = 0


class BhepModes(NamedTuple):
    """As `RegularisedModes`, with the width of the weight."""

    a: Scalar
    mu: Scalar
    lambda_d: Vector  # (d,)
    lambda_s: Vector  # (d,)
    beta: Scalar = 1
    eta: Scalar = 0


def bhep_distance(nu: Vector, beta: Scalar, overlap: Vector = 1) -> Scalar:
    """R for Σ_z = diag(nu) and a mean m, overlap = exp(-beta² Σ m_i²/(1 + beta² + beta² nu_i)/2)."""
    b = beta * beta
    return distance_of((1 + 2 * b * nu).prod(), (1 + b + b * nu).prod(), ((1 + 2 * b) * nu**0).prod(), overlap)


def distance_of(pairs: Scalar, cross: Scalar, offset: Scalar, overlap: Scalar) -> Scalar:
    """R from the determinants of 1 + 2beta² Σ_z, 1 + beta² + beta² Σ_z and 1 + 2beta²."""
    return 1 / root(pairs) - 2 * overlap / root(cross) + 1 / root(offset)


def bhep_gradient(nu: Vector, beta: Scalar) -> Vector:
    """g_i = dR/dnu_i at mean 0, (d,)."""
    b = beta * beta
    pairs, cross = 1 + 2 * b * nu, 1 + b + b * nu
    return b / (cross * root(cross.prod())) - b / (pairs * root(pairs.prod()))


def bhep_alike_gradient(nu: Vector, d: Scalar) -> Vector:
    """g of each of d modes that are all alike, at width 1; d may be a number or a symbol."""
    cross, pairs = 2 + nu, 1 + 2 * nu
    return 1 / cross ** (d / 2 + 1) - 1 / pairs ** (d / 2 + 1)


def bhep_alike_flow(y: Features, k: Alike) -> Features:
    """BHEP of width 1 on d modes that are all alike, nu."""
    return features_flow(y, k, bhep_alike_gradient(y.nu, k.d))


def bhep_gradient_matrix(S: Matrix, beta: Scalar) -> Matrix:
    """G = dR/dΣ_z at mean 0, (d, d); arrays alone."""
    b, I = beta * beta, np.eye(len(S), dtype=S.dtype)  # noqa: E741
    return b * _scaled_inverse((1 + b) * I + b * S) - b * _scaled_inverse(I + 2 * b * S)


def bhep_modes_flow(y: Features, k: BhepModes) -> Features:
    """BHEP on modes (d,)."""
    return features_flow(y, k, bhep_gradient(y.nu, k.beta))


def bhep_flow(y: Encoder, k: Bhep) -> Encoder:
    """BHEP on the encoder; arrays alone."""
    return encoder_flow(y, k, bhep_gradient_matrix(covariance(y, k), k.beta))


def _scaled_inverse(A: Matrix) -> Matrix:
    """A⁻¹/√det A."""
    xp = np if isinstance(A, np.ndarray) else jnp
    return xp.linalg.inv(A) / root(xp.linalg.det(A))
