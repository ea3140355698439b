"""Trajectories that claims compare, followed one by one on NumPy arrays, so that nothing is compiled."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from linbyol.equations.combinators import Flow
from linbyol.extremes import finite
from linbyol.integrate import integrate

TS = np.linspace(0.0, 20.0, 33)
RTOL, ATOL = 1e-10, 1e-12
DRIFT = 1e-9  # of a quantity that the flow conserves and the integrator does not know of: ten times RTOL
BOUND = 1 + 1e-9  # of a ratio to a proven bound, by the same

# Two solutions of one equation, each integrated at rtol 1e-10: 1e-8 with room for growing modes.
SAME = 1e-8


class Solved(NamedTuple):
    """The states ys of a flow at times ts, leaves with a leading axis t, and the constants they belong to."""

    ts: np.ndarray  # (t,)
    ys: Any
    k: Any

    def map(self, f: Any) -> Any:
        """f(y, k) at each time, stacked."""
        each = [f(jax.tree.map(lambda a, i=i: a[i], self.ys), self.k) for i in range(len(self.ts))]
        return jax.tree.map(lambda *values: np.stack(values), *each)


def follow(flow: Flow, y0: Any, k: Any, ts: Any = TS, rtol: float = RTOL, atol: float = ATOL) -> Solved:
    """The flow from y0 at ts[0] to ts[-1]; steps are held to a hundredth, since states between them are less exact."""
    with np.errstate(all="ignore"):  # a step that leads out of a flow's domain is taken again, shorter
        ys = integrate(flow, y0, k, ts, rtol=rtol / 100, atol=atol / 100, solver="dop853").ys
    return Solved(np.asarray(ts), finite(jax.tree.map(np.asarray, ys)), jax.tree.map(np.asarray, k))


def together(flow: Flow, y0: Any, k: Any, t1: Any, clock: Any, rtol: float = RTOL, atol: float = ATOL) -> Any:
    """The states of lanes, along the last axis of each leaf, at their times t1 clock, leaves led by an axis t."""
    return follow(_scaled(flow), y0, (k, t1), clock, rtol, atol).ys


def solve(flows: Mapping[str, tuple[Flow, Any, Any]], ts: Any = TS) -> dict[str, Solved]:
    """Each named (flow, y0, k)."""
    return {name: follow(*each, ts) for name, each in flows.items()}


def drift(solved: Solved, quantity: Any, eta: Any) -> float:
    """max_t ‖e^(2 eta t) Q(t) - Q(0)‖/‖Q(0)‖: how far the constant of an invariant moves."""
    Q = solved.map(quantity).reshape(len(solved.ts), -1)
    C = np.exp(2 * float(eta) * solved.ts)[:, None] * Q
    return float(np.linalg.norm(C - C[:1], axis=1).max() / np.linalg.norm(C[0]))


@functools.cache
def _scaled(flow: Flow) -> Flow:
    """The flow of lanes in units of their last times t1, for constants (k, t1)."""

    def scaled(y: Any, k: Any) -> Any:
        return jax.tree.map(lambda rate: k[1] * rate, flow(y, k[0]))

    return scaled
