"""One mode whose predictor has no loss, but a closed form, and one whose loss is whole, without stop-gradient.

A rule sets p = r(s), and s moves by ṡ = 2s [p (λ_d - λ_s p) - eta]: whatever the rule, it grows where p lies between
p_minus and p_plus, and rests where p is one of them (Richemond et al. 2023, arXiv 2302.04817). Without stop-gradient
s - (1 - p)²/alpha_p is conserved where there is neither noise nor decay, and everything collapses where there is either
(Ponce et al. 2025, arXiv 2507.01028). Both are derived in theory/newer/README.md.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from linbyol.checks import InputError, check_constants, check_numbers, check_spectra
from linbyol.equations import Commuting, Isotropic, Modes, modes_flow, simsiam, slave
from linbyol.equations.combinators import settle
from linbyol.explain.words import Account, Change, apart
from linbyol.fixed_points import critical_eta, predictor_roots

DECADES, A_DECADE = 12, 64  # of s that are looked through, on either side of the start
HALVINGS = 60


def explain_slaved(s0: float, k: Isotropic | Commuting, rule: Callable[..., Any]) -> Account:
    """What becomes of one mode, alone, that starts at s0 > 0 with its predictor set by a rule of `predictors.RULES`.

    The target is the encoder. s is followed to the next rest, within 12 decades. Raises `InputError` as `explain`.
    """
    _check(k, s=s0)
    if s0 == 0:
        return Account(False, "It collapses: s = 0, and an encoder of zero stays zero.", "encoder", {"s": 0.0}, [])
    flow = slave(simsiam(modes_flow), rule)
    predictor = jax.jit(jax.vmap(lambda s: settle(flow, Modes(0 * s, s, 0 * s + 1), k).p))

    def growth(s: Any) -> np.ndarray:
        p = np.asarray(predictor(np.atleast_1d(np.asarray(s, float))))
        return p * (k.lambda_d - k.lambda_s * p) - float(k.eta)

    _, p_minus, p_plus = (float(x) for x in predictor_roots(k))
    p, eta_c = float(predictor(np.array([s0]))[0]), float(critical_eta(k))
    numbers = {"p": p, "s": s0, "eta": float(k.eta), "eta_c": eta_c, "p_minus": p_minus, "p_plus": p_plus}
    if np.isnan(p_plus):
        low, high = apart(eta_c, float(k.eta))
        reason = f"It collapses: eta = {high} > eta_c = λ_d²/(4 λ_s) = {low}, which no predictor outgrows."
        return Account(False, reason, "threshold", numbers, [Change("eta", float(k.eta), eta_c)])
    rests, stable = _rests(growth, s0)
    now = float(growth(s0)[0])
    above, below = [s for s in rests if s > s0], [s for s in rests if s < s0]
    on_its_way = above[:1] if now > 0 else below[-1:] if now < 0 else [s0]
    place = _place(p, p_minus, p_plus)
    if not on_its_way and now > 0:
        return Account(None, f"Undecided: p = {p:.4g} {place}, and s grows beyond {s0 * 10**DECADES:.4g}.",
                       "undecided", numbers, [])  # fmt: skip
    numbers["rest"] = rest = on_its_way[0] if on_its_way else 0.0
    edges = [s for s, holds in zip(rests, stable, strict=True) if not holds]
    turns = [s for s in edges if s < s0][-1:] + [s for s in edges if s > s0][:1]
    if not rest:
        return Account(False, f"It collapses: p = r(s) = {p:.4g} {place}, and stays so as s falls.", "rule", numbers,
                       [Change("s", s0, s) for s in turns[-1:] if s > s0])  # fmt: skip
    end = float(predictor(np.array([rest]))[0])
    root = "p_minus" if abs(end - p_minus) < abs(end - p_plus) else "p_plus"
    moves = "grows" if now > 0 else "falls" if now < 0 else "stays"
    reason = f"It survives: p = r(s) = {p:.4g} {place}, so s {moves} to {rest:.4g}, where r(s) = {root} = {end:.4g}."
    return Account(True, reason, "rule", numbers, [Change("s", s0, s) for s in turns])


def explain_open(y0: Modes, k: Isotropic | Commuting) -> Account:
    """What becomes of one mode without stop-gradient and moving target, a gradient flow of its loss."""
    _check(k, p=y0.p, s=y0.s)
    p, s, noise, eta = float(y0.p), float(y0.s), float(k.lambda_s - k.lambda_d), float(k.eta)
    reach = (1 - p) ** 2 / float(k.alpha_p)
    numbers = {"p": p, "s": s, "eta": eta, "noise": noise, "reach": reach}
    if s == 0:
        return Account(False, "It collapses: s = 0, and an encoder of zero stays zero.", "encoder", numbers, [])
    if eta > 0 or noise > 0:
        what = [f"{name} = {x:.4g} > 0" for name, x in (("λ_s - λ_d", noise), ("eta", eta)) if x > 0]
        reason = f"It collapses: {' and '.join(what)}, and without stop-gradient either suffices, from any start."
        return Account(False, reason, "open loss", numbers, [])
    left, right = apart(s, reach)
    alive = s > reach
    end = f"rests at s = {s - reach:.4g}" if alive else "ends at s = 0"
    verb, sign = ("survives", ">") if alive else ("collapses", "≤")
    reason = f"It {verb}: s = {left} {sign} (1 - p)²/alpha_p = {right}, whose difference is conserved; it {end}."
    return Account(alive, reason, "open loss", numbers, [Change("s", s, reach)])


def _rests(growth: Callable[[Any], np.ndarray], s0: float) -> tuple[list[float], list[bool]]:
    """Where growth changes its sign, ascending, and whether it falls there."""
    grid = s0 * 10.0 ** np.linspace(-DECADES, DECADES, 2 * DECADES * A_DECADE + 1)
    values = growth(grid)
    turns = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    low, high, falls = grid[turns], grid[turns + 1], values[turns] > 0
    for _ in range(HALVINGS if len(turns) else 0):
        middle = np.sqrt(low * high)
        left = (growth(middle) > 0) == falls
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return [float(s) for s in low], [bool(f) for f in falls]


def _place(p: float, p_minus: float, p_plus: float) -> str:
    """Where p lies."""
    if p < p_minus:
        return "< p_minus = {1}".format(*apart(p, p_minus))
    if p > p_plus:
        return "> p_plus = {1}".format(*apart(p, p_plus))
    return f"between p_minus = {p_minus:.4g} and p_plus = {p_plus:.4g}"


def _check(k: Any, **start: Any) -> None:
    for name, value in start.items():
        check_numbers(name, value)
    check_constants(k)
    check_spectra(k)
    for name, leaf in [*start.items(), *zip(k._fields, k, strict=True)]:
        if np.shape(leaf) != ():
            raise InputError(f"Argument `{name}` must be one number, for one mode, but has shape {np.shape(leaf)}.")
    if float(start["s"]) < 0:
        raise InputError(f"Argument `s` must be at least 0, but is {float(start['s']):.6g}.")
