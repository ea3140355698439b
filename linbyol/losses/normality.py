"""Regularisers that pull a batch of embeddings, rows (b, d), towards N(0, I), each split into its terms.

As the two-view losses they return a NamedTuple whose first field, `total`, is the sum of the others; none centres or
standardises the embeddings. On Gaussian features their means are the closed forms of `linbyol.exact`.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_choice, check_count, check_nonnegative, check_numbers, check_positive
from linbyol.losses.two_views import Embeddings, Number

CONVENTIONS = ("code", "theory")
WEIGHTS = ("sum", "convex")


class Sliced(NamedTuple):
    """SIGReg, the mean over slices."""

    total: Number
    even: Number  # of (mean cos tz - exp(-t²/2))²: scale and shape
    odd: Number  # of (mean sin tz)²: mean and skewness


class Joint(NamedTuple):
    """LeJEPA, weighted."""

    total: Number
    invariance: Number
    even: Number  # of SIGReg
    odd: Number


class Paired(NamedTuple):
    """BHEP, split."""

    total: Number
    pairs: Number  # mean over all pairs of exp(-beta² ‖z_i - z_j‖²/2)
    cross: Number  # the pull to the origin, negative
    offset: Number  # (1 + 2beta²)^(-d/2)


def sigreg(
    z: Embeddings,
    key: Array,
    *,
    slices: int,
    points: int = 17,
    t_max: float | Array = 3.0,
    clip: float | None = None,
    convention: str = "code",
) -> Sliced:
    """SIGReg (LeJEPA, arXiv 2511.08544): the mean of Epps and Pulley's statistic over random slices of the embeddings.

    A slice is a Gaussian vector (d,) divided by its norm. With `points` times t from 0 to t_max, dt apart, its
    statistic is Σ w(t) [(mean cos tz - exp(-t²/2))² + (mean sin tz)²], w = dt, 2dt, …, 2dt, dt times exp(-t²/2).
    convention="code" (the released one, the default): times the number b, so that normal ones cost 1.05 for any b.
    convention="theory": over √(2π), which is `exact.slice_distance` up to the quadrature and 1/b.
    clip: slices whose statistic, in the convention, lies below it count as 0. float32 is enough: of 1e-6.
    Raises `InputError` for slices below 1, an even number of points or fewer than 3, and a t_max that is not positive.
    """
    check_choice("convention", convention, CONVENTIONS)
    check_count("slices", slices)
    check_count("points", points)
    if points % 2 == 0 or points < 3:
        raise InputError(f"Argument `points` must be odd and at least 3, but is {points}.")
    check_numbers("t_max", t_max)
    check_positive("t_max", t_max)
    _check_batch(z)
    u = jax.random.normal(key, (z.shape[1], slices), z.dtype)
    x = z @ (u / jnp.sqrt(jnp.sum(u * u, axis=0, keepdims=True)))
    steps = np.r_[1, np.full(points - 2, 2), 1] / (points - 1)
    t = t_max * jnp.asarray(np.linspace(0, 1, points), z.dtype)
    scale = z.shape[0] if convention == "code" else 1 / math.sqrt(2 * math.pi)
    normal = jnp.exp(-t * t / 2)
    weights = scale * t_max * jnp.asarray(steps, z.dtype) * normal

    def term(t: Number, normal: Number, weight: Number) -> tuple[Array, Array]:
        even, odd = jnp.mean(jnp.cos(t * x), axis=0) - normal, jnp.mean(jnp.sin(t * x), axis=0)
        return weight * even * even, weight * odd * odd

    even, odd = (jnp.sum(part, axis=0) for part in jax.vmap(term)(t, normal, weights))  # (slices,)
    if clip is not None:
        even, odd = (jnp.where(even + odd < clip, 0, part) for part in (even, odd))
    even, odd = jnp.mean(even), jnp.mean(odd)
    return Sliced(even + odd, even, odd)


def lejepa(
    z: Float[Array, "V b d"],
    key: Array,
    *,
    slices: int,
    lamb: float | Array = 0.02,
    weights: str = "sum",
    pooled: bool = False,
    points: int = 17,
    t_max: float | Array = 3.0,
) -> Joint:
    """LeJEPA of V views: the mean over views, samples and features of (mean over views - z)², and SIGReg of the views.

    weights="sum" (stable-pretraining): invariance + lamb SIGReg; "convex" (the minimal example): (1 - lamb) invariance
    + lamb SIGReg. SIGReg is the mean over views (the minimal example) on common slices, or that of all views as one
    batch if `pooled` (stable-pretraining), in the code's convention, so that it grows with the batch.
    """
    check_choice("weights", weights, WEIGHTS)
    check_nonnegative("lamb", lamb)
    invariance = jnp.mean((jnp.mean(z, axis=0, keepdims=True) - z) ** 2)
    batches = z.reshape(1, -1, z.shape[2]) if pooled else z
    each = jax.vmap(lambda z: sigreg(z, key, slices=slices, points=points, t_max=t_max))(batches)
    terms = (1 if weights == "sum" else 1 - lamb) * invariance, lamb * jnp.mean(each.even), lamb * jnp.mean(each.odd)
    return Joint(sum(terms[1:], terms[0]), *terms)


def bhep(z: Embeddings, *, beta: float | Array = 1.0) -> Paired:
    """BHEP: the mean over t ~ N(0, beta² I) of |mean exp(itᵀz) - exp(-‖t‖²/2)|², in closed form over all b² pairs.

    n⁻² Σ_ij exp(-beta² ‖z_i - z_j‖²/2) - 2 (1 + beta²)^(-d/2) n⁻¹ Σ_i exp(-beta² ‖z_i‖²/(2(1 + beta²)))
    + (1 + 2beta²)^(-d/2). Raises `InputError` for a beta that is not positive.
    """
    _check_batch(z)
    check_positive("beta", beta)
    d, b = z.shape[1], jnp.asarray(beta, z.dtype) ** 2
    squares = jnp.sum(z * z, axis=1)
    apart = jnp.maximum(squares[:, None] + squares[None] - 2 * z @ z.T, 0)
    pairs = jnp.mean(jnp.exp(-b * apart / 2))
    cross = -2 * (1 + b) ** (-d / 2) * jnp.mean(jnp.exp(-b * squares / (2 * (1 + b))))
    offset = (1 + 2 * b) ** (-d / 2)
    return Paired(pairs + cross + offset, pairs, cross, offset)


def _check_batch(z: Array) -> None:
    if jnp.ndim(z) != 2 or 0 in jnp.shape(z):
        raise InputError(f"Argument `z` must be embeddings (b, d), but has shape {jnp.shape(z)}.")
