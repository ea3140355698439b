"""IsoLoss and the losses it mends (Halvagal, Laborieux, Zenke, arXiv 2212.04858), on the eigenvalues of E[z zᵀ].

Setting: z = W x with E[x xᵀ] = I, E[z zᵀ] = U diag(lam) Uᵀ, Wp = U diag(lam^alpha) Uᵀ, target = online network.
Euclidean losses: noise of variance kappa - 1 on both views. Cosine losses: no noise, and the mean over samples x is
a mean over rows of g2. Plain algebra, as in `linbyol.equations`; cosine flows take vectors of modes.
"""

from typing import NamedTuple

from linbyol.equations.byol import Isotropic, Matrix, Modes, Scalar, Vector, effective_growth


class Euclidean(NamedTuple):
    """The squared distance ½‖Wp z₁ - z₂‖²; alpha = 0 is no predictor."""

    alpha: Scalar
    kappa: Scalar = 1


class Angular(NamedTuple):
    """The cosine, over samples given by their whitened coordinates in the modes."""

    alpha: Scalar
    g2: Matrix  # (b, d): squares of the coordinates, so that z_m² = lam_m g2_m; Gaussian x: squared normal draws


class Spectrum(NamedTuple):
    """Eigenvalues of E[z zᵀ]."""

    lam: Vector


def euclidean_flow(y: Spectrum, k: Euclidean) -> Spectrum:
    """L_euc: λ̇ = 2 λ^(1 + α) (1 - κ λ^α), Lemma 1 with a set predictor."""
    return Spectrum(2 * y.lam * _growth(y, k))


def euclidean_isoloss_flow(y: Spectrum, k: Euclidean) -> Spectrum:
    """IsoLoss, ½‖z₁ - sg(z₂ + z₁ - Wp z₁)‖²: λ̇ = 2 λ (1 - κ λ^α)."""
    return Spectrum(2 * y.lam * (1 - k.kappa * y.lam**k.alpha))


def euclidean_open_flow(y: Spectrum, k: Euclidean) -> Spectrum:
    """L_euc without the stop-gradient: λ̇ = -2 λ [(1 - p)² + (κ - 1)(1 + p²)], p = λ^α."""
    return Spectrum(2 * y.lam * (_growth(y, k) - (k.kappa - y.lam**k.alpha)))


def cosine_flow(y: Spectrum, k: Angular) -> Spectrum:
    """L_cos = -cos(Wp z₁, sg z₂): λ̇_m = 2 E[p_m z_m² Σ_k p_k z_k² (p_k - p_m) / (‖Wp z‖³ ‖z‖)]."""
    return Spectrum(y.lam**k.alpha * cosine_isoloss_flow(y, k).lam)


def cosine_isoloss_flow(y: Spectrum, k: Angular) -> Spectrum:
    """IsoLoss, cosine: L_cos without the leading p_m."""
    lam, p = y.lam, y.lam**k.alpha
    z = k.g2 @ lam  # ‖z‖², (b,)
    zp = k.g2 @ (p * lam)  # z · Wp z
    pp = k.g2 @ (p * p * lam)  # ‖Wp z‖²
    weight = (pp * pp * pp * z) ** (-(z**0) / 2) / k.g2.shape[0]
    return Spectrum(2 * lam * (k.g2.T @ (weight * pp) - p * (k.g2.T @ (weight * zp))))


def _growth(y: Spectrum, k: Euclidean) -> Vector:
    modes = Modes(p=y.lam**k.alpha, s=y.lam, tau=1)
    return effective_growth(modes, Isotropic(alpha_p=1, beta=0, eta=0, sigma2=k.kappa - 1))
