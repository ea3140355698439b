"""The cosine loss (Bao, arXiv 2309.16109): x ~ N(0, I), noise sigma2 I, norms taken as concentrated.

L = -E[cos(Wp W x₁, sg W x₂)] + (rho/2)(‖Wp‖² + ‖W‖²), symmetric Wp, F = W Wᵀ. The norms of predicted and target
features are replaced by their root mean squares, which is exact as the feature dimension grows. Plain algebra, as in
`linbyol.equations`; the flows take vectors of modes.
"""

from typing import Any, NamedTuple

from linbyol.equations.byol import Matrix, Scalar, Vector


class Cosine(NamedTuple):
    """Constants."""

    kappa: Scalar  # 1 + sigma2
    rho: Scalar  # weight decay, of both networks


class CosineModes(NamedTuple):
    """Eigenvalues of Wp and of F in their common eigenbasis."""

    p: Vector
    s: Vector


class Norms(NamedTuple):
    """What couples the modes."""

    encoder: Scalar  # N_Φ = √tr F
    predictor: Scalar  # N_Ψ = √tr(Wp F Wp)
    overlap: Scalar  # T = tr(Wp F)


def norms(y: CosineModes) -> Norms:
    """N_Φ, N_Ψ and T of a state."""
    return Norms(encoder=_root(y.s.sum()), predictor=_root((y.p * y.p * y.s).sum()), overlap=(y.p * y.s).sum())


def cosine_modes_flow(y: CosineModes, k: Cosine) -> CosineModes:
    """Gradient flow per mode, with the norms of the state itself."""
    p, s = y
    e = attraction(y, norms(y), k)
    return CosineModes(p=e - k.rho * p, s=2 * p * e - 2 * k.rho * s)


def frozen_flow(p: Vector, n: Norms, k: Cosine) -> Vector:
    """On s = p², at given norms: ṗ = [p² - (T p³ + 2 p⁶)/N_Ψ²]/(κ N_Ψ N_Φ) - ρ p, of sixth order."""
    return attraction(CosineModes(p=p, s=p * p), n, k) - k.rho * p


def attraction(y: CosineModes, n: Norms, k: Cosine) -> Vector:
    """[s - (2 p² s² + T p s)/N_Ψ²] / (κ N_Ψ N_Φ)."""
    p, s = y
    pull = s - (2 * p * p * s * s + n.overlap * p * s) / (n.predictor * n.predictor)
    return pull / (k.kappa * n.predictor * n.encoder)


def predictor_descent(Wp: Matrix, F: Matrix, k: Cosine) -> Matrix:
    """-∂L/∂Wp = [F - (2 Wp F Wp F + T Wp F)/N_Ψ²] / (κ N_Ψ N_Φ) - ρ Wp, (d, d)."""
    square = (Wp @ F @ Wp.T).trace()  # N_Ψ²
    pull = F - (2 * (Wp @ F @ Wp @ F) + (Wp @ F).trace() * (Wp @ F)) / square
    return pull / (k.kappa * _root(square * F.trace())) - k.rho * Wp


def mode_balance(y: CosineModes, k: Cosine) -> Vector:
    """s - p², which decays as exp(-2 rho t)."""
    return y.s - y.p * y.p


def _root(x: Any) -> Any:
    return x ** (x**0 / 2)  # √x with an exact exponent in either world
