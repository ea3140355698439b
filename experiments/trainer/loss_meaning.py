"""What the number that a method minimises says of a network, and what it does not: whether a collapse shows in it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from experiments.trainer.methods import METHODS, Batch
from experiments.trainer.model import Views, views_a_step
from experiments.trainer.state import Scalars


class Meaning(NamedTuple):
    """A loss beside that of a network which makes one point of all images."""

    loss: float
    first: float  # of the first row
    collapsed: float | None  # None of a supervised run, whose loss is one of labels
    falls: bool  # whether the steps descend on it
    sentences: list[str]


def meaning(o: Any, scalars: dict[str, float], d: int, first: float, last: float) -> Meaning:
    """Of a lane whose embeddings have d features, and whose loss was `first` and is `last`."""
    collapsed = None if o.method.name == "supervised" else collapsed_loss(o, scalars, d)
    falls = not (hasattr(o.method, "predictor") and getattr(o.method, "stop_gradient", True))
    sentences = [f"Loss {last:.4g} ({first:.4g} in the first row): {_what(o, last)}."]
    if collapsed is None:
        sentences.append("It should fall.")
    elif falls and last < collapsed:
        sentences.append(
            f"A network that makes one point of all images would have {collapsed:.4g}: this loss tells of a collapse, "
            "and should fall."
        )
    elif falls:
        sentences.append(
            f"A network that makes one point of all images has {collapsed:.4g}: what falls towards it may be a "
            "collapse."
        )
    else:
        sentences.append(
            f"A network that makes one point of all images has {collapsed:.4g} (with Wp = I), so that this number "
            "neither shows a collapse nor excludes one. It need not fall: behind the stop-gradient there is no loss on "
            "which the steps descend, and it rises where features grow or spread."
        )
    return Meaning(last, first, collapsed, falls, sentences)


def collapsed_loss(o: Any, scalars: dict[str, float], d: int) -> float:
    """The method's loss where all embeddings and predictions are one unit vector, and Wp = I."""
    z = jnp.zeros((views_a_step(o), o.run.batch, d)).at[..., 0].set(1)  # exactly of length 1
    views = Views(z, z, z)
    constants = Scalars(**{name: jnp.asarray(x, z.dtype) for name, x in scalars.items()})
    labels = jnp.zeros(o.run.batch, jnp.int32)
    batch = Batch(o.method, constants, labels, jnp.eye(d), jax.random.key(0))
    return float(METHODS[o.method.name](views, views, batch).total)


def _what(o: Any, loss: float) -> str:
    """The loss in words, with what the number means in them."""
    name, kind = o.method.name, getattr(o.method, "loss", None)
    both = ", both directions summed" if getattr(o.method, "symmetric", False) else ""
    if name == "isoloss":
        return f"IsoLoss's, of which the gradient counts, for its value is no distance{both}"
    if kind == "cosine":
        cosine = 1 - loss / (4 if o.method.symmetric else 2)
        return (
            f"2 - 2 cos between prediction and target{both}, a mean cosine of {cosine:.4g} (code that minimises -cos "
            f"shows {-cosine:.4g}, and its -1 is 0 here)"
        )
    if kind == "l2":
        return f"½‖prediction - target‖²{both}, in the features' own scale"
    return f"that of {name}, the sum of its terms in metrics.csv"
