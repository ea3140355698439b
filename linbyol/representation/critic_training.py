"""Critics of all seeds trained side by side in one compiled program, each stopped early by its validation rows."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from linbyol.representation.bounds import BOUNDS
from linbyol.representation.critics import Critic, table
from linbyol.representation.gaussian_fit import FLOOR

DECAY = 1e-3  # AdamW's, of all parameters


@functools.partial(jax.jit, static_argnums=0)
def train(
    bound: str,
    critics: Critic,  # each leaf with a leading axis of lanes
    x: Float[Array, "N n"],
    z: Float[Array, "N d"],
    partners: Int[Array, "lanes N"],  # which row of z belongs to a row of x
    batches: Int[Array, "lanes rounds steps b"],
    validation: Int[Array, "lanes m"],
    decay: Float[Array, ""],
    lr: Float[Array, ""],
) -> tuple[Critic, Float[Array, "lanes rounds"]]:
    """The best critic of each lane by the bound on its validation rows, and that bound before each round.

    A round is `steps` steps of AdamW on batches of rows, gradients cut to norm 1; what is NaN is never the best. What
    the last round learns is never looked at: one place that looks compiles faster than two.
    """
    value, loss = BOUNDS[bound].value, BOUNDS[bound].loss
    solver = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(lr, weight_decay=DECAY))
    unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], critics))[1]  # one vector compiles faster than 17 leaves

    def lane(critic: Critic, partners: Array, batches: Array, validation: Array) -> Any:
        def of_rows(w: Array, rows: Array) -> Array:
            return table(unravel(w), x[rows], z[partners[rows]])

        def step(carry: Any, rows: Array) -> Any:
            w, state, mean = carry
            grad, mean = jax.grad(lambda w: loss(of_rows(w, rows), mean, decay), has_aux=True)(w)
            updates, state = solver.update(grad, state, w)
            return (optax.apply_updates(w, updates), state, mean), None

        def one_round(carry: Any, batches: Array) -> Any:
            running, best, most = carry
            found = value(jnp.maximum(of_rows(running[0], validation), FLOOR))
            best = jnp.where(found > most, running[0], best)
            running, _ = jax.lax.scan(step, running, batches)
            return (running, best, jnp.fmax(most, found)), found

        w = ravel_pytree(critic)[0]
        first = (w, solver.init(w), jnp.asarray(jnp.nan, w.dtype)), w, jnp.asarray(-jnp.inf, w.dtype)
        (_, best, _), found = jax.lax.scan(one_round, first, batches)
        return unravel(best), found

    return jax.vmap(lane)(critics, partners, batches, validation)


@functools.partial(jax.jit, static_argnums=0)
def read(
    bound: str,
    critics: Critic,
    x: Float[Array, "N n"],
    z: Float[Array, "N d"],
    partners: Int[Array, "lanes N"],
    rows: Int[Array, "lanes h"],
) -> Float[Array, " lanes"]:
    """The bound of each lane's critic on its held-out rows, one lane at a time: a table has h² numbers."""

    def lane(of: Any) -> Array:
        critic, partners, rows = of
        return BOUNDS[bound].value(jnp.maximum(table(critic, x[rows], z[partners[rows]]), FLOOR))

    return jax.lax.map(lane, (critics, partners, rows))


def drawn(rows: np.ndarray, rounds: int, steps: int, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Batches (rounds, steps, b) of rows, none twice in a batch: a pair of a row with itself is no product sample."""
    b = min(batch, len(rows))
    whole = len(rows) // b
    epochs = -(-rounds * steps // whole)
    found = np.concatenate([rng.permutation(rows)[: whole * b].reshape(whole, b) for _ in range(epochs)])
    return found[: rounds * steps].reshape(rounds, steps, b).astype(np.int32)
