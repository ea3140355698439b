"""Lanes: many trajectories stepped side by side, each with its own step size, until each is done.

A lane's numbers do not depend on its neighbours. Who steps with whom, and until when: `linbyol.ensemble.queue`.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from linbyol.ensemble.rosenbrock import Method, step
from linbyol.equations.combinators import Flow
from linbyol.integrate.events import Event, Moment


class Lane(NamedTuple):
    """One trajectory under way; every leaf is a scalar here and (lanes,) where they are mapped."""

    y: Any
    k: Any
    t: Any  # reached
    t1: Any  # to be reached
    h: Any  # next step
    error: Any  # of y, carried along the flow
    steps: Any  # accepted
    rejected: Any
    failed: Any  # no step can be taken from here
    marks: dict[str, Any]  # event -> where the step began in which it happened
    stiff: Any = False  # too stiff for Taylor steps: the other method takes it from here on


class Mark(NamedTuple):
    """An event, up to its place within a step."""

    happened: Any
    t: Any
    h: Any
    y: Any
    series: Any = False  # whether the step was a Taylor step


Advance = Callable[[Lane, Any], Lane]  # one step of a lane, given the state that it began with


class Tolerance(NamedTuple):
    """Of one step: |error| ≤ atol + rtol |y| in the mean over the fields."""

    rtol: Any
    atol: Any


def start(flow: Flow, events: Mapping[str, Event], y: Any, k: Any, t1: Any, tol: Tolerance) -> Lane:
    """A lane at time 0."""
    dtype = jnp.result_type(*jax.tree.leaves(y))
    zero = jnp.zeros_like(t1, dtype)
    rate = flow(y, k)
    sound = reduce(jnp.logical_and, [jnp.abs(x) < jnp.inf for x in jax.tree.leaves((y, k, rate))])
    # In tolerances a unit of time; the first step changes a field by rtol^0.2 / 2 of itself.
    speed = reduce(jnp.maximum, [jnp.abs(v) / scale(a, a, tol) for v, a in _pairs(rate, y)])
    h = jnp.minimum(t1, 0.5 * jnp.exp(-0.8 * jnp.log(tol.rtol)) / jnp.maximum(speed, jnp.finfo(dtype).tiny))
    count = jnp.zeros_like(t1, jnp.int32)
    no = zero > 0
    marks = {name: Mark(event(Moment(zero, y, rate, k, y)) <= 0, zero, zero, y, no) for name, event in events.items()}
    return Lane(y, k, zero, t1, h, jax.tree.map(jnp.zeros_like, y), count, count, ~sound & (t1 > 0), marks, no)


def advance(
    method: Method, flow: Flow, events: Mapping[str, Event], lane: Lane, y0: Any, tol: Tolerance, max_steps: Any
) -> Lane:
    """One step tried; a lane that is done stays as it is."""
    left = jnp.where(lane.failed, 0, lane.t1 - lane.t)
    h = jnp.minimum(lane.h, left)  # 0 in a lane that is done, and then nothing moves
    y, local, carried = step(method, flow, lane.y, lane.k, h, lane.error)
    size = _size(local, lane.y, y, tol)
    accept = (size <= 1) & (h > 0)
    last = h >= left
    factor = jnp.clip(0.9 * jnp.exp(jnp.log(size) * (-1 / method.order)), 0.2, 6)
    wanted = jnp.where(last & accept, lane.h, h * factor)
    stuck = (lane.t + wanted <= lane.t) | (lane.steps + lane.rejected + 1 >= max_steps)
    moved = lane._replace(
        y=select(accept, y, lane.y),
        t=jnp.where(accept, jnp.where(last, lane.t1, lane.t + h), lane.t),
        h=jnp.where(h > 0, wanted, lane.h),
        error=select(accept, jax.tree.map(jnp.add, carried, local), lane.error),
        steps=lane.steps + accept,
        rejected=lane.rejected + (~accept & (h > 0)),
        failed=lane.failed | (stuck & (h > 0) & ~(accept & last)),
    )
    return mark(flow, events, lane, moved, y0, series=False)


def march(advance: Advance, now: Lane, y0: Any, go: Any) -> Lane:
    """All lanes side by side, as long as go(lanes); `advance(lane, y0)` tries a step."""
    one = jax.vmap(advance)
    return lax.while_loop(go, lambda now: one(now, y0), now)


def unfinished(lanes: Lane) -> Any:
    """Lanes that have a way to go and can."""
    return (lanes.t < lanes.t1) & ~lanes.failed


def locate(method: Method, flow: Flow, event: Event, mark: Mark, k: Any, y0: Any) -> Any:
    """The time of an event that was marked by steps of `method`.

    The state inside a step is that of a shorter step from the same start, so the time is as exact as the trajectory.
    """

    def height(h: Any) -> Any:
        y = step(method, flow, mark.y, k, h)[0]
        return event(Moment(mark.t + h, y, flow(y, k), k, y0))

    return when(mark, height)


def when(mark: Mark, height: Callable[[Any], Any]) -> Any:
    """The time of an event: 0 if it held at the start, inf if it never came; else the root of `height` in its step."""

    def narrow(_: Any, s: Any) -> Any:  # regula falsi with Illinois' halving: the root stays between a and b
        a, fa, b, fb = s
        x = jnp.clip(jnp.where(fa - fb != 0, (a * fb - b * fa) / (fb - fa), b), jnp.minimum(a, b), jnp.maximum(a, b))
        fx = height(x)
        other = fx * fb < 0
        return jnp.where(other, b, a), jnp.where(other, fb, fa / 2), x, fx

    zero = jnp.zeros_like(mark.h)
    *_, h, _ = lax.fori_loop(0, 12, narrow, (zero, height(zero), mark.h, height(mark.h)))
    return jnp.where(mark.happened, mark.t + jnp.where(mark.h > 0, h, 0), jnp.inf)


def mark(flow: Flow, events: Mapping[str, Event], before: Lane, after: Lane, y0: Any, *, series: bool) -> Lane:
    """`after`, with the events marked that happened in the step from `before`."""
    if not before.marks:
        return after
    moment = Moment(after.t, after.y, flow(after.y, after.k), after.k, y0)

    def found(old: Mark, event: Event) -> Mark:
        now = ~old.happened & (event(moment) <= 0)
        kind = jnp.full_like(now, series)
        return select(now, Mark(jnp.ones_like(now), before.t, after.t - before.t, before.y, kind), old)

    return after._replace(marks={name: found(old, events[name]) for name, old in before.marks.items()})


def _size(local: Any, y: Any, after: Any, tol: Tolerance) -> Any:
    """The local error in units of the tolerance, root mean square over the fields; huge where it is no number.

    That it ends in a root keeps XLA from computing it again for each of its users (`rosenbrock.solve` says why).
    """
    leaves = [jax.tree.leaves(x) for x in (local, y, after)]
    squares = [(e / scale(a, b, tol)) ** 2 for e, a, b in zip(*leaves, strict=True)]
    mean = sum(squares) / len(squares)
    return jnp.sqrt(jnp.where(mean < 1e30, jnp.maximum(mean, 1e-30), 1e30))


def scale(a: Any, b: Any, tol: Tolerance) -> Any:
    return jnp.maximum(tol.atol + tol.rtol * jnp.maximum(jnp.abs(a), jnp.abs(b)), jnp.finfo(jnp.result_type(a)).tiny)


def _pairs(a: Any, b: Any) -> Any:
    return zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)


def select(take: Any, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(take, a, b), new, old)
