"""Phase diagrams: a function of the constants over a grid of them, and the outcomes that such a diagram shows.

sweep(Partial(on_parabola, p0=0.05), k, eta=etas, sigma2=sigma2s)  # closed form, a million points in seconds
sweep(Partial(with_target, y0=Modes(p=0.05, s=0.02, tau=0.0), t1=1000.0), k, eta=etas, beta=betas)  # integrated
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int

from linbyol.assumptions import to_amplitudes
from linbyol.checks import InputError, check_constants, check_numbers
from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Amplitudes, Isotropic, Modes, amplitudes_flow, mode_alignment_rate
from linbyol.equations.combinators import Flow
from linbyol.exact import collapses, escape_time
from linbyol.fixed_points import Data, critical_polynomial, predictor_roots
from linbyol.integrate import integrate, steady
from linbyol.integrate.events import escapes

COLLAPSES, SURVIVES, SLOW = 0, 1, 2  # SLOW: it survives, but has not escaped (or settled) by the horizon


class Outcome(NamedTuple):
    """What becomes of a mode."""

    verdict: Int[Array, "*modes"]  # COLLAPSES, SURVIVES or SLOW
    p: Float[Array, "*modes"]  # where the predictor's eigenvalue ends
    escape_time: Float[Array, "*modes"]  # to a fraction of that; inf where it collapses
    alignment: Float[Array, "*modes"]  # least K_j on the way (Eq. 17), nan where the data are not isotropic


def sweep(f: Callable[[Any], Any], k: Any, *, chunk: int = 8192, **axes: Any) -> Any:
    """f(k) at every point of a grid of constants: its pytree, each leaf led by one axis a keyword, in their order.

    axes   fields of k with their values, (m,) or (m, *shape of the field); the others stay as in k
    chunk  points computed at once: memory is that of `chunk` evaluations and of the result

    `f` is any function of one k that `jax.vmap` maps; it is compiled once for each f and each shape of grid. Use
    `jax.tree_util.Partial` to give it arguments. Raises `InputError` for an unknown or empty axis, or bad values.
    """
    if not axes:
        raise InputError(f"Arguments of sweep must name at least one axis of {', '.join(k._fields)}.")
    if not (isinstance(chunk, int) and chunk > 0):
        raise InputError(f"Argument `chunk` must be a positive whole number, but is {chunk!r}.")
    grids = {name: _axis(k, name, values) for name, values in axes.items()}
    check_constants(k._replace(**{name: grid for name, grid in grids.items() if grid.ndim == 1}))
    k = jax.tree.map(jnp.asarray, k)
    return _sweep(f if isinstance(f, Partial) else Partial(f), k, tuple(grids), tuple(grids.values()), chunk)


def on_parabola(k: Data, p0: Any, *, horizon: Any = jnp.inf, fraction: Any = 0.9) -> Outcome:
    """The outcome of a mode that starts at p0 on the invariant parabola, target fixed at k.tau; closed form.

    SLOW where it needs longer than `horizon` to reach `fraction` of p_plus. Sources: 7.4, 7.6, Eq. 17.
    """
    _, p_minus, p_plus = predictor_roots(k)
    p0, p_minus, p_plus = jnp.broadcast_arrays(jnp.asarray(p0, dtype=p_plus.dtype), p_minus, p_plus)
    survives = (p0 > 0) & (p0 >= p_minus)
    time = escape_time(p0, k, fraction)
    end = jnp.where(p0 == p_minus, p0, jnp.where(survives, p_plus, 0))
    verdict = jnp.where(survives, jnp.where(time > horizon, SLOW, SURVIVES), COLLAPSES)
    return Outcome(verdict, end, time, _least_alignment(k, p0, end))


def in_plane(k: Data, p0: Any, s0: Any) -> Outcome:
    """The outcome of a mode that starts at (p0, s0) off the parabola, target fixed at k.tau, by the separatrix.

    The escape time and the alignment on the way have no closed form there and are nan (inf where it collapses).
    """
    a, _, eta, _ = critical_polynomial(k)
    _, _, p_plus = predictor_roots(k)
    lost = collapses(p0, s0, k)
    p0, left = jnp.broadcast_arrays(jnp.asarray(p0, dtype=a.dtype), p0 * p0 - k.alpha_p * s0)
    resting = jnp.where(eta > 0, 0, jnp.sign(p0) * jnp.sqrt(jnp.maximum(left, 0)))  # eta = 0: s = 0, any p rests
    verdict = jnp.where(lost, COLLAPSES, SURVIVES)
    time = jnp.where(lost, jnp.inf, jnp.nan)
    return Outcome(verdict, jnp.where(lost, resting, p_plus), time, jnp.full(time.shape, jnp.nan))


def with_target(
    k: Data,
    y0: Modes,
    t1: Any,
    *,
    flow: Flow = amplitudes_flow,
    fraction: Any = 0.9,
    rtol: float = 1e-9,
    atol: float = 1e-12,
    tol: float = 1e-8,
) -> Outcome:
    """The outcome of one mode with a moving target, integrated from y0 until it settles (`steady(tol)`), at most to t1.

    y0 is Modes(p, s, tau), w = +√s, wa = tau w: tau = 0 is a target at 0, tau = 1 a copy. SLOW where it has not settled
    by t1. Any flow of `Amplitudes` does, e.g. simsiam(amplitudes_flow) for the plane. The alignment is nan.
    """
    start = to_amplitudes(jax.tree.map(lambda x: jnp.asarray(x, float), y0))
    ts = jnp.array([0.0, 1.0]) * t1
    settings: dict[str, Any] = {"rtol": rtol, "atol": atol, "throw": False}
    trajectory = integrate(flow, start, k, ts, event=steady(tol), **settings)
    last = jax.tree.map(lambda x: x[-1], trajectory.ys)
    still = trajectory.ok & (trajectory.stopped < ts[-1])
    alive = last.w**2 > tol  # at rest eta w ≤ tol unless w lives, so w² < tol while tol < eta²
    escape = integrate(flow, start, k, ts, event=_passes(fraction * last.wp), **settings).stopped
    time = jnp.where(alive, jnp.where(start.wp >= fraction * last.wp, 0, escape), jnp.inf)
    verdict = jnp.where(still, jnp.where(alive, SURVIVES, COLLAPSES), SLOW)
    return Outcome(verdict, last.wp, time, jnp.full_like(time, jnp.nan))


def sweep_with_target(k: Data, y0: Modes, t1: float, *, rtol: float = 1e-6, tol: float = 1e-6, **axes: Any) -> Outcome:
    """`sweep` of `with_target` by the ensemble engine: a million modes with a moving target in seconds.

    Differs from `with_target` in that a mode counts as settled when it moves by at most tol at t1, and that the escape
    is timed to 90 % of p_plus at tau = 1. Leaves have one axis a keyword, in their order.
    """
    grids = {name: np.asarray(_axis(k, name, values)) for name, values in axes.items()}
    mesh = dict(zip(grids, np.meshgrid(*grids.values(), indexing="ij"), strict=True))
    shape = np.broadcast_shapes(*(grid.shape for grid in mesh.values()))
    k = k._replace(**{name: grid.reshape(-1) for name, grid in mesh.items()})
    if isinstance(k, Isotropic):
        k = k._replace(tau=1.0)  # the fixed points that are reached; the target's own tau is in the state
    start = to_amplitudes(jax.tree.map(lambda x: jnp.asarray(x, float), y0))
    found = solve_amplitudes(start, k, t1, rtol=rtol, events={"escape": escapes()})
    y, rate = found.y, jax.jit(jax.vmap(amplitudes_flow))(found.y, _lanes(k, found.ok.shape))
    moving = jnp.max(jnp.abs(jnp.stack(rate)), axis=0) > tol
    alive = y.w**2 > tol
    verdict = jnp.where(moving | ~found.ok, SLOW, jnp.where(alive, SURVIVES, COLLAPSES))
    time = jnp.where(alive, found.events["escape"], jnp.inf)
    outcome = Outcome(verdict, y.wp, time, jnp.full_like(time, jnp.nan))
    return jax.tree.map(lambda x: x.reshape(shape), outcome)


class _passes(eqx.Module):  # noqa: N801
    """Event: the predictor's amplitude reaches a goal."""

    goal: Any

    def __call__(self, t: Any, y: Amplitudes, rate: Any, k: Any) -> Float[Array, ""]:
        return self.goal - y.wp


@eqx.filter_jit
def _sweep(f: Partial, k: Any, names: tuple[str, ...], grids: tuple[Array, ...], chunk: int) -> Any:
    lengths = [grid.shape[0] for grid in grids]  # names and grids apart: a dict would come back sorted by its keys
    points = math.prod(lengths)
    chunk = min(chunk, points)

    def at(index: Array) -> Any:
        places = jnp.unravel_index(index, lengths)
        return f(k._replace(**{name: grid[i] for name, grid, i in zip(names, grids, places, strict=True)}))

    index = jnp.minimum(jnp.arange(-(-points // chunk) * chunk), points - 1)  # the last chunk repeats the last point
    values = jax.lax.map(jax.vmap(at), index.reshape(-1, chunk))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:points].reshape(*lengths, *x.shape[2:]), values)


def _lanes(k: Any, shape: tuple[int, ...]) -> Any:
    return jax.tree.map(lambda x: jnp.broadcast_to(jnp.asarray(x, float), shape), k)


def _axis(k: Any, name: str, values: Any) -> Array:
    if name not in k._fields:
        raise InputError(f"Argument `{name}` of sweep is not one of {', '.join(k._fields)}.")
    values = np.asarray(values) if isinstance(values, list | tuple | range) else values
    check_numbers(name, values)
    grid = jnp.asarray(values, dtype=None if jnp.issubdtype(jnp.result_type(values), jnp.floating) else float)
    if grid.ndim == 0 or grid.shape[0] == 0:
        raise InputError(
            f"Argument `{name}` must hold at least one value along its first axis, but has shape {grid.shape}."
        )
    return grid


def _least_alignment(k: Data, p0: Array, end: Array) -> Array:
    """min K_j between two points of the parabola; K_j is convex in p there, least at tau/(3 κ)."""
    if not isinstance(k, Isotropic):
        return jnp.full(p0.shape, jnp.nan)
    a, b, _, _ = critical_polynomial(k)
    p = jnp.clip(a / (3 * b), jnp.minimum(p0, end), jnp.maximum(p0, end))
    return mode_alignment_rate(Modes(p, p * p / k.alpha_p, jnp.broadcast_to(jnp.asarray(k.tau), p.shape)), k)
