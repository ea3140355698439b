"""Without stop-gradient: when everything collapses, and what survives where there are directions without noise."""

from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Constants, Weights, identity, no_stop_gradient, weights_flow
from linbyol.equations.no_loss import open_balance
from linbyol.extremes import every, largest
from theory.paper.lemma1 import expected_loss
from theory.proving import instances
from theory.proving.prover import Equal, Rate, Space, proven, square, trace
from theory.proving.solves import DRIFT, SAME, follow
from theory.proving.spaces import WEIGHTS

SOURCE = "Ponce et al. 2025, arXiv 2507.01028; derived"
FLOW = no_stop_gradient(weights_flow)
U = sp.MatrixSymbol("u", WEIGHTS.k.X.shape[0], 1)


def quiet(k: Constants) -> Constants:
    """No noise and no decay."""
    return k._replace(X_aug=0 * k.X_aug, eta=0 * k.eta)


def summed_squares(y: Weights, k: Constants) -> Any:
    """½tr[(Wp - I)WXWᵀ(Wp - I)ᵀ] + ½tr[WpWX_augWᵀWpᵀ] + ½tr[WX_augWᵀ]: zero with W ≠ 0 needs W X_aug = 0."""
    W, Wp = y.W, y.Wp
    rest = Wp - identity(Wp)
    parts = rest @ W @ k.X @ W.T @ rest.T, Wp @ W @ k.X_aug @ W.T @ Wp.T, W @ k.X_aug @ W.T
    return sum(trace(part) for part in parts) / 2


def _scalar_end(y: Weights, k: Constants) -> Any:
    """w² at p = 1 on the line of the invariant."""
    return open_balance(y._replace(Wp=identity(y.Wp)), k)


PROOFS = {
    "M30": (
        Equal(WEIGHTS, lambda y, k: expected_loss(y._replace(Wa=y.W), k), summed_squares),
        Rate(WEIGHTS, lambda y, k: FLOW(y, quiet(k)), open_balance, lambda y, k: 0 * y.Wp),
        Equal(WEIGHTS, _scalar_end, lambda y, k: y.W @ y.W.T),
        # where X_aug u = 0 the flow along u is that without noise
        Equal(
            Space(WEIGHTS.y, WEIGHTS.k, None, WEIGHTS.symmetric, {WEIGHTS.k.X_aug @ U: sp.ZeroMatrix(*U.shape)}),
            lambda y, k: FLOW(y, k._replace(eta=0)).W @ U, lambda y, k: FLOW(y, quiet(k)).W @ U,
        ),
    )
}  # fmt: skip


def scalar_ends(rng: np.random.Generator, count: int = 12) -> tuple[bool, float]:
    """Whether scalars, on diagonals, survive exactly where they should, and the largest error of the w² left."""
    alpha_p, p0, x = (
        rng.uniform(0.4, 2.0),
        1 + rng.uniform(0.4, 1, count) * np.resize([1, -1], count),
        rng.uniform(0.5, 1.5, count),
    )
    edge = (1 - p0) ** 2 / alpha_p
    w2 = edge * np.where(np.arange(count) % 4 < 2, rng.uniform(1.1, 3, count), rng.uniform(0.1, 0.9, count))
    W, none = np.diag(np.sqrt(w2)), np.zeros((count, count))
    y = follow(FLOW, Weights(W, np.diag(p0), W), Constants(alpha_p, 0.0, 0.0, np.diag(x), none), [0.0, 1000.0]).ys
    left = np.diagonal(y.W[-1]) ** 2
    return every((left > 1e-3 * w2) == (w2 > edge)), largest(np.abs(left - np.maximum(w2 - edge, 0)))


@claim(
    "M30",
    title="Without stop-gradient, what survives",
    statement="J is a sum of squares, and zero with W ≠ 0 needs W X_aug = 0. At X_aug = 0, η = 0 the flow without "
    "stop-gradient conserves W Wᵀ - (I - W_p)ᵀ(I - W_p)/α_p; a scalar survives iff α_p w₀² > (1 - p₀)², with w² → "
    "w₀² - (1 - p₀)²/α_p. Where X_aug is singular, features on its null space survive with J → 0, and the others die.",
    source=SOURCE,
    kind="numeric",
)
def survivors(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 30])
    agree, error = scalar_ends(rng)
    n, u = 4, np.linalg.qr(rng.standard_normal((4, 4)))[0][:, 0]
    k = instances.constants(rng, n=n, eta=0.0)
    P = np.eye(n) - np.outer(u, u)
    k = k._replace(X_aug=P @ k.X_aug @ P, X=k.X)
    W = 0.8 * rng.standard_normal((2, n)) + np.outer([1.0, -0.6], u)
    solved = follow(FLOW, Weights(W, np.eye(2), W), k, [0.0, 600.0], rtol=1e-8, atol=1e-10)
    end = Weights(*(leaf[-1] for leaf in solved.ys))
    J = float(expected_loss(end._replace(Wa=end.W), k))
    alive, dead = float(np.linalg.norm(end.W @ u)), largest(np.abs(end.W @ P))
    free = quiet(instances.constants(rng, n=n))
    moved = follow(FLOW, instances.weights(rng, d=3, n=n, scale=0.6), free)
    drift = largest(np.abs(moved.map(open_balance) - moved.map(open_balance)[:1]))
    return proven(
        run,
        PROOFS["M30"],
        agree and error < SAME and drift < DRIFT and alive > 0.1 and largest(dead, J) < 1e-4,
        scalars_survive_where_they_should=agree,
        error_of_the_scalars_end=error,
        drift_of_the_invariant=drift,
        norm_on_the_null_space=alive,
        largest_entry_beside_it=dead,
        loss_left=J,
        norm_at_the_start=float(np.sqrt(square(W))),
    )
