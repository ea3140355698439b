"""Taylor steps: the series of the solution itself, long steps of high order, for tight tolerances.

The order is that of the tolerance. A step is as long as the last two terms allow, so it needs no second try, and its
error is below that of the last term. Where stability limits the steps, as after a fast decay, a lane is left to the
Rosenbrock method: as soon as that one's step, as far as the series tells it, is worth its cost.
Jorba & Zou, Experimental Mathematics 14 (2005), 99-117.
"""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp

from linbyol.ensemble.lanes import Lane, Mark, Tolerance, mark, scale, select, when
from linbyol.ensemble.rosenbrock import RODAS5P, carry, implicit
from linbyol.equations.combinators import Flow
from linbyol.integrate.events import Event, Moment
from linbyol.integrate.series import Series, solution, value

TIGHTER = 0.04  # tolerance of a step in units of rtol; at these orders it is had for a few steps
ROOM = 4.0  # the term before the last may be so much larger
REST = 0.25  # of the last term: the sum of those that are left out, which fall by e² each where a step is best
WORTH = 0.45  # a step of Rosenbrock's costs this part of a Taylor step
ENOUGH = 6  # terms for the state in the middle of a step, where the Jacobian is taken
LEFT = 2.0  # in units of rtol^-0.2, as Rosenbrock's steps are: with fewer Taylor steps to go it is not worth it


def order_of(rtol: float) -> int:
    """Each term e² times smaller than the one before, where a step is best (Jorba & Zou): terms down to rtol."""
    return max(6, math.ceil(1 - math.log(rtol) / 2))


def advance(
    order: int, flow: Flow, events: Mapping[str, Event], lane: Lane, y0: Any, tol: Tolerance, max_steps: Any
) -> Lane:
    """One step; a lane that is done stays as it is."""
    leaves, tree = jax.tree.flatten(lane.y)
    left = jnp.where(lane.failed, 0, lane.t1 - lane.t)
    one = _one(lane.t)
    x = solution(flow, lane.y, lane.k, one)
    weights = [1 / scale(a, lane.h * s[1], tol) for a, s in zip(leaves, x, strict=True)]
    wanted = jnp.minimum(_reach(x, order, weights, 1.0), _reach(x, order - 1, weights, ROOM))
    wanted = jnp.where(wanted > 0, wanted, 0)  # nan
    h = jnp.minimum(wanted, left)  # 0 in a lane that is done, and then nothing moves
    after = [value(s, order, h) / one for s in x]  # divided so that it is worked out once, as the terms are
    finite = reduce(jnp.logical_and, [jnp.abs(a) < jnp.inf for a in after])
    accept = finite & (h > 0)
    last = h >= left
    rate = lambda y: jax.tree.leaves(flow(jax.tree.unflatten(tree, y), lane.k))  # noqa: E731
    factors = implicit(rate, [value(s, ENOUGH, h / 2) / one for s in x], RODAS5P.gamma * h)
    carried = carry(factors, RODAS5P.gamma, jax.tree.leaves(lane.error))
    rounding = jnp.finfo(h.dtype).eps
    terms = [jnp.maximum(jnp.abs(s[order]) * h, jnp.abs(s[order - 1]) / ROOM) * h ** (order - 1) for s in x]
    local = [REST * term + rounding * jnp.abs(a) for term, a in zip(terms, after, strict=True)]
    error = [c + jnp.where(c < 0, -e, e) for c, e in zip(carried, local, strict=True)]
    t = jnp.where(accept, jnp.where(last, lane.t1, lane.t + h), lane.t)
    stuck = ~finite | (lane.t + wanted <= lane.t) | (lane.steps + 1 >= max_steps)
    far = LEFT * jnp.exp(jnp.log(tol.rtol) * (-1 / RODAS5P.order))
    stiff = lane.stiff | (accept & (_reach(x, RODAS5P.order, weights, 1.0) > WORTH * wanted) & (left > far * wanted))
    moved = lane._replace(
        y=select(accept, jax.tree.unflatten(tree, after), lane.y),
        t=t,
        t1=jnp.where(stiff, t, lane.t1),
        h=jnp.where(h > 0, wanted, lane.h),
        error=select(accept, jax.tree.unflatten(tree, error), lane.error),
        steps=lane.steps + accept,
        failed=lane.failed | (stuck & (left > 0) & ~(accept & last)),
        stiff=stiff,
    )
    return mark(flow, events, lane, moved, y0, series=True)


def locate(order: int, flow: Flow, event: Event, mark: Mark, k: Any, y0: Any) -> Any:
    """The time of an event that was marked by Taylor steps."""
    x = solution(flow, mark.y, k, _one(mark.t))

    def height(h: Any) -> Any:
        y = jax.tree.unflatten(jax.tree.structure(mark.y), [value(s, order, h) for s in x])
        return event(Moment(mark.t + h, y, flow(y, k), k, y0))

    return when(mark, height)


def _reach(x: list[Series], n: int, weights: list[Any], room: float) -> Any:
    """How long a step may be for its terms tⁿ to stay below `room` times the tolerance, in all fields."""
    size = reduce(jnp.maximum, [jnp.abs(s[n]) * w for s, w in zip(x, weights, strict=True)])
    return jnp.exp(jnp.log(jnp.maximum(size, jnp.finfo(size.dtype).tiny) / room) * (-1 / n))


def _one(t: Any) -> Any:
    """A 1 of the shape of t ≥ 0 whose value the compiler does not know."""
    return jnp.where(t >= 0, jnp.ones_like(t), 2)
