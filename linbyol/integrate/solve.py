"""Trajectories of a flow: `integrate` (adaptive, on diffrax) and `euler`, which is gradient descent itself."""

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from jax.tree_util import Partial
from jaxtyping import Array, ArrayLike

from linbyol import checks
from linbyol.equations.combinators import Flow, settle
from linbyol.integrate.arguments import prepare
from linbyol.integrate.dop853 import follow
from linbyol.integrate.events import Event, Moment, collapse, steady
from linbyol.integrate.trajectory import Trajectory
from linbyol.integrate.tsit5 import Tsit5
from linbyol.progress import Meter

SOLVERS: dict[str, Callable[[], diffrax.AbstractSolver]] = {
    "tsit5": Tsit5,
    "dopri8": diffrax.Dopri8,
    "kvaerno5": diffrax.Kvaerno5,
}
SCIPY = "dop853"
SOLVER_NAMES = (*SOLVERS, SCIPY)


class IntegrationError(RuntimeError):
    """An integration that did not reach its last time; the message is one sentence."""


def integrate(
    flow: Flow,
    y0: Any,
    k: Any,
    ts: ArrayLike | list[float],
    *,
    rtol: float | Array = 1e-8,
    atol: float | Array = 1e-10,
    solver: str | diffrax.AbstractSolver | None = None,
    event: Event | None = None,
    dense: bool = False,
    max_steps: int = 100_000,
    throw: bool = True,
    progress: bool = False,
    adjoint: diffrax.AbstractAdjoint | None = None,
) -> Trajectory:
    """Solve dy/dt = flow(y, k) from y0 at ts[0] and give the states at ts.

    flow       any function (y, k) -> dy/dt of the type of y; autonomous
    y0         the state at ts[0]; its leaves broadcast to the shapes that the flow returns
    k          constants; numbers and arrays are traced, so other values cost no compilation
    ts         (t,) increasing times of the flow, at least two; backwards in time is `backwards(flow)`
    rtol, atol tolerances of a step; in float32 rtol is at least 1e-6
    solver     a diffrax solver, or "tsit5" (default), "dopri8" (tight tolerances), "kvaerno5" (stiff), or
               "dop853" (SciPy's: one trajectory, nothing compiled; no derivatives, neither under vmap nor dense)
    event      (Moment) -> real, e.g. `collapse(tol)`, `steady(tol)` of `linbyol.integrate.events`: the solve stops
               where it falls through zero, and the trajectory keeps that state from then on
    dense      keep an interpolation, so that `.at(t)` works for any t between ts[0] and ts[-1]
    throw      raise `IntegrationError` if ts[-1] is not reached; else see `.ok` (as always under vmap and jit)
    progress   percent done on standard error, if it is a terminal
    adjoint    how derivatives are taken: reverse mode by default, diffrax.ForwardMode() for jvp and jacfwd

    Maps under `jax.vmap` over any leaf of y0 and k; gradients go through it. Raises `InputError` for bad
    arguments. Compiles once for each (flow, shapes, solver).
    """
    solver = _solver(solver)
    ts = ts if hasattr(ts, "shape") else np.asarray(ts)
    checks.check_times(ts)
    checks.check_count("max_steps", max_steps)
    y0, k = prepare(flow, y0, k)
    dtype = jnp.result_type(*jax.tree.leaves(y0))
    checks.check_tolerances(rtol, atol, dtype)
    if solver is None:
        trajectory = _follow(flow, y0, k, ts, rtol, atol, event, dense, max_steps, progress)
        return _complete(trajectory, ts, max_steps, throw)
    ts = jnp.asarray(ts, dtype)
    flow = _traced(flow)
    settings = (jnp.asarray(rtol, dtype), jnp.asarray(atol, dtype), solver, _traced(event), dense, max_steps)
    adjoint = diffrax.RecursiveCheckpointAdjoint() if adjoint is None else adjoint
    trajectory = _solve(flow, y0, k, ts, *settings, progress, adjoint)
    return _complete(trajectory, ts, max_steps, throw)


def euler(flow: Flow, y0: Any, k: Any, *, lr: float | Array, steps: int) -> Trajectory:
    """Gradient descent: y ← y + lr flow(y, k), `steps` times, initial state first; ts = 0, lr, 2 lr, …

    Explicit Euler on the flow of W and Wa at step lr, of Wp at step lr alpha_p. Raises `InputError` for bad arguments.
    """
    x = checks.concrete(lr)
    if x is not None and not (x > 0).all():
        raise checks.InputError(f"Argument `lr` must be positive, but is {x}.")
    if not (isinstance(steps, int) and steps >= 0):
        raise checks.InputError(f"Argument `steps` must be a whole number of at least 0, but is {steps!r}.")
    y0, k = prepare(flow, y0, k)
    dtype = jnp.result_type(*jax.tree.leaves(y0))
    return _descend(_traced(flow), y0, k, jnp.asarray(lr, dtype), steps)


@eqx.filter_jit
def _solve(flow, y0, k, ts, rtol, atol, solver, event, dense, max_steps, progress, adjoint) -> Trajectory:
    # An event falls through zero, so the bisection need not look which way: under vmap it also runs where none happened
    root_finder: Any = optimistix.Bisection(1e-12, 1e-12, flip=True)  # type: ignore[call-arg]
    stop = None if event is None else diffrax.Event(Partial(_cross, flow, event, y0), root_finder, direction=False)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(Partial(_rate, flow)),
        solver,
        t0=ts[0],
        t1=ts[-1],
        dt0=None,
        y0=y0,
        args=k,
        saveat=diffrax.SaveAt(subs=[diffrax.SubSaveAt(ts=ts), diffrax.SubSaveAt(t1=True)], dense=dense),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        event=stop,
        max_steps=max_steps,
        throw=False,
        adjoint=adjoint,
        progress_meter=Meter() if progress else diffrax.NoProgressMeter(),
    )
    (_, last_t), (ys, last_y) = solution.ts, solution.ys
    stopped = last_t[0]
    reached = ts <= stopped
    ys = jax.tree.map(lambda a, z: jnp.where(reached.reshape(-1, *[1] * (a.ndim - 1)), a, z), ys, last_y)
    ys = jax.vmap(lambda y: settle(flow, y, k))(ys)
    success = (solution.result == diffrax.RESULTS.successful) | (solution.result == diffrax.RESULTS.event_occurred)
    finite = jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(ys)]).all()
    return Trajectory(
        ts=ts,
        ys=ys,
        ok=success & finite,
        steps=solution.stats["num_accepted_steps"],
        stopped=stopped,
        interpolation=(Partial(settle, flow), solution.interpolation, k) if dense else None,
    )


@eqx.filter_jit
def _descend(flow, y0, k, lr, steps) -> Trajectory:
    def step(y, _):
        y = jax.tree.map(lambda a, v: a + lr * v, y, flow(y, k))
        return y, y

    _, ys = jax.lax.scan(step, y0, None, length=steps)
    ys = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), y0, ys)
    ys = jax.vmap(lambda y: settle(flow, y, k))(ys)
    ts = lr * jnp.arange(steps + 1)
    finite = jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(ys)]).all()
    return Trajectory(ts=ts, ys=ys, ok=finite, steps=jnp.asarray(steps), stopped=ts[-1], interpolation=None)


def _follow(flow, y0, k, ts, rtol, atol, event, dense, max_steps, progress) -> Trajectory:
    if any(checks.concrete(leaf) is None for leaf in jax.tree.leaves((y0, k, ts, rtol, atol))):
        raise checks.InputError(f"Argument `solver` must be traceable under vmap, jit or grad, but is {SCIPY!r}.")
    if dense:
        raise checks.InputError(f"Argument `dense` must be False with the solver {SCIPY!r}.")
    found = follow(flow, y0, k, np.asarray(ts, float), float(rtol), float(atol), event, max_steps, progress)
    dtype = jnp.result_type(*jax.tree.leaves(y0))
    ts, stopped = jnp.asarray(ts, dtype), jnp.asarray(found.stopped, dtype)
    return Trajectory(ts, jax.tree.map(jnp.asarray, found.ys), jnp.asarray(found.ok), jnp.asarray(found.steps), stopped)


def _complete(trajectory: Trajectory, ts: Any, max_steps: int, throw: bool) -> Trajectory:
    if throw and (ok := checks.concrete(trajectory.ok)) is not None and not ok.all():
        raise IntegrationError(_reason(trajectory, ts, max_steps))
    return trajectory


def _rate(flow: Flow, t: Any, y: Any, k: Any) -> Any:
    return flow(y, k)


def _cross(flow: Flow, event: Event, y0: Any, t: Any, y: Any, args: Any, **_: Any) -> Any:
    return event(Moment(t, y, flow(y, args), args, y0))


def _solver(solver: Any) -> diffrax.AbstractSolver | None:
    """A solver of diffrax, or None for SciPy's."""
    if isinstance(solver, diffrax.AbstractSolver):
        return solver
    name = "tsit5" if solver is None else solver
    checks.check_choice("solver", name, SOLVER_NAMES)
    return None if name == SCIPY else SOLVERS[name]()


def _traced(tree: Any) -> Any:
    """Python numbers inside a flow or an event become arrays, so that their values are not compiled in."""
    return jax.tree.map(lambda a: jnp.asarray(a) if isinstance(a, float | int) and not isinstance(a, bool) else a, tree)


def _reason(trajectory: Trajectory, ts: ArrayLike, max_steps: int) -> str:
    end = float(np.asarray(ts)[-1])
    bad = ~jnp.reshape(trajectory.ok, -1)
    lanes = f" in {bad.sum()} of {bad.size} trajectories" if bad.size > 1 else ""
    steps = int(trajectory.steps.reshape(-1)[bad.argmax()])
    reached = float(trajectory.stopped.reshape(-1)[bad.argmax()])
    if steps >= max_steps - 1 or reached < end:
        why = f"max_steps = {max_steps} steps did not suffice, or the state stopped being finite"
    else:
        why = "the state stopped being finite"
    return f"Integration stopped at t = {reached:.6g} of {end:.6g}{lanes}: {why}; see `max_steps`, `rtol`, `solver`."


__all__ = ["SOLVERS", "SOLVER_NAMES", "IntegrationError", "Trajectory", "collapse", "euler", "integrate", "steady"]
