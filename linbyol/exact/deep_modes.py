"""Closed forms of a balanced mode of deep linear JEPA and MAE, without weight decay.

Each function takes `DeepMode`, w of one layer (the encoder has w^depth), numbers, arrays or lists; it broadcasts, and
is differentiable. Derived (see linbyol/exact/deep_transit.py); the depth is any positive whole number. What no mode can
have raises `InputError` where its value is known (not under `jit`, `vmap` and `grad`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_constants, concrete
from linbyol.cubic import numbers, real
from linbyol.equations import DeepMode
from linbyol.exact.closed_forms import times
from linbyol.exact.deep_transit import Kind, gap, path_of, reached, scaled_time, solve, time_at
from linbyol.exact.logarithms import log_ratio

KINDS: dict[str, Callable[[int], Kind]] = {
    "JEPA": lambda depth: Kind(depth, 2 * depth, 1),
    "MAE": lambda depth: Kind(depth, depth, depth + 1),
}


def jepa_time(w: Any, w0: Any, k: DeepMode) -> Float[Array, "*modes"]:
    """Time in which JEPA takes a layer from w0 to w: λ_d ρ^(2L-1) t = ln(z/|1-z|) - Σ_{k<2L} z^-k/k between, z = w/ρ.

    Negative where w lies behind w0, inf at the fixed point, nan beyond it.
    """
    return _time(w, w0, k, "JEPA")


def mae_time(w: Any, w0: Any, k: DeepMode) -> Float[Array, "*modes"]:
    """Time in which MAE takes a layer from w0 to w, as `jepa_time`.

    λ_d ρ^((L-1)/(L+1)) t = -z^(1-L)/(L-1) + ½ z² ₂F₁(1, b; 1+b; z^(L+1)) between, z = w ρ^(-1/(L+1)), b = 2/(L+1).
    """
    return _time(w, w0, k, "MAE")


def jepa(w0: Any, k: DeepMode, ts: Any) -> Float[Array, "*times_modes"]:
    """w(t) of a layer of JEPA from w(0) = w0, at times ts ≥ 0 (nan before): `jepa_time` inverted to machine precision.

    The axes of ts come first, then those of w0 and k broadcast. Derivatives in w0, k and ts come from the implicit
    function theorem, in forward and reverse mode, and stay right at the fixed point and long after it is reached.
    """
    return _course(w0, k, ts, "JEPA")


def mae(w0: Any, k: DeepMode, ts: Any) -> Float[Array, "*times_modes"]:
    """w(t) of a layer of MAE from w(0) = w0, as `jepa`."""
    return _course(w0, k, ts, "MAE")


def jepa_time_asymptotics(w0: Any, k: DeepMode) -> Float[Array, "*modes"]:
    """Σ_{k=1}^{2L-1} ρ^(k+1-2L) w0^-k/(k λ_d) + ρ^(1-2L) ln(1/w0)/λ_d: the time out of a small w0, up to a constant.

    Its leading term, 1/((2L-1) λ_d w0^(2L-1)), does not contain ρ.
    """
    w0, k = _positive("w0", w0), _admitted(k)
    powers = sum(k.rho ** (j + 1 - 2 * k.depth) * w0**-j / j for j in range(1, 2 * k.depth))
    return (powers - k.rho ** (1 - 2 * k.depth) * jnp.log(w0)) / k.lambda_d


def mae_time_asymptotics(w0: Any, k: DeepMode) -> Float[Array, "*modes"]:
    """w0^(1-L)/((L-1) λ_d), or ln(1/w0)/λ_d at L = 1: the time out of a small w0, up to a constant."""
    w0, k = _positive("w0", w0), _admitted(k)
    return (-jnp.log(w0) if k.depth == 1 else w0 ** (1 - k.depth) / (k.depth - 1)) / k.lambda_d


def _time(w: Any, w0: Any, k: DeepMode, name: str) -> Array:
    k = _admitted(k)
    return _transit(_positive("w", w), _positive("w0", w0), k.lambda_d, k.lambda_s, KINDS[name](k.depth))


@partial(jax.jit, static_argnums=4)
def _transit(w: Array, w0: Array, lambda_d: Array, lambda_s: Array, kind: Kind) -> Array:
    w, w0, lambda_d, lambda_s = _together(w, w0, lambda_d, lambda_s)
    start, g = path_of(w0, lambda_d, lambda_s, kind), gap(w, lambda_d, lambda_s, kind.q)
    joined = (jnp.sign(g) * jnp.sign(start.g0) > 0) & (w > 0) & (w0 > 0)
    away = start.rest / 2
    w_there, w0 = (jnp.where(joined, x, jax.lax.stop_gradient(away)) for x in (w, w0))
    path, g_there = path_of(w0, lambda_d, lambda_s, kind), gap(w_there, lambda_d, lambda_s, kind.q)
    s = log_ratio(w_there, w0, w_there - w0)
    # 1 - z^q changes by λ_s w0^q (1 - e^(qs))/λ_d
    G = -log_ratio(g_there, path.g0, -path.v0 * jnp.expm1(kind.q * s))
    t = path.unit * scaled_time(s, G, w_there / path.rest, path, kind)
    still = jnp.where((start.g0 == 0) & (w == start.w0), 0, jnp.nan)
    return jnp.where(joined, t, jnp.where((g == 0) & (start.g0 != 0), jnp.inf, still))


def _course(w0: Any, k: DeepMode, ts: Any, name: str) -> Array:
    k = _admitted(k)
    return _moved(_positive("w0", w0), k.lambda_d, k.lambda_s, times(ts), KINDS[name](k.depth))


@partial(jax.jit, static_argnums=4)
def _moved(w0: Array, lambda_d: Array, lambda_s: Array, ts: Array, kind: Kind) -> Array:
    modes = jnp.broadcast_shapes(w0.shape, lambda_d.shape, lambda_s.shape)
    t, w0, lambda_d, lambda_s = _together(ts.reshape(*ts.shape, *[1] * len(modes)), w0, lambda_d, lambda_s)
    path = path_of(w0, lambda_d, lambda_s, kind)
    moves = (t >= 0) & jnp.isfinite(t) & (w0 > 0)
    going = jnp.where(moves, t, 0)
    xi = jax.lax.custom_root(
        lambda xi: time_at(xi, path, kind) - going,
        jnp.zeros_like(going),
        lambda residual, guess: solve(*jax.lax.stop_gradient((going, path, lambda_d)), kind),
        lambda slope, x: x / slope(jnp.ones_like(x)),
    )
    w = jnp.where(t == jnp.inf, path.rest, reached(xi, path, kind)[2])
    return jnp.where((t >= 0) & (w0 > 0), w, jnp.nan)


def _together(*arrays: Array) -> tuple[Array, ...]:
    dtype = jnp.result_type(*arrays)
    return tuple(a.astype(dtype) for a in jnp.broadcast_arrays(*arrays))


def _admitted(k: DeepMode) -> DeepMode:
    """k as arrays, if it is a mode without decay: else `InputError`."""
    check_constants(k)
    eta = concrete(k.eta)
    if eta is not None and (eta != 0).any():
        raise InputError(f"Argument `eta` must be 0 for times in closed form, but is {float(eta.max()):.10g}.")
    return DeepMode(real(k.lambda_d), real(k.lambda_s), k.depth, k.eta)


def _positive(name: str, w: Any) -> Array:
    """A layer above 0, which is where a mode of this sign begins and stays."""
    w = numbers(name, w)
    x = concrete(w)
    if x is not None and (x <= 0).any():
        raise InputError(f"Argument `{name}` must be positive, but is {float(x.min()):.10g}.")
    return w
