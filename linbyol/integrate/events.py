"""Events of a trajectory: functions (y, k, y0) -> real; an event happens when its value first is 0 or less.

They work on a mode's amplitudes, on modes, and on a point of the parabola, and are passed to `ensemble.solve`, which
looks at the ends of its steps: what falls below 0 and rises again within one step is not seen.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Modes, mode_balance
from linbyol.fixed_points import predictor_roots


class collapses(eqx.Module):  # noqa: N801 - reads as a verb in events={"collapse": collapses(1e-8)}
    """The encoder's size s = w² falls to tol."""

    tol: float | Array = 1e-8

    def __call__(self, y: Any, k: Any, y0: Any) -> Float[Array, ""]:
        return mode(y, k).s - self.tol


class escapes(eqx.Module):  # noqa: N801
    """The predictor goes as far as a fraction of p_plus (tau = k.tau, or 1); never, where there is no p_plus, or 0."""

    fraction: float | Array = 0.9

    def __call__(self, y: Any, k: Any, y0: Any) -> Float[Array, ""]:
        goal = self.fraction * predictor_roots(k)[2]
        return jnp.where(goal == 0, 1, jnp.where(goal < 0, -1, 1) * (goal - mode(y, k).p))


class crosses_parabola(eqx.Module):  # noqa: N801
    """Eq. 14's s - p²/alpha_p changes its sign, by more than tol of its terms: never under one decay for both networks.

    It falls as exp(-2 eta t) then, and drowns in the trajectory's own error: so tol lies above rtol.
    """

    tol: float | Array = 1e-4

    def __call__(self, y: Any, k: Any, y0: Any) -> Float[Array, ""]:
        now = mode(y, k)
        side = jnp.sign(mode_balance(mode(y0, k), k))
        return side * mode_balance(now, k) + self.tol * (now.s + now.p * now.p / k.alpha_p)


def mode(y: Any, k: Any) -> Modes:
    """(p, s, tau) of one mode: of amplitudes, of a mode, or of p on the parabola."""
    if hasattr(y, "wp"):
        return Modes(p=y.wp, s=y.w * y.w, tau=y.wa / jnp.where(y.w == 0, 1, y.w))
    if hasattr(y, "p"):
        return y
    return Modes(p=y, s=y * y / k.alpha_p, tau=jnp.ones_like(y))
