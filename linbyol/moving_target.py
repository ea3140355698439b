"""Whether a mode with a moving target survives: Eqs. 104-106 with weight decay, from any start, as t → ∞.

In units of eta/(λ_d √alpha_p) for w and wa, eta/λ_d for wp and 1/eta for time, with e = eta λ_s/λ_d², b = beta/eta:

    u' = v z - e v² u - u,   v' = z u - e u² v - v,   z' = b (u - z),   so   c = u² - v² obeys c' = -2 c.

Dead is what |u|, |v|, |z| < 1 hold: there max(|u|, |v|) falls at the rate 1 - |z|, and |z| stays below 1. At rest
z = u, so v (1 - e v) = 1: nothing but 0 rests where e > 1/4. Else a mode ends at 0, at v = (1 ± √(1 - 4 e))/(2 e) or
nowhere: on c = 0, to which all tends, the plane (u, z) is cooperative where u v > 0 and competitive where u v < 0, and
has no cycles. Nor does v > 0 follow from v ≤ 0 while c ≤ 0, since v = 0 there means u = 0.

Without decay c stays, and a mode dies if c ≤ 0 and p ≤ 0 or p² - alpha_p s ≥ (λ_d/λ_s)², whatever the target: else 0
repels, or v does not reach it. With beta = 0 the target stays at z, and a mode dies if |z| ≤ 1 (for eta = 0: if z = 0
and c ≤ 0), or if it starts on c = 0 with u v z < 0.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Amplitudes, Commuting, Modes
from linbyol.fixed_points import predictor_roots

DIES, LIVES, OPEN = 0, 1, 2
LONG = 1e3  # horizon in units of the slowest time
NEAR = 0.01  # a mode so close to p_plus, relatively, after that time is at it


class Fate(NamedTuple):
    """What becomes of a mode, and until when it was followed (0 where its start tells it)."""

    code: Any  # integers, () or (N,): DIES, LIVES, or OPEN where it cannot be told
    until: Any


def fate(y0: Modes, k: Any) -> Fate:
    """The fate of modes (p, s ≥ 0, tau) under `amplitudes_flow`, w = √s and wa = tau w; leaves () or (N,), concrete.

    By the rules at the head of this file where one applies, else by integration to rest at a tolerance of 1e-9.
    """
    leaves, tree = jax.tree.flatten((y0, Commuting(k.alpha_p, k.beta, k.eta, k.lambda_d, k.lambda_s)))
    y0, k = jax.tree.unflatten(tree, np.broadcast_arrays(*(np.asarray(x, float) for x in leaves)))
    told = _told(y0, k)
    if not (told == OPEN).any():
        return Fate(told, np.zeros(told.shape))
    y, c = jax.tree.map(lambda x: np.where(told == OPEN, x, 1.0), (y0, k))
    one, b, e = np.ones(told.shape), c.beta / c.eta, c.eta * c.lambda_s / c.lambda_d**2
    root = np.sqrt(np.maximum(1 - 4 * e, 1e-16))
    horizon = np.where(told == OPEN, LONG * (1 + 1 / b) * (1 + 1 / root), 0)
    rtol = max(1e-9, 10 * float(jnp.finfo(float).eps))
    found = solve_amplitudes(_scaled(y, c), Commuting(one, b, one, one, e), horizon, rtol=rtol)
    u, v, z = end = Amplitudes(*map(np.asarray, found.y))
    v_plus = (1 + np.sqrt(np.maximum(1 - 4 * e, 0))) / (2 * e)
    there = (np.abs(v - v_plus) < NEAR * v_plus) & (np.abs(z - u) < NEAR * np.abs(u))
    lives = there & (np.asarray(found.ok) | (v >= v_plus))
    seen = np.where(_dead(end), DIES, np.where(lives, LIVES, OPEN))
    return Fate(np.where(told == OPEN, seen, told), horizon / np.where(told == OPEN, k.eta, 1))


def _told(y0: Modes, k: Any) -> Any:
    """DIES or LIVES where a rule tells it from the start, else OPEN."""
    p, s, tau = y0
    p_plus = np.asarray(predictor_roots(k)[2])
    with np.errstate(all="ignore"):  # nan where there are no data, or no decay
        goal, near = k.lambda_d / k.lambda_s, _dead(_scaled(y0, k))
    c = k.alpha_p * s - p * p
    c = np.where(np.abs(c) <= 4 * np.finfo(float).eps * p * p, 0, c)  # as s = p²/alpha_p in floating point is
    falls = (c <= 0) & (p <= 0)
    undecayed = falls | ((c <= 0) & (-c >= goal**2))
    pull = np.sqrt(k.alpha_p * s) * np.abs(tau) * k.lambda_d  # √alpha_p λ_d |wa|
    held = ((pull <= k.eta) & ((k.eta > 0) | (c <= 0))) | ((c == 0) & (p * tau < 0))
    decayed = np.where(falls | np.isnan(p_plus) | near, DIES, OPEN)
    moving = np.where(k.eta == 0, np.where(undecayed, DIES, LIVES), decayed)
    return np.where(s == 0, DIES, np.where(k.beta == 0, np.where(held, DIES, LIVES), moving))


def _scaled(y0: Modes, k: Any) -> Amplitudes:
    """u, v, z."""
    unit = k.eta / k.lambda_d
    u = np.sqrt(k.alpha_p * y0.s) / unit
    return Amplitudes(w=u, wp=y0.p / unit, wa=y0.tau * u)


def _dead(y: Amplitudes) -> Any:
    return (np.abs(y.w) < 1) & (np.abs(y.wp) < 1) & (np.abs(y.wa) < 1)
