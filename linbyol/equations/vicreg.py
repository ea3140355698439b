"""VICReg on a linear encoder: the flow of its population loss, which knows second moments alone, whatever the data are.

Weights are those of `losses.vicreg(…, convention="paper")`; `paper_weights` makes them of the released code's. The
hinge of the variances is no algebra: arrays alone, but for `vicreg_mode_flow`, below the hinge.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from linbyol.equations.byol import Matrix, Scalar, Vector
from linbyol.equations.combinators import Ablated
from linbyol.equations.regularised import (
    Encoder,
    Features,
    Regularised,
    RegularisedModes,
    covariance,
    encoder_flow,
    features_flow,
    root,
)


class Vicreg(NamedTuple):
    """Weights Λ, M, N of the three terms, the data, and the hinge √(v + eps) < gamma."""

    invariance: Scalar
    variance: Scalar
    covariance: Scalar
    X: Matrix  # (n, n)
    X_aug: Matrix  # (n, n)
    gamma: Scalar = 1
    eps: Scalar = 0
    eta: Scalar = 0


class VicregModes(NamedTuple):
    """The same on modes along the axes of the features, of which there are d."""

    invariance: Scalar
    variance: Scalar
    d: Scalar
    lambda_d: Vector  # () or (d,)
    lambda_s: Vector
    gamma: Scalar = 1
    eps: Scalar = 0
    eta: Scalar = 0


def paper_weights(
    convention: str, d: Scalar, *, invariance: Scalar, variance: Scalar, covariance: Scalar
) -> dict[str, Scalar]:
    """The weights in the paper's convention of weights in convention "paper" or "code" (the released one)."""
    if convention not in ("paper", "code"):
        raise ValueError(f'Argument `convention` must be "paper" or "code", but is {convention!r}.')
    if convention == "code":
        invariance, variance = invariance / d, variance / 2
    return {"invariance": invariance, "variance": variance, "covariance": covariance}


def vicreg_flow(y: Encoder, k: Vicreg) -> Encoder:
    """Ẇ = -4Λ W X_aug - 2G W (X + X_aug) - eta W, G = (4N/d) offdiag(Σ_z) - (M/d) diag(1[v < gamma²] v^(-1/2))."""
    S = covariance(y, k)
    d, I = len(S), np.eye(len(S), dtype=S.dtype)  # noqa: E741
    v = (S * I).sum(axis=1) + k.eps
    G = 4 * k.covariance * (S - S * I) / d - I * (k.variance * _below(v, k.gamma) / d)[None]
    return encoder_flow(y, Regularised(2 * k.invariance, 1, k.X, k.X_aug, k.eta), G)


def vicreg_modes_flow(y: Features, k: VicregModes) -> Features:
    """dnu/dt = nu [-8Λ (lambda_s - lambda_d) + (4M/d) lambda_s (nu + eps)^(-1/2)] below the hinge, else without M."""
    return features_flow(y, _unweighted(k), -k.variance * _below(y.nu + k.eps, k.gamma) / k.d)


def vicreg_mode_flow(y: Features, k: VicregModes) -> Features:
    """The same below the hinge: plain algebra."""
    return features_flow(y, _unweighted(k), -k.variance / (k.d * root(y.nu + k.eps)))


def _at_most_the_hinge(y: Features, k: VicregModes) -> Features:
    xp = np if isinstance(y.nu, np.ndarray) else jnp
    return Features(nu=xp.minimum(y.nu, k.gamma * k.gamma - k.eps))


def _kept(rate: Features, y: Features, k: VicregModes) -> Features:
    return rate


# vicreg_modes_flow from below the hinge, without the jump that no solver passes: a mode that comes to it is held there.
vicreg_held_flow = Ablated(vicreg_mode_flow, Partial(_at_most_the_hinge), Partial(_kept))


def _below(v: Vector, gamma: Scalar) -> Vector:
    """v^(-1/2) below the hinge, v < gamma², and 0 above."""
    xp = np if isinstance(v, np.ndarray) else jnp
    return xp.where(v < gamma * gamma, 1 / root(v), 0)


def _unweighted(k: VicregModes) -> RegularisedModes:
    """Two views, each with a term of its own: a = 2Λ."""
    return RegularisedModes(2 * k.invariance, 1, k.lambda_d, k.lambda_s, k.eta)
