"""Where regularisers hold Gaussian features: the rest of equal modes and of samples, the noise that drops modes."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_count, check_nonnegative, concrete
from linbyol.cubic import numbers
from linbyol.equations.bhep import bhep_alike_gradient
from linbyol.equations.sigreg import slice_curvature, slice_gradient, slice_slope
from linbyol.equations.vicreg import VicregModes

TOTAL_COLLAPSE = 1 - 2**-1.5  # -T′(0): the θ above which all modes collapse
BISECTIONS = 60


class DroppedAt(NamedTuple):
    """Noise over signal, σ²/λ_s, above which a mode at 0 stays there."""

    last_mode: float  # while the other d - 1 are held at 1
    all_modes: float  # while the others are at 0 too


def slice_rest(theta: Any) -> Float[Array, "*modes"]:
    """nu* of d modes that are all alike at θ = a σ² d/(mu λ_s): -T′(nu*) = θ, and 0 from θ = 1 - 2^(-3/2) on.

    Differentiable, and broadcasts. Raises `InputError` for a negative θ.
    """
    check_nonnegative("theta", theta)
    return _slice_rest(numbers("theta", theta))


@jax.jit
def _slice_rest(theta: Float[Array, "*modes"]) -> Float[Array, "*modes"]:
    return jnp.where(theta < TOTAL_COLLAPSE, _level(theta, slice_slope, slice_curvature), 0)


def bhep_rest(theta: Any, d: int) -> Float[Array, "*modes"]:
    """nu* of d modes that BHEP of width 1 holds, all alike, at θ = a σ² d/(mu λ_s): 0 from d (1 - 2^(-d/2-1)) on.

    -g(nu*) = θ/d with g = (2 + nu)^(-d/2-1) - (1 + 2nu)^(-d/2-1): at d = 1 it is `slice_rest`.
    """
    check_nonnegative("theta", theta)
    check_count("d", d)
    return _bhep_rest(numbers("theta", theta), d)


@partial(jax.jit, static_argnums=1)
def _bhep_rest(theta: Float[Array, "*modes"], d: int) -> Float[Array, "*modes"]:
    slope = lambda nu: bhep_alike_gradient(nu, d)  # noqa: E731
    curvature = lambda nu: jax.jvp(slope, (nu,), (jnp.ones_like(nu),))[1]  # noqa: E731
    return jnp.where(theta < -d * slope(0.0), _level(theta / d, slope, curvature), 0)


def _level(pull: Array, slope: Callable[[Array], Array], curvature: Callable[[Array], Array]) -> Array:
    """Where -slope, which falls from nu = 0 to 0 at nu = 1, is that pull."""

    def halve(_: Any, between: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = between
        middle = (low + high) / 2
        above = -slope(middle) > pull
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    start = jnp.zeros_like(pull), jnp.ones_like(pull)
    nu = jax.lax.stop_gradient(jax.lax.fori_loop(0, BISECTIONS, halve, start)[1])
    return nu - (slope(nu) + pull) / curvature(nu)  # Newton's step, whose derivative is that of nu*


def vicreg_rest(nu0: Any, k: VicregModes) -> Float[Array, "*modes"]:
    """nu* of modes of VICReg from nu0 > 0: √(nu* + eps) = min(gamma, M λ_s/(d (2Λ σ² + eta/2))), or 0 if that is less.

    σ² = λ_s - λ_d. Without noise and decay a mode beyond the hinge stays where it is.
    """
    nu0, lambda_d, lambda_s = numbers("nu0", nu0), numbers("k.lambda_d", k.lambda_d), numbers("k.lambda_s", k.lambda_s)
    drag = 2 * k.invariance * (lambda_s - lambda_d) + k.eta / 2
    balance = k.variance * lambda_s / (k.d * jnp.where(drag > 0, drag, 1))
    spread = jnp.where(drag > 0, jnp.minimum(balance, k.gamma), jnp.maximum(k.gamma, jnp.sqrt(nu0 + k.eps)))
    return jnp.maximum(spread**2 - k.eps, 0)


def sample_rest(n: Any) -> Float[Array, "*sizes"]:
    """nu_n = (2c - 1)/(2 - c), c = (1 - 1/n)^(2/3): where the expected T of n independent samples is least."""
    x = concrete(n)
    if x is not None and (x < 1).any():
        raise InputError(f"Argument `n` must be at least 1, but is {x.min():.10g}.")
    c = jnp.cbrt(1 - 1 / numbers("n", n)) ** 2
    return jnp.maximum((2 * c - 1) / (2 - c), 0)


def last_mode_pull(d: int) -> float:
    """-g of one mode at 0 while the other d - 1 are held at 1; about 3T″(1)/(d (d + 2)) for large d."""
    check_count("d", d)
    nu = np.ones(d)
    nu[0] = 0
    return float(-slice_gradient(nu)[0])


def dropped_at(d: int, *, lamb: float = 0.02, batch: int = 256, views: int = 4) -> DroppedAt:
    """The noise at which a linear LeJEPA drops modes: loss (1 - lamb) invariance + lamb SIGReg of the released code.

    Its invariance is the mean over views, samples and the d features of their squared distance to the views' mean, its
    SIGReg is batch √(2π) R, so a = (1 - lamb)(1 - 1/views)/d and mu = lamb batch √(2π). The constants are those of the
    minimal example; R is exact, where the code has a quadrature.
    """
    for name, value in (("d", d), ("batch", batch), ("views", views)):
        check_count(name, value)
    if views < 2:
        raise InputError(f"Argument `views` must be at least 2, but is {views}.")
    if not 0 < lamb < 1:
        raise InputError(f"Argument `lamb` must lie between 0 and 1, but is {lamb}.")
    ratio = lamb * batch * math.sqrt(2 * math.pi) * d / ((1 - lamb) * (1 - 1 / views))  # mu/a
    return DroppedAt(last_mode=ratio * last_mode_pull(d), all_modes=ratio * TOTAL_COLLAPSE / d)
