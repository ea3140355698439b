"""Theorem 1: weight decay balances encoder and predictor, whatever the data and whatever the target does."""

import functools
from typing import Any, NamedTuple

import numpy as np
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import (
    Constants,
    Matrix,
    Symmetric,
    Weights,
    balance,
    symmetric_balance,
    symmetric_flow,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.equations.combinators import decay, simsiam
from linbyol.extremes import largest, least, relative_gap
from theory.paper import theorem3
from theory.proving import instances
from theory.proving.prover import Rate, Space, Statement, proven, trace
from theory.proving.solves import DRIFT, Solved, drift, solve
from theory.proving.spaces import ETA_P, ETA_S, SYMMETRIC, UNSYMMETRISED, WEIGHTS


class Prescribed(NamedTuple):
    """Weights whose target follows a course of its own: Ẅa = -Wa, an oscillation that knows nothing of W."""

    W: Matrix
    Wp: Matrix
    Wa: Matrix
    Va: Matrix  # (d, n) velocity of the target

    @property
    def weights(self) -> Weights:
        """The three networks alone."""
        return Weights(self.W, self.Wp, self.Wa)


def prescribed_flow(y: Prescribed, k: Constants) -> Prescribed:
    """Eqs. 2-3 under a prescribed target."""
    rate = weights_flow(y.weights, k)
    return Prescribed(W=rate.W, Wp=rate.Wp, Wa=y.Va, Va=-y.Wa)


def unequal_flow(y: Weights, k: Any) -> Weights:
    """Lemma 1 with weight decays of their own, k = (constants, eta_p, eta_s)."""
    constants, eta_p, eta_s = k
    return decay(weights_flow, Wp=eta_p, W=eta_s)(y, constants)


def double_commutator(y: Symmetric) -> Matrix:
    """[Wp, [Wp, F]]."""
    inner = y.Wp @ y.F - y.F @ y.Wp
    return y.Wp @ inner - inner @ y.Wp


def _prescribed_balance(y: Prescribed, k: Constants) -> Matrix:
    return balance(y.weights, k)


def _decaying(quantity: Any) -> Any:
    return lambda y, k: -2 * k.eta * quantity(y, k)


def _prescribed() -> Space:
    W, Wp, Wa = WEIGHTS.y
    y = Prescribed(W, Wp, Wa, MatrixSymbol("V_a", *W.shape))
    return Space(y, WEIGHTS.k, _prescribed_instance, WEIGHTS.symmetric)


def _weights_instance(rng: Any) -> tuple[Weights, Constants]:
    """At eta ≤ 0.05, so that e^(2 eta t) magnifies the integrator's error by no more than e² until t = 20."""
    k = instances.constants(rng)
    return instances.weights(rng), k._replace(eta=k.eta / 2)


def _prescribed_instance(rng: Any) -> tuple[Prescribed, Constants]:
    y, k = _weights_instance(rng)
    Va = instances.weights(rng).W
    return Prescribed(y.W, y.Wp, y.Wa / 2, Va / 2), k


def _unequal_instance(rng: Any) -> tuple[Weights, Any]:
    k = instances.constants(rng)
    return instances.weights(rng), (k, k.eta, 0.3 * k.beta)


UNEQUAL = Space(WEIGHTS.y, (WEIGHTS.k, ETA_P, ETA_S), _unequal_instance, WEIGHTS.symmetric)

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B5": (
        Rate(WEIGHTS, weights_flow, balance, _decaying(balance)),
        Rate(WEIGHTS, simsiam(weights_flow), balance, _decaying(balance)),
        Rate(UNSYMMETRISED, unsymmetrised_flow, symmetric_balance, _decaying(symmetric_balance)),
    ),
    "B6": (Rate(_prescribed(), prescribed_flow, _prescribed_balance, _decaying(_prescribed_balance)),),
    "B7": (
        Rate(
            UNEQUAL,
            unequal_flow,
            lambda y, k: balance(y, k[0]),
            lambda y, k: -2 * k[2] * (y.W @ y.W.T) + 2 * k[1] / k[0].alpha_p * (y.Wp.T @ y.Wp),
        ),
    ),
    "B8": (
        Rate(
            SYMMETRIC,
            symmetric_flow,
            symmetric_balance,
            lambda y, k: -2 * k.eta * symmetric_balance(y, k) - k.kappa * double_commutator(y) / 2,
        ),
        Rate(
            SYMMETRIC,
            symmetric_flow,
            lambda y, k: trace(symmetric_balance(y, k)),
            lambda y, k: -2 * k.eta * trace(symmetric_balance(y, k)),
        ),
    ),
}


@functools.cache
def runs(seed: int) -> dict[str, Solved]:
    """Four flows of weights (d, n) = (4, 7) from a seed's random instances."""
    rng = np.random.default_rng([seed, 5])
    drawn = [_weights_instance(rng) for _ in range(3)]
    y, k = _unequal_instance(rng)
    return solve(
        {
            "BYOL": (weights_flow, *drawn[0]),
            "BYOL again": (weights_flow, *drawn[1]),
            "SimSiam": (simsiam(weights_flow), *drawn[2]),
            "prescribed target": (prescribed_flow, *_prescribed_instance(rng)),
            "unequal decays": (unequal_flow, y, (k[0], 0.05, 0.0)),
        }
    )


@claim(
    "B5",
    title="Theorem 1",
    statement="e^(2ηt) (W Wᵀ - Wpᵀ Wp/α_p) is constant, for BYOL and for SimSiam.",
    source="Theorem 1",
    kind="symbolic",
)
def theorem_1(run: Run) -> Verdict:
    found = runs(run.seed)
    drifts = {name: drift(found[name], balance, found[name].k.eta) for name in ("BYOL", "BYOL again", "SimSiam")}
    return proven(run, PROOFS["B5"], largest(drifts) < DRIFT, drifts=drifts)


@claim(
    "B6",
    title="Theorem 1 for any target",
    statement="Theorem 1 holds for any course Wa(t) of the target and any X and X_aug.",
    source="Theorem 1",
    kind="symbolic",
)
def any_target(run: Run) -> Verdict:
    solved = runs(run.seed)["prescribed target"]
    Wa, Va = solved.ys.Wa[0], solved.ys.Va[0]
    t = solved.ts[:, None, None]
    course = np.cos(t) * Wa + np.sin(t) * Va
    gap = relative_gap(solved.ys.Wa, course)
    found = drift(solved, _prescribed_balance, solved.k.eta)
    return proven(run, PROOFS["B6"], found < DRIFT and gap < DRIFT, drift=found, course_gap=gap)


@claim(
    "B7",
    title="Theorem 1 needs equal decays",
    statement="With η_p ≠ η_s it fails: d/dt (W Wᵀ - Wpᵀ Wp/α_p) = -2η_s W Wᵀ + (2η_p/α_p) Wpᵀ Wp.",
    source="beyond the paper",
    kind="symbolic",
)
def unequal_decays(run: Run) -> Verdict:
    solved = runs(run.seed)["unequal decays"]
    k, eta_p, eta_s = solved.k
    drifts = [drift(solved._replace(k=k), balance, eta) for eta in (eta_p, eta_s)]  # whichever decay is meant
    return proven(run, PROOFS["B7"], least(drifts) > 0.01, eta_p=eta_p, eta_s=eta_s, drift=least(drifts))


@claim(
    "B8",
    title="Theorem 1 breaks under symmetrisation",
    statement="Along Eq. 7 d/dt (F - Wp²/α_p) = -2η (F - Wp²/α_p) - ½κ [Wp, [Wp, F]]; only the trace keeps balance.",
    source="beyond the paper",
    kind="symbolic",
)
def symmetrisation(run: Run) -> Verdict:
    growth = [np.exp(2 * solved.k.eta * solved.ts)[:, None, None] for solved in theorem3.runs(run.seed)]
    C = np.stack([a * solved.map(symmetric_balance) for a, solved in zip(growth, theorem3.runs(run.seed), strict=True)])
    moved, size = C - C[:, :1], np.linalg.norm(C[:, 0], axis=(1, 2))
    whole = np.linalg.norm(moved, axis=(2, 3)).max(axis=1) / size
    of_trace = np.abs(np.trace(moved, axis1=2, axis2=3)).max(axis=1) / size  # a trace itself can be small by chance
    # The shortest drift is still millions of times the integrator's.
    good = whole.min() > 1e-3 and of_trace.max() < DRIFT
    return proven(run, PROOFS["B8"], good, drifts=whole.tolist(), drifts_of_the_trace=of_trace.tolist())
