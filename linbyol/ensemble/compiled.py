"""One compiled solve: a flow and events as loops over lanes, and a chunk of trajectories driven through."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from linbyol.ensemble import lanes, queue, taylor
from linbyol.ensemble.lanes import Lane, Tolerance
from linbyol.ensemble.rosenbrock import METHODS
from linbyol.equations.combinators import Flow, settle
from linbyol.integrate.events import Event

WAVES = 8  # on anything but a CPU a tile is this part of a chunk
WIDE = {"xla_cpu_prefer_vector_width": 512}  # 1.7 times faster where the CPU has such vectors; nothing to other devices


class EnsembleResult(eqx.Module):
    """What became of N trajectories.

    y         the state's type: at t1, leaves (N,); at ts, leaves (t, N); where not ok, the last good state
    ok        whether t1 was reached
    steps     accepted steps
    rejected  rejected steps
    error     estimate of the largest relative error of a field at t1: local errors carried along the flow, for nearly
              all trajectories a bound, typically ten times too large; inf where not ok
    events    times of the events asked for: 0 if one held at the start, inf if it never came, nan where not ok
    """

    y: Any
    ok: Bool[Array, "*N"]
    steps: Int[Array, "*N"]
    rejected: Int[Array, "*N"]
    error: Float[Array, "*N"]
    events: dict[str, Float[Array, "*N"]]
    method: str = eqx.field(static=True, default="")


class Engine(NamedTuple):
    """The compiled loops of one (flow, events, method), and the numbers inside flow and events, which stay traced."""

    loops: "tuple[Loops, Loops]"  # to be traced by a caller, and jitted
    numbers: tuple

    @staticmethod
    def of(flow: Flow, events: Mapping[str, Event], method: str) -> "Engine":
        """The same loops for the same functions, whatever their numbers."""
        leaves, tree = jax.tree.flatten((flow, dict(events)))
        number = [isinstance(x, float | int | np.ndarray | np.generic | jax.Array) for x in leaves]
        fixed = tuple(None if n else x for n, x in zip(number, leaves, strict=True))
        return Engine(_loops(tree, fixed, method), tuple(x for n, x in zip(number, leaves, strict=True) if n))


class Loops(NamedTuple):
    """Functions of (numbers, …) over lanes."""

    start: Any
    relay: Any
    march: Any
    finish: Any


@lru_cache(maxsize=64)
def _loops(tree: Any, fixed: tuple, method_name: str) -> tuple[Loops, Loops]:
    method = METHODS[method_name]

    def parts(numbers: tuple) -> tuple[Flow, dict[str, Event]]:
        rest = iter(numbers)
        return jax.tree.unflatten(tree, [next(rest) if x is None else x for x in fixed])

    def start(numbers: tuple, y: Any, k: Any, t1: Any, tol: Tolerance) -> Lane:
        flow, events = parts(numbers)
        return jax.vmap(lambda y, k, t1: lanes.start(flow, events, y, k, t1, tol))(y, k, t1)

    def in_turn(numbers: tuple, line: Lane, tol: Tolerance, most: Any, order: int, drive: Any) -> Lane:
        """Taylor steps, if of any order, then the other method for those that it left: `drive` takes lanes to t1."""
        flow, events = parts(numbers)
        if order:
            ours = line._replace(t1=jnp.where(line.stiff, line.t, line.t1))
            series = lambda lane, y0: taylor.advance(order, flow, events, lane, y0, tol, most)  # noqa: E731
            line = drive(series, ours)._replace(t1=line.t1)
        other = lambda lane, y0: lanes.advance(method, flow, events, lane, y0, tol, most)  # noqa: E731
        return jax.lax.cond(jnp.any(lanes.unfinished(line)), partial(drive, other), lambda line: line, line)

    def relay(
        numbers: tuple, line: Lane, y0: Any, tol: Tolerance, count: Any, most: Any, tile: int, order: int
    ) -> Lane:
        drive = lambda advance, line: queue.relay(advance, line, y0, count, tile)  # noqa: E731
        return in_turn(numbers, line, tol, most, order, drive)

    def march(numbers: tuple, now: Lane, y0: Any, tol: Tolerance, most: Any, order: int) -> Lane:
        go = lambda now: jnp.any(lanes.unfinished(now))  # noqa: E731
        return in_turn(numbers, now, tol, most, order, lambda advance, now: lanes.march(advance, now, y0, go))

    def finish(numbers: tuple, now: Lane, y0: Any, floor: Any, order: int = 0) -> EnsembleResult:
        flow, events = parts(numbers)
        ok = (now.t >= now.t1) & ~now.failed
        relative = lambda e, y: jnp.abs(e) / jnp.maximum(jnp.abs(y) + floor, jnp.finfo(y.dtype).tiny)  # noqa: E731
        error = jnp.stack(jax.tree.leaves(jax.tree.map(relative, now.error, now.y))).max(axis=0)
        when = {}
        for name, mark in now.marks.items():
            find = lambda m, k, y0, event=events[name]: lanes.locate(method, flow, event, m, k, y0)  # noqa: E731
            t = jax.vmap(find)(mark, now.k, y0)
            if order:
                find = lambda m, k, y0, event=events[name]: taylor.locate(order, flow, event, m, k, y0)  # noqa: E731
                t = jnp.where(mark.series, jax.vmap(find)(mark, now.k, y0), t)
            when[name] = jnp.where(ok, t, jnp.nan)
        return EnsembleResult(
            y=jax.vmap(lambda y, k: settle(flow, y, k))(now.y, now.k),
            ok=ok,
            steps=now.steps,
            rejected=now.rejected,
            error=jnp.where(ok & (error < jnp.inf), error, jnp.inf),
            events=when,
        )

    plain = Loops(start, relay, march, finish)
    static = {relay: ("tile", "order"), march: ("order",), finish: ("order",)}
    return plain, Loops(*(jax.jit(f, compiler_options=WIDE, static_argnames=static.get(f)) for f in plain))


class Job(NamedTuple):
    """What is asked of every trajectory."""

    engine: Engine
    floor: Any  # a smaller field is compared with this
    ts: np.ndarray | None  # None: the states at t1
    max_steps: int
    order: int = 0  # of the Taylor steps; 0: none

    def chunk(self, y0: Any, k: Any, t1: np.ndarray, tol: Tolerance, capacity: int, device: Any) -> EnsembleResult:
        """At most `capacity` trajectories on one device; NumPy arrays in, NumPy arrays out."""
        (_, jitted), numbers = self.engine
        count = len(t1)
        padded = lambda x: np.concatenate([x, np.repeat(x[:1], capacity - count)])  # noqa: E731
        t1 = np.concatenate([t1, np.zeros(capacity - count, t1.dtype)])
        y0, k, t1 = jax.device_put((*jax.tree.map(padded, (y0, k)), t1), device)
        with jax.default_device(device):
            tile = queue.TILE if device.platform == "cpu" else max(queue.TILE, capacity // WAVES)
            most, order = self.max_steps, self.order
            in_step = lambda now, y0, tol: jitted.march(numbers, now, y0, tol, most, order=order)  # noqa: E731
            in_line = lambda now, y0, tol: jitted.relay(numbers, now, y0, tol, count, most, tile=tile, order=order)  # noqa: E731
            drive = in_step if capacity <= queue.TILE else in_line  # one tile: compiled in half the time
            result = self._solve(jitted, numbers, drive, y0, k, t1, tol)
        return jax.tree.map(lambda x: np.array(np.asarray(x)[..., :count]), result)

    def in_lock_step(self, y0: Any, k: Any, t1: Any, tol: Tolerance) -> EnsembleResult:
        """All trajectories in one loop, for a caller under jit or vmap."""
        (plain, _), numbers = self.engine
        drive = lambda now, y0, tol: plain.march(numbers, now, y0, tol, self.max_steps, self.order)  # noqa: E731
        return self._solve(plain, numbers, drive, y0, k, t1, tol)

    def _solve(self, loops: Loops, numbers: tuple, drive: Any, y0: Any, k: Any, t1: Any, tol: Any) -> EnsembleResult:
        dtype = jnp.result_type(*jax.tree.leaves(y0))
        tol, floor = jax.tree.map(lambda x: jnp.asarray(x, dtype), (tol, self.floor))
        now = loops.start(numbers, y0, k, t1, tol)
        first = jax.tree.map(jnp.copy, y0) if now.marks else None
        shown = []
        for goal in [*([] if self.ts is None else self.ts), jnp.inf]:
            now = drive(now._replace(t1=jnp.minimum(jnp.asarray(goal, dtype), t1)), first, tol)
            shown.append(result := loops.finish(numbers, now, first, floor, order=self.order))
        if self.ts is None:
            return result
        ys = jax.tree.map(lambda *ys: jnp.stack(ys), *(r.y for r in shown[:-1]))
        return EnsembleResult(ys, result.ok, result.steps, result.rejected, result.error, result.events)
