"""No loss behind the stop-gradient (Ponce, Terver, Hebert, Arbel 2025, arXiv 2507.01028), for linear SimSiam and BYOL.

What the stop-gradient takes away makes `simsiam(weights_flow)` the gradient of no function in the metric of its
learning rates, ⟨A, A'⟩ on W plus ⟨B, B'⟩/alpha_p on Wp; its equilibria without decay are a variety, towards which the
defect E = Wa X - Wp W (X + X_aug) falls. Plain algebra, as in `linbyol.equations`; derived in theory/newer/README.md.
"""

from typing import NamedTuple

from linbyol.equations.byol import Amplitudes, Commuting, Constants, Matrix, Scalar, Vector, Weights, identity


class Change(NamedTuple):
    """A change of encoder and predictor."""

    W: Matrix  # (d, n)
    Wp: Matrix  # (d, d)


class Defect(NamedTuple):
    """How far the networks are from the variety of equilibria."""

    E: Matrix  # (d, n), Wa X - Wp W (X + X_aug)
    D: Matrix  # (d, n), Wa - W


class Metric(NamedTuple):
    """A metric M(w, wp) on the amplitudes of one mode, symmetric, by its entries."""

    w_w: Vector
    w_wp: Vector
    wp_wp: Vector


def curl(v: Change, y: Weights, k: Constants) -> Change:
    """(J - J*) v for the Jacobian J of simsiam(weights_flow) at y and its adjoint J* in the metric of learning rates.

    With u = (A, 0) and v = (0, B) its form ⟨u, (J - J*) v⟩ is -tr(Bᵀ A X Wᵀ), whatever the decay; on W alone it is zero
    for a symmetric predictor, on Wp alone always.
    """
    return Change(
        W=(y.Wp.T - y.Wp) @ v.W @ k.X - v.Wp @ y.W @ k.X,
        Wp=k.alpha_p * (v.W @ k.X @ y.W.T),
    )


def scalar_metric(y: Amplitudes, k: Commuting, a: Scalar = 1) -> Metric:
    """At eta = 0 one mode of SimSiam is a gradient in this metric, M f = -∇`scalar_potential`, for any a > 0, w ≠ 0."""
    w, p = y.w, y.wp
    return Metric(
        w_w=a,
        w_wp=-a * p / (k.alpha_p * w),
        wp_wp=(k.lambda_s + a * p * p / k.alpha_p) / (k.alpha_p * w * w),
    )


def scalar_potential(y: Amplitudes, k: Commuting) -> Vector:
    """½ (λ_d - λ_s p)²."""
    e = k.lambda_d - k.lambda_s * y.wp
    return e * e / 2


def defect(y: Weights, k: Constants) -> Defect:
    """Zero exactly at the equilibria for X ≻ 0 and eta = 0: Wp W (X + X_aug) = W X with Wa = W."""
    return Defect(E=y.Wa @ k.X - y.Wp @ y.W @ (k.X + k.X_aug), D=y.Wa - y.W)


def normal_operator(E: Matrix, y: Weights, k: Constants) -> Matrix:
    """Ė along simsiam(weights_flow) at eta = 0, for every E: WpᵀE X - Wp WpᵀE Σ - alpha_p E Wᵀ W Σ, Σ = X + X_aug."""
    Sigma = k.X + k.X_aug
    return y.Wp.T @ E @ k.X - y.Wp @ y.Wp.T @ E @ Sigma - k.alpha_p * (E @ y.W.T @ y.W @ Sigma)


def normal_flow(v: Defect, y: Weights, k: Constants) -> Defect:
    """The same along weights_flow, whose target follows: the rates of E and D at eta = 0."""
    E, D = v
    Sigma = k.X + k.X_aug
    return Defect(
        E=-k.beta * (D @ k.X) - y.Wp @ y.Wp.T @ E @ Sigma - k.alpha_p * (E @ y.W.T @ y.W @ Sigma),
        D=-k.beta * D - y.Wp.T @ E,
    )


def transverse_rate(p: Vector, w: Vector, k: Commuting) -> Vector:
    """Aligned: the rate of E between feature i, at p = p_i, and input mode j, at w = w_j, λ_d = λ_dj, λ_s = λ_sj."""
    return p * (k.lambda_d - p * k.lambda_s) - k.alpha_p * w * w * k.lambda_s


def decay_equation(S: Matrix, k: Constants) -> Matrix:
    """Zero for S = WᵀW at an equilibrium of full column rank with decay eta, Wa = W:

    (alpha_p Σ S + eta I)(alpha_p S Σ + eta I) - alpha_p X S X, (n, n). The predictor is the ridge regression
    `linbyol.predictors.regression(W Σ Wᵀ, W X Wᵀ, eps=eta/alpha_p)`.
    """
    A = k.alpha_p * ((k.X + k.X_aug) @ S) + k.eta * identity(S)
    return A @ A.T - k.alpha_p * (k.X @ S @ k.X)


def open_balance(y: Weights, k: Constants) -> Matrix:
    """W Wᵀ - (I - Wp)ᵀ(I - Wp)/alpha_p: without stop-gradient, noise (X_aug = 0) and decay it is constant, (d, d)."""
    rest = identity(y.Wp) - y.Wp
    return y.W @ y.W.T - rest.T @ rest / k.alpha_p
