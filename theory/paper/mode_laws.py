"""Eqs. 14, 16 and 17: what the flow of the modes conserves, its parabola, and K on modes."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import (
    Isotropic,
    Modes,
    Symmetric,
    alignment_rate,
    effective_growth,
    mode_alignment_rate,
    mode_balance,
    modes_flow,
    parabola_flow,
    symmetric_balance,
)
from linbyol.extremes import every, largest, relative_gap
from linbyol.predictors import directpred
from theory.paper.aligned import ALIGNED, U, runs
from theory.proving import instances
from theory.proving.prover import Equal, Rate, Space, Statement, proven
from theory.proving.solves import DRIFT, SAME, drift
from theory.proving.spaces import COMMUTING_MODES, MODES


def _on_parabola(p: Any, k: Isotropic) -> Any:
    """ṗ of Eq. 11 at s = p²/alpha_p."""
    return modes_flow(Modes(p, p * p / k.alpha_p, k.tau), k).p


def _parabola_instance(rng: Any) -> tuple[Any, Isotropic]:
    return instances.modes(rng).p, instances.isotropic(rng)


def _sides_of_eq_17(y: Modes, k: Isotropic) -> Any:
    """½ (alpha_p κ s + eta) - Δ."""
    return (k.alpha_p * k.kappa * y.s + k.eta) / 2 - effective_growth(y, k)


def _completed_square(p: Any, k: Isotropic) -> Any:
    """K on the parabola: its least value, and a square that vanishes at p = tau/(3κ)."""
    distance = p - k.tau / (3 * k.kappa)
    return 3 * k.eta / 2 - k.tau * k.tau / (6 * k.kappa) + 3 * k.kappa / 2 * distance * distance


def _directpred_balance(s: Any, k: Isotropic) -> Any:
    """The balance of p = √s at alpha_p = 1 and of p = √(κ s) at alpha_p = κ, added up as squares."""
    first = mode_balance(Modes(sp.sqrt(s), s, k.tau), k._replace(alpha_p=1))
    second = mode_balance(Modes(sp.sqrt(k.kappa * s), s, k.tau), k._replace(alpha_p=k.kappa))
    return first * first + second * second


PARABOLA = Space(MODES.y.p, MODES.k, _parabola_instance)
SIZES = Space(sp.Symbol("s", positive=True), MODES.k._replace(sigma2=sp.Symbol("kappa", positive=True) - 1))

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B28": tuple(
        Rate(space, modes_flow, mode_balance, lambda y, k: -2 * k.eta * mode_balance(y, k))
        for space in (MODES, COMMUTING_MODES)
    ),
    "B33": (
        Equal(PARABOLA, _on_parabola, parabola_flow),
        Equal(PARABOLA, _on_parabola, lambda p, k: _on_parabola(p, k._replace(alpha_p=1))),
    ),
    "B45": (
        Equal(MODES, mode_alignment_rate, _sides_of_eq_17),
        Equal(ALIGNED, lambda y, k: alignment_rate(y, k) @ U, lambda y, k: mode_alignment_rate(MODES.y, k) * U),
    ),
    "B46": (
        Equal(PARABOLA, lambda p, k: mode_alignment_rate(Modes(p, p * p / k.alpha_p, k.tau), k), _completed_square),
    ),
    "B76": (Equal(SIZES, _directpred_balance, lambda s, k: 0 * s),),
}  # fmt: skip


@claim(
    "B28",
    title="Eq. 14, its sign corrected",
    statement="s_j = p_j²/α_p + e^(-2ηt) c_j with c_j = s_j(0) - p_j²(0)/α_p, whatever τ does.",
    source="Eq. 14, corrected",
    kind="symbolic",
)
def integral_of_motion(run: Run) -> Verdict:
    solved = runs(run.seed)[0]["its modes"]
    found = drift(solved, mode_balance, solved.k.eta)
    return proven(run, PROOFS["B28"], found < DRIFT, drift=found)


@claim(
    "B33",
    title="Eq. 16: the parabola",
    statement="On s = p²/α_p, ṗ = p² (τ - κ p) - η p: α_p drops out.",
    source="Eq. 16",
    kind="symbolic",
)
def parabola(run: Run) -> Verdict:
    found, _ = runs(run.seed)
    p, alone = found["every alpha_p"].ys.p, found["Eq. 16"].ys
    gap = relative_gap(p, alone)
    spread = largest(np.abs(p - p[:, :1]))
    return proven(run, PROOFS["B33"], largest(gap, spread) < SAME, trajectory_gap=gap, spread_over_alpha_p=spread)


def _predicted(run: Run, sign: int) -> float:
    """max |s(t) - p(t)²/alpha_p - e^(-2 eta t) c|, relative to the largest s, with c = sign (s(0) - p(0)²/alpha_p)."""
    solved = runs(run.seed)[0]["its modes"]
    p, s, _ = solved.ys
    c = sign * mode_balance(Modes(p[0], s[0], 0), solved.k)
    law = p * p / solved.k.alpha_p + np.exp(-2 * solved.k.eta * solved.ts)[:, None] * c
    return relative_gap(law, s)


@claim(
    "B99",
    title="Erratum (a): the sign of c_j",
    statement="s_j(t) = p_j²(t)/α_p + e^(-2ηt) c_j with c_j = p_j²(0)/α_p - s_j(0), as printed.",
    source="Eq. 14",
    kind="numeric",
    expected="fails",
)
def printed_sign(run: Run) -> Verdict:
    gap = _predicted(run, -1)
    return holds_if(gap < SAME, gap=gap)


@claim(
    "B99c",
    title="Erratum (a), corrected",
    statement="The same law with c_j = s_j(0) - p_j²(0)/α_p.",
    source="Eq. 14, corrected",
    kind="numeric",
)
def corrected_sign(run: Run) -> Verdict:
    gap = _predicted(run, 1)
    return holds_if(gap < SAME, gap=gap)


@claim(
    "B45",
    title="Eq. 17: K on modes",
    statement="K_j > 0 if and only if Δ_j < ½ (α_p κ s_j + η): K_j = ½ (α_p κ s_j + η) - Δ_j, an eigenvalue of K.",
    source="Eq. 17",
    kind="symbolic",
)
def eq_17(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 45])
    y, k = instances.modes(rng, d=1000), instances.isotropic(rng, eta=0.01, tau=1.0)
    y = y._replace(s=y.s / 10, tau=1 + y.tau)  # small features and a large target, where K takes both signs
    positive = mode_alignment_rate(y, k) > 0
    below = effective_growth(y, k) < (k.alpha_p * k.kappa * y.s + k.eta) / 2
    both = 0 < positive.sum() < len(positive)
    return proven(run, PROOFS["B45"], every(positive == below) & both, points=1000, positive=int(positive.sum()))


@claim(
    "B46",
    title="K on the parabola",
    statement="On s = p²/α_p the least K_j is (3/2) η - τ²/(6κ), at p = τ/(3κ), whatever α_p.",
    source="beyond the paper",
    kind="symbolic",
)
def least_rate(run: Run) -> Verdict:
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=0.0, sigma2=0.25)
    p = np.linspace(0.0, 1.0, 3001)
    K = mode_alignment_rate(Modes(p, p * p / k.alpha_p, 1.0), k)
    least, at = float(K.min()), float(p[K.argmin()])
    # On a grid of step h the minimum is missed by at most (3κ/2) h² = 2e-7, its place by h.
    good = abs(least + 1 / 7.5) < 3e-7 and abs(at - 1 / 3.75) < 4e-4
    return proven(run, PROOFS["B46"], good, least_at_kappa_1_25=least, at_p=at)


@claim(
    "B76",
    title="DirectPred is a parabola",
    statement="p = √s is the invariant parabola of α_p = 1, p = √(κ s) that of α_p = κ.",
    source="beyond the paper",
    kind="symbolic",
)
def directpred_parabola(run: Run) -> Verdict:
    F = instances.moment(np.random.default_rng([run.seed, 76]), 4)
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=0.0, sigma2=0.25)
    gap = largest(np.abs(symmetric_balance(Symmetric(np.asarray(directpred(jnp.asarray(F))), F), k)))
    # The eigendecomposition of a 4 x 4 matrix of order one and two products, each at rounding.
    return proven(run, PROOFS["B76"], gap < 1e-13, matrix_gap=gap)
