"""Losses of two views of a batch, each split into its terms; embeddings are rows, (b, d), terms are scalars.

Every loss is a mean over the batch and returns a NamedTuple whose first field, `total`, is the number to minimise and
the sum of the others. Targets are behind a stop-gradient. Where the paper and the released code of a loss differ, the
convention is an argument and has no default: a plot of terms means nothing without its name.

Norms below EPS count as EPS, as in PyTorch's `cosine_similarity` and with its 1e-8: a row of zeros has the cosine 0
with every other, and the gradient z/(‖z‖ EPS) of its cosine with z.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax.lax import stop_gradient
from jax.nn import logsumexp, relu
from jaxtyping import Array, Float

Embeddings = Float[Array, "b d"]
Number = Float[Array, ""]

EPS = 1e-8  # so that 1/EPS⁴, of IsoLoss on the cosine, is a number in float32


class Distance(NamedTuple):
    """½‖p - z‖², split."""

    total: Number
    prediction: Number  # ½‖p‖²
    target: Number  # ½‖z‖², no gradient
    alignment: Number  # -p·z


class Angle(NamedTuple):
    """2 - 2 cos(p, z), split."""

    total: Number
    offset: Number  # 2
    alignment: Number  # -2 cos


class Isotropic(NamedTuple):
    """IsoLoss on the cosine, split."""

    total: Number
    attraction: Number
    repulsion: Number


class Regularised(NamedTuple):
    """VICReg, weighted."""

    total: Number
    invariance: Number
    variance: Number
    covariance: Number


class Contrastive(NamedTuple):
    """NT-Xent, split."""

    total: Number
    alignment: Number  # -mean(sim₊)/τ
    spread: Number  # mean log-sum-exp over all other embeddings


class Decorrelated(NamedTuple):
    """Barlow Twins, weighted."""

    total: Number
    invariance: Number
    redundancy: Number


def byol_l2(p: Embeddings, z: Embeddings) -> Distance:
    """Eq. 1: ½ mean‖p - sg(z)‖² of predictions p and targets z, not normalised, one direction."""
    z = stop_gradient(z)
    prediction, target = _mean_dot(p, p) / 2, _mean_dot(z, z) / 2
    alignment = -_mean_dot(p, z)
    return Distance(prediction + target + alignment, prediction, target, alignment)


def byol_cosine(p: Embeddings, z: Embeddings) -> Angle:
    """BYOL as trained: mean‖p/‖p‖ - sg(z/‖z‖)‖² = 2 - 2 cos, one direction."""
    alignment = -2 * jnp.mean(_cosines(p, stop_gradient(z)))
    offset = jnp.full_like(alignment, 2)
    return Angle(offset + alignment, offset, alignment)


def isoloss_l2(z1: Embeddings, z2: Embeddings, Wp: Float[Array, "d d"]) -> Distance:
    """IsoLoss (arXiv 2212.04858): ½ mean‖z₁ - sg(z₂ + z₁ - Wp z₁)‖²; the value of BYOL's, without its leading Wpᵀ."""
    return byol_l2(z1, z2 + z1 - z1 @ Wp.T)


def isoloss_cosine(z1: Embeddings, z2: Embeddings, Wp: Float[Array, "d d"]) -> Isotropic:
    """IsoLoss on the cosine, -2 mean[z₁·z₂ sg(1/(‖p‖‖z₂‖)) - ½ z₁ᵀ Wp z₁ sg(p·z₂/(‖p‖³‖z₂‖))], p = Wp z₁.

    Wp is symmetric. Its gradient in z₁ is that of -2 cos(p, z₂) without the leading Wpᵀ; its value is not the cosine.
    """
    z2, Wp = stop_gradient((z2, Wp))
    p = z1 @ Wp.T
    fixed = stop_gradient(p)
    size, size2 = _norm(fixed), _norm(z2)
    attraction = -2 * jnp.mean(_dot(z1, z2) / (size * size2))
    repulsion = jnp.mean(_dot(z1, p) * _dot(fixed, z2) / (size**3 * size2))
    return Isotropic(attraction + repulsion, attraction, repulsion)


def vicreg(
    z1: Embeddings,
    z2: Embeddings,
    *,
    convention: str,
    invariance: float | Array = 25.0,
    variance: float | Array = 25.0,
    covariance: float | Array = 1.0,
    gamma: float = 1.0,
    eps: float = 1e-4,
) -> Regularised:
    """VICReg: λ s + μ (v + v') + ν (c + c'), the weights being `invariance`, `variance`, `covariance`.

    s = mean‖z - z'‖², v = mean_j relu(gamma - √(Var_j + eps)), c = Σ_{i≠j} C_ij²/d, variances with divisor b - 1.
    convention="paper": as above. convention="code" (the released one): s/d and (v + v')/2 in their place.
    Needs b of at least 2. Raises ValueError for another convention.
    """
    if convention not in ("paper", "code"):
        raise ValueError(f'Argument `convention` must be "paper" or "code", but is {convention!r}.')
    d = z1.shape[1]
    s = _mean_dot(z1 - z2, z1 - z2)
    v, c = jnp.zeros_like(s), jnp.zeros_like(s)
    for z in (z1, z2):
        z = z - jnp.mean(z, axis=0, keepdims=True)
        C = z.T @ z / (z.shape[0] - 1)
        diagonal = jnp.diagonal(C)
        v = v + jnp.mean(relu(gamma - jnp.sqrt(diagonal + eps)))
        c = c + (jnp.sum(C**2) - jnp.sum(diagonal**2)) / d
    if convention == "code":
        s, v = s / d, v / 2
    terms = invariance * s, variance * v, covariance * c
    return Regularised(sum(terms[1:], terms[0]), *terms)


def nt_xent(z1: Embeddings, z2: Embeddings, *, temperature: float | Array = 0.5) -> Contrastive:
    """SimCLR: mean over the 2b anchors of -log[exp(sim₊/τ) / Σ_{k≠i} exp(sim_ik/τ)]."""
    z = jnp.concatenate([z1, z2])
    z = z / _norm(z)[:, None]
    sim = z @ z.T / temperature  # (2b, 2b)
    positives = jnp.mean(_dot(z[: z1.shape[0]], z[z1.shape[0] :])) / temperature
    others = logsumexp(jnp.where(jnp.eye(sim.shape[0], dtype=bool), -jnp.inf, sim), axis=1)
    spread = jnp.mean(others)
    return Contrastive(spread - positives, -positives, spread)


def barlow_twins(
    z1: Embeddings, z2: Embeddings, *, redundancy: float | Array = 5e-3, eps: float = 1e-5
) -> Decorrelated:
    """Barlow Twins: Σ_i (1 - C_ii)² + λ Σ_{i≠j} C_ij², λ = `redundancy`, C the cross-correlation over the batch.

    Features are standardised with divisor b and eps under the root, as batch normalisation does.
    """
    C = _standardised(z1, eps).T @ _standardised(z2, eps) / z1.shape[0]
    diagonal = jnp.diagonal(C)
    terms = jnp.sum((1 - diagonal) ** 2), redundancy * (jnp.sum(C**2) - jnp.sum(diagonal**2))
    return Decorrelated(terms[0] + terms[1], *terms)


def _dot(x: Embeddings, y: Embeddings) -> Float[Array, " b"]:
    return jnp.sum(x * y, axis=1)


def _mean_dot(x: Embeddings, y: Embeddings) -> Number:
    return jnp.mean(_dot(x, y))


def _norm(x: Embeddings) -> Float[Array, " b"]:
    """max(‖x‖, EPS), without the root's infinite slope at 0."""
    square = _dot(x, x)
    small = square <= EPS**2
    return jnp.where(small, EPS, jnp.sqrt(jnp.where(small, 1, square)))


def _cosines(x: Embeddings, y: Embeddings) -> Float[Array, " b"]:
    return _dot(x, y) / (_norm(x) * _norm(y))


def _standardised(z: Embeddings, eps: float) -> Embeddings:
    z = z - jnp.mean(z, axis=0, keepdims=True)
    return z / jnp.sqrt(jnp.mean(z**2, axis=0, keepdims=True) + eps)
