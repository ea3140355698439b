"""The critic T(x, z) of the bounds on mutual information: a fitted Gaussian's log density ratio, plus a network.

T = -½‖u - w‖² + g·h + a(x) + b(z): u and g are functions of x, w and h of z, each a linear map plus two hidden layers.
Before the first step the network adds nothing. All pairs of a batch cost two passes and one product of matrices.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.representation.gaussian_fit import Canonical

FREE = 16  # directions of g and h


class Side(NamedTuple):
    """One side's parameters: the Gaussian's directions and curvature, and the network's weights and biases."""

    W: Any  # (n, k)
    b: Any  # (k,)
    curvature: Any  # (k,)
    first: Any  # (n, hidden)
    first_bias: Any
    second: Any  # (hidden, hidden)
    second_bias: Any
    last: Any  # (hidden, k + FREE + 1)


class Critic(NamedTuple):
    """Both sides and the constant."""

    x: Side
    z: Side
    offset: Any


def start(fit: Canonical, hidden: int, rng: np.random.Generator) -> Critic:
    """The critic whose value is the fitted Gaussian's: u, w scaled by √c, and g = 0 while h is random."""
    root, k = np.sqrt(fit.sharpness), len(fit.rho)
    curvature = (1 - fit.rho) / 2  # e/c of `Canonical.table`: of u² = c (x A + a)²

    def side(A: np.ndarray, a: np.ndarray, free: float) -> Side:
        he = [rng.standard_normal(shape) * np.sqrt(2 / shape[0]) for shape in ((len(A), hidden), (hidden, hidden))]
        last = np.zeros((hidden, k + FREE + 1))
        last[:, k:-1] = free * rng.standard_normal((hidden, FREE)) / np.sqrt(hidden)
        return Side(A * root, a * root, curvature, he[0], np.zeros(hidden), he[1], np.zeros(hidden), last)

    critic = Critic(side(fit.A, fit.a, 0.0), side(fit.B, fit.b, 1.0), np.asarray(fit.offset))
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), critic)


def table(critic: Critic, x: Float[Array, "m n"], z: Float[Array, "m d"]) -> Float[Array, "m m"]:
    """T of all pairs of rows."""
    left, right = embed(critic.x, x), embed(critic.z, z)
    return pairs(left, right) + critic.offset


def pairs(left: tuple[Any, Any], right: tuple[Any, Any]) -> Any:
    """The table from what each side embeds to, but for the constant."""
    return left[0] @ right[0].T + left[1][:, None] + right[1][None, :]


def embed(side: Side, h: Float[Array, "m n"]) -> tuple[Float[Array, "m k"], Float[Array, " m"]]:
    """(u, g) and a - ½‖u‖² of each row."""
    linear = h @ side.W + side.b[None, :]
    y = jax.nn.relu(h @ side.first + side.first_bias[None, :])
    y = jax.nn.relu(y @ side.second + side.second_bias[None, :]) @ side.last
    k = linear.shape[1]
    u = linear + y[:, :k]
    alone = y[:, -1] + jnp.sum(side.curvature[None, :] * linear**2, axis=1) - jnp.sum(u**2, axis=1) / 2
    return jnp.concatenate([u, y[:, k:-1]], axis=1), alone
