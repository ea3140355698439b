"""A trajectory: states of a flow at chosen times, with how the solve went."""

import json
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from linbyol import equations, plot, store
from linbyol.checks import InputError
from linbyol.equations.regularised import Features

STATES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        *(equations.Weights, equations.Symmetric, equations.Modes, equations.Amplitudes),
        *(equations.Layer, Features),
    )
}


class Trajectory(eqx.Module):
    """States at times.

    ts       (t,) times of the flow
    ys       the state's type, each leaf with a leading axis t
    ok       whether the last time was reached, or an event, with finite states (one a lane under vmap)
    steps    accepted steps of the solver
    stopped  the time reached: ts[-1], or that of the event
    """

    ts: Float[Array, "*lanes t"]
    ys: Any
    ok: Bool[Array, "*lanes"]
    steps: Int[Array, "*lanes"]
    stopped: Float[Array, "*lanes"]
    interpolation: Any = None

    def map(self, f: Callable, *args: Any) -> Any:
        """f(y, *args) at each time, stacked: e.g. trajectory.map(balance, k)."""
        return jax.vmap(lambda y: f(y, *args))(self.ys)

    def at(self, t: ArrayLike) -> Any:
        """The state at any time between the first and the last, if solved with dense=True."""
        if self.interpolation is None:
            raise InputError("Argument `dense` must be True in integrate for Trajectory.at to work.")
        settle, interpolation, k = self.interpolation
        t = jnp.asarray(t, self.ts.dtype)
        if t.size and _outside(t, self.ts):
            raise InputError(f"Argument `t` must lie between {self.ts[0]} and {self.ts[-1]}, but is {t}.")
        state = lambda t: settle(interpolation.evaluate(jnp.minimum(t, self.stopped)), k)  # noqa: E731
        return jax.vmap(state)(t.reshape(-1)) if t.ndim else state(t)

    def plot(self, axes: Any = None) -> np.ndarray:
        """Draw each quantity of the state in time, one line a mode, matrices by their eigenvalues; gives the axes.

        axes  matplotlib axes to draw on, one a quantity, in any shape; None: those of a new figure of pyplot

        Raises `InputError` for another number of axes, and for trajectories under vmap (draw one of them).
        """
        if self.ts.ndim != 1:
            raise InputError(f"Trajectory.plot draws one trajectory, but this one has shape {self.ts.shape[:-1]}.")
        panels = plot.quantities(self.ys)
        if axes is None:
            from matplotlib import pyplot

            _, axes = pyplot.subplots(
                1, len(panels), squeeze=False, figsize=(3.2 * len(panels), 2.8), layout="constrained"
            )
        axes = np.ravel(axes)
        if len(axes) != len(panels):
            raise InputError(f"Argument `axes` must hold one for each of {', '.join(panels)}, but holds {len(axes)}.")
        plot.on_axes(axes, self.ts, panels)
        return axes

    def to_dataframe(self) -> Any:
        """A pandas DataFrame: a row a time (index t), a column a number of the state, named p, or W[0,1].

        Raises `InputError` where pandas is not installed, and for trajectories under vmap.
        """
        if self.ts.ndim != 1:
            raise InputError(
                f"Trajectory.to_dataframe takes one trajectory, but this one has shape {self.ts.shape[:-1]}."
            )
        try:
            import pandas
        except ModuleNotFoundError:
            raise InputError(
                "Trajectory.to_dataframe needs pandas, which is not installed: pip install pandas."
            ) from None
        columns = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(self.ys):
            name, values = jax.tree_util.keystr(path, simple=True, separator=".") or "y", np.asarray(leaf)
            for place in np.ndindex(values.shape[1:]):
                index = f"[{','.join(map(str, place))}]" if place else ""
                columns[name + index] = values[(slice(None), *place)]
        return pandas.DataFrame(columns, index=pandas.Index(np.asarray(self.ts), name="t"))

    def save(self, path: str | Path, config: dict | None = None) -> None:
        """An npz archive: ts, the state's fields, ok, steps, stopped, config (JSON). The same run, the same bytes."""
        names = getattr(self.ys, "_fields", None)
        leaves = dict(zip(names, self.ys, strict=True)) if names else {"y": self.ys}
        record = {"state": type(self.ys).__name__ if names else None, **(config or {})}
        outcome = {"ok": self.ok, "steps": self.steps, "stopped": self.stopped}
        store.write_arrays(path, {"ts": self.ts, **leaves, **outcome, "config": store.to_json(record, indent=None)})

    @staticmethod
    def load(path: str | Path) -> "Trajectory":
        """What `save` wrote; a state of an unknown type comes back as a named tuple of the same fields."""
        arrays = store.read_arrays(path, "ts", "ok", "steps", "stopped", "config")
        config = json.loads(str(arrays.pop("config")))
        outcome = {name: jnp.asarray(arrays.pop(name)) for name in ("ts", "ok", "steps", "stopped")}
        leaves = {name: jnp.asarray(value) for name, value in arrays.items()}
        if config.get("state") is None:
            return Trajectory(ys=leaves["y"], **outcome)
        cls = STATES.get(config["state"]) or namedtuple(config["state"], leaves)
        return Trajectory(ys=cls(**leaves), **outcome)


def _outside(t: Array, ts: Array) -> bool:
    try:
        low, high = np.asarray(ts)[..., 0].min(), np.asarray(ts)[..., -1].max()
        return bool((np.asarray(t) < low).any() or (np.asarray(t) > high).any())
    except jax.errors.TracerArrayConversionError:
        return False
