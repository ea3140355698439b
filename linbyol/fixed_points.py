"""Fixed points of a mode on the invariant parabola, the thresholds at which they vanish, and their stability.

A mode at a fixed target ratio tau obeys ṗ = -p (λ_s p² - tau λ_d p + eta) there (Eq. 16), so its roots are 0 and

    p_± = (tau λ_d ± √(tau² λ_d² - 4 eta λ_s)) / (2 λ_s),      λ_d = 1, λ_s = κ where the data are isotropic.

All functions take `Isotropic` or `Commuting`, broadcast over the leaves of k, and are differentiable.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linbyol.equations import Commuting, Held, Isotropic, Modes, modes_flow
from linbyol.equations.combinators import Flow

Data = Isotropic | Commuting | Held


class Cubic(NamedTuple):
    """ṗ = -p (b p² - a p + eta), the critical polynomial of a mode, with its discriminant D = a² - 4 b eta."""

    a: Float[Array, "*modes"]  # tau λ_d
    b: Float[Array, "*modes"]  # λ_s
    eta: Float[Array, "*modes"]
    D: Float[Array, "*modes"]


class Bifurcation(NamedTuple):
    """Fixed points over a grid of decays: 0, p_minus, p_plus along the last axis, nan where they do not exist."""

    eta: Float[Array, " m"]
    p: Float[Array, "m 3"]
    s: Float[Array, "m 3"]
    rate: Float[Array, "m 3"]  # largest real part of the eigenvalues in (p, s)
    stable: Bool[Array, "m 3"]


def critical_polynomial(k: Data) -> Cubic:
    """Eq. 16's coefficients at tau = k.tau (1 where k has none)."""
    a, b, eta = jnp.broadcast_arrays(*map(_real, (getattr(k, "tau", 1) * k.lambda_d, k.lambda_s, k.eta)))
    a, b, eta = (x.astype(jnp.result_type(a, b, eta)) for x in (a, b, eta))
    return Cubic(a, b, eta, _discriminant(a, b, eta))


@jax.jit
def predictor_roots(k: Data) -> tuple[Float[Array, "*modes"], Float[Array, "*modes"], Float[Array, "*modes"]]:
    """Sec. 3: (0, p_minus, p_plus); nan above the threshold, equal at it, p_minus = 0 at eta = 0.

    No cancellation: p_minus = 2 eta / (tau λ_d + √D), and D carries the rounding of its products.
    """
    a, b, eta, D = critical_polynomial(k)
    root = safe_sqrt(D)
    p_plus = (a + root) / (2 * b)
    p_minus = jnp.where(D == 0, p_plus, 2 * eta / (a + root))
    return jnp.zeros_like(a), jnp.where(D >= 0, p_minus, jnp.nan), jnp.where(D >= 0, p_plus, jnp.nan)


def critical_eta(k: Data) -> Float[Array, "*modes"]:
    """Observation 5: eta_c = tau² λ_d² / (4 λ_s), the decay above which only p = 0 is left. k.eta is not used."""
    a, b = jnp.broadcast_arrays(_real(getattr(k, "tau", 1) * k.lambda_d), _real(k.lambda_s))
    return a * a / (4 * b)


@jax.jit
def fixed_points(k: Data, *, Wp: Any = None, W: Any = None) -> Modes:
    """The states at 0, p_minus, p_plus (last axis, 3), with tau = k.tau; Wp=, W= are separate decays as in `decay`.

    Under unequal decay the roots use the encoder's alone, and s = (eta_p/eta_s) p²/alpha_p. With W=0 the root is
    tau λ_d/λ_s, where s is nan (it grows without end) unless Wp is 0 too (any s rests there; p²/alpha_p is given).
    """
    eta_p = _real(k.eta if Wp is None else Wp)
    eta_s = _real(k.eta if W is None else W)
    p = jnp.stack(predictor_roots(k._replace(eta=eta_s)), axis=-1)
    alpha_p, ratio = (_column(x, p) for x in (_real(k.alpha_p), _ratio(eta_p, eta_s)))
    s = jnp.where(p == 0, 0 * p, ratio * p * p / alpha_p)
    return Modes(p=p, s=s, tau=jnp.broadcast_to(_column(_real(getattr(k, "tau", 1)), p), p.shape))


@eqx.filter_jit
def stability(y: Modes, k: Data, ema: bool = False, *, flow: Flow = modes_flow) -> Array:
    """Eigenvalues of the flow's Jacobian at y, in (p, s), or in (p, s, tau) with ema; complex, real parts ascending.

    y and k broadcast against each other; the eigenvalues lie along a new last axis, 2 or 3. They are those of each
    mode alone. `flow` may be an ablation of modes_flow, e.g. decay(modes_flow, Wp=0.1, W=0.2) with numbers.
    """
    names = ("p", "s", "tau") if ema else ("p", "s")
    leaves, tree = jax.tree.flatten(jax.tree.map(_real, (y, k)))
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    y, k = jax.tree.unflatten(tree, [jnp.broadcast_to(leaf, shape).reshape(-1) for leaf in leaves])

    def eigenvalues(y: Modes, k: Data) -> Array:
        def rate(x: Array) -> Array:
            moved = flow(y._replace(**dict(zip(names, x, strict=True))), k)
            return jnp.stack([getattr(moved, name) for name in names])

        return jnp.linalg.eigvals(jax.jacfwd(rate)(jnp.stack([getattr(y, name) for name in names])))

    values = jax.vmap(eigenvalues)(y, k)
    return jnp.sort(values, axis=-1).reshape(*shape, len(names))


def bifurcation(k: Data, etas: Float[Array, " m"], *, ema: bool = False) -> Bifurcation:
    """Fixed points of one mode and their stability over a grid of decays: the bifurcation diagram of Eqs. 11-13.

    With ema, tau = wa/w itself runs away in a collapsing mode where eta ≥ beta, so 0 counts as unstable there.
    """
    etas = jnp.asarray(etas)
    grid = k._replace(eta=etas)
    y = fixed_points(grid)
    column = jax.tree.map(lambda x: _column(_real(x), y.p) if jnp.ndim(x) else _real(x), grid)
    exists = jnp.isfinite(y.p)
    at = jax.tree.map(lambda x: jnp.where(exists, x, 0), y)  # no eigenvalues of nan
    rate = jnp.where(exists, stability(at, column, ema).real.max(axis=-1), jnp.nan)
    return Bifurcation(etas, y.p, y.s, rate, rate < 0)


def safe_sqrt(D: Float[Array, "*modes"]) -> Float[Array, "*modes"]:
    """√D where D > 0, else 0, with derivative 0 there instead of an infinite one."""
    return jnp.where(D > 0, jnp.sqrt(jnp.where(D > 0, D, 1)), 0)


def _discriminant(a: Array, b: Array, eta: Array) -> Array:
    """a² - 4 b eta to its last bits (Kahan): near the threshold the rounding of both products would be all of it.

    A decay within rounding of eta_c, such as `critical_eta(k)` itself, counts as at the threshold: D = 0.
    """
    c = 4 * b
    rounded = a * a - c * eta
    lost = _product_error(a, a) - _product_error(c, eta)
    lost = jnp.where(jnp.abs(rounded + lost) <= 4 * jnp.finfo(a.dtype).eps * a * a, -rounded, lost)
    return rounded + jax.lax.stop_gradient(jnp.where(jnp.isfinite(lost), lost, 0))


def _product_error(x: Array, y: Array) -> Array:
    """x y minus its rounded value, exactly (Dekker)."""
    bits = jnp.finfo(x.dtype).nmant // 2 + 1

    def split(z: Array) -> tuple[Array, Array]:
        t = (2.0**bits + 1) * z
        high = t - (t - z)
        return high, z - high

    (xh, xl), (yh, yl) = split(x), split(y)
    return ((xh * yh - x * y) + xh * yl + xl * yh) + xl * yl


def _ratio(eta_p: Array, eta_s: Array) -> Array:
    """eta_p/eta_s, 1 where they are equal, also at 0."""
    same = eta_p == eta_s
    return jnp.where(same, 1, jnp.where(eta_s > 0, eta_p / jnp.where(eta_s > 0, eta_s, 1), jnp.nan))


def _column(x: Array, p: Array) -> Array:
    """x (*modes) with the axis of the three roots behind it."""
    return jnp.expand_dims(jnp.broadcast_to(x, jnp.broadcast_shapes(x.shape, p.shape[:-1])), -1)


def _real(x: Any) -> Array:
    return jnp.asarray(x, dtype=None if jnp.issubdtype(jnp.result_type(x), jnp.floating) else float)
