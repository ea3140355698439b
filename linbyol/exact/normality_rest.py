"""Where SIGReg holds Gaussian features: the rest of equal modes and of samples, and the noise that drops modes."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_count, check_nonnegative, concrete
from linbyol.cubic import numbers
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
    def halve(_: Any, between: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = between  # -T′ falls from `TOTAL_COLLAPSE` at 0 to 0 at 1
        middle = (low + high) / 2
        above = -slice_slope(middle) > theta
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    start = jnp.zeros_like(theta), jnp.ones_like(theta)
    nu = jax.lax.stop_gradient(jax.lax.fori_loop(0, BISECTIONS, halve, start)[1])
    nu = nu - (slice_slope(nu) + theta) / slice_curvature(nu)  # Newton's step, whose derivative is that of nu*
    return jnp.where(theta < TOTAL_COLLAPSE, nu, 0)


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
