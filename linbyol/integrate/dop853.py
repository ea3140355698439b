"""One trajectory by SciPy's DOP853 on NumPy arrays: nothing is compiled, so one or a few are there in no time.

The flows are plain algebra, and so are read by NumPy as they are by JAX.
"""

from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.integrate import DOP853
from scipy.optimize import brentq

from linbyol.equations.combinators import Ablated, Flow, settle
from linbyol.integrate.events import Event, Moment
from linbyol.progress import bar


class Followed(NamedTuple):
    """States at times, leaves with a leading axis t; from `stopped` on, the state reached there."""

    ys: Any
    ok: bool
    steps: int
    stopped: float


def follow(
    flow: Flow,
    y0: Any,
    k: Any,
    ts: np.ndarray,
    rtol: float,
    atol: float,
    event: Event | None,
    max_steps: int,
    progress: bool,
) -> Followed:
    """dy/dt = flow(y, k) from y0 at ts[0] to ts[-1], or to where the event falls through zero."""
    y0, k = jax.tree.map(np.asarray, (y0, k))
    leaves, tree = jax.tree.flatten(y0)
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]

    def state(x: np.ndarray) -> Any:
        parts = zip(np.split(x, ends, axis=-1), leaves, strict=True)  # of one vector, or of rows of them
        return jax.tree.unflatten(tree, [a.reshape(x.shape[:-1] + leaf.shape) for a, leaf in parts])

    def vector(y: Any) -> np.ndarray:
        return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(y)]).astype(float)

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return vector(flow(state(x), k))

    def height(t: float, x: np.ndarray) -> float:
        return float(event(Moment(t, y := state(x), flow(y, k), k, y0)))  # type: ignore[misc]

    start = vector(y0)
    shown, count = [start[None]], 1
    with np.errstate(all="ignore"):  # a state that stops being finite is told by `ok`
        solver = DOP853(rate, ts[0], start, ts[-1], rtol=rtol, atol=atol)
    before = height(solver.t, solver.y) if event else 0.0
    steps, stopped, done = 0, None, 0
    with np.errstate(all="ignore"), bar("integrating (% of the time)", 100, progress) as advance:
        while solver.status == "running" and steps < max_steps and stopped is None:
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                break
            steps += 1
            last = solver.t
            if event:
                after = height(solver.t, solver.y)
                if before > 0 >= after:
                    at = solver.dense_output()
                    last = stopped = brentq(lambda t, at=at: height(t, at(t)), solver.t_old, solver.t, xtol=1e-12)
                before = after
            passed = ts[count : np.searchsorted(ts, last, side="right")]
            if passed.size:
                shown.append(solver.dense_output()(passed).T)
                count += passed.size
            now = int(100 * (last - ts[0]) / (ts[-1] - ts[0]))
            advance(None, now - done)
            done = now
    final = solver.y if stopped is None else solver.dense_output()(stopped)
    rows = np.concatenate([*shown, np.broadcast_to(final, (len(ts) - count, len(final)))])
    ys = state(rows)
    if isinstance(flow, Ablated):
        ys = jax.tree.map(lambda *xs: np.stack(xs), *(settle(flow, state(x), k) for x in rows))
    ys = jax.tree.map(lambda a, leaf: np.asarray(a, leaf.dtype), ys, y0)
    ok = (solver.status == "finished" or stopped is not None) and np.isfinite(rows).all()
    return Followed(ys, bool(ok), steps, solver.t if stopped is None else stopped)
