"""Theorem 2: without stop-gradient W collapses, Ẇ = -H W with H a sum of squares; and the same without predictor."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import sympy as sp
from sympy.matrices.exceptions import ShapeError
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.combinators import no_predictor, simsiam
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
from theory import instances
from theory.lemma1 import encoder_loss, predictor_loss
from theory.prover import Descent, Equal, Rate, Space, proven, square
from theory.solves import RTOL, Solved, largest, solve
from theory.spaces import EXPLICIT, WEIGHTS

LEAK = no_stop_gradient(weights_flow)  # the gradient leaks through the target
STILL = no_predictor(simsiam(weights_flow))  # Wp = I, stop-gradient kept
LEAK_STILL = no_predictor(no_stop_gradient(weights_flow))  # neither
BOUND = 1 + 1e-9  # of a ratio to a proven bound: ten times the integrator's rtol


class Factored(NamedTuple):
    """Moments as what they are: X = A Aᵀ, X_aug = lambda_0 I + B Bᵀ with lambda_0 its least eigenvalue."""

    alpha_p: Scalar
    beta: Scalar
    eta: Scalar
    lambda_0: Scalar
    A: Matrix  # (n, n)
    B: Matrix  # (n, n)

    @property
    def X(self) -> Matrix:
        """(n, n)."""
        return self.A @ self.A.T

    @property
    def X_aug(self) -> Matrix:
        """(n, n)."""
        return self.lambda_0 * identity(self.A) + self.B @ self.B.T


def collapse_form(y: Weights, k: Constants) -> Matrix:
    """H W of Theorem 2, with H whole as the paper has it: (Wpᵀ Wp + I) W X_aug + (Wp - I)ᵀ (Wp - I) W X + eta W."""
    return _printed_form(y, k) + k.eta * y.W


def _printed_form(y: Weights, k: Constants) -> Matrix:
    """The same without eta I, as the appendix prints H."""
    W, Wp, _ = y
    residual = Wp - identity(Wp)
    return (Wp.T @ Wp + identity(Wp)) @ W @ k.X_aug + residual.T @ residual @ W @ k.X


def _squares(y: Weights, k: Factored) -> Scalar:
    """-d/dt ½‖W‖² = (lambda_0 + eta)‖W‖² + squares, so λ_min(H) ≥ λ_min(X_aug) + eta."""
    W, Wp, _ = y
    rest = square(Wp @ W @ k.B) + k.lambda_0 * square(Wp @ W) + square(W @ k.B) + square((Wp - identity(Wp)) @ W @ k.A)
    return (k.lambda_0 + k.eta) * square(W) + rest


def _factored() -> Space:
    k, n = WEIGHTS.k, WEIGHTS.k.X.shape[0]
    lambda_0 = sp.Symbol("lambda_0", nonnegative=True)
    symbols = Factored(k.alpha_p, k.beta, k.eta, lambda_0, MatrixSymbol("A", n, n), MatrixSymbol("B", n, n))
    return Space(WEIGHTS.y, symbols, _factored_instance)


def _factored_instance(key: Any) -> tuple[Weights, Factored]:
    k = instances.constants(key)
    return instances.weights(key), Factored(k.alpha_p, k.beta, k.eta, k.beta, k.X, k.X_aug)


def _square_encoder() -> Space:
    """d = n, where the printed order of Ẇ = -(X_aug + eta I) W at least makes sense."""
    n = WEIGHTS.k.X.shape[0]
    y = Weights(*(MatrixSymbol(name, n, n) for name in ("W", "Wp", "Wa")))
    return Space(y, WEIGHTS.k, _square_instance, WEIGHTS.symmetric)


def _square_instance(key: Any) -> tuple[Weights, Constants]:
    return instances.weights(key, d=7), instances.constants(jax.random.fold_in(key, 1))


def _along(loss: Any) -> Any:
    """A loss whose target is the encoder itself, as it is without stop-gradient."""
    return lambda y, k: loss(y._replace(Wa=y.W), k)


def _printed_order(y: Weights, k: Constants) -> Matrix:
    """-(X_aug + eta I) W, the order the paper prints."""
    return -(k.X_aug + k.eta * identity(k.X_aug)) @ y.W


FACTORED, SQUARE = _factored(), _square_encoder()
NO_PREDICTOR = Equal(WEIGHTS, lambda y, k: STILL(y, k).W, lambda y, k: -y.W @ (k.X_aug + k.eta * identity(k.X_aug)))
PRINTED_ORDER = Equal(SQUARE, lambda y, k: STILL(y, k).W, _printed_order)
PRINTED_COLLAPSE = Equal(WEIGHTS, lambda y, k: LEAK(y, k).W, lambda y, k: -_printed_form(y, k))
COLLAPSE = Equal(WEIGHTS, lambda y, k: LEAK(y, k).W, lambda y, k: -collapse_form(y, k))

PROOFS = {
    "B11": (
        Descent(WEIGHTS, LEAK, "W", _along(encoder_loss)),
        Descent(WEIGHTS, simsiam(weights_flow), "Wp", _along(predictor_loss)),
        Equal(WEIGHTS, lambda y, k: LEAK(y, k).Wp, lambda y, k: simsiam(weights_flow)(y, k).Wp),
        COLLAPSE,
    ),
    "B13": (Rate(FACTORED, LEAK, lambda y, k: square(y.W) / 2, lambda y, k: -_squares(y, k)),),
    "B100c": (NO_PREDICTOR,),
    "B144": (
        Equal(
            WEIGHTS, lambda y, k: LEAK_STILL(y, k).W, lambda y, k: -y.W @ (2 * k.X_aug + k.eta * identity(k.X_aug))
        ),
    ),
}  # fmt: skip


@functools.cache
def runs(seed: int) -> dict[str, Solved]:
    """The three flows from a seed's random instances, (d, n) = (4, 7), and one whose X_aug has a null space."""
    key = jax.random.fold_in(jax.random.key(seed), 11)
    y = [instances.weights(jax.random.fold_in(key, i)) for i in range(4)]
    k = [instances.constants(jax.random.fold_in(key, 10 + i)) for i in range(4)]
    k[3] = k[3]._replace(eta=0.0, X_aug=_projected(k[3].X_aug))
    flows = {"leak": LEAK, "still": STILL, "leak, still": LEAK_STILL, "still, null space": STILL}
    return solve({name: (flow, *start) for (name, flow), *start in zip(flows.items(), y, k, strict=True)})


def _projected(A: Any) -> Any:
    """A without its first two directions."""
    keep = jnp.arange(A.shape[0]) >= 2
    return jnp.where(keep[:, None] & keep[None, :], A, 0.0)


def _decayed(solved: Solved, operator: Any) -> float:
    """max_t |W(t) - W(0) expm(-operator t)|, relative to the largest |W(0)|."""
    exact = jax.vmap(lambda t: solved.ys.W[0] @ jax.scipy.linalg.expm(-operator * t))(solved.ts)
    return float(jnp.max(jnp.abs(solved.ys.W - exact)) / jnp.max(jnp.abs(exact[0])))


def _least(solved: Solved) -> Any:
    """λ_min(H) at each time."""
    return jax.vmap(lambda H: jnp.linalg.eigvalsh(H)[0])(solved.map(collapse_operator))


def _norms(solved: Solved) -> Any:
    return jnp.sqrt(jnp.sum(solved.ys.W**2, axis=(1, 2)))


@claim(
    "B11",
    title="Theorem 2: Ẇ = -H W",
    statement="Without stop-gradient, Wa = W: d vec(W)/dt = -H vec(W), "
    "H = X_aug ⊗ (Wpᵀ Wp + I) + X ⊗ (Wp - I)ᵀ (Wp - I) + η I; the gradient of Wp stays.",
    source="Theorem 2",
    kind="symbolic",
)
def theorem_2(run: Run) -> Verdict:
    key = jax.random.fold_in(run.key, 11)
    y, k = instances.weights(key), instances.constants(jax.random.fold_in(key, 1))
    vec = LEAK(y, k).W.T.reshape(-1)
    gap = largest(collapse_operator(y, k) @ y.W.T.reshape(-1), -vec)
    # H vec(W) is a sum of 28 products an entry.
    return proven(run, PROOFS["B11"], gap < 1e-13, kronecker_gap=gap)


@claim(
    "B12",
    title="Theorem 2: the bound",
    statement="‖W(t)‖ ≤ e^(-λ₀t) ‖W(0)‖ with λ₀ = inf λ_min(H): W collapses.",
    source="Theorem 2, Lemma 2",
    kind="numeric",
)
def collapse_bound(run: Run) -> Verdict:
    solved = runs(run.seed)["leak"]
    lambda_0, norms = jnp.min(_least(solved)), _norms(solved)
    ratio = float(jnp.max(norms / (jnp.exp(-lambda_0 * solved.ts) * norms[0])))
    left = float(norms[-1] / norms[0])
    return holds_if(lambda_0 > 0 and ratio <= BOUND, seeds=[run.seed], lambda_0=float(lambda_0), ratio=ratio, left=left)


@claim(
    "B13",
    title="Theorem 2: its hypothesis is automatic",
    statement="-d/dt ½‖W‖² = (λ_min(X_aug) + η)‖W‖² + squares for every W and Wp, so λ_min(H) ≥ λ_min(X_aug) + η.",
    source="beyond the paper",
    kind="symbolic",
)
def automatic(run: Run) -> Verdict:
    solved = runs(run.seed)["leak"]
    floor = float(jnp.linalg.eigvalsh(solved.k.X_aug)[0] + solved.k.eta)
    least = float(jnp.min(_least(solved)))
    # Eigenvalues of a 28 x 28 matrix of order one, to rounding.
    return proven(run, PROOFS["B13"], least >= floor - 1e-12, least_eigenvalue=least, floor=floor)


@claim(
    "B14",
    title="No predictor, stop-gradient kept: collapse",
    statement="With Wp = I, W(t) = W(0) expm(-(X_aug + η I) t) → 0 where X_aug + η I ≻ 0, frozen on its null space.",
    source="after Theorem 2, corrected",
    kind="numeric",
)
def no_predictor_collapses(run: Run) -> Verdict:
    eye = jnp.eye(7)
    free, null = runs(run.seed)["still"], runs(run.seed)["still, null space"]
    gaps = [_decayed(solved, solved.k.X_aug + solved.k.eta * eye) for solved in (free, null)]
    moved = float(jnp.max(jnp.abs(null.ys.W[:, :, :2] - null.ys.W[:1, :, :2])))
    slowest = float(jnp.linalg.eigvalsh(free.k.X_aug)[0] + free.k.eta)
    left = float(_norms(free)[-1] / _norms(free)[0])
    # The integrator's error; what X_aug does not see must not move at all.
    good = max(gaps) < RTOL and moved < 1e-12 and left <= BOUND * float(jnp.exp(-slowest * free.ts[-1]))
    return holds_if(good, seeds=[run.seed], gaps=gaps, moved_in_the_null_space=moved, left=left, slowest_rate=slowest)


@claim(
    "B100",
    title="Erratum (b): order in Ẇ = -(X_aug + ηI) W",
    statement="Without predictor Ẇ = -(X_aug + η I) W, as printed.",
    source="after Theorem 2",
    kind="symbolic",
    expected="fails",
)
def printed_order(run: Run) -> Verdict:
    return proven(run, (PRINTED_ORDER,), fits_2x3=_fits(_printed_order), read_where="d = n, symbolic")


def _fits(formula: Any) -> bool:
    """Whether the shapes of 2x3 matrices allow a formula; symbolic shapes may always turn out equal."""
    try:
        formula(EXPLICIT.y, EXPLICIT.k)
    except ShapeError:
        return False
    return True


@claim(
    "B100c",
    title="Erratum (b), corrected",
    statement="Without predictor, with stop-gradient, Ẇ = -W (X_aug + η I).",
    source="after Theorem 2, corrected",
    kind="symbolic",
)
def corrected_order(run: Run) -> Verdict:
    return proven(run, PROOFS["B100c"])


@claim(
    "B144",
    title="Neither predictor nor stop-gradient",
    statement="With Wp = I and Wa = W, without stop-gradient, Ẇ = -W (2 X_aug + η I).",
    source="beyond the paper",
    kind="symbolic",
)
def neither(run: Run) -> Verdict:
    solved = runs(run.seed)["leak, still"]
    gap = _decayed(solved, 2 * solved.k.X_aug + solved.k.eta * jnp.eye(7))
    return proven(run, PROOFS["B144"], gap < RTOL, expm_gap=gap)  # the integrator's error
