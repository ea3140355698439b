"""Events of a trajectory: functions of a `Moment` that fall through zero where something happens.

`integrate` stops at one, and sees it within a step; `ensemble.solve` times any number of them, and looks at the ends of
its steps: what falls below 0 and rises again within one step is not seen there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Modes, mode_balance
from linbyol.fixed_points import predictor_roots


class Moment(NamedTuple):
    """A trajectory at one time: the state y, its rate flow(y, k), the constants, and the state y0 it began from."""

    t: Any
    y: Any
    rate: Any
    k: Any
    y0: Any


Event = Callable[[Moment], Any]  # -> real; it happens where the value first is 0 or less


class collapse(eqx.Module):  # noqa: N801 - reads as a verb in event=collapse(1e-8)
    """The encoder's size falls to tol: tr(W Wᵀ), tr F, or the largest s or w² (on the parabola p²/alpha_p)."""

    tol: float | Array = 1e-8

    def __call__(self, now: Moment) -> Float[Array, ""]:
        return _size(now.y, now.k) - self.tol


class steady(eqx.Module):  # noqa: N801
    """Nothing moves any more, max |dy/dt| ≤ tol (1 + max |y|)."""

    tol: float | Array = 1e-8

    def __call__(self, now: Moment) -> Float[Array, ""]:
        return _largest(now.rate) - self.tol * (1 + _largest(now.y))


class escape(eqx.Module):  # noqa: N801
    """A mode's predictor goes as far as a fraction of p_plus (tau = k.tau, or 1); never without p_plus."""

    fraction: float | Array = 0.9

    def __call__(self, now: Moment) -> Float[Array, ""]:
        goal = self.fraction * predictor_roots(now.k)[2]
        return jnp.where(goal == 0, 1, jnp.where(goal < 0, -1, 1) * (goal - mode(now.y, now.k).p))


class crosses_parabola(eqx.Module):  # noqa: N801
    """Eq. 14's s - p²/alpha_p changes its sign, by more than tol of its terms: never under one decay for both networks.

    It falls as exp(-2 eta t) then, and drowns in the trajectory's own error: so tol lies above rtol.
    """

    tol: float | Array = 1e-4

    def __call__(self, now: Moment) -> Float[Array, ""]:
        at, side = mode(now.y, now.k), jnp.sign(mode_balance(mode(now.y0, now.k), now.k))
        return side * mode_balance(at, now.k) + self.tol * (at.s + at.p * at.p / now.k.alpha_p)


def mode(y: Any, k: Any) -> Modes:
    """(p, s, tau) of one mode: of amplitudes, of a mode, or of p on the parabola."""
    if hasattr(y, "wp"):
        return Modes(p=y.wp, s=y.w * y.w, tau=y.wa / jnp.where(y.w == 0, 1, y.w))
    if hasattr(y, "p"):
        return y
    return Modes(p=y, s=y * y / k.alpha_p, tau=jnp.ones_like(y))


def _size(y: Any, k: Any) -> Float[Array, ""]:
    if hasattr(y, "W"):
        return jnp.sum(y.W * y.W)
    return jnp.trace(y.F) if hasattr(y, "F") else jnp.max(mode(y, k).s)


def _largest(tree: Any) -> Float[Array, ""]:
    return jnp.max(jnp.array([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(tree)]))
