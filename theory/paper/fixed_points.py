"""The fixed points of the modes, solved from the flow itself."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Isotropic, Modes, modes_flow, parabola_flow
from linbyol.extremes import every, largest
from theory.proving import instances
from theory.proving.prover import Equal, Space, Statement, proven

KAPPA, TAU, ETA, ALPHA_P, BETA, P, S = sp.symbols("kappa tau eta alpha_p beta p s", positive=True)
LAMBDA = sp.Symbol("lambda")  # an eigenvalue, as the unknown of a characteristic polynomial
K = Isotropic(alpha_p=ALPHA_P, beta=BETA, eta=ETA, sigma2=KAPPA - 1, tau=TAU)
EXAMPLE = {KAPPA: sp.Rational(3, 2), TAU: 1, ETA: sp.Rational(1, 20)}
PRINTED = (0.054446658, 0.612220009)  # p₋, p₊ there, computed independently to nine decimals


def on_parabola(p: Any, k: Isotropic) -> Modes:
    """The mode (p, p²/alpha_p) with the target's ratio k.tau."""
    return Modes(p, p * p / k.alpha_p, k.tau)


def solved() -> list[sp.Expr]:
    """The roots of ṗ = 0 on the parabola, from `modes_flow`: 0, p₋, p₊."""
    roots = sp.solve(modes_flow(on_parabola(P_ANY, K), K).p, P_ANY)
    return sorted(roots, key=lambda root: float(root.subs(EXAMPLE)))


def p_zero(k: Isotropic) -> Any:
    """The collapsed fixed point."""
    return 0


def p_minus(k: Isotropic) -> Any:
    """p₋ as the paper writes it."""
    return (k.tau - _discriminant(k)) / (2 * k.kappa)


def p_plus(k: Isotropic) -> Any:
    """p₊ as the paper writes it."""
    return (k.tau + _discriminant(k)) / (2 * k.kappa)


def _discriminant(k: Isotropic) -> Any:
    root = sp.sqrt if isinstance(k.eta, sp.Expr) else math.sqrt if isinstance(k.eta, float) else np.sqrt
    return root(k.tau * k.tau - 4 * k.eta * k.kappa)


def survivor(rng: Any) -> tuple[Any, Isotropic]:
    """Constants below the threshold, so that all roots are real, and a state p of either sign."""
    k = instances.isotropic(rng)
    k = k._replace(eta=rng.uniform(0.1, 0.9) * k.tau * k.tau / (4 * k.kappa))
    return instances.modes(rng).p, k


def _root(i: int, printed: Callable[[Isotropic], Any]) -> Equal:
    return Equal(ROOTS, lambda _, k: solved()[i], lambda _, k: printed(k))


P_ANY = sp.Symbol("p", real=True)
MODE = Space(P_ANY, K, survivor)
ROOTS = Space(P_ANY, K)

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B35": (_root(0, p_zero), _root(1, p_minus), _root(2, p_plus)),
    "B38": (
        Equal(MODE, parabola_flow, lambda p, k: -k.kappa * p * (p - p_minus(k)) * (p - p_plus(k))),
        Equal(
            MODE,
            lambda p, k: modes_flow(on_parabola(p, k), k).p,
            lambda p, k: -k.kappa * p * (p - p_minus(k)) * (p - p_plus(k)),
        ),
    ),
}
PRINTED_FACTORS = Equal(MODE, parabola_flow, lambda p, k: -p * (p - p_minus(k)) * (p - p_plus(k)))


def drawn(run: Run, number: int, **given: Any) -> Isotropic:
    """Random constants below the threshold, other for each claim's number."""
    k = survivor(np.random.default_rng([run.seed, number]))[1]
    return Isotropic(*map(float, k))._replace(**given)


@claim(
    "B35",
    title="The fixed points p±",
    statement="The fixed points on the parabola are 0 and p± = (τ ± √(τ² - 4ηκ))/(2κ), solved from the flow.",
    source="Sec. 3",
    kind="symbolic",
)
def fixed_points(run: Run) -> Verdict:
    found = [float(root.subs(EXAMPLE)) for root in solved()]
    # They are rounded at the ninth decimal.
    good = len(found) == 3 and every(abs(a - b) < 5e-10 for a, b in zip(found[1:], PRINTED, strict=True))
    k = drawn(run, 35)
    rest = largest(abs(parabola_flow(p, k)) for p in (p_minus(k), p_plus(k)))
    return proven(run, PROOFS["B35"], good and rest < 1e-15, sigma2=0.5, eta=0.05, p_minus=found[1], p_plus=found[2])


@claim(
    "B38",
    title="ṗ on the parabola, factored",
    statement="ṗ = -κ p (p - p₋)(p - p₊).",
    source="Fig. 4, corrected",
    kind="symbolic",
)
def factored(run: Run) -> Verdict:
    return proven(run, PROOFS["B38"])


@claim(
    "B103",
    title="Erratum (e): κ missing in Fig. 4",
    statement="ṗ = -p (p - p₋)(p - p₊), as Fig. 4 has it.",
    source="Fig. 4",
    kind="symbolic",
    expected="fails",
)
def printed_factors(run: Run) -> Verdict:
    return proven(run, (PRINTED_FACTORS,))


@claim(
    "B103c",
    title="Erratum (e), corrected",
    statement="Fig. 4 with the factor κ, ṗ = -κ p (p - p₋)(p - p₊), and without it where κ = 1.",
    source="Fig. 4, corrected",
    kind="symbolic",
)
def corrected_factors(run: Run) -> Verdict:
    noiseless = Space(P_ANY, K._replace(sigma2=sp.Integer(0)))
    return proven(run, (*PROOFS["B38"], Equal(noiseless, PRINTED_FACTORS.left, PRINTED_FACTORS.right)))


@claim(
    "B39",
    title="How p₋ moves",
    statement="p₋ falls with τ and rises with η: ∂p₋/∂τ < 0 < ∂p₋/∂η below the threshold.",
    source="Appendix B.2",
    kind="symbolic",
)
def monotonic(run: Run) -> Verdict:
    root, excess = sp.symbols("r q", positive=True)
    # Below the threshold τ² - 4ηκ = r² with 0 < r < τ, so τ = r + q with q > 0.
    inside = {ETA: (TAU**2 - root**2) / (4 * KAPPA)}
    slopes = [sp.simplify(sp.diff(solved()[1], c).subs(inside).subs(TAU, root + excess)) for c in (TAU, ETA)]
    k = drawn(run, 39)
    more_tau, more_eta = k._replace(tau=1.01 * k.tau), k._replace(eta=1.01 * k.eta)  # still below the threshold
    good = slopes[0].is_negative is slopes[1].is_positive is True and p_minus(more_tau) < p_minus(k) < p_minus(more_eta)
    return proven(run, (), good, dimensions="symbolic", by_tau=str(slopes[0]), by_eta=str(slopes[1]))
