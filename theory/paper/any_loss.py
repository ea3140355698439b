"""Theorem 1 for any loss of the predictions, and for the cosine loss on finite data."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Constants, Matrix, Scalar, Weights, balance
from linbyol.extremes import largest
from theory.proving import instances
from theory.proving.prover import Rate, Space, Statement, proven
from theory.proving.solves import DRIFT, TS, drift, follow
from theory.proving.spaces import WEIGHTS


class Views(NamedTuple):
    """Pairs of views, a column each."""

    x1: Matrix  # (n, b)
    x2: Matrix  # (n, b)


class Slope(NamedTuple):
    """A loss ℓ(Wp f) of any kind, by its gradient in the predictions, sample by sample."""

    x: Matrix  # (n, b) first views
    G: Matrix  # (d, b) -∂ℓ/∂(Wp f)


def any_loss_flow(y: Weights, k: tuple[Constants, Slope]) -> Weights:
    """The chain rule for ℓ(Wp W x) behind a stop-gradient, with weight decay; the target rests."""
    (W, Wp, Wa), (rates, loss) = y, k
    return Weights(
        W=Wp.T @ loss.G @ loss.x.T - rates.eta * W,
        Wp=rates.alpha_p * (loss.G @ (W @ loss.x).T) - rates.eta * Wp,
        Wa=0 * Wa,
    )


def _cosine_loss(y: Weights, views: Views) -> Scalar:
    """-E cos(Wp W x1, Wa x2) over the sample."""
    return _minus_cosine(y.Wp @ y.W @ views.x1, y.Wa @ views.x2)


@jax.jit
def _cosine_flow(y: Weights, k: tuple[Constants, Views]) -> Weights:
    """Gradient flow of the cosine loss by automatic differentiation, with the EMA of Eq. 4."""
    rates, views = k
    slope = jax.grad(_cosine_loss)(y, views)
    return Weights(
        W=-slope.W - rates.eta * y.W, Wp=-rates.alpha_p * slope.Wp - rates.eta * y.Wp, Wa=rates.beta * (y.W - y.Wa)
    )


@jax.jit
def _cosine_slope(y: Weights, views: Views) -> Slope:
    """The same loss as a `Slope`."""
    return Slope(views.x1, G=-jax.grad(_minus_cosine)(y.Wp @ y.W @ views.x1, y.Wa @ views.x2))


def _minus_cosine(z: Matrix, target: Matrix) -> Scalar:
    norms = jnp.linalg.norm(z, axis=0) * jnp.linalg.norm(target, axis=0)
    return -jnp.mean(jnp.sum(z * target, axis=0) / norms)


def _balance(y: Weights, k: tuple[Constants, Any]) -> Matrix:
    return balance(y, k[0])


def _views_instance(rng: Any, b: int = 20) -> tuple[Weights, tuple[Constants, Views]]:
    """Weights with predictions away from 0, where the cosine has no gradient, and b pairs of views.

    The weights are large because their flow is slow: a sample that the others drive through 0 makes it singular.
    """
    y, k = instances.weights(rng), instances.constants(rng)
    y = Weights(W=2 * y.W, Wp=np.eye(4) + y.Wp / 2, Wa=2 * y.W + y.Wa)
    x, e1, e2 = rng.standard_normal((3, 7, b))
    return y, (k, Views(x + e1 / 2, x + e2 / 2))


def _slope_instance(rng: Any) -> tuple[Weights, tuple[Constants, Slope]]:
    y, (k, views) = _views_instance(rng)
    return y, (k, Slope(views.x1, G=views.x2[:4]))


def _any_loss() -> Space:
    (d, n), b = WEIGHTS.y.W.shape, sp.Symbol("b", integer=True, positive=True)
    return Space(WEIGHTS.y, (WEIGHTS.k, Slope(MatrixSymbol("x", n, b), MatrixSymbol("G", d, b))), _slope_instance)


PROOFS: dict[str, tuple[Statement, ...]] = {
    "B9": (Rate(_any_loss(), any_loss_flow, _balance, lambda y, k: -2 * k[0].eta * _balance(y, k)),)
}


@claim(
    "B9",
    title="Theorem 1 for any loss",
    statement="It holds for any loss ℓ(Wp f, stop-gradient(target)), for example the cosine loss on finite data.",
    source="beyond the paper",
    kind="symbolic",
)
def any_loss(run: Run) -> Verdict:
    y0, (k, views) = _views_instance(np.random.default_rng([run.seed, 9]))
    by_chain, by_machine = any_loss_flow(y0, (k, _cosine_slope(y0, views))), _cosine_flow(y0, (k, views))
    chain = largest(np.abs(a - b) for a, b in zip(by_chain[:2], by_machine[:2], strict=True))
    # A quarter of the usual time: the loss does not resist weight decay, and turns ever faster as the weights shrink.
    found = drift(follow(_cosine_flow, y0, (k, views), TS / 4), _balance, k.eta)
    # The two gradients differ by the rounding of sums over 20 samples.
    return proven(run, PROOFS["B9"], found < DRIFT and chain < 1e-13, drift=found, chain_rule_gap=chain)
