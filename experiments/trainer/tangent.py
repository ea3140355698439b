"""How fast a mode of F learns when encoder and projector move as a whole: their tangent kernel along the mode."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.networks import join
from experiments.trainer.last_map import outputs, several_views
from experiments.trainer.session import Session, lane_of
from experiments.trainer.state import Plan, State, stream


def tangent(
    session: Session, state: State, lane: int, U: Float[np.ndarray, "d d"], *, views: int = 4
) -> Float[np.ndarray, " d"]:
    """‖∂(F_j/2)/∂θ‖²/F_j along columns u_j of U, F_j = E[u_jᵀz(x₁) u_jᵀz(x₂)], θ all parameters below the predictor.

    The rate ½ d log F_j/dt were the residual the mode itself. Where only the last linear map moved it would be λ_d of
    `last_map.modes`, which it exceeds by what the layers below add.
    """
    one, seed = lane_of(session, state, lane), lane_of(session, session.seeds, lane)
    plan, key = session.plan._replace(mesh=None), stream(seed, "measure")
    found = _tangent(plan, views, one, key, session.data.images, jnp.asarray(U, plan.dtype))
    return np.asarray(found, float)


@partial(jax.jit, static_argnums=(0, 1))
def _tangent(plan: Plan, views: int, state: State, key: Array, images: Array, U: Array) -> Array:
    x = several_views(plan, views, key, images)

    def half(body: Any, u: Array) -> Array:
        z = outputs(join(body, tuple(state.online_statistics[:2])), x) @ u  # (V, b)
        both = jnp.sum(z, axis=0) ** 2 - jnp.sum(z * z, axis=0)
        return jnp.mean(both) / (2 * views * (views - 1))

    def one(u: Array) -> Array:
        value, gradient = jax.value_and_grad(half)(tuple(state.online[:2]), u)
        return sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)) / (2 * value)

    return jax.lax.map(one, U.T)
