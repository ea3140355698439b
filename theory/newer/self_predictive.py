"""Self-predictive reinforcement learning (Tang et al. 2022): what its flow keeps, raises, and is attracted to."""

from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import Identity, MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Constants, Matrix, Weights, weights_flow
from linbyol.equations.self_predictive import (
    Frame,
    Markov,
    best_predictor,
    frame_flow,
    gram,
    normal_equation,
    self_predictive_flow,
)
from theory.proving.instances import orthogonal
from theory.proving.prover import Equal, Rate, Space, Statement, proven, square, trace
from theory.proving.solves import DRIFT, follow

STATES, FEATURES = 6, 3
FRAMES = 2000  # it falls on some in a hundred
EIGENVALUES = (0.9, 0.5, -0.8, 0.3)
n, d = sp.symbols("n d", integer=True, positive=True)


def _drawn(rng: np.random.Generator) -> tuple[Frame, Markov]:
    """Any features and weights, with the best predictor; T a random chain."""
    T = rng.uniform(size=(STATES, STATES))
    k = Markov(T / T.sum(axis=1, keepdims=True), np.diag(rng.uniform(0.2, 1.0, STATES)))
    return best_predictor(Frame(rng.standard_normal((STATES, FEATURES)), np.eye(FEATURES)), k), k


def _any_frame(rng: np.random.Generator) -> tuple[Frame, Markov]:
    y, k = _drawn(rng)
    return y._replace(P=rng.standard_normal((FEATURES, FEATURES))), k


def _best() -> Space:
    """Features with the best predictor: Φᵀ D Φ P is Φᵀ D T Φ."""
    y = Frame(MatrixSymbol("Phi", n, d), MatrixSymbol("P", d, d))
    k = Markov(MatrixSymbol("T", n, n), MatrixSymbol("D", n, n))
    return Space(y, k, _drawn, (k.D,), {y.Phi.T @ k.D @ y.Phi @ y.P: y.Phi.T @ k.D @ k.T @ y.Phi})


BEST = _best()
ANY = Space(BEST.y, BEST.k, _any_frame, BEST.symmetric)
ORTHONORMAL = Space(
    Frame(BEST.y.Phi, BEST.y.Phi.T @ BEST.k.T @ BEST.y.Phi), Markov(BEST.k.T, Identity(n)), None, (),
    {BEST.y.Phi.T @ BEST.y.Phi: Identity(d)},
)  # fmt: skip
SYMMETRIC = Space(ORTHONORMAL.y, ORTHONORMAL.k, None, (BEST.k.T,), ORTHONORMAL.rules)


def recalled(y: Frame, k: Markov) -> Matrix:
    """(I - ΦΦᵀ) T Φ (ΦᵀTΦ)ᵀ, the flow as it is recalled from the paper."""
    P = y.Phi.T @ k.T @ y.Phi
    return (k.T @ y.Phi - y.Phi @ P) @ P.T


def lemma_1(y: Frame, k: Markov) -> Matrix:
    """Lemma 1's Ẇᵀ for SimSiam with W = Φᵀ, Wp = Pᵀ, X = Tᵀ D, X + X_aug = D."""
    X = k.T.T @ k.D
    moments = Constants(alpha_p=1, beta=0, eta=0, X=X, X_aug=k.D - X)
    return weights_flow(Weights(W=y.Phi.T, Wp=y.P.T, Wa=y.Phi.T), moments).W.T


def objective_rate(y: Frame, k: Markov) -> Any:
    """d/dt ½ ‖ΦᵀTΦ‖² along the flow: tr(Ṗ Pᵀ) with Ṗ = Φ̇ᵀTΦ + ΦᵀTΦ̇."""
    rate = frame_flow(y, k).Phi
    return trace((rate.T @ k.T @ y.Phi + y.Phi.T @ k.T @ rate) @ (y.Phi.T @ k.T @ y.Phi).T)


PROOFS: dict[str, tuple[Statement, ...]] = {
    "M38": (
        Rate(BEST, frame_flow, gram, lambda y, k: 0 * gram(y, k)),
        Equal(BEST, normal_equation, lambda y, k: 0 * y.P),
        Equal(ANY, lambda y, k: frame_flow(y, k).Phi, lemma_1),
        Equal(ORTHONORMAL, lambda y, k: frame_flow(y, k).Phi, recalled),
    ),
    "M39": (Equal(SYMMETRIC, objective_rate, lambda y, k: 2 * square(frame_flow(y, k).Phi.T)),),
}


def falls(rng: np.random.Generator, symmetric: bool) -> int:
    """On how many random orthonormal frames, each with a Gaussian T, ½ ‖ΦᵀTΦ‖² falls."""
    count = 0
    for _ in range(FRAMES):
        T = rng.standard_normal((STATES, STATES))
        k = Markov((T + T.T) / 2 if symmetric else T, np.eye(STATES))
        y = best_predictor(Frame(orthogonal(rng, STATES)[:, :FEATURES], np.eye(FEATURES)), k)
        count += int(objective_rate(y, k) < 0)
    return count


def attracts(rng: np.random.Generator, eigenvalues: Any, used: list[int]) -> bool:
    """Whether the eigenspace of a symmetric T draws a slightly turned frame back."""
    Q = orthogonal(rng, len(eigenvalues))
    k = Markov((Q * np.asarray(eigenvalues)) @ Q.T, np.eye(len(Q)))
    turned = np.linalg.qr(Q[:, used] + 1e-3 * rng.standard_normal((len(Q), len(used))))[0]
    end = follow(self_predictive_flow, Frame(turned, np.eye(len(used))), k, [0.0, 400.0]).ys.Phi[-1]
    away = lambda Phi: np.linalg.norm(Phi - Q[:, used] @ (Q[:, used].T @ Phi))  # noqa: E731
    return bool(away(end) < away(turned) / 100)


@claim(
    "M38",
    title="Self-predictive features keep their Gram matrix",
    statement="Φ̇ = D(TΦ - ΦP)Pᵀ with P = (ΦᵀDΦ)⁻¹ΦᵀDTΦ is Lemma 1's Ẇ with X = TᵀD, which need not be symmetric, and "
    "conserves ΦᵀΦ for any T and D; at D = I and ΦᵀΦ = I it is (I - ΦΦᵀ)TΦ(ΦᵀTΦ)ᵀ.",
    source="arXiv 2212.03319 (recalled), derived",
    kind="symbolic",
)
def keeps_its_gram_matrix(run: Run) -> Verdict:
    y, k = _drawn(np.random.default_rng([run.seed, 1038]))
    G = follow(self_predictive_flow, y, k).map(gram)
    drift = float(np.abs(G - G[0]).max() / np.abs(G[0]).max())
    return proven(run, PROOFS["M38"], drift < DRIFT, drift=drift)


@claim(
    "M39",
    title="What self-predictive features climb, and where they end",
    statement="For symmetric T, D = I: d/dt ½‖ΦᵀTΦ‖² = 2‖Φ̇‖²; for other T it can fall. Eigenspaces attract if and "
    "only if λ_iλ_j < λ_i² for used i, unused j: at λ = (0.9, 0.5, -0.8, 0.3) and one feature yes, no, yes, no; for "
    "T ⪰ 0 the top ones alone.",
    source="arXiv 2212.03319 (recalled), derived",
    kind="numeric",
)
def climbs(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1039])
    one = [attracts(rng, EIGENVALUES, [i]) for i in range(4)]
    positive = np.abs(EIGENVALUES)
    pairs = {f"{i}{j}": attracts(rng, positive, [i, j]) for i in range(4) for j in range(i)}
    top = [name for name, found in pairs.items() if found]
    signs = {symmetric: falls(rng, symmetric) for symmetric in (True, False)}
    return proven(
        run,
        PROOFS["M39"],
        one == [True, False, True, False] and top == ["20"] and signs[True] == 0 and signs[False] > 0,
        attracting=[float(x) for x in one],
        attracting_pairs_of_a_positive_chain=top,
        falls_of_symmetric_chains=signs[True],
        falls_of_other_chains=signs[False],
        frames=FRAMES,
    )
