"""Lemma 1: the flow is minus the gradient of BYOL's expected loss, which is derived from the loss of a sample."""

from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol, ZeroMatrix

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Constants, Matrix, Scalar, Weights, weights_flow
from linbyol.extremes import relative_gap
from theory.paper.theorem1 import runs
from theory.proving import instances
from theory.proving.prover import Descent, Equal, Space, Statement, proven, slopes, square, trace
from theory.proving.spaces import EXPLICIT, WEIGHTS


def pair_loss(y: Weights, x1: Matrix, x2: Matrix) -> Scalar:
    """Eq. 1 for one pair of views (n, 1): ½‖Wp W x1 - Wa x2‖², the target behind a stop-gradient."""
    return square(y.Wp @ y.W @ x1 - y.Wa @ x2) / 2


def expected_loss(y: Weights, k: Constants) -> Scalar:
    """Eq. 1: J = E of `pair_loss`, in the moments of the data."""
    W, Wp, Wa = y
    S = k.X + k.X_aug  # E x1 x1ᵀ
    return trace(Wp @ W @ S @ W.T @ Wp.T) / 2 - trace(Wp @ W @ k.X @ Wa.T) + trace(Wa @ S @ Wa.T) / 2


def encoder_loss(y: Weights, k: Constants) -> Scalar:
    """J with the decay of W: what W descends."""
    return expected_loss(y, k) + k.eta * square(y.W) / 2


def predictor_loss(y: Weights, k: Constants) -> Scalar:
    """alpha_p J with the decay of Wp, which is not multiplied by alpha_p: what Wp descends."""
    return k.alpha_p * expected_loss(y, k) + k.eta * square(y.Wp) / 2


def _sampled() -> tuple[Space, Matrix, Matrix]:
    """Views x1 = x̄ + e1, x2 = x̄ + e2: E x̄x̄ᵀ = X, E ee'ᵀ = X_aug for one view and 0 for two, E x̄eᵀ = 0."""
    n = WEIGHTS.k.X.shape[0]
    x, e1, e2 = (MatrixSymbol(name, n, 1) for name in ("x_mean", "e1", "e2"))
    none = ZeroMatrix(n, n)
    rules = {x @ x.T: WEIGHTS.k.X, e1 @ e1.T: WEIGHTS.k.X_aug, e2 @ e2.T: WEIGHTS.k.X_aug}
    rules |= {e1 @ e2.T: none, x @ e1.T: none, x @ e2.T: none}
    return Space(WEIGHTS.y, WEIGHTS.k, symmetric=WEIGHTS.symmetric, rules=rules), x + e1, x + e2


SAMPLES, X1, X2 = _sampled()
RATE = sp.Symbol("alpha", positive=True)  # step of stochastic gradient descent; γ_a = 1 - alpha beta

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B1": (
        Equal(SAMPLES, lambda y, k: pair_loss(y, X1, X2), expected_loss),
        Descent(WEIGHTS, weights_flow, "W", encoder_loss),
        Descent(WEIGHTS, weights_flow, "Wp", predictor_loss),
        Descent(EXPLICIT, weights_flow, "W", encoder_loss),
        Descent(EXPLICIT, weights_flow, "Wp", predictor_loss),
    ),
    "B2": (
        Equal(SAMPLES, lambda y, k: (y.W @ X1) @ (y.W @ X1).T, lambda y, k: y.W @ (k.X + k.X_aug) @ y.W.T),
        Equal(SAMPLES, lambda y, k: (y.W @ X1) @ (y.Wa @ X2).T, lambda y, k: y.W @ k.X @ y.Wa.T),
    ),
    "B3": (
        Equal(
            Space(WEIGHTS.y, WEIGHTS.k),
            lambda y, k: y.Wa + RATE * weights_flow(y, k).Wa,
            lambda y, k: (1 - RATE * k.beta) * y.Wa + RATE * k.beta * y.W,
        ),
    ),
    "B4": (
        Equal(SAMPLES, lambda y, k: (pair_loss(y, X1, X2) + pair_loss(y, X2, X1)) / 2, expected_loss),
    ),
}  # fmt: skip


def enumerated(
    rng: np.random.Generator, n: int = 7, points: int = 7, views: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A finite distribution: x (points, views, n), all equally likely, with its exact X and X_aug (n, n)."""
    drawn = rng.standard_normal((points, 1 + views, n))
    x = drawn[:, :1] + drawn[:, 1:] / 2
    mean = x.mean(axis=1)
    offset = x - mean[:, None]
    return x, mean.T @ mean / points, np.einsum("pvi,pvj->ij", offset, offset) / (points * views)


def over_pairs(f: Any, x: np.ndarray) -> Any:
    """The mean of f(x1, x2) over all points and all pairs of their views, x1, x2 (n, 1)."""
    pairs = [(a[:, None], b[:, None]) for views in x for a in views for b in views]
    return sum(f(*pair) for pair in pairs) / len(pairs)


# Sums over 112 pairs of numbers of order ten, each rounded at 1e-16.
ENUMERATED = 1e-13


@claim(
    "B1",
    title="Lemma 1: the flow is minus the gradient of the loss",
    statement="Eqs. 2-3 are Ẇ = -∂J/∂W - ηW and Ẇp = -α_p ∂J/∂Wp - ηWp, with the target behind a stop-gradient.",
    source="Lemma 1, Eqs. 2-3",
    kind="symbolic",
)
def lemma_1(run: Run) -> Verdict:
    gap = _enumerated_gap(np.random.default_rng([run.seed, 101]), pair_loss)
    return proven(run, PROOFS["B1"], gap < ENUMERATED, enumerated="7 points x 4 views", enumerated_gap=gap)


@claim(
    "B2",
    title="The moments of the features",
    statement="E f₁f₁ᵀ = W (X + X_aug) Wᵀ and E f₁f₂ₐᵀ = W X Waᵀ, for views that are independent given their sample.",
    source="Sec. 2",
    kind="symbolic",
)
def moments(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 102])
    x, X, X_aug = enumerated(rng)
    W, _, Wa = instances.weights(rng)
    same = over_pairs(lambda x1, x2: W @ x1 @ x1.T @ W.T, x)
    crossed = over_pairs(lambda x1, x2: W @ x1 @ x2.T @ Wa.T, x)
    gap = relative_gap(same, W @ (X + X_aug) @ W.T) + relative_gap(crossed, W @ X @ Wa.T)
    return proven(run, PROOFS["B2"], gap < ENUMERATED, enumerated="7 points x 4 views", enumerated_gap=gap)


@claim(
    "B3",
    title="Eq. 4: the moving average of the target",
    statement="Wa ← γ_a Wa + (1 - γ_a) W after each step α is Ẇa = β (W - Wa) with αβ = 1 - γ_a, up to O(α).",
    source="Eq. 4",
    kind="numeric",
)
def moving_average(run: Run) -> Verdict:
    solved = runs(run.seed)["BYOL"]
    y0, end = Weights(*(A[0] for A in solved.ys)), float(solved.ts[8])
    errors = [relative_gap(_trained(y0, solved.k, end / n, n).Wa, solved.ys.Wa[8]) for n in (400, 800, 1600)]
    orders = [float(np.log2(a / b)) for a, b in pairwise(errors)]
    # First order: the next term of the error moves the measured order by about one step size, less at each halving.
    good = abs(orders[-1] - 1) < 0.1 and abs(orders[-1] - 1) <= abs(orders[0] - 1) + 1e-3
    return proven(run, PROOFS["B3"], good, errors=errors, orders=orders)


@claim(
    "B4",
    title="The symmetrised loss",
    statement="¼ of both directions together has the expectation of Eq. 1, hence the same large-batch flow.",
    source="Appendix, remark",
    kind="symbolic",
)
def symmetrised_loss(run: Run) -> Verdict:
    both = lambda y, x1, x2: (pair_loss(y, x1, x2) + pair_loss(y, x2, x1)) / 2  # noqa: E731
    gap = _enumerated_gap(np.random.default_rng([run.seed, 104]), both)
    return proven(run, PROOFS["B4"], gap < ENUMERATED, enumerated="7 points x 4 views", enumerated_gap=gap)


def _enumerated_gap(rng: np.random.Generator, loss: Any) -> float:
    """How far the flow of W and Wp is from minus the gradient of the mean loss over an enumerated distribution."""
    x, X, X_aug = enumerated(rng)
    y, k = instances.weights(rng), instances.constants(rng, X=X, X_aug=X_aug, eta=0.0, alpha_p=1.0)
    mean = lambda y: over_pairs(lambda x1, x2: loss(y, x1, x2), x)  # noqa: E731
    by_W, by_Wp = slopes(lambda A: mean(y._replace(W=A)), y.W), slopes(lambda A: mean(y._replace(Wp=A)), y.Wp)
    rate = weights_flow(y, k)
    return relative_gap(rate.W, -by_W) + relative_gap(rate.Wp, -by_Wp)


def _trained(y: Weights, k: Constants, alpha: float, steps: int) -> Weights:
    """Gradient descent on W and Wp, then the moving average of the target, `steps` times."""
    gamma_a = 1 - alpha * k.beta
    for _ in range(steps):
        rate = weights_flow(y, k)
        W = y.W + alpha * rate.W
        y = Weights(W=W, Wp=y.Wp + alpha * rate.Wp, Wa=gamma_a * y.Wa + (1 - gamma_a) * W)
    return y
