"""The networks of a run: online encoder, projector and predictor, and the target that the online network follows."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.networks import ENCODERS, join, mlp, split
from experiments.networks.layers import Linear, linear
from experiments.trainer.uses import has_target, is_linear


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
    "linear": lambda e: {"d": e.d},
    "mlp": lambda e: {"widths": e.widths},
    "conv": lambda e: {"widths": e.widths},
    "resnet18": lambda e: {"stem": e.stem, "width": e.width},
    "res": lambda e: {"layers": e.layers, "width": e.width, "output": "flat" if e.flat else "pooled"},
}


def views_a_step(o: Any) -> int:
    """Views of an image in a step."""
    return 1 if o.method.name == "supervised" else getattr(o.method, "views", 2)


def online(o: Any, key: Array, shape: tuple[int, int, int], classes: int, dtype: Any) -> Online:
    """A new online network for images of this shape."""
    body = target(o, key, shape, dtype)
    of_predictor = jax.random.fold_in(key, 2)
    d = width(o, body.encoder)
    if o.method.name == "supervised":
        return Online(*body, linear(of_predictor, d, classes, dtype=dtype))
    if is_linear(o):
        return Online(*body, linear(of_predictor, d, d, bias=o.method.predictor.bias, dtype=dtype))
    predictor = getattr(o.method, "predictor", None)
    if predictor is not None and predictor.name == "mlp":
        sizes = (d, predictor.hidden, d)
        return Online(*body, mlp(of_predictor, sizes, norm=_norm(predictor), dtype=dtype))
    return Online(*body, Identity())


def target(o: Any, key: Array, shape: tuple[int, int, int], dtype: Any) -> Target:
    """A new encoder and projector; with the key of `online`, the same as there."""
    settings = ENCODER_SETTINGS[o.encoder.name](o.encoder)
    encoder = ENCODERS[o.encoder.name](jax.random.fold_in(key, 0), shape, dtype=dtype, **settings)
    if not o.projector.widths:
        return Target(encoder, Identity())
    sizes = (encoder.features, *o.projector.widths)
    return Target(encoder, mlp(jax.random.fold_in(key, 1), sizes, norm=_norm(o.projector), dtype=dtype))


def width(o: Any, encoder: Any) -> int:
    """d of what the predictor gets."""
    return o.projector.widths[-1] if o.projector.widths else encoder.features


def first_target(o: Any, key: Array, net: Online, shape: tuple[int, int, int], dtype: Any) -> Target | None:
    """The target at step 0: a copy of the online network, an independent network, or 0 (the paper's theory)."""
    if not has_target(o):
        return None
    fresh = target(o, jax.random.fold_in(key, 3), shape, dtype)
    if o.method.target.start == "independent":
        return fresh
    if o.method.target.start == "copy":
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


def _norm(part: Any) -> str | None:
    return None if part.norm == "none" else part.norm
