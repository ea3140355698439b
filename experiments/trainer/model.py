"""The networks of a run: online encoder, projector and predictor, and the target that the online network follows."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.networks import ENCODERS, join, mlp, split
from experiments.networks.layers import Linear, linear
from experiments.trainer.options import Options
from experiments.trainer.uses import has_target, is_linear, is_predictive


class Identity(eqx.Module):
    """The network that does nothing, where a projector or predictor is left out."""

    def __call__(self, x: Array, train: bool) -> tuple[Array, "Identity"]:
        return x, self


class Online(NamedTuple):
    """W (encoder and projector) and W_p; of networks, of their parameters or of their statistics."""

    encoder: Any
    projector: Any
    predictor: Any


class Target(NamedTuple):
    """W_a."""

    encoder: Any
    projector: Any


class Views(NamedTuple):
    """What the networks make of V views of a batch."""

    h: Float[Array, "V b features"]  # encoder
    z: Float[Array, "V b d"]  # projector
    p: Float[Array, "V b d"]  # predictor; of a supervised run the logits


ENCODER_SETTINGS = {
    "linear": lambda o: {"d": o.widths[0]},
    "mlp": lambda o: {"widths": o.widths},
    "conv": lambda o: {"widths": o.widths},
    "resnet18": lambda o: {"stem": o.stem, "width": o.widths[0]},
    "res": lambda o: {"layers": o.layers, "width": o.widths[0], "output": "flat" if o.flat else "pooled"},
}


def views_a_step(o: Options) -> int:
    """Views of an image in a step."""
    return 1 if o.method == "supervised" else 2


def online(o: Options, key: Array, shape: tuple[int, int, int], classes: int, dtype: Any) -> Online:
    """A new online network for images of this shape."""
    body = target(o, key, shape, dtype)
    of_predictor = jax.random.fold_in(key, 2)
    d = o.projector[-1] if o.projector else body.encoder.features
    if o.method == "supervised":
        return Online(*body, linear(of_predictor, d, classes, dtype=dtype))
    if is_linear(o):
        return Online(*body, linear(of_predictor, d, d, bias=o.predictor_bias, dtype=dtype))
    if o.predictor == "mlp" and is_predictive(o):
        sizes = (d, o.predictor_hidden, d)
        return Online(*body, mlp(of_predictor, sizes, norm=_norm(o), dtype=dtype))
    return Online(*body, Identity())


def target(o: Options, key: Array, shape: tuple[int, int, int], dtype: Any) -> Target:
    """A new encoder and projector; with the key of `online`, the same as there."""
    settings = ENCODER_SETTINGS[o.encoder](o)
    encoder = ENCODERS[o.encoder](jax.random.fold_in(key, 0), shape, dtype=dtype, **settings)
    if not o.projector:
        return Target(encoder, Identity())
    sizes = (encoder.features, *o.projector)
    return Target(encoder, mlp(jax.random.fold_in(key, 1), sizes, norm=_norm(o), dtype=dtype))


def first_target(o: Options, key: Array, net: Online, shape: tuple[int, int, int], dtype: Any) -> Target | None:
    """The target at step 0: a copy of the online network, an independent network, or 0 (the paper's theory)."""
    if not has_target(o):
        return None
    fresh = target(o, jax.random.fold_in(key, 3), shape, dtype)
    if o.target == "independent":
        return fresh
    if o.target == "copy":
        return jax.tree.map(jnp.copy, Target(net.encoder, net.projector))
    parameters, statistics = split(fresh)
    return join(jax.tree.map(jnp.zeros_like, parameters), statistics)


def last_layer(body: Online | Target) -> Linear | None:
    """The last linear map below the predictor, whose weight is the W of Theorem 1; None where there is none."""
    layers = body.encoder.body.layers if isinstance(body.projector, Identity) else body.projector.layers
    return layers[-1] if isinstance(layers[-1], Linear) else None


def forward(parameters: Any, statistics: Any, x: Float[Array, "V b ..."], train: bool) -> tuple[Array, Any]:
    """A network on each of V views by themselves: outputs (V, b, …), and statistics, which move once.

    Batch statistics are those of each view. Differs: the released code moves the running ones view by view.
    """

    def one(x: Array) -> tuple[Array, Any]:
        y, net = join(parameters, statistics)(x, train)
        return y, split(net)[1]

    y, found = jax.vmap(one)(x)
    return y, jax.tree.map(lambda s: jnp.mean(s, axis=0), found)


def look(parameters: Any, statistics: Any, x: Array, train: bool, dtype: Any) -> tuple[Views, Any]:
    """All parts on views x (V, b, h, w, c): outputs in `dtype`, whatever precision they were computed in."""
    outputs, found = [], []
    for part, its_statistics in zip(parameters, statistics, strict=True):
        x, moved = forward(part, its_statistics, x, train)
        outputs.append(x.astype(dtype))
        found.append(moved)
    if len(outputs) == 2:  # a target has no predictor
        outputs.append(outputs[-1])
    return Views(*outputs), type(parameters)(*found)


def _norm(o: Options) -> str | None:
    return None if o.projector_norm == "none" else o.projector_norm
