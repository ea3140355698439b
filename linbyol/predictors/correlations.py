"""Predictors that see how the features correlate with the targets: least squares, and its first Newton step (NE).

With f = W x the features and f_a = Wa x' the targets of another view, `features` = E[f fᵀ] = W (X + X_aug) Wᵀ and
`cross` = E[f_a fᵀ] = Wa X Wᵀ, both (d, d).
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import check_nonnegative, check_symmetric
from linbyol.equations import identity
from linbyol.predictors.spectra import Norm, norm_of

Square = Float[Array, "d d"]


def optimal(
    W: Float[Array, "d n"], Wa: Float[Array, "d n"], X: Float[Array, "n n"], X_aug: Float[Array, "n n"]
) -> Square:
    """The least-squares predictor Wa X Wᵀ (W (X + X_aug) Wᵀ)⁺ (Table 1, without its symmetrisation)."""
    return regression(W @ (X + X_aug) @ W.T, Wa @ X @ W.T)


def regression(F: Square, cross: Square, *, eps: float | Array | None = None) -> Square:
    """The Wp that solves Wp F = cross by least squares: cross (F + eps I)⁻¹, or cross F⁺ without `eps`.

    With F = E[f fᵀ] over one network's views and cross = E[f_a fᵀ] it is the best linear predictor; Table 1 takes
    the symmetric part of cross, and a regulariser of a size that the paper does not give.
    """
    check_symmetric("F", F)
    if eps is None:
        return cross @ jnp.linalg.pinv(F, hermitian=True)
    check_nonnegative("eps", eps)
    return jnp.linalg.solve(F + eps * jnp.eye(F.shape[-1], dtype=F.dtype), cross.T).T  # F is symmetric


def nash(features: Any, cross: Any, *, ridge: Any = 0, norm: Norm = None) -> Any:
    """NE (Richemond et al. 2023, arXiv 2302.04817): cross (2 I - features) + ridge I, in plain algebra.

    A step of Newton's method towards cross features⁻¹: a mode x of `features` has p = ρ x (2 - x) where regression
    has ρ. It wants features of order 1, and turns negative at x > 2.

    norm  "spectral" or "frobenius": of both correlations divided by that norm of `features`
    """
    check_symmetric("features", features)
    I = identity(features)  # noqa: E741
    if norm is not None:
        whole = norm_of(features, norm)
        features, cross = features / whole, cross / whole
    return cross @ (2 * I - features) + ridge * I
