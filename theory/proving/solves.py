"""Trajectories that claims share: several flows side by side in one solve, which compiles once for all of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float

from linbyol.equations.combinators import Flow
from linbyol.extremes import finite
from linbyol.integrate import integrate

TS = jnp.linspace(0.0, 20.0, 33)
RTOL, ATOL = 1e-10, 1e-12
DRIFT = 1e-9  # of a quantity that the flow conserves and the integrator does not know of: ten times RTOL
BOUND = 1 + 1e-9  # of a ratio to a proven bound, by the same

# Two solutions of one equation, each integrated at rtol 1e-10: 1e-8 with room for growing modes.
SAME = 1e-8


class Solved(NamedTuple):
    """The states ys of a flow at times ts, leaves with a leading axis t, and the constants they belong to."""

    ts: Float[jax.Array, " t"]
    ys: Any
    k: Any

    def map(self, f: Any) -> Any:
        """f(y, k) at each time, stacked."""
        return jax.jit(jax.vmap(f, in_axes=(0, None)))(self.ys, self.k)


def solve(flows: Mapping[str, tuple[Flow, Any, Any]], ts: Any = TS) -> dict[str, Solved]:
    """Each named (flow, y0, k) from ts[0] to ts[-1], at tolerances RTOL and ATOL, all in one integration."""
    each, y0, k = zip(*flows.values(), strict=True)
    ys = finite(integrate(Partial(_side_by_side, each), y0, k, ts, rtol=RTOL, atol=ATOL).ys)
    return {name: Solved(ts, *found) for name, found in zip(flows, zip(ys, k, strict=True), strict=True)}


def drift(solved: Solved, quantity: Any, eta: Any) -> float:
    """max_t ‖e^(2 eta t) Q(t) - Q(0)‖/‖Q(0)‖: how far the constant of an invariant moves."""
    Q = np.asarray(solved.map(quantity)).reshape(len(solved.ts), -1)
    C = np.exp(2 * float(eta) * np.asarray(solved.ts))[:, None] * Q
    return float(np.linalg.norm(C - C[:1], axis=1).max() / np.linalg.norm(C[0]))


def _side_by_side(flows: tuple[Flow, ...], ys: tuple, ks: tuple) -> tuple:
    return tuple(flow(y, k) for flow, y, k in zip(flows, ys, ks, strict=True))
