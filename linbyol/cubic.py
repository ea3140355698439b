"""The critical polynomial of a mode on the invariant parabola (Eq. 16), its roots, and which constants a mode can have.

A negative tau is the mirror image: (p, tau) → (-p, -tau) leaves Eqs. 11, 12 and 16 as they are. So p_- and p_+ are then
those of -tau with the other sign, a start survives if its mirror image does, and so on in all that builds on them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import check_constants, check_numbers, check_spectra
from linbyol.equations import Commuting, Held, Isotropic

Data = Isotropic | Commuting | Held


class Cubic(NamedTuple):
    """ṗ = -p (b p² - a p + eta), the critical polynomial of a mode, with its discriminant D = a² - 4 b eta."""

    a: Float[Array, "*modes"]  # tau λ_d
    b: Float[Array, "*modes"]  # λ_s
    eta: Float[Array, "*modes"]
    D: Float[Array, "*modes"]


def admitted(k: Data) -> Data:
    """k, its lists as arrays, if a mode can have such constants: else `InputError`."""
    check_numbers("k", k)
    k = type(k)(*(jnp.asarray(x) if isinstance(x, list | tuple) else x for x in k))
    check_constants(k)
    check_spectra(k)
    return k


def numbers(name: str, x: Any) -> Float[Array, "*shape"]:
    """x, a list or an array, as an array of finite numbers."""
    check_numbers(name, x)
    return real(x)


def critical_polynomial(k: Data) -> Cubic:
    """Eq. 16's coefficients at tau = k.tau (1 where k has none)."""
    a, b, eta = jnp.broadcast_arrays(*map(real, (getattr(k, "tau", 1) * k.lambda_d, k.lambda_s, k.eta)))
    a, b, eta = (x.astype(jnp.result_type(a, b, eta)) for x in (a, b, eta))
    return Cubic(a, b, eta, _discriminant(a, b, eta))


def roots(cubic: Cubic) -> tuple[Float[Array, "*modes"], Float[Array, "*modes"]]:
    """p_minus and p_plus for a ≥ 0."""
    a, b, eta, D = cubic
    still = (a == 0) & (eta == 0)  # p_minus = 0 and p_plus = a/b, whose derivative D = 0 would halve
    root = jnp.where(still, a, safe_sqrt(D))
    p_plus = (a + root) / (2 * b)
    p_minus = jnp.where((D == 0) & ~still, p_plus, 2 * eta / jnp.where(a + root > 0, a + root, jnp.inf))
    return jnp.where(D >= 0, p_minus, jnp.nan), jnp.where(D >= 0, p_plus, jnp.nan)


def upright(cubic: Cubic) -> tuple[Float[Array, "*modes"], Cubic]:
    """The sign of a, -1 or 1, and the polynomial of p times it: that of the mirror image where a < 0."""
    side = jnp.where(cubic.a < 0, -1, 1).astype(cubic.a.dtype)
    return side, cubic._replace(a=side * cubic.a)


def safe_sqrt(D: Float[Array, "*modes"]) -> Float[Array, "*modes"]:
    """√D where D > 0, else 0, with derivative 0 there instead of an infinite one."""
    return jnp.where(D > 0, jnp.sqrt(jnp.where(D > 0, D, 1)), 0)


def _discriminant(a: Array, b: Array, eta: Array) -> Array:
    """a² - 4 b eta to its last bits (Kahan): near the threshold the rounding of both products would be all of it.

    A decay within rounding of eta_c, such as `critical_eta(k)` itself, counts as at the threshold: D = 0.
    """
    c = 4 * b
    rounded = a * a - c * eta
    lost = product_error(a, a) - product_error(c, eta)
    lost = jnp.where(jnp.abs(rounded + lost) <= 4 * jnp.finfo(a.dtype).eps * a * a, -rounded, lost)
    return rounded + jax.lax.stop_gradient(jnp.where(jnp.isfinite(lost), lost, 0))


def product_error(x: Array, y: Array) -> Array:
    """x y minus its rounded value, exactly (Dekker)."""
    bits = jnp.finfo(x.dtype).nmant // 2 + 1

    def split(z: Array) -> tuple[Array, Array]:
        t = (2.0**bits + 1) * z
        high = t - (t - z)
        return high, z - high

    (xh, xl), (yh, yl) = split(x), split(y)
    return ((xh * yh - x * y) + xh * yl + xl * yh) + xl * yl


def real(x: Any) -> Float[Array, "*shape"]:
    """x as an array of floating-point numbers, in its own precision if it has one."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)
