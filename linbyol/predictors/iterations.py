"""Predictors by matrix products alone, without eigenvectors (Richemond et al. 2023, arXiv 2302.04817).

F is (d, d), symmetric positive semidefinite; `iterations` at least 1; `ridge` is added to the predictor, ridge I. Each
step is plain algebra, so that SymPy proves about the steps that run. What a finite number of steps leaves of small
modes is part of the method: Visser's keep p of order 1/(eta_v iterations), Newton and Schulz' grow by 3/2 a step.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import check_count, check_moment, check_positive
from linbyol.equations import identity
from linbyol.predictors.spectra import Norm, frobenius, norm_of

Square = Float[Array, "d d"]


def visser(
    F: Square,
    *,
    eta_v: float | Array = 0.5,
    iterations: int = 30,
    ridge: float | Array = 0.0,
    norm: Norm = None,
) -> Square:
    """√F by Visser's iteration from I/(2 eta_v): P ← P + eta_v (F - P²), stable where eta_v √s < 1 for each mode s.

    norm  "spectral" or "frobenius": of F/‖F‖ instead, where eta_v < 1 is always stable
    """
    _check(F, iterations)
    check_positive("eta_v", eta_v)
    F, I = F / norm_of(F, norm), jnp.eye(F.shape[-1], dtype=F.dtype)  # noqa: E741
    return jax.lax.fori_loop(0, iterations, lambda _, P: visser_step(P, F, eta_v), I / (2 * eta_v)) + ridge * I


def newton_schulz(F: Square, *, iterations: int = 9, chain: int = 1, ridge: float | Array = 0.0) -> Square:
    """√F by Newton and Schulz' coupled iteration on F/‖F‖_F; `chain` = 2 takes it twice, F^(1/4) (NS²)."""
    _check(F, iterations)
    check_count("chain", chain)
    for _ in range(chain):
        whole = frobenius(F)
        F = _newton_schulz(F / whole, iterations)[0] * jnp.sqrt(whole)
    return F + ridge * jnp.eye(F.shape[-1], dtype=F.dtype)


def stiefel(F: Square, *, iterations: int = 9, ridge: float | Array = 0.0) -> Square:
    """B F/‖B‖_F with B that Newton and Schulz' iteration makes of FᵀF: in the limit (FᵀF)^(-1/2) F, up to scale."""
    _check(F, iterations)
    G = F.T @ F
    B = _newton_schulz(G / frobenius(G), iterations)[1]
    return B @ F.T / frobenius(B) + ridge * jnp.eye(F.shape[-1], dtype=F.dtype)


def visser_step(P: Any, F: Any, eta_v: Any) -> Any:
    """One step of `visser`; P = √F rests."""
    return P + eta_v * (F - P @ P)


def newton_schulz_step(A: Any, B: Any) -> tuple[Any, Any]:
    """One step towards √F and F^(-1/2) from A = F, B = I: both from what they were."""
    half = (3 * identity(A) - B @ A) / 2
    return A @ half, half @ B


def _newton_schulz(F: Square, iterations: int) -> tuple[Square, Square]:
    start = F, jnp.eye(F.shape[-1], dtype=F.dtype)
    return jax.lax.fori_loop(0, iterations, lambda _, AB: newton_schulz_step(*AB), start)


def _check(F: Square, iterations: int) -> None:
    check_moment("F", F)
    check_count("iterations", iterations)
