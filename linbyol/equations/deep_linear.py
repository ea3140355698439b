"""Two-layer linear network (Saxe, McClelland, Ganguli 2013): the flow, its invariant, and the closed form of a mode."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations.byol import Matrix, Scalar, Vector


class Teacher(NamedTuple):
    """The data of the task x -> y, unit time constant."""

    Sigma: Matrix  # (n, n), E[x xᵀ]
    Cross: Matrix  # (m, n), E[y xᵀ]


class Strength(NamedTuple):
    """The data of a mode with E[x xᵀ] = I."""

    s: Vector  # singular value of Cross


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
    E = k.Cross - y.W2 @ y.W1 @ k.Sigma
    return Layers(W1=y.W2.T @ E, W2=E @ y.W1.T)


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
    """u = a b at a = b: u̇ = 2 u (s - u)."""
    return 2 * u * (k.s - u)


def product_at(u0: Vector, s: Vector, decayed: Vector) -> Vector:
    """u = s / (1 + (s/u0 - 1) exp(-2 s t)), with decayed = exp(-2 s t)."""
    return s / (1 + (s / u0 - 1) * decayed)


def product(u0: Float[Array, "..."], k: Strength, ts: Float[Array, " t"]) -> Float[Array, "t ..."]:
    """The balanced mode's strength u = a b at times ts from u0 > 0."""
    u0, s = jnp.broadcast_arrays(jnp.asarray(u0), jnp.asarray(k.s))
    ts = jnp.expand_dims(ts, tuple(range(1, u0.ndim + 1)))
    u0, s = u0[None], s[None]
    return product_at(u0, s, jnp.exp(-2 * s * ts))
