"""The theory's quantities in a network: W is the last linear map below the predictor, its input stands for the images.

Theorem 1 and Lemma 1 see a network through this map alone: z = W g with g what the layers below make of a view (and a 1
where the map has a bias). Moments are those of g over views, unbiased, with batch statistics as in training.
"""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.networks import join, split
from experiments.networks.parts import Chain
from experiments.trainer.model import Identity, Online, Target, forward, last_layer, views_a_step
from experiments.trainer.session import Session, lane_of
from experiments.trainer.state import Plan, State, stream
from experiments.trainer.steps import make_views
from experiments.trainer.uses import is_linear
from linbyol.equations import Constants, Modes, Weights
from linbyol.images.moments import Moments, feasible

SMALL = 1e-6  # of the largest eigenvalue of X: directions that g hardly has


class LastMap(NamedTuple):
    """A lane at one step, in float64; a column for the bias comes last."""

    W: Float[np.ndarray, "d n"]
    Wp: Float[np.ndarray, "d d"]
    Wa: Float[np.ndarray, "d n"]  # of the target seen from g: the least squares solution of Wa X = E[z_a gᵀ], z_a its z
    X: Float[np.ndarray, "n n"]
    X_aug: Float[np.ndarray, "n n"]

    @property
    def weights(self) -> Weights:
        """The state of Lemma 1."""
        return Weights(self.W, self.Wp, self.Wa)

    @property
    def F(self) -> Float[np.ndarray, "d d"]:
        """W X Wᵀ."""
        return self.W @ self.X @ self.W.T

    def constants(self, alpha_p: float, beta: float, eta: float) -> Constants:
        """Those of Lemma 1."""
        return Constants(alpha_p, beta, eta, self.X, self.X_aug)


def last_map(session: Session, state: State, lane: int, *, views: int = 8, images: int | None = None) -> LastMap | None:
    """Of one lane, from `views` fresh views of its first images (all if None); None without a linear map or predictor.

    views  at least 2
    """
    one = lane_of(session, state, lane)
    layer = last_layer(one.online)
    if layer is None or not is_linear(session.o):
        return None
    plan = session.plan._replace(mesh=None)
    seed = lane_of(session, session.seeds, lane)
    found = _inputs(plan, views, one, stream(seed, "measure"), session.data.images[:images])
    g, z = (np.asarray(x, float) for x in found)
    if layer.bias is not None:
        g = np.concatenate([g, np.ones((*g.shape[:2], 1))], axis=-1)
    W = np.asarray(layer.weight, float)
    W = W if layer.bias is None else np.column_stack([W, np.asarray(layer.bias, float)])
    same = _rows(g).T @ _rows(g) / (views * g.shape[1])
    X = _across(g, g)
    nothing = np.zeros_like(X)
    m, _ = feasible(Moments((X + X.T) / 2, same - (X + X.T) / 2, nothing, nothing, g.shape[1], views))
    X, X_aug = np.asarray(m.X), np.asarray(m.X_aug)
    Wa = W if one.target is None else _across(z, g) @ np.linalg.pinv(X, rcond=SMALL, hermitian=True)
    return LastMap(W, np.asarray(one.online.predictor.weight, float), Wa, X, X_aug)


class NetworkModes(NamedTuple):
    """Modes along the eigenvectors U of F, ascending by its eigenvalues, which are lambda_d · s."""

    y: Modes  # s of W Wᵀ as F's eigenvalue has it
    lambda_d: Float[np.ndarray, " d"]
    lambda_s: Float[np.ndarray, " d"]
    F: Float[np.ndarray, " d"]
    U: Float[np.ndarray, "d d"]


def modes(m: LastMap) -> NetworkModes:
    """p_j = u_jᵀ Wp u_j and so on, as if F, Wp and the moments shared eigenvectors.

    λ_d is what the flow of F sees of X, u_jᵀ W X² Wᵀ u_j over F_j, and λ_s/λ_d - 1 = u_jᵀ W X_aug Wᵀ u_j over F_j.
    """
    F, U = np.linalg.eigh(m.F)
    F = np.maximum(F, np.finfo(float).tiny)
    along = lambda A: np.einsum("ij,ik,kj->j", U, A, U)  # noqa: E731
    lambda_d = along(m.W @ m.X @ m.X @ m.W.T) / F
    lambda_s = lambda_d * (1 + along(m.W @ m.X_aug @ m.W.T) / F)
    return NetworkModes(Modes(along(m.Wp), F / lambda_d, along(m.Wa @ m.X @ m.W.T) / F), lambda_d, lambda_s, F, U)


def _across(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """E[a(x₁) b(x₂)ᵀ] over pairs of different views of an image; a (V, b, i), b (V, b, j)."""
    views, images = a.shape[:2]
    pairs = a.sum(axis=0).T @ b.sum(axis=0) - _rows(a).T @ _rows(b)
    return pairs / (images * views * (views - 1))


def _rows(a: np.ndarray) -> np.ndarray:
    return a.reshape(-1, a.shape[-1])


@partial(jax.jit, static_argnums=(0, 1))
def _inputs(plan: Plan, views: int, state: State, key: Array, images: Array) -> tuple[Array, Array]:
    """g (V, b, n) of the online network, and z of the target (V, b, d)."""
    x = several_views(plan, views, key, images)
    below = _below(join(*(Online(*part) for part in (state.online, state.online_statistics))))
    g = outputs(below, x)
    if state.target is None:
        return g, outputs(join(state.online, state.online_statistics)[:2], x)
    return g, outputs(join(Target(*state.target), Target(*state.target_statistics)), x)


def several_views(plan: Plan, views: int, key: Array, images: Array) -> Array:
    """(V, b, h, w, c): so many views of each image, even numbers of them made at once."""
    pairs = [make_views(plan, jax.random.fold_in(key, i), images) for i in range(-(-views // views_a_step(plan.o)))]
    return jnp.concatenate(pairs)[:views]


def outputs(parts: Any, x: Array) -> Array:
    """Of encoder and projector, on views (V, b, …), each with its own batch statistics: (V, b, d)."""
    for part in parts:
        x, _ = forward(*split(part), x, True)
    return x


def _below(net: Online) -> tuple[Any, Any]:
    """Encoder and projector without the last linear map."""
    if not isinstance(net.projector, Identity):
        return net.encoder, Chain(net.projector.layers[:-1])
    return eqx.tree_at(lambda e: e.body, net.encoder, Chain(net.encoder.body.layers[:-1])), net.projector
