"""A relay of lanes: a tile of them steps, and whoever is done makes room for the next in line.

So no trajectory waits for the slowest, all of it is one compiled loop without a look from outside, and the numbers of
a step stay in a core's own cache.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from linbyol.ensemble import lanes
from linbyol.ensemble.lanes import Advance, Lane

TILE = 1 << 8  # lanes in one loop: the numbers of their step, some 60 each, stay in a core's own cache
LEAVE = 6  # lanes that are done leave when they are one in so many: making room costs a tile some two steps


class Relay(NamedTuple):
    """A tile of lanes between a line of those who wait and those who are done."""

    now: Lane
    y0: Any
    who: Any  # place -> number in line, -1 where nobody is
    head: Any  # next in line
    out: Any  # lanes that are done and who they are, in the order in which they were
    tail: Any  # how many are done


def relay(advance: Advance, line: Lane, y0: Any, count: Any, tile: int = TILE) -> Lane:
    """The first `count` lanes taken to their t1, a tile at a time: whoever is done makes room for the next in line."""
    size = line.t.shape[0]
    place = jnp.arange(tile, dtype=jnp.int32)
    queue = jax.tree.map(lambda x: jnp.concatenate([x, x[:tile]]), (line, y0))  # a slice may begin at any lane
    nobody = jnp.full(tile, -1, jnp.int32)

    def fill(s: Relay, free: Any) -> Relay:
        """The first `free` places taken by the next in line, or by nobody."""
        fresh = jax.tree.map(lambda x: lax.dynamic_slice_in_dim(x, s.head, tile), queue)
        came = jnp.minimum(free, count - s.head)
        now, first = lanes.select(place < came, fresh, (s.now, s.y0))
        who = jnp.where(place < came, s.head + place, jnp.where(place < free, nobody, s.who))
        now = now._replace(t1=jnp.where(who < 0, now.t, now.t1))
        return s._replace(now=now, y0=first, who=who, head=s.head + came)

    def leave(s: Relay) -> Relay:
        """Those who are done, sorted to the front and written behind those who were before them."""
        gone = (s.who >= 0) & ~lanes.unfinished(s.now)
        order = jnp.sort(place + jnp.where(gone, 0, jnp.where(s.who < 0, 2 * tile, tile))) % tile
        now, first, who = jax.tree.map(lambda x: x.at[order].get(mode="promise_in_bounds"), (s.now, s.y0, s.who))
        paste = lambda x, new: lax.dynamic_update_slice_in_dim(x, new, s.tail, 0)  # noqa: E731
        out = jax.tree.map(paste, s.out, (now._replace(k=None, t1=None), who))
        free = jnp.sum(gone, dtype=jnp.int32)
        return fill(Relay(now, first, who, s.head, out, s.tail + free), free)

    def on(s: Relay) -> Relay:
        taken = jnp.sum(s.who >= 0, dtype=jnp.int32)
        least = jnp.where(s.head < count, taken - tile // LEAVE, 0)
        enough = lambda now: jnp.sum(lanes.unfinished(now), dtype=jnp.int32) > least  # noqa: E731
        return leave(s._replace(now=lanes.march(advance, s.now, s.y0, enough)))

    blank = jax.tree.map(lambda x: jnp.zeros((size + tile, *x.shape[1:]), x.dtype), line._replace(k=None, t1=None))
    zero = jnp.zeros((), jnp.int32)
    now, first = jax.tree.map(lambda x: x[:tile], queue)
    s = Relay(now, first, nobody, zero, (blank, jnp.zeros(size + tile, jnp.int32)), zero)
    out, who = lax.while_loop(lambda s: s.tail < count, on, fill(s, jnp.asarray(tile, jnp.int32))).out
    index = jnp.arange(size, dtype=jnp.int32)
    back = jnp.argsort(jnp.where(index < count, who[:size], index))
    return jax.tree.map(lambda x: x[back], out)._replace(k=line.k, t1=line.t1)
