"""Fixed points of a mode on the invariant parabola, the thresholds at which they vanish, and their stability.

A mode at a fixed target ratio tau obeys ṗ = -p (λ_s p² - tau λ_d p + eta) there (Eq. 16), so its roots are 0 and

    p_± = (tau λ_d ± √(tau² λ_d² - 4 eta λ_s)) / (2 λ_s),      λ_d = 1, λ_s = κ where the data are isotropic.

All functions take `Isotropic` or `Commuting`, broadcast over the leaves of k (numbers, arrays or lists), and are
differentiable. Constants that no mode has (eta < 0, alpha_p ≤ 0, lambda_s < lambda_d, nan) raise `InputError` where
their values are known; under `jit`, `vmap` and `grad` they are not looked at. At a negative tau the roots are those of
the mirror image, with the other sign (see linbyol/cubic.py).
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linbyol.checks import InputError, check_nonnegative, check_numbers
from linbyol.cubic import Data, admitted, critical_polynomial, numbers, real, roots, upright
from linbyol.equations import Modes, modes_flow
from linbyol.equations.combinators import Flow

__all__ = ["bifurcation", "critical_eta", "fixed_points", "predictor_roots", "stability"]


class Bifurcation(NamedTuple):
    """Fixed points over a grid of decays: 0, p_minus, p_plus along the last axis, nan where they do not exist."""

    eta: Float[Array, " m"]
    p: Float[Array, "m 3"]
    s: Float[Array, "m 3"]
    rate: Float[Array, "m 3"]  # largest real part of the eigenvalues in (p, s)
    stable: Bool[Array, "m 3"]


def predictor_roots(k: Data) -> tuple[Float[Array, "*modes"], Float[Array, "*modes"], Float[Array, "*modes"]]:
    """Sec. 3: (0, p_minus, p_plus); nan above the threshold, equal at it, p_minus = 0 at eta = 0.

    No cancellation: p_minus = 2 eta / (tau λ_d + √D), and D carries the rounding of its products. Derivatives are
    infinite at the threshold; they are given without the part of √D there.
    """
    return _predictor_roots(admitted(k))


@jax.jit
def _predictor_roots(k: Data) -> tuple[Array, Array, Array]:
    side, cubic = upright(critical_polynomial(k))
    p_minus, p_plus = roots(cubic)
    return jnp.zeros_like(side), side * p_minus, side * p_plus


def critical_eta(k: Data) -> Float[Array, "*modes"]:
    """Observation 5: eta_c = tau² λ_d² / (4 λ_s), the decay above which only p = 0 is left. k.eta is not used."""
    return _critical_eta(admitted(k))


@jax.jit
def _critical_eta(k: Data) -> Array:
    a, b = jnp.broadcast_arrays(real(getattr(k, "tau", 1) * k.lambda_d), real(k.lambda_s))
    return a * a / (4 * jnp.where((a == 0) & (b == 0), 1, b))  # 0 where there are no data


def fixed_points(k: Data, *, Wp: Any = None, W: Any = None) -> Modes:
    """The states at 0, p_minus, p_plus (last axis, 3), with tau = k.tau; Wp=, W= are separate decays as in `decay`.

    Under unequal decay the roots use the encoder's alone, and s = (eta_p/eta_s) p²/alpha_p. With W=0 the root is
    tau λ_d/λ_s, where s is nan (it grows without end) unless Wp is 0 too (any s rests there; p²/alpha_p is given).
    """
    for name, rate in (("Wp", Wp), ("W", W)):
        if rate is not None:
            check_numbers(name, rate)
            check_nonnegative(name, rate)
    return _fixed_points(admitted(k), *(None if rate is None else jnp.asarray(rate) for rate in (Wp, W)))


@jax.jit
def _fixed_points(k: Data, Wp: Any, W: Any) -> Modes:
    eta_p, eta_s = (real(k.eta if rate is None else rate) for rate in (Wp, W))
    ratio = jnp.ones_like(eta_s) if Wp is W is None else _ratio(*jnp.broadcast_arrays(eta_p, eta_s))
    points = jnp.stack(_predictor_roots(k._replace(eta=eta_s)), axis=-1)
    columns = (jnp.expand_dims(real(x), -1) for x in (k.alpha_p, ratio, getattr(k, "tau", 1)))
    p, alpha_p, ratio, tau = jnp.broadcast_arrays(points, *columns)
    return Modes(p=p, s=jnp.where(p == 0, 0 * p, ratio * p * p / alpha_p), tau=tau)


def stability(y: Modes, k: Data, ema: bool = False, *, flow: Flow = modes_flow) -> Array:
    """Eigenvalues of the flow's Jacobian at y, in (p, s), or in (p, s, tau) with ema; complex, real parts ascending.

    y and k broadcast against each other; the eigenvalues lie along a new last axis, 2 or 3, nan where y is nan. They
    are those of each mode alone. `flow` may be an ablation of modes_flow, e.g. decay(modes_flow, Wp=0.1, W=0.2) with
    numbers.
    """
    return _stability(Modes(*map(real, y)), admitted(k), ema, flow)


@eqx.filter_jit
def _stability(y: Modes, k: Data, ema: bool, flow: Flow) -> Array:
    names = ("p", "s", "tau") if ema else ("p", "s")
    leaves, tree = jax.tree.flatten(jax.tree.map(real, (y, k)))
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    y, k = jax.tree.unflatten(tree, [jnp.broadcast_to(leaf, shape).reshape(-1) for leaf in leaves])

    def eigenvalues(y: Modes, k: Data) -> Array:
        def rate(x: Array) -> Array:
            moved = flow(y._replace(**dict(zip(names, x, strict=True))), k)
            return jnp.stack([getattr(moved, name) for name in names])

        return jnp.linalg.eigvals(jax.jacfwd(rate)(jnp.stack([getattr(y, name) for name in names])))

    values = jax.vmap(eigenvalues)(y, k)
    return jnp.sort(values, axis=-1).reshape(*shape, len(names))


def bifurcation(k: Data, etas: Any, *, ema: bool = False) -> Bifurcation:
    """Fixed points of one mode and their stability over a grid of decays: the bifurcation diagram of Eqs. 11-13.

    etas (m,); the other leaves of k () or (m,). With ema, tau = wa/w itself runs away in a collapsing mode where
    eta ≥ beta, so 0 counts as unstable there. So does the double root at the threshold: it attracts from above alone.
    """
    etas = numbers("etas", etas)
    if etas.ndim != 1:
        raise InputError(f"Argument `etas` must be a vector, but has shape {etas.shape}.")
    grid = admitted(k._replace(eta=etas))
    y = _fixed_points(grid, None, None)
    column = jax.tree.map(lambda x: jnp.expand_dims(x, -1) if jnp.ndim(x) else x, grid)
    exists = jnp.isfinite(y.p)
    at = jax.tree.map(lambda x: jnp.where(exists, x, 0), y)  # no eigenvalues of nan
    rate = jnp.where(exists, _stability(at, column, ema, modes_flow).real.max(axis=-1), jnp.nan)
    double = (y.p[:, 1:2] == y.p[:, 2:]) & jnp.array([[False, True, True]])
    rate = jnp.where(double, 0, rate)
    return Bifurcation(etas, y.p, y.s, rate, rate < 0)


def _ratio(eta_p: Array, eta_s: Array) -> Array:
    """eta_p/eta_s, 1 where both are 0."""
    return jnp.where(eta_s > 0, eta_p / jnp.where(eta_s > 0, eta_s, 1), jnp.where(eta_p == 0, 1, jnp.nan))
