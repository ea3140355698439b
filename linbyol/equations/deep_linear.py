"""Deep linear networks (Saxe, McClelland, Ganguli 2013): the flow of layers, and two of them in closed form."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.checks import InputError
from linbyol.equations.byol import Matrix, Scalar, Vector


class Teacher(NamedTuple):
    """The data of the task x -> y, unit time constant."""

    Sigma: Matrix  # (n, n), E[x xᵀ]
    Cross: Matrix  # (m, n), E[y xᵀ]


class Strength(NamedTuple):
    """The data of a mode with E[x xᵀ] = I."""

    s: Vector  # singular value of Cross
    layers: Scalar = 2


class Layers(NamedTuple):
    """y = W2 W1 x."""

    W1: Matrix  # (d, n)
    W2: Matrix  # (m, d)


class Pair(NamedTuple):
    """A mode's weights in the first and the second layer."""

    a: Vector
    b: Vector


def task_loss(y: Layers, k: Teacher) -> Scalar:
    """½ E‖y - W2 W1 x‖² without its constant; traces, so explicit matrices only."""
    product = y.W2 @ y.W1
    return (product @ k.Sigma @ product.T).trace() / 2 - (product @ k.Cross.T).trace()


def layers_flow(y: Layers, k: Teacher) -> Layers:
    """Ẇ1 = W2ᵀ E, Ẇ2 = E W1ᵀ, E = Cross - W2 W1 Sigma."""
    return Layers(*backpropagated(y, k.Cross - chained(y) @ k.Sigma))


def chained(layers: Sequence[Matrix]) -> Matrix:
    """W_m ⋯ W_1, the network of these layers."""
    return reduce(lambda below, A: A @ below, layers)


def backpropagated(layers: Sequence[Matrix], E: Matrix) -> tuple[Matrix, ...]:
    """(W_m ⋯ W_{i+1})ᵀ E (W_{i-1} ⋯ W_1)ᵀ for each layer i, where E = E[error xᵀ]: minus the gradient of any loss."""
    rates = []
    for i in range(len(layers)):
        rate, below, (_, *above) = E, layers[:i], layers[i:]
        for A in below:
            rate = rate @ A.T
        for A in reversed(above):
            rate = A.T @ rate
        rates.append(rate)
    return tuple(rates)


def layers_balance(y: Layers, k: Teacher) -> Matrix:
    """W1 W1ᵀ - W2ᵀ W2, constant, (d, d)."""
    return y.W1 @ y.W1.T - y.W2.T @ y.W2


def pair_flow(y: Pair, k: Strength) -> Pair:
    """ȧ = b (s - a b), ḃ = a (s - a b)."""
    e = k.s - y.a * y.b
    return Pair(a=y.b * e, b=y.a * e)


def pair_balance(y: Pair, k: Strength) -> Vector:
    """a² - b², constant."""
    return y.a * y.a - y.b * y.b


def product_flow(u: Vector, k: Strength) -> Vector:
    """u, the product of m equal layers: u̇ = m u^(2 - 2/m) (s - u). Two layers, u = a b at a = b: u̇ = 2 u (s - u)."""
    return k.layers * u * (u ** (k.layers - 2)) ** (1 / k.layers) * (k.s - u)


def product_at(u0: Vector, s: Vector, decayed: Vector) -> Vector:
    """u = s / (1 + (s/u0 - 1) exp(-2 s t)), with decayed = exp(-2 s t)."""
    return s / (1 + (s / u0 - 1) * decayed)


def product(u0: Float[Array, "..."], k: Strength, ts: Float[Array, " t"]) -> Float[Array, "t ..."]:
    """The balanced mode's strength u = a b at times ts from u0 > 0; of two layers (of more: `linbyol.exact.mae`)."""
    if k.layers != 2:
        raise InputError(f"Argument `k.layers` must be 2 for this closed form, but is {k.layers}.")
    u0, s = jnp.broadcast_arrays(jnp.asarray(u0), jnp.asarray(k.s))
    ts = jnp.expand_dims(ts, tuple(range(1, u0.ndim + 1)))
    u0, s = u0[None], s[None]
    return product_at(u0, s, jnp.exp(-2 * s * ts))
