"""The methods: what is minimised, on the outputs of both views; each loss comes split into its terms.

A method is `(online, target, batch) -> terms`, whose `total` is minimised. Its losses are those of `linbyol.losses`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.lax import stop_gradient
from jaxtyping import Array, Float, Int

from experiments.trainer.model import Views
from linbyol import losses


class Batch(NamedTuple):
    """What else a loss may need."""

    method: Any  # its table
    scalars: Any
    labels: Int[Array, " b"]
    Wp: Any  # (d, d), or None where the predictor is no matrix
    key: Any = None  # of this step, for losses with chance of their own


class CrossEntropy(NamedTuple):
    """The supervised loss."""

    total: Float[Array, ""]
    cross_entropy: Float[Array, ""]


def predictive(online: Views, target: Views, batch: Batch) -> Any:
    """BYOL and SimSiam: each view's prediction against the other's target, both directions summed as released."""
    loss = {"cosine": losses.byol_cosine, "l2": losses.byol_l2}[batch.method.loss]

    def direction(i: int, j: int) -> Any:
        terms = loss(online.p[i], target.z[j])
        if getattr(batch.method, "stop_gradient", True):
            return terms
        back = loss(target.z[j], online.p[i]).total  # the same number, seen from the target
        return terms._replace(total=terms.total + back - stop_gradient(back))

    return _both(batch.method, direction)


def isoloss(online: Views, target: Views, batch: Batch) -> Any:
    """IsoLoss (arXiv 2212.04858), with the W_p that the rule has set."""
    loss = {"cosine": losses.isoloss_cosine, "l2": losses.isoloss_l2}[batch.method.loss]
    return _both(batch.method, lambda i, j: loss(online.z[i], target.z[j], stop_gradient(batch.Wp)))


def vicreg(online: Views, target: Views, batch: Batch) -> losses.Regularised:
    """VICReg, in the convention that the options name."""
    c = batch.scalars
    weights = {"invariance": c.invariance, "variance": c.variance, "covariance": c.covariance}
    return losses.vicreg(online.z[0], online.z[1], convention=batch.method.convention, **weights)


def simclr(online: Views, target: Views, batch: Batch) -> losses.Contrastive:
    """SimCLR's NT-Xent."""
    return losses.nt_xent(online.z[0], online.z[1], temperature=batch.scalars.temperature)


def barlow(online: Views, target: Views, batch: Batch) -> losses.Decorrelated:
    """Barlow Twins."""
    return losses.barlow_twins(online.z[0], online.z[1], redundancy=batch.scalars.redundancy)


def lejepa(online: Views, target: Views, batch: Batch) -> losses.Joint:
    """LeJEPA: invariance over all views, and SIGReg on slices of this step."""
    m = batch.method
    how = {"weights": m.weights, "pooled": m.pooled, "slices": m.slices, "points": m.points, "t_max": m.t_max}
    return losses.lejepa(online.z, batch.key, lamb=batch.scalars.lamb, **how)


def supervised(online: Views, target: Views, batch: Batch) -> CrossEntropy:
    """Cross-entropy of a linear classifier on the features, on one view."""
    loss = jnp.mean(optax.softmax_cross_entropy_with_integer_labels(online.p[0], batch.labels))
    return CrossEntropy(loss, loss)


METHODS: dict[str, Callable[[Views, Views, Batch], Any]] = {
    "byol": predictive,
    "simsiam": predictive,
    "isoloss": isoloss,
    "vicreg": vicreg,
    "simclr": simclr,
    "barlow": barlow,
    "lejepa": lejepa,
    "supervised": supervised,
}


def _both(method: Any, direction: Callable[[int, int], Any]) -> Any:
    terms = direction(0, 1)
    return jax.tree.map(jnp.add, terms, direction(1, 0)) if method.symmetric else terms
