"""Self-predictive reinforcement learning (Tang et al. 2022, arXiv 2212.03319), with the best predictor at each time.

States of a Markov chain have features, the rows of Φ; P predicts those of the next state. The flow is recalled from
that paper as Φ̇ = (I - ΦΦᵀ) T Φ (ΦᵀTΦ)ᵀ, which is what this one is for uniform weights and orthonormal features.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from linbyol.equations.byol import Matrix
from linbyol.equations.combinators import Ablated


class Frame(NamedTuple):
    """Features of n states, and their predictor."""

    Phi: Matrix  # (n, d), one row a state
    P: Matrix  # (d, d), acts on the right: a row of Phi P predicts the next state's row


class Markov(NamedTuple):
    """A Markov chain, and how often its states are seen."""

    T: Matrix  # (n, n), transitions: row i holds the chances of the states after i
    D: Matrix  # (n, n), diagonal: weights of the states


def frame_flow(y: Frame, k: Markov) -> Frame:
    """Φ̇ = D (T Φ - Φ P) Pᵀ with P held: Lemma 1's Ẇ for W = Φᵀ, Wp = Pᵀ, X + X_aug = D, and X = Tᵀ D not symmetric."""
    Phi, P = y
    return Frame(Phi=k.D @ (k.T @ Phi - Phi @ P) @ P.T, P=0 * P)


def normal_equation(y: Frame, k: Markov) -> Matrix:
    """Φᵀ D (T Φ - Φ P), zero at the predictor that is best for these features, (d, d)."""
    return y.Phi.T @ k.D @ (k.T @ y.Phi - y.Phi @ y.P)


def gram(y: Frame, k: Markov) -> Matrix:
    """Φᵀ Φ, which the flow with the best predictor conserves for any chain, (d, d)."""
    return y.Phi.T @ y.Phi


def best_predictor(y: Frame, k: Markov) -> Frame:
    """The frame with P = (Φᵀ D Φ)⁻¹ Φᵀ D T Φ. Arrays only."""
    weighted = y.Phi.T @ k.D
    solve = np.linalg.solve if isinstance(y.Phi, np.ndarray) else jnp.linalg.solve
    return y._replace(P=solve(weighted @ y.Phi, weighted @ k.T @ y.Phi))


def _kept(rate: Frame, y: Frame, k: Markov) -> Frame:
    return rate


self_predictive_flow = Ablated(frame_flow, Partial(best_predictor), Partial(_kept))  # P is settled at each evaluation
