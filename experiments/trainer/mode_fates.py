"""Which modes of a network live, by the thresholds of the theory, and which condition fails for those that do not."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.trainer.flow_time import Rates
from experiments.trainer.last_map import NetworkModes
from experiments.trainer.uses import rule_of
from linbyol import moving_target
from linbyol.equations import Commuting, Modes
from linbyol.equations.cosine import Cosine, CosineModes, attraction, norms
from linbyol.explain import explain


class Fates(NamedTuple):
    """Of a lane, a number a mode, in the order of F's eigenvalues, descending."""

    F: Float[np.ndarray, " d"]
    p: Float[np.ndarray, " d"]
    eta_c: Float[np.ndarray, " d"]  # λ_d²/(4 λ_s): the decay above which a mode has no rest but 0
    growth: Float[np.ndarray, " d"]  # ½ d log F/dt now
    lives: Bool[np.ndarray, " d"]  # as t → ∞ where it can be followed, else whether it keeps half of what decay takes
    followed: bool
    eta: float
    sentences: list[str]


def fates(m: NetworkModes, r: Rates, o: Any) -> Fates:
    """What becomes of the modes of a run with a linear predictor.

    For ½‖·‖² and a predictor that gradient steps train, each mode is followed to its end (Eqs. 11-13, its own λ_d and
    λ_s); elsewhere only the present growth is known: of the cosine loss with the norms of the network (Bao 2023), of a
    predictor that a rule sets with its present eigenvalues.
    """
    down = lambda x: np.asarray(x, float)[::-1]  # noqa: E731
    p, s, tau = map(down, m.y)
    F, lambda_d, lambda_s = map(down, (m.F, m.lambda_d, m.lambda_s))
    followed = o.method.loss == "l2" and rule_of(o).name in ("learned", "symmetric")
    k = Commuting(r.alpha_p, 1.0 if r.beta is None else r.beta, r.eta, lambda_d, lambda_s)
    if o.method.loss == "l2":
        growth = p * ((1 if r.beta is None else tau) * lambda_d - lambda_s * p) - r.eta
    else:
        y, noise = CosineModes(p, F), float(np.sum(F * (lambda_s / lambda_d - 1)) / np.sum(F))
        growth = lambda_d * p * attraction(y, norms(y), Cosine(1 + noise, 0.0)) / F - r.eta
    lives = growth >= -r.eta / 2  # a mode at rest has 0, one that is dead -eta
    if followed and r.beta is not None:
        lives = np.asarray(moving_target.fate(Modes(p, s, tau), k).code) == moving_target.LIVES
    elif followed:
        lives = np.array([bool(explain(*_one(p, s, 1.0, k, j), ema=False).survives) for j in range(len(F))])
    found = Fates(F, p, lambda_d**2 / (4 * lambda_s), growth, lives, followed, r.eta, [])
    return found._replace(sentences=_sentences(found, k, Modes(p, s, tau), r, o.optimiser.eta))


def _sentences(f: Fates, k: Commuting, y: Modes, r: Rates, setting: float) -> list[str]:
    """How many live, which condition fails for the others, and what would turn the largest of them."""
    dead, number = np.flatnonzero(~f.lives), len(f.F)
    if f.followed:
        told = [f"Theory (Eqs. 11-13 for each mode of F): {number - len(dead)} of {number} modes live as t → ∞."]
    else:
        told = [f"Theory, at this step alone: {number - len(dead)} of {number} modes of F grow or rest, others fade."]
    over = [j for j in dead if f.eta > f.eta_c[j]]
    if over:
        most = float(max(f.eta_c[over]))
        told.append(
            f"{_modes(over)}: weight decay is too large, eta = {f.eta:.4g} of the flow > eta_c = λ_d²/(4 λ_s), which "
            f"is {most:.4g} at most; setting `eta` below {most * setting / f.eta:.4g} (now {setting:.4g}) would let "
            "one live, and so would an augmentation that changes images less (λ_s)."
        )
    under = [j for j in dead if f.eta <= f.eta_c[j]]
    if under and f.followed:
        j = under[0]
        one = explain(*_one(y.p, y.s, float(y.tau[j]), k, j), ema=r.beta is not None)
        words = [f"{_words(c.constant, c.now, c.turns_at, f.eta, setting)}" for c in one.changes]
        told.append(
            f"{_modes(under)}: it could rest, but starts below the edge of its basin. Of mode {j + 1}: {one.reason}"
            + (f" It would live with {', or '.join(words)}." if words else "")
        )
    elif under:
        j = under[0]
        told.append(
            f"{_modes(under)}: the predictor is too small or too large for it. Of mode {j + 1}: p = {f.p[j]:.4g}, and "
            f"F changes by {2 * f.growth[j]:.4g} of itself a unit of time, {-2 * f.eta:.4g} of it by decay."
        )
    return told


def _words(name: str, now: float, turns: float, eta: float, setting: float) -> str:
    side = "above" if turns > now else "below"
    if name == "eta" and eta > 0:
        return f"setting `eta` {side} {turns * setting / eta:.4g} (now {setting:.4g})"
    return f"{name} {side} {turns:.4g} (now {now:.4g})"


def _modes(which: list[Any]) -> str:
    """1, 2, 3, 7 as `Modes 1-3, 7`."""
    runs: list[list[int]] = []
    for j in (int(j) + 1 for j in which):
        if runs and runs[-1][-1] == j - 1:
            runs[-1].append(j)
        else:
            runs.append([j])
    return f"Mode{'s' * (len(which) > 1)} " + ", ".join(f"{a[0]}-{a[-1]}" if len(a) > 1 else str(a[0]) for a in runs)


def _one(p: Any, s: Any, tau: float, k: Commuting, j: int) -> tuple[Modes, Commuting]:
    return Modes(p[j], s[j], tau), k._replace(lambda_d=k.lambda_d[j], lambda_s=k.lambda_s[j])
