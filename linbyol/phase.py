"""Phase diagrams: a function of the constants over a grid of them, and the outcomes that such a diagram shows.

sweep(Partial(on_parabola, p0=0.05), k, eta=etas, sigma2=sigma2s)  # closed form, a million points in seconds
sweep(Partial(with_target, y0=Modes(p=0.05, s=0.02, tau=0.0), t1=1000.0), k, eta=etas, beta=betas)  # integrated

Commuting data whose target is held elsewhere than at the encoder are `equations.Held`: `Commuting` with a tau.
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
from linbyol.checks import InputError, check_constants, check_count, check_nonnegative, check_numbers, check_spectra
from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Commuting, Held, Isotropic, Modes, amplitudes_flow, mode_alignment_rate
from linbyol.equations.combinators import Flow
from linbyol.exact import collapses, escape_time
from linbyol.fixed_points import Data, critical_polynomial, predictor_roots
from linbyol.integrate import integrate
from linbyol.integrate.events import Moment, escape
from linbyol.rest import settles, size, unsettled

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
    `jax.tree_util.Partial` to give it arguments. An axis tau of `with_target` is its start's. Raises `InputError` for
    an unknown or empty axis, or values that no constants have.
    """
    if not axes:
        raise InputError(f"Arguments of sweep must name at least one axis of {', '.join(k._fields)}.")
    check_count("chunk", chunk)
    grids = {name: _axis(k, name, values) for name, values in axes.items()}
    _check_grid(k, {name: grid for name, grid in grids.items() if grid.ndim == 1})
    k = jax.tree.map(jnp.asarray, k)
    f = f if isinstance(f, Partial) else Partial(f)
    if "tau" in grids and f.func is with_target and "y0" in f.keywords:
        f = Partial(f.func, *f.args, **{**f.keywords, "y0": f.keywords["y0"]._replace(tau=None)})
    return _sweep(f, k, tuple(grids), tuple(grids.values()), chunk)


def on_parabola(k: Data, p0: Any, *, horizon: Any = jnp.inf, fraction: Any = 0.9) -> Outcome:
    """The outcome of a mode that starts at p0 on the invariant parabola, target fixed at k.tau; closed form.

    SLOW where it needs longer than `horizon` to reach `fraction` of p_plus. A negative tau is the mirror image, with a
    negative p. Sources: Eqs. 16 and 17; `linbyol.exact`.
    """
    check_numbers("p0", p0)
    side, k = _upright(k)
    _, p_minus, p_plus = predictor_roots(k)
    p0, p_minus, p_plus = jnp.broadcast_arrays(side * jnp.asarray(p0, dtype=p_plus.dtype), p_minus, p_plus)
    survives = (p0 > 0) & (p0 >= p_minus) & (p_plus > 0)
    time = jnp.where(survives, escape_time(p0, k, fraction), jnp.inf)
    end = jnp.where(survives, jnp.where(p0 == p_minus, p0, p_plus), 0)
    verdict = jnp.where(survives, jnp.where(time > horizon, SLOW, SURVIVES), COLLAPSES)
    return Outcome(verdict, side * end, time, _least_alignment(k, p0, end))


def in_plane(k: Data, p0: Any, s0: Any) -> Outcome:
    """The outcome of a mode that starts at (p0, s0) off the parabola, target fixed at k.tau, by the separatrix.

    The escape time and the alignment on the way have no closed form there and are nan (inf where it collapses).
    """
    check_numbers("p0", p0)
    check_numbers("s0", s0)
    check_nonnegative("s0", s0)
    side, k = _upright(k)
    a, _, eta, _ = critical_polynomial(k)
    _, _, p_plus = predictor_roots(k)
    p0 = side * jnp.asarray(p0, dtype=a.dtype)
    lost = collapses(p0, s0, k)
    p0, left = jnp.broadcast_arrays(p0, p0 * p0 - k.alpha_p * s0)
    resting = jnp.where(eta > 0, 0, jnp.sign(p0) * jnp.sqrt(jnp.maximum(left, 0)))  # eta = 0: s = 0, any p rests
    verdict = jnp.where(lost, COLLAPSES, SURVIVES)
    time = jnp.where(lost, jnp.inf, jnp.nan)
    return Outcome(verdict, side * jnp.where(lost, resting, p_plus), time, jnp.full(time.shape, jnp.nan))


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
    """The outcome of one mode with a moving target, integrated from y0 until it settles, at most to t1.

    y0 is Modes(p, s, tau), w = +√s, wa = tau w: tau = 0 is a target at 0, tau = 1 a copy. s = None is the parabola's
    p²/alpha_p, and tau = None is k.tau. It has settled where it moves by at most tol, in the units of `linbyol.rest`,
    and has arrived or is too small to grow; SLOW where that is not so by t1. Any flow of `Amplitudes` does, e.g.
    simsiam(amplitudes_flow) for the plane. The alignment is nan.
    """
    y0, k = _started(y0, k)
    start = to_amplitudes(jax.tree.map(lambda x: jnp.asarray(x, float), y0))
    ts = jnp.array([0.0, 1.0]) * t1
    settings: dict[str, Any] = {"rtol": rtol, "atol": atol, "throw": False}
    trajectory = integrate(flow, start, k, ts, event=settles(jnp.asarray(tol, float)), **settings)
    last = jax.tree.map(lambda x: x[-1], trajectory.ys)
    still = trajectory.ok & (trajectory.stopped < ts[-1])
    alive = size(last, k) > jnp.sqrt(tol)
    passed = integrate(flow, start, k, ts, event=_passes(fraction * last.wp), **settings).stopped
    time = jnp.where(alive, jnp.where(start.wp >= fraction * last.wp, 0, passed), jnp.inf)
    verdict = jnp.where(still, jnp.where(alive, SURVIVES, COLLAPSES), SLOW)
    return Outcome(verdict, last.wp, time, jnp.full_like(time, jnp.nan))


def sweep_with_target(k: Data, y0: Modes, t1: float, *, rtol: float = 1e-6, tol: float = 1e-6, **axes: Any) -> Outcome:
    """`sweep` of `with_target` by the ensemble engine: a million modes with a moving target in seconds.

    An axis tau is the start's. Differs from `with_target` in that a mode must have settled at t1 itself, and that the
    escape is timed to 90 % of p_plus at tau = 1. Leaves have one axis a keyword, in their order.
    """
    grids = {name: np.asarray(_axis(k, name, values)) for name, values in axes.items()}
    _check_grid(k, grids)
    mesh = dict(zip(grids, np.meshgrid(*grids.values(), indexing="ij"), strict=True))
    shape = np.broadcast_shapes(*(grid.shape for grid in mesh.values()))
    k = k._replace(**{name: grid.reshape(-1) for name, grid in mesh.items()})
    y0, k = _started(y0._replace(tau=None) if "tau" in axes else y0, k)
    start = to_amplitudes(jax.tree.map(lambda x: jnp.asarray(x, float), y0))
    found = solve_amplitudes(start, k, t1, rtol=rtol, events={"escape": escape()})
    lanes = _lanes(k, found.ok.shape)
    rate = jax.vmap(amplitudes_flow)(found.y, lanes)
    still = jax.jit(jax.vmap(unsettled, (0, 0, 0, None)))(found.y, rate, lanes, tol) <= 0
    alive = size(found.y, k) > jnp.sqrt(tol)
    verdict = jnp.where(still & found.ok, jnp.where(alive, SURVIVES, COLLAPSES), SLOW)
    time = jnp.where(alive, found.events["escape"], jnp.inf)
    outcome = Outcome(verdict, found.y.wp, time, jnp.full_like(time, jnp.nan))
    return jax.tree.map(lambda x: x.reshape(shape), outcome)


def _upright(k: Data) -> tuple[Array, Data]:
    """The sign of tau, and k with its size: that of the mirror image, (p, tau) → (-p, -tau), where tau < 0."""
    tau = jnp.asarray(getattr(k, "tau", 1), float)
    return jnp.where(tau < 0, -1.0, 1.0), k if isinstance(k, Commuting) else k._replace(tau=jnp.abs(tau))


def _started(y0: Modes, k: Data) -> tuple[Modes, Isotropic | Commuting]:
    """The start's own s and tau, and the constants that the flow of amplitudes has, whose target ends at tau = 1."""
    check_numbers("y0", y0)
    s = y0.p * y0.p / k.alpha_p if y0.s is None else y0.s
    check_nonnegative("y0.s", s)
    start = Modes(y0.p, s, getattr(k, "tau", 1) if y0.tau is None else y0.tau)
    return start, k._replace(tau=1.0) if isinstance(k, Isotropic) else Commuting(*k[:5])


class _passes(eqx.Module):  # noqa: N801
    """Event: the predictor's amplitude reaches a goal."""

    goal: Any

    def __call__(self, now: Moment) -> Float[Array, ""]:
        return self.goal - now.y.wp


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


def _check_grid(k: Any, grids: dict[str, Any]) -> None:
    """Each point of the grid is such as constants can be."""
    check_constants(k._replace(**grids))
    lambda_d, lambda_s = (grids.get(name, getattr(k, name, 1)) for name in ("lambda_d", "lambda_s"))
    lambda_d = lambda_d[:, None, None] if "lambda_d" in grids else lambda_d  # each with each, or with a mode's own
    lambda_s = lambda_s[:, None] if "lambda_s" in grids else lambda_s
    if isinstance(k, Commuting | Held):
        check_spectra(k._replace(lambda_d=lambda_d, lambda_s=lambda_s))


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
