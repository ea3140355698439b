"""Which modes of a regularised linear encoder are held up, and which drop: SIGReg, BHEP, VICReg.

A mode moves by ν̇ = ν (pull(ν) - 4a σ² - 2eta), σ² = λ_s - λ_d, so it leaves 0, while the others rest, where its pull
there exceeds that. The pull is read from the flow itself, at a = 0 and eta = 0. Followed from the start on NumPy.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import root

from linbyol.checks import InputError, check_choice, check_constants, check_numbers, check_spectra
from linbyol.equations.bhep import BhepModes, bhep_modes_flow
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.equations.vicreg import VicregModes, vicreg_modes_flow
from linbyol.exact import vicreg_rest
from linbyol.explain.words import Account, Change, apart, listed

HORIZON = 1e3  # in units of the slowest mode's own time
TINY = 1e-60  # a variance from which the growth at 0 is read, beside all others
STEEP = 1e20  # a pull that comes from TINY alone
ROUNDS = 40  # of choosing which modes rest above 0


class Regulariser(NamedTuple):
    """A flow of modes, the weight a of its invariance, its drag in words, and its rest where that has a closed form."""

    name: str
    flow: Callable[[Features, Any], Features]
    constants: Any
    weight: Callable[[Any], Any]
    drag: str = "4a σ²"
    rest: Callable[[Any, Any], Any] | None = None


REGULARISERS = {
    "sigreg": Regulariser("SIGReg", sigreg_modes_flow, RegularisedModes, lambda k: k.a),
    "bhep": Regulariser("BHEP", bhep_modes_flow, BhepModes, lambda k: k.a),
    "vicreg": Regulariser("VICReg", vicreg_modes_flow, VicregModes, lambda k: 2 * k.invariance, "8Λ σ²", vicreg_rest),
}


class Held(NamedTuple):
    """What becomes of all modes: their variances at rest, one sentence, and one `Account` a mode."""

    nu: np.ndarray  # (d,)
    reason: str
    modes: list[Account]


def explain_regularised(nu0: Any, k: Any, regulariser: str) -> Held:
    """What becomes of modes whose features start with variances nu0 > 0, and why.

    nu0          () or (d,); k.lambda_d, k.lambda_s () or (d,), of the type that the regulariser has
    regulariser  one of `REGULARISERS`

    A mode's threshold is the noise σ² at which it would turn, with the others at rest without it. Raises `InputError`
    for what no modes have.
    """
    check_choice("regulariser", regulariser, REGULARISERS)
    kind = REGULARISERS[regulariser]
    if not isinstance(k, kind.constants):
        raise InputError(f"Argument `k` must be {kind.constants.__name__} for {kind.name}, but is {type(k).__name__}.")
    check_numbers("nu0", nu0)
    check_constants(k)
    check_spectra(k)
    nu0, lambda_d, lambda_s = (
        x.astype(float) for x in np.broadcast_arrays(*map(np.atleast_1d, (nu0, k.lambda_d, k.lambda_s)))
    )
    if nu0.ndim != 1 or not nu0.size:
        raise InputError(f"Argument `nu0` must hold one number a mode, but has shape {nu0.shape}.")
    if (nu0 <= 0).any():
        raise InputError(f"Argument `nu0` must be positive, but is {nu0.min():.10g}.")
    k = k._replace(lambda_d=lambda_d, lambda_s=lambda_s)
    growth = _growth(kind, k)
    nu = _rest(growth, nu0) if kind.rest is None else np.asarray(kind.rest(nu0, k))
    modes = [_account(i, nu, nu0, growth, k, kind) for i in range(len(nu))]
    held = [i for i in range(len(nu)) if nu[i] > 0]
    lost = [i for i in range(len(nu)) if nu[i] == 0]
    said = [f"{verb} {listed(modes)}" for modes, verb in ((held, "holds"), (lost, "drops")) if modes]
    return Held(nu, f"{kind.name} {' and '.join(said)}.", modes)


def _account(i: int, nu: np.ndarray, nu0: np.ndarray, growth: Any, k: Any, kind: Regulariser) -> Account:
    apart_from_it = nu[i] == 0 or kind.rest is not None  # where modes have a rest each, they do not see each other
    others = np.where(np.arange(len(nu)) == i, 0, nu) if apart_from_it else _rest(growth, nu0, without=i)
    a, lambda_s = kind.weight(k), float(k.lambda_s[i])
    noise = lambda_s - float(k.lambda_d[i])
    drag = 4 * a * noise + 2 * k.eta
    pull = float(growth(others)[i]) + drag
    pull = np.inf if pull > STEEP * (1 + drag) else pull
    edge = max((pull - 2 * k.eta) / (4 * a), 0.0) if a > 0 else np.inf
    numbers = {"nu": float(nu[i]), "noise": noise, "pull": pull, "drag": float(drag), "threshold": float(edge)}
    changes = [Change("sigma2", noise, edge)] if np.isfinite(edge) and edge > 0 else []
    weight, load = apart(pull, drag)
    alive = bool(nu[i] > 0)
    verb, sign = ("is held", ">") if alive else ("drops", "≤")
    end = f"at nu = {nu[i]:.6g}" if alive else "to 0"
    load_is = kind.drag + " + 2eta" * (k.eta > 0)
    if alive and np.isinf(pull):
        reason = f"It is held {end}: the pull out of 0 has no bound."
    else:
        reason = f"It {verb} {end}: out of 0 the regulariser pulls at {weight} {sign} {load_is} = {load}."
    return Account(alive, reason, "pull", numbers, changes)


def _growth(kind: Regulariser, k: Any) -> Callable[[np.ndarray], np.ndarray]:
    """ν̇/ν of each mode, that of a mode at 0 as it leaves it."""

    def growth(nu: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = np.maximum(nu, TINY)
            return np.asarray(kind.flow(Features(seen), k).nu) / seen

    return growth


def _rest(growth: Callable[[np.ndarray], np.ndarray], nu0: np.ndarray, without: int | None = None) -> np.ndarray:
    """Where the flow leads: followed in ln ν, then the modes that grow at rest solved for, and the others 0."""
    moves = np.arange(len(nu0)) != without
    if not moves.any():
        return np.zeros_like(nu0)
    start = np.where(moves, nu0, 0.0)
    rate = lambda x: np.where(moves, growth(np.where(moves, np.exp(np.minimum(x, 50)), 0)), 0)  # noqa: E731
    x0 = np.log(np.maximum(start, TINY))
    unit = 1 / max(np.abs(rate(x0)[moves]).min(), 1e-6)
    x = solve_ivp(lambda t, x: rate(x), (0, HORIZON * unit), x0, method="LSODA", rtol=1e-8, atol=1e-8).y[:, -1]
    nu = np.where(moves, np.exp(x), 0)
    active = moves & (nu > 1e-9)
    for _ in range(ROUNDS):
        nu = np.where(active, nu, 0)
        if active.any():
            nu[active] = _solved(growth, nu, active)
        gone, risen = active & (nu <= 0), moves & ~active & (growth(np.maximum(nu, 0)) > 0)
        if not gone.any() and not risen.any():
            return nu
        active = (active & ~gone) | risen
        nu = np.where(risen, 1e-3, np.maximum(nu, 0))
    raise InputError("Argument `k` must hold its modes apart from 0 or at it, but they cannot be told apart.")


def _solved(growth: Callable[[np.ndarray], np.ndarray], nu: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The variances of active modes at which none of them grows."""

    def miss(z: np.ndarray) -> np.ndarray:
        whole = np.zeros_like(nu)
        whole[active] = z
        return growth(whole)[active]

    found = root(miss, nu[active], method="hybr", options={"xtol": 1e-13})
    return found.x
