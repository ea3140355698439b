"""The predictor, learned or set from the correlation of its inputs: one table of rules for theory and trainer.

A rule is `(Wp, F, **settings) -> Wp` with Wp, F of shape (d, d), F symmetric positive semidefinite. Eigenvalues of F
that rounding makes negative count as zero. Sources: Tian et al. (2021) Sec. 4; DirectSet, arXiv 2110.04947.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

Square = Float[Array, "d d"]
Norm = str | None  # "spectral", "frobenius" or None


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
    s, U = jnp.linalg.eigh(F)  # F = U diag(s) Uᵀ, ascending
    s = jnp.maximum(s, 0)
    largest = jnp.where(s[-1] > 0, s[-1], 1)
    p = {"paper": lambda: jnp.sqrt(s) + eps * s[-1], "code": lambda: jnp.sqrt(s / largest) + eps}[form]()
    return _with_spectrum(U, p if floor is None else jnp.maximum(p, floor))


def directcopy(F: Square, *, eps: float | Array = 0.0, norm: Norm = None) -> Square:
    """DirectCopy (arXiv 2110.04947): F/‖F‖ + eps I; by default no norm, as in its theory and the code."""
    return F / _norm(jnp.linalg.eigvalsh(F), norm) + eps * jnp.eye(F.shape[-1], dtype=F.dtype)


def directset(F: Square, *, alpha: float | Array = 0.5, eps: float | Array = 0.0, norm: Norm = "spectral") -> Square:
    """DirectSet(alpha) (arXiv 2110.04947): F^alpha/‖F^alpha‖ + eps I; norm "spectral", "frobenius" or None."""
    s, U = jnp.linalg.eigh(F)
    s = jnp.maximum(s, 0)
    power = jnp.where(s > 0, jnp.where(s > 0, s, 1) ** alpha, 0)
    return _with_spectrum(U, power / _norm(power, norm) + eps)


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
    if eps is None:
        return cross @ jnp.linalg.pinv(F, hermitian=True)
    return jnp.linalg.solve(F + eps * jnp.eye(F.shape[-1], dtype=F.dtype), cross.T).T  # F is symmetric


def learned(Wp: Square, F: Square) -> Square:
    """Wp as gradient training left it."""
    return Wp


def symmetric(Wp: Square, F: Square) -> Square:
    """Assumption 3: the symmetric part of Wp."""
    return (Wp + Wp.T) / 2


def direct(Wp: Square, F: Square, **settings) -> Square:
    """`directpred` of F."""
    return directpred(F, **settings)


def copy(Wp: Square, F: Square, **settings) -> Square:
    """`directcopy` of F."""
    return directcopy(F, **settings)


def set_(Wp: Square, F: Square, **settings) -> Square:
    """`directset` of F."""
    return directset(F, **settings)


RULES: dict[str, Callable[..., Square]] = {
    "learned": learned,
    "symmetric": symmetric,
    "direct": direct,
    "copy": copy,
    "set": set_,
}


def _with_spectrum(U: Square, p: Float[Array, " d"]) -> Square:
    return (U * p[None, :]) @ U.T


def _norm(spectrum: Float[Array, " d"], norm: Norm) -> Float[Array, ""]:
    if norm not in ("spectral", "frobenius", None):
        raise ValueError(f'Argument `norm` must be "spectral", "frobenius" or None, but is {norm!r}.')
    if norm is None:
        return jnp.ones((), spectrum.dtype)
    size = jnp.max(jnp.abs(spectrum)) if norm == "spectral" else jnp.sqrt(jnp.sum(spectrum**2))
    return jnp.where(size > 0, size, 1)
