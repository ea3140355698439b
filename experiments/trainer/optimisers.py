"""Optimisers: optax's, with traced constants, so that lanes with different constants share one program.

A transformation gives the direction; the step is -lr times it. Weight decay is PyTorch's: added to the gradient before
the momentum, for AdamW after it. LARS scales each layer's decayed gradient by ‖w‖/‖g‖ before the momentum.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

TRUST = 1e-3  # LARS: coefficient of the layer-wise rate


def sgd(momentum: Array, decay: Array, mask: Any) -> optax.GradientTransformation:
    """Momentum as PyTorch's SGD has it: no dampening, no Nesterov."""
    return optax.chain(optax.add_decayed_weights(decay, mask), optax.trace(momentum))


def lars(momentum: Array, decay: Array, mask: Any) -> optax.GradientTransformation:
    """Layer-wise adaptive rates (arXiv 1708.03888)."""
    trust = optax.masked(optax.scale_by_trust_ratio(trust_coefficient=TRUST), mask)
    return optax.chain(optax.add_decayed_weights(decay, mask), trust, optax.trace(momentum))


def adamw(momentum: Array, decay: Array, mask: Any) -> optax.GradientTransformation:
    """Adam with decoupled weight decay (arXiv 1711.05101); `momentum` is its first, 0.999 its second."""
    return optax.chain(optax.scale_by_adam(b1=momentum), optax.add_decayed_weights(decay, mask))


OPTIMISERS: dict[str, Callable[[Array, Array, Any], optax.GradientTransformation]] = {
    "sgd": sgd,
    "lars": lars,
    "adamw": adamw,
}


def decayed(parameters: Any, everything: bool) -> Any:
    """Which parameters decay: all, or matrices and kernels alone."""
    return jax.tree.map(lambda w: everything or w.ndim > 1, parameters)


def moved(parameters: Any, direction: Any, rate: Array) -> Any:
    """w - rate · direction."""
    return jax.tree.map(lambda w, u: w - jnp.asarray(rate, w.dtype) * u, parameters, direction)
