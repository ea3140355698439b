"""Many trajectories at once: millions of modes, amplitudes or points on the parabola, each with its own constants.

Rosenbrock steps of order 5; at tight tolerances Taylor steps of the order that these ask for, and Rosenbrock's where a
trajectory is stiff. One step size a trajectory, in chunks that the devices (or the cores of a CPU) take in turn. A
chunk's numbers depend on nothing outside it. For more than memory holds, and many hosts: `linbyol.ensemble.sweeps`.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from linbyol import checks
from linbyol.ensemble import taylor
from linbyol.ensemble.compiled import Engine, EnsembleResult, Job
from linbyol.ensemble.lanes import Tolerance
from linbyol.ensemble.queue import TILE
from linbyol.ensemble.rosenbrock import METHODS
from linbyol.ensemble.workers import Crew, whole_tiles
from linbyol.equations import Amplitudes, Commuting, Isotropic, Modes, amplitudes_flow, modes_flow, parabola_flow
from linbyol.equations.combinators import Flow
from linbyol.integrate.arguments import check_leaves, rate_shapes
from linbyol.integrate.events import Event
from linbyol.integrate.series import has_series

__all__ = ["EnsembleResult", "solve", "solve_amplitudes", "solve_modes", "solve_parabola"]

CHUNK = 1 << 14  # trajectories a worker holds at once
SIZES = (TILE, 1 << 10)  # of chunks for few trajectories: few sizes, so few compilations
TAYLOR = 3e-7  # rtol from which on Taylor steps are faster
TIGHTER = 0.15  # tolerance of a step in units of rtol, so that the error of the whole trajectory is below rtol
MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else np.inf  # bytes
FINER = 1e-3  # absolute tolerance of a step in units of atol
TRIES = 3  # each ten times tighter, for those whose error is still estimated above rtol


def solve_amplitudes(
    y0: Amplitudes, k: Isotropic | Commuting, t1: ArrayLike, *, rtol: Any = 1e-6, atol: Any = 1e-18, **settings: Any
) -> EnsembleResult:
    """Eqs. 104-106: amplitudes (w, wp, wa) with an EMA target, from time 0 to t1; settings as in `solve`."""
    return solve(amplitudes_flow, y0, k, t1, rtol=rtol, atol=atol, **settings)


def solve_modes(
    y0: Modes, k: Isotropic | Commuting, t1: ArrayLike, *, rtol: Any = 1e-6, atol: Any = 1e-18, **settings: Any
) -> EnsembleResult:
    """Eqs. 11-13: modes (p, s, tau), from time 0 to t1; settings as in `solve`."""
    return solve(modes_flow, y0, k, t1, rtol=rtol, atol=atol, **settings)


def solve_parabola(
    p0: ArrayLike, k: Isotropic | Commuting, t1: ArrayLike, *, rtol: Any = 1e-6, atol: Any = 1e-18, **settings: Any
) -> EnsembleResult:
    """Eq. 16: p on the parabola, from time 0 to t1; settings as in `solve`. `exact.parabola` is the closed form."""
    return solve(parabola_flow, p0, k, t1, rtol=rtol, atol=atol, **settings)


def solve(
    flow: Flow,
    y0: Any,
    k: Any,
    t1: ArrayLike,
    *,
    rtol: Any = 1e-6,
    atol: Any = 1e-18,
    ts: ArrayLike | Sequence[float] | None = None,
    events: Mapping[str, Event] | None = None,
    max_steps: int = 10_000,
    method: str = "auto",
    chunk: int = CHUNK,
    workers: int | None = None,
    devices: Sequence[Any] | None = None,
    progress: bool = False,
) -> EnsembleResult:
    """Solve dy/dt = flow(y, k) for N trajectories, each from time 0 to its t1.

    flow     any function (y, k) -> dy/dt of scalars: `modes_flow`, `hold(amplitudes_flow, "wa")`, …
    y0, k    state and constants; each leaf is () or (N,), and so is t1
    rtol     relative error of the result, field by field; a field below atol/rtol counts as atol/rtol
    ts       (t,) increasing times from 0 to t1: `.y` then holds the states at these times, leaves (t, N)
    events   name -> (Moment) -> real, see `linbyol.integrate.events`: when it first is 0 or less, as exact as
             the trajectory
    method   "taylor": series of the flow, and "rodas5p" for what is stiff; "rodas5p", "rodas4"; "auto", the fastest:
             "taylor" from rtol = 3e-7 downwards, for more than 256 trajectories (fewer are compiled longer than they
             are solved). A flow without a series (`jnp.sin`, a branch), and any under `jit`,
             takes "rodas5p" all the same. `.method` says what was used
    chunk    trajectories a worker holds at once
    workers  threads; by default one a device, and on a lone CPU device one a core
    devices  JAX devices; by default all of this process
    progress a bar on standard error, if that is a terminal

    A number in a leaf (N,) that is not finite marks its own trajectory only. Raises `InputError` for bad arguments, and
    for more trajectories than memory holds.
    Compiles once for each (flow, events, method, size of chunk). Under `jit` or `vmap` all lanes share one loop.
    """
    task = _door(flow, y0, k, t1, rtol, atol, ts, max_steps, method, chunk, workers)
    asked = Accuracy(rtol, atol)
    order = _order(method, flow, task, rtol)
    name = method if method in METHODS else "rodas5p"
    job = Job(Engine.of(flow, events or {}, name), asked.floor, task.ts, max_steps, order)
    in_lock_step = lambda: job.in_lock_step(task.y0, task.k, task.t1, asked.of_a_step(TIGHTER * rtol))  # noqa: E731
    if task.traced:
        found = in_lock_step()
    elif not task.t1.size:
        shapes = jax.eval_shape(in_lock_step)
        found = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    else:
        size = min([whole_tiles(chunk), *(size for size in SIZES if task.t1.size <= size)])
        crew = Crew(size, list(devices or _devices()), workers, progress)
        found = jax.tree.map(jnp.asarray, _solve(crew, job, task, asked))
    found = jax.tree.map(lambda x: x.reshape(*x.shape[:-1], *task.shape), found)
    return dataclasses.replace(found, method=f"taylor{order}+{name}" if order else name)


def _order(method: str, flow: Flow, task: "Task", rtol: Any) -> int:
    """Of the Taylor steps; 0 where there are none."""
    if method in METHODS or task.traced or (method == "auto" and (rtol > TAYLOR or task.t1.size <= TILE)):
        return 0
    one = jax.tree.map(lambda x: jax.ShapeDtypeStruct((), x.dtype), (task.y0, task.k))
    return taylor.order_of(taylor.TIGHTER * float(rtol)) if has_series(flow, *one) else 0


class Accuracy(NamedTuple):
    """Of the result, field by field; a field below `floor` counts as that."""

    rtol: Any
    atol: Any

    @property
    def floor(self) -> Any:
        return self.atol / self.rtol

    def of_a_step(self, rtol: Any) -> Tolerance:
        """A step's tolerance, absolute and relative in one proportion: what falls to 0 does so smoothly, and costs no
        more steps where its absolute tolerance is FINER."""
        return Tolerance(rtol, FINER * self.atol * rtol / self.rtol)


def _solve(crew: Crew, job: Job, task: "Task", asked: Accuracy) -> EnsembleResult:
    """All trajectories, and again, tighter, those whose error is estimated above what was asked."""
    least = 40 * float(jnp.finfo(task.t1.dtype).eps)  # a smaller local error is rounding
    step = (taylor.TIGHTER if job.order else TIGHTER) * asked.rtol
    found = crew.share(job, task.y0, task.k, task.t1, asked.of_a_step(max(step, least)))
    for _ in range(TRIES - 1):
        step = step / 10
        again = np.flatnonzero(found.ok & (found.error > asked.rtol))
        if step < least or not again.size:
            break
        y0, k, t1 = jax.tree.map(lambda x, i=again: x[i], (task.y0, task.k, task.t1))
        better = crew.share(job, y0, k, t1, asked.of_a_step(step))
        kept = again[better.ok]
        for old, new in zip(jax.tree.leaves(found), jax.tree.leaves(better), strict=True):
            old[..., kept] = new[..., better.ok]
    return found


class Task(NamedTuple):
    """Arguments past the door: all leaves (N,), NumPy arrays (views where one number stands for all) or traced."""

    y0: Any
    k: Any
    t1: Any
    ts: np.ndarray | None
    shape: tuple
    traced: bool


def _door(flow, y0, k, t1, rtol, atol, ts, max_steps, method, chunk, workers) -> Task:
    checks.check_choice("method", method, ("auto", "taylor", *METHODS))
    for name, value in (("max_steps", max_steps), ("chunk", chunk), ("workers", 1 if workers is None else workers)):
        checks.check_count(name, value)
    k = k._replace(tau=1.0) if getattr(k, "tau", None) is None and hasattr(k, "tau") else k
    named = [*checks.fields("y0", y0), *checks.fields("k", k), ("t1", t1)]
    _check_memory(named, len(jax.tree.leaves(y0)), ts)
    check_leaves(y0)
    checks.check_numbers("y0", jax.tree.map(_usual, y0))
    checks.check_constants(jax.tree.map(_usual, k))
    checks.check_numbers("t1", t1)
    checks.check_nonnegative("t1", t1)
    shape = _common_shape(named)
    floating = [x for x in jax.tree.leaves((y0, k)) if jnp.issubdtype(jnp.result_type(x), jnp.floating)]
    dtype = jnp.result_type(*floating) if floating else jnp.result_type(float)
    checks.check_tolerances(rtol, atol, dtype)
    if checks.concrete(rtol) is not None and not (np.asarray(rtol) > 0).all():
        raise checks.InputError(f"Argument `rtol` must be positive, but is {rtol}.")
    traced = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves((y0, k, t1, rtol, atol)))
    numpy: Any = jnp if traced else np
    lane = lambda x: numpy.broadcast_to(numpy.asarray(x, dtype).reshape(-1), (int(np.prod(shape)),))  # noqa: E731
    y0, k, t1 = jax.tree.map(lane, (y0, k, t1))
    rate_shapes(flow, *jax.tree.map(lambda x: jax.ShapeDtypeStruct((), dtype), (y0, k)))
    return Task(y0, k, t1, None if ts is None else _times(ts, t1, traced), shape, traced)


def _check_memory(named: list[tuple[str, Any]], fields: int, ts: Any) -> None:
    """Arguments and results fit the machine: told before the first copy is made."""
    N = max((x.size for _, x in named if isinstance(x, np.ndarray | jax.Array)), default=1)
    numbers = 2 * len(named) + fields * (2 + (0 if ts is None else np.size(ts))) + 4
    if (need := 8 * N * numbers) > MEMORY:
        raise checks.InputError(
            f"Argument `y0`: {N} trajectories need some {need / 1e9:.3g} GB, but this machine has "
            f"{MEMORY / 1e9:.3g} GB; sweep them in shards (`linbyol.ensemble.sweeps`)."
        )


def _common_shape(named: list[tuple[str, Any]]) -> tuple:
    """() or (N,), as all leaves agree."""
    shape: tuple = ()
    first = ""
    for name, leaf in named:
        found = jnp.shape(leaf)
        if len(found) > 1:
            raise checks.InputError(f"Argument `{name}` must have shape () or (N,), but has shape {found}.")
        if found and shape and found != shape:
            raise checks.InputError(
                f"Argument `{name}` must have as many trajectories as `{first}`, {shape[0]}, but has {found[0]}."
            )
        if found and not shape:
            shape, first = found, name
    return shape


def _times(ts: Any, t1: Any, traced: bool) -> np.ndarray:
    ts = np.asarray(ts, float)
    if ts.ndim != 1 or not ts.size:
        raise checks.InputError(f"Argument `ts` must be a vector of at least one time, but has shape {ts.shape}.")
    if ts.size > 1:
        checks.check_times(ts)
    checks.check_nonnegative("ts", ts)
    if not traced and t1.size and ts[-1] > t1.min():
        raise checks.InputError(f"Argument `ts` must end by t1 = {t1.min():.10g}, but its last time is {ts[-1]:.10g}.")
    return ts


def _usual(x: Any) -> Any:
    """x with 1 for what is not finite in a leaf (N,), which is its own trajectory's affair."""
    a = checks.concrete(x) if jnp.ndim(x) else None
    return x if a is None or a.dtype.kind != "f" else np.where(np.isfinite(a), a, 1)


def _devices() -> list:
    """The local devices of the default platform, or the one that is set as default."""
    one = getattr(jax.config, "jax_default_device", None)
    return [one] if one is not None and not isinstance(one, str) else jax.local_devices()
