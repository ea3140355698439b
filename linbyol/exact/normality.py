"""How far Gaussian features N(m, Σ_z) are from N(0, I): one slice of SIGReg, the mean over all slices, and BHEP.

Differentiable in the variances, at equal ones too. What no covariance can be raises `InputError` where its value is
known (not under `jit`, `vmap` and `grad`).
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_moment, check_nonnegative, check_numbers, check_positive
from linbyol.cubic import numbers
from linbyol.equations import bhep, sigreg

HALVINGS = 8  # of an arithmetic-geometric mean, whose error squares: enough for ratios up to 10^8 in float64


def slice_distance(nu: Any, m: Any = 0.0) -> Float[Array, "*slices"]:
    """T(nu, m) = (1 + 2nu)^(-1/2) - 2 (2 + nu)^(-1/2) exp(-m²/(2(2 + nu))) + 3^(-1/2): Epps and Pulley's distance of
    N(m, nu) from N(0, 1), with the weight N(0, 1). Broadcasts.
    """
    check_nonnegative("nu", nu)
    nu, m = numbers("nu", nu), numbers("m", m)
    return sigreg.slice_distance(nu, jnp.exp(-m * m / (2 * (2 + nu))))


def slice_mean(nu: Any) -> Float[Array, ""]:
    """R(nu), the mean of T(uᵀ diag(nu) u) over all unit slices u, for nu (d,): T itself for d = 1, an
    arithmetic-geometric mean for d = 2, else a fixed quadrature of 160 points (relative error below 1e-12 for nu up to
    10⁴), of which derivatives are those of the quadrature.
    """
    check_nonnegative("nu", nu)
    nu = numbers("nu", nu)
    if nu.ndim != 1 or not nu.size:
        raise InputError(f"Argument `nu` must be a vector (d,) of variances, but has shape {nu.shape}.")
    return _slice_mean(nu)


@jax.jit
def _slice_mean(nu: Float[Array, " d"]) -> Float[Array, ""]:
    if nu.size == 1:
        return sigreg.slice_distance(nu[0])
    of = _inverse_mean_of_roots if nu.size == 2 else sigreg.mean_inverse_root
    return of(1 + 2 * nu) - 2 * of(2 + nu) + 3**-0.5


def isotropic_slice_mean(nu: Any, m: Any) -> Float[Array, ""]:
    """R for Σ_z = nu I and a mean m (d,): T with exp(…) replaced by ₁F₁(½; d/2; -|m|²/(2(2 + nu)))."""
    check_nonnegative("nu", nu)
    nu, m = numbers("nu", nu), numbers("m", m)
    if m.ndim != 1 or m.size < 2:
        raise InputError(f"Argument `m` must be a vector (d,) with d of at least 2, but has shape {m.shape}.")
    x = jnp.sum(m * m) / (2 * (2 + nu))
    # Kummer's transformation: at negative arguments, JAX's ₁F₁ is wrong.
    overlap = jnp.exp(-x) * jax.scipy.special.hyp1f1((m.size - 1) / 2, m.size / 2, x)
    return sigreg.slice_distance(nu, overlap)


def bhep_distance(Sigma: Any, m: Any = 0.0, *, beta: Any = 1.0) -> Float[Array, ""]:
    """BHEP's distance of N(m, Σ_z) from N(0, I), for Σ_z (d, d) or the vector (d,) of a diagonal, m () or (d,)."""
    check_numbers("Sigma", Sigma)
    check_positive("beta", beta)
    Sigma, m, beta = numbers("Sigma", Sigma), numbers("m", m), numbers("beta", beta)
    if Sigma.ndim == 1 and Sigma.size:
        check_nonnegative("Sigma", Sigma)
        Sigma = jnp.diag(Sigma)
    else:
        check_moment("Sigma", Sigma)
    b, I = beta * beta, jnp.eye(len(Sigma), dtype=Sigma.dtype)  # noqa: E741
    cross, m = (1 + b) * I + b * Sigma, jnp.broadcast_to(m, Sigma.shape[:1])
    overlap = jnp.exp(-b * (m @ jnp.linalg.solve(cross, m)) / 2)
    pairs, offset = I + 2 * b * Sigma, (1 + 2 * b) * I
    det = jnp.linalg.det
    return bhep.distance_of(det(pairs), det(cross), det(offset), overlap)


def _inverse_mean_of_roots(z: Float[Array, "2"]) -> Float[Array, ""]:
    """1/agm(√z₁, √z₂)."""
    a, b = jnp.sqrt(z)
    for _ in range(HALVINGS):
        a, b = (a + b) / 2, jnp.sqrt(a * b)
    return 1 / a
