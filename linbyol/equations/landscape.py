"""The loss landscape of self-supervised learning near the origin (Ziyin et al., arXiv 2210.00638), in our form.

L = -tr(W B Wᵀ) + ½ tr[(W C Wᵀ)²]. Recalled and derived, not read in the paper.
"""

from typing import NamedTuple

from linbyol.equations.byol import Matrix, Scalar, Vector


class Landscape(NamedTuple):
    """B pulls features out, C pushes them back; both symmetric, C positive definite."""

    B: Matrix  # (n, n)
    C: Matrix  # (n, n)
    decay: Scalar = 0  # weight decay: B becomes B - (decay/2) I


class Encoder(NamedTuple):
    """The linear encoder."""

    W: Matrix  # (d, n)


def landscape_loss(y: Encoder, k: Landscape) -> Scalar:
    """-tr(W B Wᵀ) + ½ tr[(W C Wᵀ)²] + (decay/2) ‖W‖²; traces, so explicit matrices only."""
    Q = y.W @ k.C @ y.W.T
    return (Q @ Q).trace() / 2 - (y.W @ k.B @ y.W.T).trace() + k.decay * (y.W @ y.W.T).trace() / 2


def landscape_flow(y: Encoder, k: Landscape) -> Encoder:
    """Ẇ = 2 W B - 2 W C Wᵀ W C - decay W."""
    return Encoder(W=2 * (y.W @ k.B) - 2 * (y.W @ k.C @ y.W.T @ y.W @ k.C) - k.decay * y.W)


def mode_loss(s: Vector, b: Vector, c: Vector) -> Vector:
    """Commuting B and C: a mode of WᵀW with eigenvalue s costs -b s + c² s²/2."""
    return c * c * s * s / 2 - b * s


def mode_minimum(b: Vector, c: Vector) -> Vector:
    """Where `mode_loss` is least over s ≥ 0: max(0, b/c²)."""
    x = b / (c * c)
    return (x + abs(x)) / 2
