"""Predictors with the eigenvectors of F: DirectPred and its family, and the soft projector.

F is (d, d), symmetric positive semidefinite; eigenvalues that rounding makes negative count as zero. Sources: Tian et
al. (2021) Sec. 4; DirectSet, arXiv 2110.04947; projections, Richemond et al., arXiv 2302.04817.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import check_nonnegative, check_symmetric
from linbyol.predictors.spectra import Norm, norm_of, of_spectrum, power, size, top

Square = Float[Array, "d d"]


def directpred(
    F: Square, *, eps: float | Array = 0.0, form: str = "paper", floor: float | Array | None = None
) -> Square:
    """Eq. 18, DirectPred: U diag(p) Uᵀ with F = U diag(s) Uᵀ.

    form="paper": p_j = √s_j + eps max_j s_j, as printed.
    form="code":  p_j = √(s_j / max_j s_j) + eps, as released; there `floor`, the least p_j, is 1e-4.
    The two agree up to scale when eps_paper = eps_code/√max s.
    """
    if form not in ("paper", "code"):
        raise ValueError(f'Argument `form` must be "paper" or "code", but is {form!r}.')
    check_symmetric("F", F)
    return of_spectrum(_printed if form == "paper" else _released, F, {"eps": eps, "floor": floor})


def directcopy(F: Square, *, eps: float | Array = 0.0, norm: Norm = None) -> Square:
    """DirectCopy (arXiv 2110.04947): F/‖F‖ + eps I; by default no norm, as in its theory and the code."""
    check_symmetric("F", F)
    return F / norm_of(F, norm) + eps * jnp.eye(F.shape[-1], dtype=F.dtype)


def directset(F: Square, *, alpha: float | Array = 0.5, eps: float | Array = 0.0, norm: Norm = "spectral") -> Square:
    """DirectSet(alpha) (arXiv 2110.04947): F^alpha/‖F^alpha‖ + eps I; norm "spectral", "frobenius" or None."""
    check_symmetric("F", F)

    def set_(s: Array, given: Any) -> Array:
        p = power(s, given["alpha"])
        return p / size(p, norm) + given["eps"]

    return of_spectrum(set_, F, {"alpha": alpha, "eps": eps})


def soft_projector(F: Square, *, eps: float | Array = 0.3, norm: Norm = None) -> Square:
    """F (F + eps I)⁻¹, p = s/(s + eps): what a ridge leaves of the projection onto F's range. With a norm, of F/‖F‖."""
    check_symmetric("F", F)
    check_nonnegative("eps", eps)
    return of_spectrum(_softly, F / norm_of(F, norm), {"eps": eps})


def _printed(s: Array, given: Any) -> Array:
    return _at_least(power(s, 1 / 2) + given["eps"] * jnp.maximum(top(s), 0), given["floor"])


def _released(s: Array, given: Any) -> Array:
    largest = top(s)
    return _at_least(power(s / jnp.where(largest > 0, largest, 1), 1 / 2) + given["eps"], given["floor"])


def _at_least(p: Array, floor: Any) -> Array:
    return p if floor is None else jnp.maximum(p, floor)


def _softly(s: Array, given: Any) -> Array:
    seen = jnp.where(s > 0, s, 1)
    return jnp.where(s > 0, seen / (seen + given["eps"]), 0)
