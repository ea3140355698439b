"""When a mode with a moving target has come to rest, in the units of its constants.

Those are λ_d/λ_s for wp, λ_d/(λ_s √alpha_p) for w and wa, and λ_s/λ_d² for time: a mode of any size takes its own time.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Amplitudes
from linbyol.fixed_points import predictor_roots


def unsettled(y: Amplitudes, rate: Amplitudes, k: Any, tol: Any) -> Array:
    """Positive until a mode rests: it is slow, and either so small that it must fall (see `linbyol.moving_target`), or
    its w is not small and its p beyond tau λ_d/(2 λ_s), halfway between the roots, which exist."""
    root = jnp.sqrt(k.alpha_p)
    w, p, wa = root * jnp.abs(y.w), jnp.abs(y.wp), root * jnp.abs(y.wa)
    unit = jnp.where(k.lambda_d > 0, k.lambda_d / k.lambda_s, 1)
    speed = jnp.max(jnp.abs(jnp.stack([root * rate.w, rate.wp, root * rate.wa]))) / (unit * unit * k.lambda_d)
    alive = size(y, k) - jnp.sqrt(tol)
    falls = jnp.where(
        k.eta > 0, k.lambda_d * jnp.maximum(jnp.maximum(w, p), wa) - k.eta, jnp.minimum(y.wp, unit - y.wp)
    )
    passes = jnp.isnan(predictor_roots(k)[2]) & (jnp.abs(y.wa - y.w) <= 1e-3 * jnp.abs(y.w))  # slowly, above eta_c
    stays = jnp.where(passes, 1, jnp.maximum(-alive, k.lambda_d * wa - 2 * k.lambda_s * p * w))
    return jnp.maximum(speed - tol, jnp.minimum(stays, jnp.maximum(alive, falls)))


def size(y: Amplitudes, k: Any) -> Array:
    """|w| in units of λ_d/(λ_s √alpha_p): between 1/2 and 1 at p_plus."""
    return jnp.abs(y.w) * jnp.sqrt(k.alpha_p) * k.lambda_s / k.lambda_d


class settles(eqx.Module):  # noqa: N801
    """Event: the mode rests."""

    tol: Any

    def __call__(self, now: Any) -> Float[Array, ""]:
        return unsettled(now.y, now.rate, now.k, self.tol)
