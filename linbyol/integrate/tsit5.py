"""Tsit5 with its stages written out, so that XLA fuses each stage's sum and keeps no table of stages.

Numbers and names are diffrax's; what differs is how a step is compiled. For matrices, where the sums over stages pass
through memory, they then cost a third of what they do in diffrax's loop over stages.
"""

from functools import reduce
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp

_ONE = diffrax.Tsit5.interpolation_cls


class Interpolation(diffrax.AbstractLocalInterpolation):
    """diffrax's polynomial of order 4 between two steps, from stages that lie apart."""

    t0: Any  # type: ignore[misc]  # abstract there
    t1: Any  # type: ignore[misc]
    y0: Any
    k: tuple  # seven rates of the type of y, not multiplied by the step

    def __init__(self, *, t0: Any, t1: Any, y0: Any, y1: Any, k: tuple) -> None:
        del y1  # the last stage begins there
        self.t0, self.t1, self.y0, self.k = t0, t1, y0, k

    def evaluate(self, t0: Any, t1: Any = None, left: bool = True) -> Any:
        """The state at t0, or its change from t0 to t1."""
        del left
        if t1 is not None:
            return jax.tree.map(jnp.subtract, self.evaluate(t1), self.evaluate(t0))
        dtype = jnp.result_type(self.t0)
        unit = _ONE(t0=self.t0, t1=self.t1, y0=jnp.zeros(7, dtype), y1=None, k=jnp.eye(7, dtype=dtype))
        weights = (self.t1 - self.t0) * unit.evaluate(t0)  # the polynomial is linear in its stages
        return jax.tree.map(lambda y, *f: y + _sum(list(weights), f), self.y0, *self.k)


class Tsit5(diffrax.Tsit5):
    """Tsitouras 2011: seven stages of which the last is the next step's first, order 5, and 4 for the error."""

    interpolation_cls: ClassVar[Any] = Interpolation

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> Any:
        """The rate at the start."""
        del t1
        return terms.vf(t0, y0, args)

    def step(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any) -> Any:
        """State and error at t1, what interpolates, and the rate at t1."""
        del made_jump
        h, f, y = t1 - t0, [solver_state], y0
        for a, c in zip(self.tableau.a_lower, self.tableau.c, strict=True):
            y = jax.tree.map(lambda y, *f, a=a: y + h * _sum(a, f), y0, *f)
            f.append(terms.vf(t0 + float(c) * h, y, args))
        error = jax.tree.map(lambda *f: h * _sum(self.tableau.b_error, f), *f)
        return y, error, {"y0": y0, "y1": y, "k": tuple(f)}, f[-1], diffrax.RESULTS.successful


def _sum(weights: Any, f: Any) -> Any:
    """Σ w f, left to right; plain numbers take the precision of f."""
    return reduce(jnp.add, [(w if isinstance(w, jax.Array) else float(w)) * v for w, v in zip(weights, f, strict=True)])
