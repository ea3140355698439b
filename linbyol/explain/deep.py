"""Which modes deep linear JEPA and MAE learn, in which order and when (Littwin et al. 2024, arXiv 2407.03475).

A layer of a balanced mode moves by ẇ = w (h(w) - eta), h = w^(m-1) (λ_d - λ_s w^q), m = 2L, q = 1 (JEPA) or m = L,
q = L + 1 (MAE). h rises to its peak, eta_c, and falls: between its two roots h > eta a mode grows, to the upper one.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from linbyol.checks import InputError, check_choice, check_constants, check_numbers
from linbyol.equations import DeepMode
from linbyol.equations.jepa import jepa_threshold, mae_threshold
from linbyol.exact import jepa_time, mae_time
from linbyol.exact.deep_modes import KINDS
from linbyol.explain.words import Account, Change, apart, listed

STARTS = 400  # that are tried on either side for where two modes change places
DECADES = 3  # of starts below the given one


class Loss(NamedTuple):
    """What tells JEPA from MAE."""

    name: str
    time: Callable[..., Any]
    threshold: Callable[[DeepMode], Any]
    rest: str  # of the encoder, without decay


LOSSES = {
    "jepa": Loss("JEPA", jepa_time, jepa_threshold, "ρ^L"),
    "mae": Loss("MAE", mae_time, mae_threshold, "ρ^(L/(L+1))"),
}


class Course(NamedTuple):
    """What becomes of all modes.

    order   numbers of the modes (from 0) that are learned, the first to reach half of its rest first; by number where
            eta > 0, for which there are no times
    reason  which order that is, one sentence
    modes   one `Account` a mode
    swaps   starts of all layers, on either side of the given one, at which neighbours in the order change places
    """

    order: list[int]
    reason: str
    modes: list[Account]
    swaps: list[Change]


def explain_deep(w0: Any, k: DeepMode, loss: str) -> Course:
    """What becomes of modes of which each layer starts at w0 > 0, and why.

    w0    () or (n,); k.lambda_d, k.lambda_s, k.eta () or (n,)
    loss  one of `LOSSES`

    Times are those in which the encoder, w^L, comes to half of its rest. Raises `InputError` for what no modes have.
    """
    check_choice("loss", loss, LOSSES)
    check_numbers("w0", w0)
    check_constants(k)
    leaves = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (w0, k.lambda_d, k.lambda_s, k.eta)))
    if leaves[0].ndim != 1 or not leaves[0].size:
        raise InputError(f"Argument `w0` must hold one number a mode, but has shape {np.shape(w0)}.")
    if (leaves[0] <= 0).any():
        raise InputError(f"Argument `w0` must be positive, but is {leaves[0].min():.10g}.")
    starts, *constants = leaves
    each = [DeepMode(a, b, k.depth, c) for a, b, c in zip(*constants, strict=True)]
    accounts = [_account(float(w), mode, LOSSES[loss]) for w, mode in zip(starts, each, strict=True)]
    alive = [i for i, account in enumerate(accounts) if account.survives]
    if (constants[2] > 0).any():
        lost = [i for i in range(len(each)) if i not in alive]
        said = [f"{listed(modes)} {verb}{'s' * (len(modes) == 1)}" for modes, verb in
                ((alive, "survive"), (lost, "collapse")) if modes]  # fmt: skip
        return Course(alive, f"With decay, {'; '.join(said)}.", accounts, [])
    times = np.array([account.numbers["time"] for account in accounts])
    order = [int(i) for i in np.argsort(times, kind="stable")]
    swaps = _swaps(order, starts, each, LOSSES[loss])
    return Course(order, _order(order, times, each, LOSSES[loss]), accounts, swaps)


def _account(w0: float, k: DeepMode, loss: Loss) -> Account:
    kind = KINDS[loss.name](k.depth)
    eta, eta_c = float(k.eta), float(loss.threshold(k))
    growth = lambda w: w ** (kind.m - 1) * (k.lambda_d - k.lambda_s * w**kind.q)  # noqa: E731
    free = float(k.rho ** (1 / kind.q))
    numbers = {"w0": w0, "lambda_d": float(k.lambda_d), "rho": float(k.rho), "eta": eta, "eta_c": eta_c}
    if eta == 0:
        half = free * 2 ** (-1 / k.depth)
        time = float(loss.time(half, w0, k)) if w0 < half else 0.0
        numbers |= {"rest": free, "encoder": free**k.depth, "time": time}
        when = f"is half there at t = {time:.6g}" if w0 < half else "starts beyond half of it"
        end = f"rests at w^L = {loss.rest} = {free**k.depth:.4g}"
        return Account(True, f"It survives: without decay it {end}, and {when}.", "no decay", numbers, [])
    low, high = apart(eta, eta_c)
    if eta > eta_c or (eta == eta_c and kind.m == 1):
        sign = ">" if eta > eta_c else "="
        reason = f"It collapses: eta = {low} {sign} eta_c = {high}, so w = 0 is the only fixed point."
        peak = _peak(k, kind)
        turn = growth(min(w0, peak)) if kind.m > 1 else eta_c
        return Account(False, reason, "threshold", numbers, [Change("eta", eta, float(turn))])
    peak = _peak(k, kind)
    w_plus = brentq(lambda w: growth(w) - eta, peak, free, xtol=1e-300, rtol=1e-14) if eta < eta_c else peak
    numbers |= {"rest": w_plus, "encoder": w_plus**k.depth}
    if kind.m == 1:
        reason = (
            f"It survives: eta = {low} < eta_c = λ_d = {high}, and at L = 1 zero is unstable; w rests at {w_plus:.4g}."
        )
        return Account(True, reason, "threshold", numbers, [Change("eta", eta, eta_c)])
    w_minus = brentq(lambda w: growth(w) - eta, 0, peak, xtol=1e-300, rtol=1e-14) if eta < eta_c else peak
    numbers["w_minus"] = w_minus
    start, edge = apart(w0, w_minus)
    alive = w0 >= w_minus
    end = f"w rests at {w_plus:.4g}" if alive else f"decay outruns growth, λ_d w^{kind.m - 1} at first"
    reason = f"It {'survives' if alive else 'collapses'}: w = {start} {'≥' if alive else '<'} w_minus = {edge}; {end}."
    turn = float(growth(w0)) if w0 < peak else eta_c
    return Account(alive, reason, "start", numbers, [Change("eta", eta, turn), Change("w0", w0, w_minus)])


def _peak(k: DeepMode, kind: Any) -> float:
    """Where h is largest."""
    return float((k.rho * (kind.m - 1) / (kind.m - 1 + kind.q)) ** (1 / kind.q))


def _order(order: list[int], times: np.ndarray, each: list[DeepMode], loss: Loss) -> str:
    """Which order that is."""
    name = f"{loss.name} of depth {each[0].depth}"
    if len(order) == 1:
        return f"{name} has one mode, half learned at t = {times[0]:.6g}."
    sorted_by = {
        letter: all(values[i] >= values[j] for i, j in pairwise(order)) and len({*values}) > 1
        for letter, values in (("λ_d", [float(k.lambda_d) for k in each]), ("ρ", [float(k.rho) for k in each]))
    }
    by = [letter for letter, holds in sorted_by.items() if holds]
    against = [letter for letter, holds in sorted_by.items() if not holds]
    words = f"the order of {' and of '.join(by)}" if by else "an order of neither λ_d nor ρ"
    words += f", not of {against[0]}" if by and against else ""
    return (
        f"{name} learns {listed(order)} in this order, at t = {', '.join(f'{times[i]:.6g}' for i in order)}: {words}."
    )


def _swaps(order: list[int], starts: np.ndarray, each: list[DeepMode], loss: Loss) -> list[Change]:
    """The nearest starts at which neighbours in the order change places, where all modes have one start."""
    if len({*starts.tolist()}) > 1:
        return []
    w0, found = float(starts[0]), []
    for i, j in pairwise(order):
        halves = [float(k.rho ** (1 / KINDS[loss.name](k.depth).q)) * 2 ** (-1 / k.depth) for k in (each[i], each[j])]
        lead = lambda w, i=i, j=j, h=halves: np.asarray(  # noqa: E731
            loss.time(h[1], w, each[j]) - loss.time(h[0], w, each[i])
        )
        for end in (w0 * 10.0**-DECADES, min(halves) * (1 - 1e-9)):
            if end > w0 and min(halves) <= w0:
                continue
            grid = np.geomspace(w0, end, STARTS)
            signs = np.sign(lead(grid))
            turned = np.flatnonzero(signs * signs[0] < 0) if signs[0] else np.array([])
            if len(turned):
                n = int(turned[0])
                found.append(Change("w0", w0, float(brentq(lead, *sorted((grid[n - 1], grid[n])), rtol=1e-12))))
    return found
