"""The stability of the modes' fixed points, read off the flow's own Jacobian."""

import cmath
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.extremes import every, largest
from theory.paper.fixed_points import (
    ALPHA_P,
    BETA,
    ETA,
    KAPPA,
    P_ANY,
    ROOTS,
    TAU,
    K,
    P,
    S,
    drawn,
    on_parabola,
    p_minus,
    p_plus,
)
from theory.proving.prover import Equal, Statement, proven, slope

LAMBDA = sp.Symbol("lambda")  # an eigenvalue, as the unknown of a characteristic polynomial
TAU_ANY = sp.Symbol("tau", real=True)
EIGENVALUES = 1e-12  # of 2 x 2 and 3 x 3 matrices of order one whose eigenvalues lie apart


def characteristic(y: Modes, k: Isotropic, *, ema: bool) -> sp.Expr:
    """det(lambda I - J) of `modes_flow` in (p, s), tau held, or in (p, s, tau)."""
    names = Modes._fields if ema else ("p", "s")
    symbols = Modes(P_ANY, S, TAU_ANY)
    rate = modes_flow(symbols, k)
    rows = [getattr(rate, name) for name in names]
    jacobian = sp.Matrix(rows).jacobian([getattr(symbols, name) for name in names])
    at = jacobian.subs(dict(zip(symbols, y, strict=True)), simultaneous=True)
    return (LAMBDA * sp.eye(len(names)) - at).det()


def _at_rest(tau: Any) -> Isotropic:
    """The constants for which p is a fixed point on the parabola: eta = p (tau - κ p), a polynomial and no root."""
    return K._replace(eta=P * (tau - KAPPA * P), tau=tau)


def _characteristic_of(
    y: Callable[[Isotropic], Modes], k: Isotropic, *, ema: bool = False
) -> Callable[[Any, Any], Any]:
    return lambda _, __: characteristic(y(k), k, ema=ema)


ORIGIN, UNDECAYED, WITH_EMA = K, K._replace(eta=sp.Integer(0)), _at_rest(sp.Integer(1))
PROOFS: dict[str, tuple[Statement, ...]] = {
    "B40": (
        Equal(
            ROOTS,
            _characteristic_of(lambda k: on_parabola(P, k), _at_rest(TAU)),
            lambda _, __: (LAMBDA - (2 * P * (TAU - KAPPA * P) - TAU * P)) * (LAMBDA + 2 * P * (TAU - KAPPA * P)),
        ),
        Equal(
            ROOTS,
            _characteristic_of(lambda k: Modes(0, 0, TAU), ORIGIN),
            lambda _, __: (LAMBDA + ETA) * (LAMBDA + 2 * ETA),
        ),
    ),
    "B41": (
        Equal(
            ROOTS,
            _characteristic_of(lambda k: on_parabola(P, k), WITH_EMA, ema=True),
            lambda _, __: (
                (LAMBDA + 2 * WITH_EMA.eta)
                * (LAMBDA**2 - (2 * WITH_EMA.eta - 2 * P - BETA) * LAMBDA + BETA * (P - 2 * WITH_EMA.eta))
            ),
        ),
    ),
    "B140": (
        Equal(
            ROOTS,
            _characteristic_of(lambda k: Modes(P, 0, TAU), UNDECAYED),
            lambda _, __: LAMBDA * (LAMBDA - 2 * P * (TAU - KAPPA * P)),
        ),
        Equal(
            ROOTS,
            _characteristic_of(lambda k: Modes(TAU / KAPPA, S, TAU), UNDECAYED),
            lambda _, __: LAMBDA * (LAMBDA + ALPHA_P * KAPPA * S),
        ),
    ),
}


def _eigenvalues(y: Modes, k: Isotropic, *, ema: bool) -> np.ndarray:
    """Of the Jacobian, or of its block in (p, s), tau held."""
    J = np.transpose([slope(lambda a: np.array(modes_flow(Modes(*a), k)), np.array(y), unit) for unit in np.eye(3)])
    return np.linalg.eigvals(J if ema else J[:2, :2])


def _spectrum_gap(y: Modes, k: Isotropic, expected: list[Any], *, ema: bool = False) -> float:
    """The largest distance of an eigenvalue from the expected ones, both sorted by real part, then imaginary part."""
    found = _eigenvalues(y, k, ema=ema)
    return float(np.abs(np.sort_complex(found) - np.sort_complex(np.array(expected, complex))).max())


@claim(
    "B40",
    title="Stability of the fixed points",
    statement="In (p, s) the eigenvalues at (p±, p±²/α_p) are 2η - τp± (along the parabola) and -2η; at 0, -η and -2η.",
    source="beyond the paper",
    kind="symbolic",
)
def stability(run: Run) -> Verdict:
    k = drawn(run, 40)
    gaps = [_spectrum_gap(on_parabola(p, k), k, [2 * k.eta - k.tau * p, -2 * k.eta]) for p in (p_minus(k), p_plus(k))]
    gaps.append(_spectrum_gap(Modes(0.0, 0.0, k.tau), k, [-k.eta, -2 * k.eta]))
    return proven(run, PROOFS["B40"], largest(gaps) < EIGENVALUES, eigenvalue_gap=largest(gaps))


@claim(
    "B41",
    title="EMA leaves the stability as it is",
    statement="At τ = 1 the (p, τ) block has det = β (p - 2η), trace = 2η - 2p - β: stable exactly where 2η - p < 0.",
    source="beyond the paper",
    kind="symbolic",
)
def stability_with_ema(run: Run) -> Verdict:
    k = drawn(run, 41)
    k = k._replace(eta=k.eta / k.tau**2, tau=1.0)  # the same share of the threshold at tau = 1
    gaps, same = [], []
    for p in (p_minus(k), p_plus(k)):
        trace, det = 2 * k.eta - 2 * p - k.beta, k.beta * (p - 2 * k.eta)
        split = cmath.sqrt(trace * trace / 4 - det)
        expected = [trace / 2 + split, trace / 2 - split, -2 * k.eta]
        gaps.append(_spectrum_gap(on_parabola(p, k), k, expected, ema=True))
        without = _eigenvalues(on_parabola(p, k), k, ema=False).real.max()
        same.append(bool((largest(complex(e).real for e in expected) < 0) == (without < 0)))
    # Where det > 0 and p > 0, 2η < p, so the trace is negative as well: -p - β at most.
    sign = sp.expand((2 * ETA - 2 * P - BETA).subs(ETA, P / 2 - S)).is_negative is True
    return proven(
        run, PROOFS["B41"], largest(gaps) < EIGENVALUES and every(same) and sign, eigenvalue_gap=largest(gaps)
    )


@claim(
    "B140",
    title="Stability of both branches at η = 0",
    statement="At η = 0: along s = 0 the rates are 2p(τ - κp) and 0, along p = τ/κ they are -α_p κ s and 0.",
    source="beyond the paper",
    kind="symbolic",
)
def branches(run: Run) -> Verdict:
    k = drawn(run, 140, eta=0.0)
    p, s = 0.3 * k.tau / k.kappa, 0.2 + k.beta
    gaps = [
        _spectrum_gap(Modes(p, 0.0, k.tau), k, [2 * p * (k.tau - k.kappa * p), 0.0]),
        _spectrum_gap(Modes(k.tau / k.kappa, s, k.tau), k, [-k.alpha_p * k.kappa * s, 0.0]),
    ]
    return proven(run, PROOFS["B140"], largest(gaps) < EIGENVALUES, eigenvalue_gap=largest(gaps))
