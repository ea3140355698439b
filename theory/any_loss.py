"""Theorem 1 for any loss of the predictions, and for the cosine loss on finite data."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Matrix, Scalar, Weights, balance
from theory import instances
from theory.prover import Rate, Space, proven
from theory.solves import DRIFT, TS, drift, solve
from theory.spaces import WEIGHTS


class Sampled(NamedTuple):
    """Lemma 1's constants with paired views instead of moments."""

    alpha_p: Scalar
    beta: Scalar
    eta: Scalar
    x1: Matrix  # (n, b)
    x2: Matrix  # (n, b)


class Slope(NamedTuple):
    """Constants of a loss ℓ(Wp f) of any kind: its gradient in the predictions, sample by sample."""

    alpha_p: Scalar
    eta: Scalar
    x: Matrix  # (n, b) first views
    G: Matrix  # (d, b) -∂ℓ/∂(Wp f)


def any_loss_flow(y: Weights, k: Slope) -> Weights:
    """The chain rule for ℓ(Wp W x) behind a stop-gradient, with weight decay; the target rests."""
    W, Wp, Wa = y
    return Weights(W=Wp.T @ k.G @ k.x.T - k.eta * W, Wp=k.alpha_p * (k.G @ (W @ k.x).T) - k.eta * Wp, Wa=0 * Wa)


def cosine_loss(W: Matrix, Wp: Matrix, Wa: Matrix, k: Sampled) -> Scalar:
    """-E cos(Wp W x1, Wa x2) over the sample."""
    return _minus_cosine(Wp @ W @ k.x1, Wa @ k.x2)


def cosine_flow(y: Weights, k: Sampled) -> Weights:
    """Gradient flow of the cosine loss by automatic differentiation, with the EMA of Eq. 4."""
    dW, dWp = jax.grad(cosine_loss, argnums=(0, 1))(*y, k)
    return Weights(W=-dW - k.eta * y.W, Wp=-k.alpha_p * dWp - k.eta * y.Wp, Wa=k.beta * (y.W - y.Wa))


def cosine_slope(y: Weights, k: Sampled) -> Slope:
    """The same loss as a `Slope`."""
    return Slope(k.alpha_p, k.eta, k.x1, -jax.grad(_minus_cosine)(y.Wp @ y.W @ k.x1, y.Wa @ k.x2))


def _minus_cosine(z: Matrix, target: Matrix) -> Scalar:
    norms = jnp.linalg.norm(z, axis=0) * jnp.linalg.norm(target, axis=0)
    return -jnp.mean(jnp.sum(z * target, axis=0) / norms)


def _sampled_instance(key: Any, b: int = 20) -> tuple[Weights, Sampled]:
    y, k = instances.weights(key), instances.constants(jax.random.fold_in(key, 1))
    x, e1, e2 = jax.random.normal(jax.random.fold_in(key, 2), (3, 7, b))
    return y, Sampled(k.alpha_p, k.beta, k.eta, x + e1 / 2, x + e2 / 2)


def _slope_instance(key: Any) -> tuple[Weights, Slope]:
    y, k = _sampled_instance(key)
    return y, Slope(k.alpha_p, k.eta, k.x1, G=k.x2[:4])


def _any_loss() -> Space:
    (d, n), b = WEIGHTS.y.W.shape, sp.Symbol("b", integer=True, positive=True)
    k = Slope(WEIGHTS.k.alpha_p, WEIGHTS.k.eta, MatrixSymbol("x", n, b), MatrixSymbol("G", d, b))
    return Space(WEIGHTS.y, k, _slope_instance)


PROOFS = {"B9": (Rate(_any_loss(), any_loss_flow, balance, lambda y, k: -2 * k.eta * balance(y, k)),)}


@claim(
    "B9",
    title="Theorem 1 for any loss",
    statement="It holds for any loss ℓ(Wp f, stop-gradient(target)), for example the cosine loss on finite data.",
    source="beyond the paper",
    kind="symbolic",
)
def any_loss(run: Run) -> Verdict:
    y0, k = _sampled_instance(jax.random.fold_in(run.key, 9))
    by_chain, by_machine = jax.jit(lambda y, k: (any_loss_flow(y, cosine_slope(y, k)), cosine_flow(y, k)))(y0, k)
    chain = max(float(jnp.max(jnp.abs(a - b))) for a, b in zip(by_chain[:2], by_machine[:2], strict=True))
    # A quarter of the usual time: the loss does not resist weight decay, and turns ever faster as the weights shrink.
    found = drift(solve({"cosine": (cosine_flow, y0, k)}, TS / 4)["cosine"], balance, k.eta)
    # The two gradients differ by the rounding of sums over 20 samples.
    return proven(run, PROOFS["B9"], found < DRIFT and chain < 1e-13, drift=found, chain_rule_gap=chain)
