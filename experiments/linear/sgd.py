"""Linear BYOL trained by gradient descent on real pairs of views: the loss is written on pairs, JAX differentiates it.

Nothing of the theory enters here: no moment of the data, no flow. A loss is a function (y, x1, x2) -> real; a source of
pairs is a function key -> (x1, x2) of two views of the same images, (..., n).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_numbers, concrete
from linbyol.equations import Weights
from linbyol.integrate.trajectory import Trajectory

Loss = Callable[[Weights, Array, Array], Array]
Pairs = Callable[[Array], tuple[Array, Array]]


class Rates(NamedTuple):
    """How a step is made. Lemma 1 has `predictor_decay` = eta / alpha_p; one decay for both networks has eta (B137)."""

    lr: float | Array  # learning rate of W; that of Wp is lr * alpha_p
    alpha_p: float | Array
    beta: float | Array  # the target moves by lr * beta of its way: momentum 1 - lr * beta
    eta: float | Array  # weight decay of W
    predictor_decay: float | Array  # weight decay of Wp, as an optimiser takes it


def rates(lr: Any, *, alpha_p: Any = 1.0, beta: Any = 1.0, eta: Any = 0.0, predictor_decay: Any = None) -> Rates:
    """Rates of Lemma 1, unless `predictor_decay` is given."""
    return Rates(lr, alpha_p, beta, eta, eta / alpha_p if predictor_decay is None else predictor_decay)


def distance(y: Weights, x1: Float[Array, "... n"], x2: Float[Array, "... n"]) -> Float[Array, ""]:
    """½ E‖Wp W x1 - Wa x2‖², the mean over all leading axes, which broadcast."""
    return jnp.mean(jnp.sum((x1 @ y.W.T @ y.Wp.T - x2 @ y.Wa.T) ** 2, axis=-1)) / 2


def byol(y: Weights, x1: Array, x2: Array) -> Array:
    """Eq. 1: the target network stands behind the stop-gradient."""
    return distance(y._replace(Wa=stop_gradient(y.Wa)), x1, x2)


def simsiam(y: Weights, x1: Array, x2: Array) -> Array:
    """SimSiam: the target is the online network, behind the stop-gradient."""
    return distance(y._replace(Wa=stop_gradient(y.W)), x1, x2)


def no_stop_gradient(y: Weights, x1: Array, x2: Array) -> Array:
    """Theorem 2: the target is the online network, and the gradient goes through it."""
    return distance(y._replace(Wa=y.W), x1, x2)


def no_predictor(y: Weights, x1: Array, x2: Array) -> Array:
    """After Theorem 2: SimSiam with Wp = I."""
    return simsiam(y._replace(Wp=jnp.eye(y.Wp.shape[0], dtype=y.Wp.dtype)), x1, x2)


def symmetric_byol(y: Weights, x1: Array, x2: Array) -> Array:
    """Assumption 3: BYOL whose predictor is the symmetric part of Wp, so that its gradient is symmetrised."""
    return byol(y._replace(Wp=(y.Wp + y.Wp.T) / 2), x1, x2)


def symmetric_simsiam(y: Weights, x1: Array, x2: Array) -> Array:
    """Assumption 3 with τ = 1: SimSiam whose predictor is the symmetric part of Wp."""
    return simsiam(y._replace(Wp=(y.Wp + y.Wp.T) / 2), x1, x2)


def step(loss: Loss, pairs: Pairs, y: Weights, r: Rates, key: Array) -> Weights:
    """One step of descent with weight decay, and of the target's moving average.

    Differs: the target averages the encoder before its step, not after, which changes it by O(lr²).
    """
    g = jax.grad(loss)(y, *pairs(key))
    return Weights(
        W=y.W - r.lr * (g.W + r.eta * y.W),
        Wp=y.Wp - r.lr * r.alpha_p * (g.Wp + r.predictor_decay * y.Wp),
        Wa=y.Wa + r.lr * r.beta * (y.W - y.Wa),
    )


def descend(
    loss: Loss, pairs: Pairs, y0: Weights, r: Rates, key: Array, *, records: int, every: int | Array
) -> Trajectory:
    """records * every steps, the state recorded at the start and after each `every`; ts is lr times the steps.

    Step i has the key fold_in(key, i). Maps under `vmap` over keys, rates and states, and compiles once for each loss,
    kind of pairs, shapes and number of records. Raises `InputError` for rates and states that cannot be used.
    """
    check_numbers("y0", y0)
    check_numbers("r", r)
    for name, value in r._asdict().items():
        x = concrete(value)
        if x is not None and (x < 0).any():
            raise InputError(f"Argument `{name}` must be at least 0, but is {float(x.min()):.10g}.")
    for name, value in (("records", records), ("every", every)):
        x = concrete(value)
        if x is not None and (x.dtype.kind not in "iu" or (x < 1).any()):
            raise InputError(f"Argument `{name}` must be a positive whole number, but is {value}.")
    dtype = y0.W.dtype
    return _descend(loss, pairs, y0, jax.tree.map(lambda a: jnp.asarray(a, dtype), r), key, records, jnp.asarray(every))


@eqx.filter_jit
def _descend(loss, pairs, y0, r, key, records, every) -> Trajectory:
    def record(y: Weights, start: Array) -> tuple[Weights, Weights]:
        advance = lambda i, y: step(loss, pairs, y, r, jax.random.fold_in(key, start + i))  # noqa: E731
        y = jax.lax.fori_loop(0, every, advance, y)
        return y, y

    starts = every * jnp.arange(records + 1)
    _, ys = jax.lax.scan(record, y0, starts[:-1])
    ys = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), y0, ys)
    finite = jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(ys)]).all()
    ts = r.lr * starts
    return Trajectory(ts=ts, ys=ys, ok=finite, steps=starts[-1], stopped=ts[-1])
