"""A linear encoder that is held up by a regulariser of its features in place of a predictor, on Gaussian data.

Two views x of a sample cost a E‖W (x₁ - x₂)‖²/2 = a tr(W X_aug Wᵀ), and the features' covariance Σ_z = W (X + X_aug) Wᵀ
costs mu R(Σ_z), so the data enter by X and X_aug alone. A regulariser is known by its gradient, G = dR/dΣ_z (d, d); on
modes, where W's rows lie along common eigenvectors of X and X_aug and Σ_z = diag(nu), by g_i = dR/dnu_i.
`sigreg`, `bhep` and `vicreg` beside this module say what G is.
"""

from typing import Any, NamedTuple

from linbyol.equations.byol import Matrix, Scalar, Vector


class Regularised(NamedTuple):
    """Weights of invariance and regulariser, and the moments of the data."""

    a: Scalar
    mu: Scalar
    X: Matrix  # (n, n)
    X_aug: Matrix  # (n, n)
    eta: Scalar = 0  # weight decay of the flow


class RegularisedModes(NamedTuple):
    """The same where X and X_aug commute; the eigenvalue of X_aug is lambda_s - lambda_d."""

    a: Scalar
    mu: Scalar
    lambda_d: Vector  # (d,), of X
    lambda_s: Vector  # (d,), of X + X_aug
    eta: Scalar = 0


class Alike(NamedTuple):
    """The same with d modes that are all alike."""

    a: Scalar
    mu: Scalar
    d: Scalar
    lambda_d: Vector
    lambda_s: Vector
    eta: Scalar = 0


class Encoder(NamedTuple):
    """The linear encoder."""

    W: Matrix  # (d, n)


class Features(NamedTuple):
    """Eigenvalues of the features' covariance, nu_i = lambda_s,i w_i²."""

    nu: Vector  # (d,)


def covariance(y: Encoder, k: Any) -> Matrix:
    """Σ_z = W (X + X_aug) Wᵀ, (d, d)."""
    return y.W @ (k.X + k.X_aug) @ y.W.T


def encoder_flow(y: Encoder, k: Any, G: Matrix) -> Encoder:
    """Ẇ = -2a W X_aug - 2mu G W (X + X_aug) - eta W."""
    return Encoder(W=-2 * k.a * (y.W @ k.X_aug) - 2 * k.mu * (G @ y.W @ (k.X + k.X_aug)) - k.eta * y.W)


def features_flow(y: Features, k: Any, g: Vector) -> Features:
    """dnu_i/dt = -4 nu_i [a (lambda_s - lambda_d) + mu lambda_s g_i] - 2eta nu_i."""
    return Features(nu=-4 * y.nu * (k.a * (k.lambda_s - k.lambda_d) + k.mu * k.lambda_s * g) - 2 * k.eta * y.nu)


def root(x: Vector) -> Vector:
    """√x in the world that x comes from, exact on symbols; its slope at 0 is infinite."""
    return x ** (x**0 / 2)
