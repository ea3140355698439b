"""Why a mode of BYOL survives or collapses: the inequality that decides, its numbers, and what would turn it."""

from typing import Any, NamedTuple

import jax
import numpy as np

from linbyol.checks import InputError, check_constants, check_numbers, check_spectra
from linbyol.equations import Commuting, Isotropic, Modes, mode_balance
from linbyol.exact import collapses, separatrix
from linbyol.explain.words import Change, apart
from linbyol.fixed_points import critical_eta, predictor_roots
from linbyol.moving_target import DIES, LIVES, OPEN, fate

GRID = 32  # values of a constant that are tried at once: eight constants fill a tile of the ensemble engine
REFINEMENTS = 4  # times the grid is laid anew around the nearest change of outcome


class Explanation(NamedTuple):
    """The outcome of one mode.

    survives    whether it ends at p_plus and not at 0, as t → ∞; None where it cannot be told (null in JSON)
    reason      the condition that decides, one sentence with its numbers; or until when the mode was followed in vain
    condition   its name: threshold, encoder, balance, sign, parabola, separatrix, moving average, undecided
    numbers     what the sentence was read from
    changes     the nearest value of each constant, on either side, at which the outcome turns
    window      (p_minus, p_plus): DirectPred's eps between them makes collapse unstable; nan above the threshold
    """

    survives: bool | None
    reason: str
    condition: str
    numbers: dict[str, float]
    changes: list[Change]
    window: tuple[float, float]


def explain(y0: Modes, k: Isotropic | Commuting, *, ema: bool = True) -> Explanation:
    """What becomes of one mode that starts at y0, and why (Sec. 3; the basins as derived in `linbyol.exact`).

    y0  p, s, tau: numbers; tau = 1 is a target copied from the encoder, 0 the paper's theory; not used without ema
    k   constants of one mode: numbers; Isotropic's own tau stays 1, for the target's ratio is y0.tau
    ema whether the target is a moving average (k.beta); without it Wa = W (SimSiam), tau = 1

    Raises `InputError` for states that are no mode (s < 0, more than one mode, not finite), and for such constants.
    """
    y0, k = _one_mode(y0, k)
    dies, condition, reason, numbers = _decide(y0, k)
    code, until = (np.asarray(x).item() for x in fate(y0, k)) if ema else (DIES if dies else LIVES, 0.0)
    if code == OPEN:
        condition = "undecided"
        reason = f"Undecided by t = {until:.4g}: the mode is neither trapped around 0 nor at p_plus."
    elif (code == DIES) != dies:
        verb = "lets it survive" if code == LIVES else "makes it collapse"
        reason = (
            f"The moving average decides: with beta = {float(k.beta):.4g} and a target that starts at tau = "
            f"{float(y0.tau):.4g} it {verb}, although at tau = 1 {reason[0].lower()}{reason[1:]}"
        )
        condition = "moving average"
    _, p_minus, p_plus = predictor_roots(k)
    window = (float(p_minus), float(p_plus))
    changes = [] if code == OPEN else _changes(y0, k, code, ema)
    return Explanation({DIES: False, LIVES: True}.get(code), reason, condition, numbers, changes, window)


def _decide(y0: Modes, k: Isotropic | Commuting) -> tuple[bool, str, str, dict[str, float]]:
    """Whether it collapses at a target that is the encoder, the condition, its sentence and its numbers."""
    p, s = float(y0.p), float(y0.s)
    eta, eta_c = float(k.eta), float(critical_eta(k))
    _, p_minus, p_plus = map(float, predictor_roots(k))
    c = float(mode_balance(y0, k))
    c = 0.0 if abs(c) <= 4 * np.finfo(float).eps * s else c  # as s = p²/alpha_p in floating point is
    numbers = {"p": p, "s": s, "eta": eta, "eta_c": eta_c, "c": c, "p_minus": p_minus, "p_plus": p_plus}
    if s == 0:
        return True, "encoder", "It collapses: s = 0, and an encoder of zero stays zero.", numbers
    if np.isnan(p_plus) and eta > 0:
        low, high = apart(eta_c, eta)
        sentence = f"It collapses: eta = {high} > eta_c = λ_d²/(4 λ_s) = {low}, so p = 0 is the only fixed point."
        return True, "threshold", sentence, numbers
    if c <= 0 and p <= 0:
        sentence = f"It collapses: p = {p:.4g} ≤ 0 and c = s - p²/alpha_p = {c:.4g} ≤ 0, so p never crosses 0."
        return True, "sign", sentence, numbers
    if eta == 0:
        return _without_decay(c, k, numbers)
    if c == 0:
        dies = p < p_minus
        word, sign = ("collapses", "<") if dies else ("survives", "≥")
        start, root = apart(p, p_minus)
        return dies, "parabola", f"It {word}: on the parabola, p = {start} {sign} p_minus = {root}.", numbers
    edge = float(separatrix(k, y0.p))
    numbers["separatrix"] = edge
    dies = s < edge if np.isfinite(edge) else bool(collapses(y0.p, y0.s, k))
    word, side = ("collapses", "below") if dies else ("survives", "above")
    where = f"the stable manifold of the saddle (p_minus, p_minus²/alpha_p), p_minus = {p_minus:.4g}"
    if np.isfinite(edge):
        start, height = apart(s, edge)
        sentence = f"It {word}: s = {start} {'<' if dies else '≥'} {height}, {side} {where}."
    else:
        sentence = f"It {word}: (p, s) = ({p:.4g}, {s:.4g}) lies {side} {where}."
    return dies, "separatrix", sentence, numbers


def _without_decay(c: float, k: Any, numbers: dict) -> tuple[bool, str, str, dict[str, float]]:
    if c > 0:
        return False, "balance", f"It survives: eta = 0 and c = s - p²/alpha_p = {c:.4g} > 0.", numbers
    far, edge = -float(k.alpha_p) * c, float(k.lambda_d / k.lambda_s) ** 2
    distance, goal = apart(far, edge)
    word, sign = ("collapses", "≥") if far >= edge else ("survives", "<")
    reason = f"It {word}: eta = 0 and p² - alpha_p s = {distance} {sign} (λ_d/λ_s)² = {goal}."
    return far >= edge, "balance", reason, numbers


def _changes(y0: Modes, k: Any, code: int, ema: bool) -> list[Change]:
    """For each constant the nearest values, below and above, at which the outcome turns."""
    names = ["eta", "alpha_p"] + (["beta"] if ema else []) + (["sigma2"] if isinstance(k, Isotropic) else [])
    sides = [(name, factor) for name in names for factor in (1e-3, 1e3) if factor > 1 or float(getattr(k, name)) > 0]
    near = np.array([float(getattr(k, name)) for name, _ in sides])
    far = np.maximum(near, 1e-3) * [factor for _, factor in sides]
    turns = np.ones(len(sides), bool)
    for _ in range(REFINEMENTS):
        grids = [_between(*ends) for ends in zip(near, far, strict=True)]
        stacked = [_stack(k, name, grid) for (name, _), grid in zip(sides, grids, strict=True)]
        codes, _ = _fate(y0, jax.tree.map(lambda *leaves: np.concatenate(leaves), *stacked), ema)
        turned = codes.reshape(len(sides), GRID) == (LIVES if code == DIES else DIES)
        turns &= turned.any(axis=1) & ~turned[:, 0]
        first = np.maximum(turned.argmax(axis=1), 1)
        near = np.array([grid[i - 1] for grid, i in zip(grids, first, strict=True)])
        far = np.array([grid[i] for grid, i in zip(grids, first, strict=True)])
    found = zip(sides, far, turns, strict=True)
    return [Change(name, float(getattr(k, name)), float(value)) for (name, _), value, turn in found if turn]


def _between(near: float, far: float) -> np.ndarray:
    """GRID values from near to far, geometric where it can be."""
    if near <= 0:
        return np.concatenate([[near], np.geomspace(far * 1e-4, far, GRID - 1)])
    return np.geomspace(near, far, GRID)


def _stack(k: Any, name: str, grid: np.ndarray) -> Any:
    """k with leaves (GRID,), the named one varied."""
    leaves = zip(k._fields, k, strict=True)
    return type(k)(*(grid if field == name else np.full(GRID, leaf) for field, leaf in leaves))


def _fate(y0: Modes, k: Any, ema: bool) -> tuple[Any, Any]:
    """The code of the mode for each of a vector of constants, and until when it was followed."""
    if ema:
        return fate(y0, k)
    lost = np.asarray(collapses(y0.p, y0.s, k))
    return np.where(lost, DIES, LIVES), np.zeros(lost.shape)


def _one_mode(y0: Modes, k: Any) -> tuple[Modes, Any]:
    check_numbers("y0", y0)
    check_constants(k)
    check_spectra(k)
    for name, leaf in [*zip(y0._fields, y0, strict=True), *zip(k._fields, k, strict=True)]:
        if np.shape(leaf) != ():
            raise InputError(f"Argument `{name}` must be one number, for one mode, but has shape {np.shape(leaf)}.")
    if float(y0.s) < 0:
        raise InputError(f"Argument `s` must be at least 0, but is {float(y0.s):.6g}.")
    if float(getattr(k, "tau", 1)) != 1:
        raise InputError(f"Argument `k.tau` must be 1, for the target starts at y0.tau, but is {float(k.tau):.6g}.")
    return Modes(*(np.asarray(leaf, float) for leaf in y0)), type(k)(*(np.asarray(leaf, float) for leaf in k))
