"""The equations of Tian, Chen & Ganguli (2021), arXiv 2102.06810, each written once.

Everything here is plain algebra (`@ .T + -`, scalar `*` and `/`), so the same function is integrated by JAX, proven by
SymPy and printed as LaTeX. Matrices are multiplied by `@` only (`Wp @ Wp`, never `Wp**2`), and no decimal stands in an
equation (`/ 2`, never `0.5`), or an exact proof would become one in floating point.

A flow is a function `(y, k) -> dy/dt` of a state `y` and constants `k`; the rate has the type of the state.
Shapes: W, Wa (d, n); Wp, F (d, d); X, X_aug (n, n); per mode () or (d,). Times are those of the gradient flow.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from linbyol.equations.combinators import Ablated, Flow, need, simsiam, unchanged

# Both worlds pass through, a JAX array or a SymPy expression, so these aliases only name a shape.
Scalar = Any  # ()
Vector = Any  # () or (d,): one entry a mode
Matrix = Any  # (d, d), (d, n) or (n, n), as the comment says


class Constants(NamedTuple):
    """Lemma 1: what the flow of the weights depends on, for any data and any augmentation."""

    alpha_p: Scalar  # learning rate of Wp divided by that of W
    beta: Scalar  # rate of the target's exponential moving average, per unit of flow time
    eta: Scalar  # weight decay of the flow
    X: Matrix  # (n, n): E[x̄ x̄ᵀ], x̄ the mean of a sample's views
    X_aug: Matrix  # (n, n): E Cov[x' | x], the paper's X′


class Isotropic(NamedTuple):
    """Assumptions 1 and 2: X = I, X_aug = sigma2 I, Wa = tau W."""

    alpha_p: Scalar
    beta: Scalar
    eta: Scalar
    sigma2: Scalar  # variance of the augmentation noise
    tau: Scalar = 1  # for what has no tau of its own: symmetric_flow, closed forms

    @property
    def kappa(self) -> Scalar:
        """κ = 1 + σ²."""
        return 1 + self.sigma2

    @property
    def lambda_d(self) -> Scalar:
        """Eigenvalue of X = I."""
        return 1

    @property
    def lambda_s(self) -> Scalar:
        """Eigenvalue of X + X_aug = κ I."""
        return self.kappa


class Commuting(NamedTuple):
    """Appendix D: X and X_aug commute; one pair of eigenvalues a mode."""

    alpha_p: Scalar
    beta: Scalar
    eta: Scalar
    lambda_d: Vector  # eigenvalues of X
    lambda_s: Vector  # eigenvalues of X + X_aug


class Held(NamedTuple):
    """`Commuting` data with a target ratio of their own, Wa = tau W, for closed forms."""

    alpha_p: Scalar
    beta: Scalar
    eta: Scalar
    lambda_d: Vector
    lambda_s: Vector
    tau: Vector = 1


class Weights(NamedTuple):
    """The three linear networks."""

    W: Matrix  # (d, n) encoder
    Wp: Matrix  # (d, d) predictor
    Wa: Matrix  # (d, n) target


class Symmetric(NamedTuple):
    """Assumptions 1 to 3: a symmetric predictor and the correlation of the features."""

    Wp: Matrix  # (d, d), symmetric
    F: Matrix  # (d, d), W X Wᵀ


class Modes(NamedTuple):
    """Eigenmodes: eigenvalues of Wp and of W Wᵀ in their common eigenbasis, and the target's ratio Wa = tau W."""

    p: Vector
    s: Vector
    tau: Vector


class Amplitudes(NamedTuple):
    """The same modes as signed amplitudes, regular where tau = wa/w is not: p = wp, s = w², tau = wa/w."""

    w: Vector
    wp: Vector
    wa: Vector


def weights_flow(y: Weights, k: Constants) -> Weights:
    """Lemma 1, Eqs. 2-4: gradient flow of BYOL's loss with an EMA target."""
    W, Wp, Wa = y
    E = Wa @ k.X - Wp @ W @ (k.X + k.X_aug)  # E[(Wa x2 - Wp W x1) x1ᵀ], (d, n)
    return Weights(
        W=Wp.T @ E - k.eta * W,
        Wp=k.alpha_p * (E @ W.T) - k.eta * Wp,
        Wa=k.beta * (W - Wa),
    )


def unsymmetrised_flow(y: Symmetric, k: Isotropic) -> Symmetric:
    """Eqs. 62-63: Lemma 1 under Assumptions 1 and 2, for a predictor that need not be symmetric."""
    Wp, F = y
    return Symmetric(
        Wp=k.alpha_p * (k.tau * F - k.kappa * (Wp @ F)) - k.eta * Wp,
        F=k.tau * (Wp.T @ F + F @ Wp) - k.kappa * (Wp.T @ Wp @ F + F @ Wp.T @ Wp) - 2 * k.eta * F,
    )


def symmetric_flow(y: Symmetric, k: Isotropic) -> Symmetric:
    """Eq. 7 (= Eq. 67): the flow of a symmetrised predictor and of F, under Assumptions 1 to 3."""
    Wp, F = y
    return Symmetric(
        Wp=k.alpha_p * (k.tau * F - k.kappa * anticommutator(Wp, F) / 2) - k.eta * Wp,
        F=k.tau * anticommutator(Wp, F) - k.kappa * anticommutator(Wp @ Wp, F) - 2 * k.eta * F,
    )


def modes_flow(y: Modes, k: Isotropic | Commuting) -> Modes:
    """Eqs. 11-13 (Appendix D for commuting data): decoupled eigenmodes. Eq. 13 is divided by s, so s = 0 is regular."""
    p, s, tau = y
    growth = effective_growth(y, k)  # ẇ/w
    return Modes(
        p=k.alpha_p * s * (tau * k.lambda_d - k.lambda_s * p) - k.eta * p,
        s=2 * s * growth,
        tau=k.beta * (1 - tau) - tau * growth,
    )


def amplitudes_flow(y: Amplitudes, k: Isotropic | Commuting) -> Amplitudes:
    """Eqs. 104-106 (Appendix D) with weight decay: BYOL with n = d = 1, once a mode."""
    w, wp, wa = y
    e = wa * k.lambda_d - wp * w * k.lambda_s
    return Amplitudes(
        w=wp * e - k.eta * w,
        wp=k.alpha_p * e * w - k.eta * wp,
        wa=k.beta * (w - wa),
    )


def parabola_flow(p: Vector, k: Isotropic | Commuting | Held) -> Vector:
    """Eq. 16: a mode on the invariant parabola s = p²/alpha_p, at tau = k.tau (1 where k has none)."""
    tau = getattr(k, "tau", 1)
    return p * p * (tau * k.lambda_d - k.lambda_s * p) - k.eta * p


def effective_growth(y: Modes, k: Isotropic | Commuting) -> Vector:
    """Eq. 17's Δ = p (tau - κ p) - eta: the rate ẇ/w of a mode."""
    p, _, tau = y
    return p * (tau * k.lambda_d - k.lambda_s * p) - k.eta


def target_gradient(y: Weights, k: Constants) -> Matrix:
    """Theorem 2: what the stop-gradient stops, E[(Wa x2 - Wp W x1) x2ᵀ], (d, n)."""
    W, Wp, Wa = y
    return Wa @ (k.X + k.X_aug) - Wp @ W @ k.X


def balance(y: Weights, k: Constants) -> Matrix:
    """Theorem 1: W Wᵀ - Wpᵀ Wp / alpha_p at one time, (d, d). The paper's C is exp(2 eta t) times it."""
    return y.W @ y.W.T - y.Wp.T @ y.Wp / k.alpha_p


def symmetric_balance(y: Symmetric, k: Isotropic) -> Matrix:
    """Theorem 1's quantity for the reduced flows (X = I, so F = W Wᵀ), (d, d)."""
    return y.F - y.Wp.T @ y.Wp / k.alpha_p


def mode_balance(y: Modes, k: Isotropic | Commuting) -> Vector:
    """Eq. 14: s - p²/alpha_p at one time. The paper's c_j is exp(2 eta t) times it (its sign as corrected)."""
    return y.s - y.p * y.p / k.alpha_p


def commutator(y: Symmetric, k: Isotropic) -> Matrix:
    """Theorem 3: L = F Wp - Wp F, (d, d); zero when the eigenspaces are aligned."""
    return y.F @ y.Wp - y.Wp @ y.F


def alignment_rate(y: Symmetric, k: Isotropic) -> Matrix:
    """Theorem 3: K of dL/dt = -L K - K L, whole, (3/2) eta I included, (d, d)."""
    Wp, F = y
    return k.kappa * (k.alpha_p * F / 2 + Wp @ Wp) - k.tau * Wp + 3 * k.eta * identity(Wp) / 2


def mode_alignment_rate(y: Modes, k: Isotropic) -> Vector:
    """Eq. 17: K_j, the eigenvalue of K that belongs to a mode, with tau from the state."""
    p, s, tau = y
    return k.kappa * (k.alpha_p * s / 2 + p * p) - tau * p + 3 * k.eta / 2


def collapse_operator(y: Weights, k: Constants) -> Matrix:
    """Theorem 2: H (n d, n d) of d vec(W)/dt = -H vec(W), column-major vec(W) = W.T.reshape(-1). Arrays only."""
    Wp = y.Wp
    residual = Wp - identity(Wp)
    kron = np.kron if isinstance(Wp, np.ndarray) else jnp.kron
    H = kron(k.X_aug, Wp.T @ Wp + identity(Wp)) + kron(k.X, residual.T @ residual)
    return H + k.eta * identity(H)


def no_stop_gradient(flow: Flow) -> Ablated:
    """Theorem 2: Wa = W with the gradient through the target as well; for `weights_flow` and flows made from it."""
    return Ablated(simsiam(flow), Partial(unchanged), Partial(_with_target_gradient))


def _with_target_gradient(rate: Any, y: Any, k: Any) -> Any:
    need("Combinator no_stop_gradient", y, ("W",))
    W = rate.W - target_gradient(y, k)
    return rate._replace(W=W, Wa=W)


def anticommutator(A: Matrix, B: Matrix) -> Matrix:
    """{A, B} = A B + B A."""
    return A @ B + B @ A


def identity(A: Matrix) -> Matrix:
    """The identity matrix of a square A's size, in the world A comes from."""
    return A**0 if hasattr(A, "is_Matrix") else np.eye(A.shape[-1], dtype=A.dtype)
