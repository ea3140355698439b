"""Errata of the appendix: Theorem 1 without α_p⁻¹, and Theorem 2's H without η I."""

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Constants, Matrix, Weights, balance, weights_flow
from theory.paper import theorem1, theorem2
from theory.proving.prover import Rate, Statement, proven
from theory.proving.spaces import WEIGHTS


def printed_balance(y: Weights, k: Constants) -> Matrix:
    """W Wᵀ - Wpᵀ Wp, as the appendix states Theorem 1."""
    return balance(y, k._replace(alpha_p=1))


PRINTED: dict[str, Statement] = {
    "Theorem 1": Rate(WEIGHTS, weights_flow, printed_balance, lambda y, k: -2 * k.eta * printed_balance(y, k)),
    "Theorem 2": theorem2.PRINTED_COLLAPSE,
}


@claim(
    "B101",
    title="Erratum (c): the appendix' Theorems 1 and 2",
    statement="W Wᵀ = Wpᵀ Wp + e^(-2ηt) C for any α_p, or H = X_aug ⊗ (Wpᵀ Wp + I) + X ⊗ (Wp - I)ᵀ (Wp - I) for any η.",
    source="Appendix, Theorems 1 and 2",
    kind="symbolic",
    expected="fails",
)
def printed(run: Run) -> Verdict:
    found = {name: proven(run, (statement,)) for name, statement in PRINTED.items()}
    refused = {name: verdict.numbers["residual"] for name, verdict in found.items() if verdict.verdict == "fails"}
    gaps = {name: verdict.numbers["largest_gap"] for name, verdict in found.items()}
    return holds_if(len(refused) < len(PRINTED), dimensions="symbolic", residuals=refused, gaps=gaps)


@claim(
    "B101c",
    title="Erratum (c), corrected",
    statement="With α_p⁻¹ in Theorem 1 and η I in H both hold.",
    source="Theorems 1 and 2",
    kind="symbolic",
)
def corrected(run: Run) -> Verdict:
    return proven(run, (theorem1.PROOFS["B5"][0], theorem2.COLLAPSE))
