"""Fig. 2: how well the predictor is aligned with the features' correlation F, how symmetric and how positive it is.

Every measure is free of the scale of Wp and F, and 0 where it is not defined (a collapsed F or Wp).
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Weights

Square = Float[Array, "d d"]


class Alignment(NamedTuple):
    """The four columns of Fig. 2 and the commutator of Theorem 3, of one Wp and F."""

    F: Float[Array, " d"]  # eigenvalues of F, ascending
    Wp: Float[Array, " d"]  # eigenvalues of the symmetric part of Wp, ascending
    cosines: Float[Array, " d"]  # cos(u_j, Wp u_j) for the eigenvectors u_j of F, in the order of its eigenvalues
    commutator: Float[Array, ""]  # `relative_commutator`
    asymmetry: Float[Array, ""]  # `asymmetry`
    negativity: Float[Array, ""]  # `negativity`


def alignment(Wp: Square, F: Square) -> Alignment:
    """All measures at once; F is symmetric. Maps under `vmap`, so `trajectory.map` takes it with `to_unsymmetrised`."""
    return Alignment(
        F=jnp.linalg.eigvalsh(F),
        Wp=jnp.linalg.eigvalsh((Wp + Wp.T) / 2),
        cosines=cosines(Wp, F),
        commutator=relative_commutator(Wp, F),
        asymmetry=asymmetry(Wp),
        negativity=negativity(Wp),
    )


def relative_commutator(Wp: Square, F: Square) -> Float[Array, ""]:
    """Theorem 3: ‖F Wp - Wp F‖/(‖F‖ ‖Wp‖) in Frobenius norms, 0 if aligned, √2 at most."""
    return _ratio(_norm(F @ Wp - Wp @ F), _norm(F) * _norm(Wp))


def asymmetry(Wp: Square) -> Float[Array, ""]:
    """Fig. 2: ‖Wp - Wpᵀ‖/‖Wp‖ in Frobenius norms, from 0 (symmetric) to 2 (skew)."""
    return _ratio(_norm(Wp - Wp.T), _norm(Wp))


def negativity(Wp: Square) -> Float[Array, ""]:
    """Fig. 2: how far Wp is from positive semidefinite, -λ_min/max|λ| of its symmetric part if λ_min < 0, else 0."""
    p = jnp.linalg.eigvalsh((Wp + Wp.T) / 2)
    return _ratio(jnp.maximum(-p[0], 0), jnp.max(jnp.abs(p)))


def cosines(Wp: Square, F: Square) -> Float[Array, " d"]:
    """Fig. 2: cos(u_j, Wp u_j) for the eigenvectors u_j of F, eigenvalues ascending; 1 if u_j is one of Wp's, p_j > 0.

    Equal eigenvalues of F leave a choice of u_j, and the cosines then depend on it.
    """
    _, U = jnp.linalg.eigh(F)  # F = U diag(s) Uᵀ, ascending
    images = Wp @ U
    return _ratio(jnp.sum(U * images, axis=0), jnp.sqrt(jnp.sum(images * images, axis=0)))


def proportionality(y: Weights) -> Float[Array, ""]:
    """Fig. 7: <Wa, W>/(‖Wa‖ ‖W‖), 1 where Assumption 1 holds, Wa = tau W with tau > 0."""
    return _ratio(jnp.sum(y.Wa * y.W), _norm(y.Wa) * _norm(y.W))


def _norm(A: Array) -> Array:
    return jnp.sqrt(jnp.sum(A * A))


def _ratio(a: Array, b: Array) -> Array:
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1), 0)
