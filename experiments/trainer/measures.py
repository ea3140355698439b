"""What a network shows while it trains: spectra of F and W_p, their alignment, balance, rank, and any collapse."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.trainer.model import last_layer, look
from experiments.trainer.state import Data, Plan, Scalars, State, stream
from experiments.trainer.steps import make_views
from experiments.trainer.uses import is_linear
from linbyol import alignment

IMAGES = 1024  # of the training set, in views that are the same at each measurement
COLLAPSED = 0.05  # an embedding whose standard deviation is below this share of an isotropic one's


class Measures(NamedTuple):
    """Numbers for the table, and arrays for the spectra; nan where a run has no such thing."""

    rank: Float[Array, ""]  # RankMe of the embeddings: exp of the entropy of their singular values
    embedding_std: Float[Array, ""]  # of embeddings on the unit sphere, times √d: 1 isotropic, 0 collapsed
    F_max: Float[Array, ""]
    F_min: Float[Array, ""]
    Wp_max: Float[Array, ""]  # of the symmetric part
    Wp_min: Float[Array, ""]
    asymmetry: Float[Array, ""]  # ‖Wp - Wpᵀ‖/‖Wp‖
    commutator: Float[Array, ""]  # ‖[F, Wp]‖/(‖F‖ ‖Wp‖)
    cosine: Float[Array, ""]  # mean of cos(u_j, Wp u_j), each weighted by the eigenvalue of F
    balance: Float[Array, ""]  # Theorem 1: ‖W Wᵀ + b bᵀ - Wpᵀ Wp/alpha_p‖/‖W Wᵀ + b bᵀ‖ of the last layer W, b
    proportionality: Float[Array, ""]  # <Wa, W>/(‖Wa‖ ‖W‖) of the last layer


class Spectra(NamedTuple):
    """Eigenvalues, ascending, and the cosines in the order of F's."""

    F: Float[Array, " d"]
    Wp: Float[Array, " d"]
    cosines: Float[Array, " d"]


@partial(jax.jit, static_argnums=0)
def measure(plan: Plan, data: Data, state: State, scalars: Scalars, seeds: Array) -> tuple[Measures, Spectra]:
    """Measures of each lane, on two views of up to 1,024 training images, batch statistics as in training."""
    one = lambda state, scalars, seed: _measure(plan, data, state, scalars, seed)  # noqa: E731
    return jax.vmap(one)(state, scalars, seeds) if plan.lanes > 1 else one(state, scalars, seeds)


def _measure(plan: Plan, data: Data, state: State, scalars: Scalars, seed: Array) -> tuple[Measures, Spectra]:
    devices = 1 if plan.mesh is None else plan.mesh.size
    number = max(len(data.images[:IMAGES]) // devices * devices, 1)
    x = make_views(plan, stream(seed, "measure"), data.images[:number])
    views, _ = look(state.online, state.online_statistics, x, True, plan.dtype)
    z = views.z.reshape(-1, views.z.shape[-1])
    nan = jnp.full((), jnp.nan, plan.dtype)
    F = jnp.matmul(z.T, z, precision="highest") / len(z)
    s = jnp.linalg.eigvalsh(F)
    general = {"rank": effective_rank(s), "embedding_std": embedding_std(z), "F_max": s[-1], "F_min": s[0]}
    if not is_linear(plan.o):
        rest = {name: nan for name in Measures._fields if name not in general}
        nothing = jnp.zeros(0, plan.dtype)
        return Measures(**general, **rest), Spectra(s, nothing, nothing)
    Wp = state.online.predictor.weight
    found = alignment.alignment(Wp, F)
    weights = jnp.maximum(found.F, 0)
    return Measures(
        **general,
        Wp_max=found.Wp[-1],
        Wp_min=found.Wp[0],
        asymmetry=found.asymmetry,
        commutator=found.commutator,
        cosine=jnp.sum(weights * found.cosines) / jnp.maximum(jnp.sum(weights), jnp.finfo(F.dtype).tiny),
        **_of_last_layer(state, Wp, scalars.alpha_p, nan),
    ), Spectra(found.F, found.Wp, found.cosines)


def effective_rank(s: Float[Array, " d"]) -> Float[Array, ""]:
    """RankMe (arXiv 2210.02885) from the eigenvalues s of E[z zᵀ]: exp of the entropy of √s/Σ√s + 1e-7."""
    sigma = jnp.sqrt(jnp.maximum(s, 0))
    p = sigma / jnp.maximum(jnp.sum(sigma), jnp.finfo(s.dtype).tiny) + 1e-7
    return jnp.exp(-jnp.sum(p * jnp.log(p)))


def embedding_std(z: Float[Array, "N d"]) -> Float[Array, ""]:
    """Root mean square over features of the standard deviation of z/‖z‖, times √d; 0 where all embeddings agree."""
    size = jnp.sqrt(jnp.sum(z * z, axis=1, keepdims=True))
    unit = z / jnp.maximum(size, jnp.finfo(z.dtype).tiny)
    return jnp.sqrt(jnp.sum(jnp.var(unit, axis=0)))


def _of_last_layer(state: State, Wp: Array, alpha_p: Array, nan: Array) -> dict[str, Any]:
    layer = last_layer(state.online)
    if layer is None:
        return {"balance": nan, "proportionality": nan}
    bias = 0 if layer.bias is None else layer.bias[:, None] * layer.bias[None, :]
    G = layer.weight @ layer.weight.T + bias
    norm = lambda A: jnp.sqrt(jnp.sum(A * A))  # noqa: E731
    tiny = jnp.finfo(G.dtype).tiny
    balance = norm(G - Wp.T @ Wp / alpha_p) / jnp.maximum(norm(G), tiny)
    if state.target is None:
        return {"balance": balance, "proportionality": nan}
    W, Wa = layer.weight, last_layer(state.target).weight
    return {"balance": balance, "proportionality": jnp.sum(W * Wa) / jnp.maximum(norm(W) * norm(Wa), tiny)}
