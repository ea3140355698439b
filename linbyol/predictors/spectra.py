"""A function of a symmetric matrix through its eigenvalues, with a derivative that is finite where they coincide.

With F = U diag(s) Uᵀ and f(F) = U diag(g(s)) Uᵀ, Daleckii and Krein's form of the derivative is

    df = U (L ∘ Uᵀ dF U) Uᵀ,    L_ij = (g_i - g_j)/(s_i - s_j),

whose limit where s_i = s_j is ∂g_i/∂s_i - ∂g_i/∂s_j. Eigenvectors themselves have no derivative there.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Spectrum = Float[Array, " d"]
Norm = str | None  # "spectral", "frobenius" or None


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def of_spectrum(g: Callable[[Spectrum, Any], Spectrum], F: Float[Array, "d d"], settings: Any) -> Float[Array, "d d"]:
    """U diag(g(s, settings)) Uᵀ for F = U diag(s) Uᵀ, s ascending; g treats all eigenvalues alike.

    Differentiable in F and in the leaves of `settings`, forward and in reverse, once.
    """
    s, U = jnp.linalg.eigh(F)
    return (U * g(s, settings)[None, :]) @ U.T


@of_spectrum.defjvp
def _daleckii_krein(g: Callable, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (F, settings), (dF, dsettings) = primals, tangents
    s, U = jnp.linalg.eigh(F)
    E = U.T @ ((dF + dF.T) / 2) @ U
    p, dp = jax.jvp(g, (s, settings), (jnp.diagonal(E), dsettings))
    J = jax.jacfwd(g)(s, settings)
    slope = jnp.diagonal(J)[:, None] - J
    gap, size = s[:, None] - s[None, :], jnp.abs(s)
    # a limit errs by the square of the relative gap, a quotient by rounding over it: 4e-11 both, at its cube root
    close = jnp.abs(gap) <= jnp.finfo(s.dtype).eps ** (1 / 3) * jnp.maximum(size[:, None], size[None, :])
    L = jnp.where(close, (slope + slope.T) / 2, (p[:, None] - p[None, :]) / jnp.where(close, 1, gap))
    moved = jnp.where(jnp.eye(len(s), dtype=bool), dp[:, None], L * E)
    return (U * p[None, :]) @ U.T, U @ moved @ U.T


def power(s: Spectrum, alpha: Any) -> Spectrum:
    """max(s, 0)^alpha; where s ≤ 0 it is 0, and counts as level."""
    return jnp.where(s > 0, jnp.where(s > 0, s, 1) ** alpha, 0)


def top(s: Spectrum) -> Float[Array, ""]:
    """The largest of s; those that coincide up to rounding have equal parts in its derivative."""
    largest = jnp.max(s)
    tied = s >= largest - 32 * jnp.finfo(s.dtype).eps * jnp.abs(largest)
    return jnp.sum(jnp.where(tied, s, 0)) / jnp.sum(tied)


def size(s: Spectrum, norm: Norm) -> Float[Array, ""]:
    """The norm of a symmetric matrix with eigenvalues s, to divide by: 1 without a norm, and for a matrix of zeros."""
    if norm not in ("spectral", "frobenius", None):
        raise ValueError(f'Argument `norm` must be "spectral", "frobenius" or None, but is {norm!r}.')
    if norm is None:
        return jnp.ones((), s.dtype)
    if norm == "spectral":
        found = top(jnp.abs(s))
        return jnp.where(found > 0, found, 1)
    return frobenius(s)


def norm_of(F: Float[Array, "d d"], norm: Norm) -> Float[Array, ""]:
    """The norm of a symmetric matrix, to divide by; differentiable as `of_spectrum` is."""
    if norm == "frobenius":
        return frobenius(F)
    if norm is None:
        return jnp.ones((), F.dtype)
    return jnp.trace(of_spectrum(lambda s, _: 0 * s + size(s, norm), F, {})) / F.shape[-1]


def frobenius(A: Float[Array, "..."]) -> Float[Array, ""]:
    """‖A‖_F, to divide by: 1 for zeros."""
    total = jnp.sum(A * A)
    return jnp.sqrt(jnp.where(total > 0, total, 1))
