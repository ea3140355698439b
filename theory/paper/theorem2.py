"""Theorem 2: without stop-gradient Ẇ = -H W with H a sum of squares, so W collapses."""

import functools
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import (
    Constants,
    Matrix,
    Scalar,
    Weights,
    collapse_operator,
    identity,
    no_stop_gradient,
    weights_flow,
)
from linbyol.equations.combinators import no_predictor, simsiam
from linbyol.extremes import relative_gap
from theory.paper.lemma1 import encoder_loss, predictor_loss
from theory.proving import instances
from theory.proving.prover import Descent, Equal, Rate, Space, Statement, proven, square
from theory.proving.solves import BOUND, Solved, follow, solve
from theory.proving.spaces import WEIGHTS

LEAK = no_stop_gradient(weights_flow)  # the gradient leaks through the target
STILL = no_predictor(simsiam(weights_flow))  # Wp = I, stop-gradient kept
LEAK_STILL = no_predictor(no_stop_gradient(weights_flow))  # neither


class Factors(NamedTuple):
    """Moments as what they are: X = A Aᵀ, X_aug = lambda_0 I + B Bᵀ with lambda_0 its least eigenvalue."""

    lambda_0: Scalar
    A: Matrix  # (n, n)
    B: Matrix  # (n, n)

    def moments(self, k: Constants) -> Constants:
        """The constants with these moments."""
        return k._replace(X=self.A @ self.A.T, X_aug=self.lambda_0 * identity(self.A) + self.B @ self.B.T)


def collapse_form(y: Weights, k: Constants) -> Matrix:
    """H W of Theorem 2, with H whole as the paper has it: (Wpᵀ Wp + I) W X_aug + (Wp - I)ᵀ (Wp - I) W X + eta W."""
    return _printed_form(y, k) + k.eta * y.W


def _printed_form(y: Weights, k: Constants) -> Matrix:
    """The same without eta I, as the appendix prints H."""
    W, Wp, _ = y
    residual = Wp - identity(Wp)
    return (Wp.T @ Wp + identity(Wp)) @ W @ k.X_aug + residual.T @ residual @ W @ k.X


def _squares(y: Weights, k: tuple[Constants, Factors]) -> Scalar:
    """-d/dt ½‖W‖² = (lambda_0 + eta)‖W‖² + squares, so λ_min(H) ≥ λ_min(X_aug) + eta."""
    W, Wp, _ = y
    eta, (lambda_0, A, B) = k[0].eta, k[1]
    rest = square(Wp @ W @ B) + lambda_0 * square(Wp @ W) + square(W @ B) + square((Wp - identity(Wp)) @ W @ A)
    return (lambda_0 + eta) * square(W) + rest


def _factored() -> Space:
    n = WEIGHTS.k.X.shape[0]
    factors = Factors(sp.Symbol("lambda_0", nonnegative=True), MatrixSymbol("A", n, n), MatrixSymbol("B", n, n))
    return Space(WEIGHTS.y, (factors.moments(WEIGHTS.k), factors), _factored_instance)


def _factored_instance(rng: Any) -> tuple[Weights, Any]:
    k = instances.constants(rng)
    factors = Factors(k.beta, k.X, k.X_aug)  # any matrices will do as factors
    return instances.weights(rng), (factors.moments(k), factors)


def _along(loss: Any) -> Any:
    """A loss whose target is the encoder itself, as it is without stop-gradient."""
    return lambda y, k: loss(y._replace(Wa=y.W), k)


FACTORED = _factored()
PRINTED_COLLAPSE = Equal(WEIGHTS, lambda y, k: LEAK(y, k).W, lambda y, k: -_printed_form(y, k))
COLLAPSE = Equal(WEIGHTS, lambda y, k: LEAK(y, k).W, lambda y, k: -collapse_form(y, k))

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B11": (
        Descent(WEIGHTS, LEAK, "W", _along(encoder_loss)),
        Descent(WEIGHTS, simsiam(weights_flow), "Wp", _along(predictor_loss)),
        Equal(WEIGHTS, lambda y, k: LEAK(y, k).Wp, lambda y, k: simsiam(weights_flow)(y, k).Wp),
        COLLAPSE,
    ),
    "B13": (Rate(FACTORED, lambda y, k: LEAK(y, k[0]), lambda y, k: square(y.W) / 2, lambda y, k: -_squares(y, k)),),
}  # fmt: skip


@functools.cache
def runs(seed: int) -> dict[str, Solved]:
    """What collapses, from a seed's random instances, (d, n) = (4, 7); one X_aug has a null space."""
    rng = np.random.default_rng([seed, 11])
    y, k = [instances.weights(rng) for _ in range(4)], [instances.constants(rng) for _ in range(4)]
    k[3] = k[3]._replace(eta=0.0, X_aug=_projected(k[3].X_aug))
    flows = {"leak": LEAK, "leak, still": LEAK_STILL, "still": STILL, "still, null space": STILL}
    return solve({name: (flow, *start) for (name, flow), *start in zip(flows.items(), y, k, strict=True)})


def _projected(A: Any) -> Any:
    """A without its first two directions."""
    keep = np.arange(A.shape[0]) >= 2
    return np.where(keep[:, None] & keep[None, :], A, 0.0)


def _least(solved: Solved) -> np.ndarray:
    """λ_min(H) at each time."""
    return np.linalg.eigvalsh(solved.map(collapse_operator))[:, 0]


def norms(solved: Solved) -> np.ndarray:
    """‖W(t)‖."""
    return np.linalg.norm(solved.ys.W, axis=(1, 2))


@claim(
    "B11",
    title="Theorem 2: Ẇ = -H W",
    statement="Without stop-gradient, Wa = W: d vec(W)/dt = -H vec(W), "
    "H = X_aug ⊗ (Wpᵀ Wp + I) + X ⊗ (Wp - I)ᵀ (Wp - I) + η I; the gradient of Wp stays.",
    source="Theorem 2",
    kind="symbolic",
)
def theorem_2(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 110])
    y, k = instances.weights(rng), instances.constants(rng)
    gap = relative_gap(collapse_operator(y, k) @ y.W.T.reshape(-1), -LEAK(y, k).W.T.reshape(-1))
    # H vec(W) is a sum of 28 products an entry.
    return proven(run, PROOFS["B11"], gap < 1e-13, kronecker_gap=gap)


@functools.cache
def collapses(seed: int) -> list[dict[str, float]]:
    """Four random instances until e^(-λ t) is 1e-8 for λ = λ_min(X_aug) + eta: inf λ_min(H), the largest
    ‖W(t)‖ e^(λ₀t)/‖W(0)‖, and ‖W‖/‖W(0)‖ at the end. The second has eta = 0, the third an X_aug with a null space.
    """
    rng = np.random.default_rng([seed, 12])
    found = []
    for i in range(4):
        y0, k = instances.weights(rng), instances.constants(rng)
        k = k._replace(eta=[k.eta, 0.0, 0.08, k.eta][i], X_aug=_projected(k.X_aug) if i == 2 else k.X_aug)
        t1 = np.log(1e8) / (np.linalg.eigvalsh(k.X_aug)[0].clip(0) + k.eta)
        # an atol of 1e-13 leaves ‖W‖ at 1e-8 known to 1e-5; the bound is read where ‖W‖ is above 1e-3 of its start
        solved = follow(LEAK, y0, k, np.linspace(0, t1, 200), rtol=1e-11, atol=1e-13)
        least_H = _least(solved)
        size = norms(solved) / norms(solved)[0]
        seen = size > 1e-3
        ratio = (size * np.exp(least_H.min() * solved.ts))[seen].max()
        found.append({"lambda_0": least_H.min(), "ratio": ratio, "left": size[-1]})
    return found


@claim(
    "B12",
    title="Theorem 2: the bound",
    statement="‖W(t)‖ ≤ e^(-λ₀t) ‖W(0)‖ with λ₀ = inf λ_min(H): W collapses.",
    source="Theorem 2, Lemma 2",
    kind="numeric",
)
def collapse_bound(run: Run) -> Verdict:
    found = collapses(run.seed)
    lambda_0, ratio, left = (np.array([row[name] for row in found]) for name in ("lambda_0", "ratio", "left"))
    return holds_if(
        lambda_0.min() > 0 and ratio.max() <= BOUND and left.max() < 1e-7, lambda_0=lambda_0, ratio=ratio, left=left
    )


@claim(
    "B13",
    title="Theorem 2: its hypothesis is automatic",
    statement="-d/dt ½‖W‖² = (λ_min(X_aug) + η)‖W‖² + squares for every W and Wp, so λ_min(H) ≥ λ_min(X_aug) + η.",
    source="beyond the paper",
    kind="symbolic",
)
def automatic(run: Run) -> Verdict:
    solved = runs(run.seed)["leak"]
    floor = float(np.linalg.eigvalsh(solved.k.X_aug)[0] + solved.k.eta)
    least = float(_least(solved).min())
    # Eigenvalues of a 28 x 28 matrix of order one, to rounding.
    return proven(run, PROOFS["B13"], least >= floor - 1e-12, least_eigenvalue=least, floor=floor)
