"""The reductions of Lemma 1: Eqs. 62-63, Eq. 7, the symmetric fixed point of Wp, and the symmetry of Appendix D."""

from typing import Any, NamedTuple

import numpy as np
from sympy.matrices.expressions import Identity, MatrixSymbol

from linbyol.assumptions import to_symmetric, to_unsymmetrised
from linbyol.claims import Run, Verdict, claim
from linbyol.equations import (
    Constants,
    Isotropic,
    Matrix,
    Symmetric,
    Weights,
    identity,
    symmetric_flow,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.extremes import largest
from theory.proving import instances
from theory.proving.prover import Equal, Rate, Space, Statement, proven
from theory.proving.spaces import SYMMETRIC, UNSYMMETRISED, WEIGHTS


class Given(NamedTuple):
    """F, the inverse M of κ F + eta/alpha_p I, and any predictor D."""

    F: Matrix  # (d, d)
    M: Matrix  # (d, d)
    D: Matrix  # (d, d)


def stationary_predictor(y: Given, k: Isotropic) -> Matrix:
    """Sec. 3: Wp = tau F (κ F + eta/alpha_p I)⁻¹, (d, d)."""
    return k.tau * (y.F @ y.M)


def _proportional(*symmetric: str) -> Space:
    """Assumptions 1 and 2: Wa = tau W, X = I, X_aug = sigma2 I, with k = (those constants, Isotropic)."""
    reduced, (W, Wp, _) = UNSYMMETRISED.k, WEIGHTS.y
    eye = Identity(W.shape[1])
    k = Constants(reduced.alpha_p, reduced.beta, reduced.eta, X=eye, X_aug=reduced.sigma2 * eye)
    y = Weights(W, Wp, reduced.tau * W)
    instance = _symmetric_instance if symmetric else _proportional_instance
    return Space(y, (k, reduced), instance, tuple(getattr(y, name) for name in symmetric))


def _proportional_instance(rng: Any) -> tuple[Weights, Any]:
    y, k = instances.weights(rng), instances.isotropic(rng)
    eye = np.eye(7)
    return y._replace(Wa=k.tau * y.W), (Constants(k.alpha_p, k.beta, k.eta, eye, k.sigma2 * eye), k)


def _symmetric_instance(rng: Any) -> tuple[Weights, Any]:
    y, k = _proportional_instance(rng)
    return y._replace(Wp=(y.Wp + y.Wp.T) / 2), k


def _given() -> Space:
    F, k = UNSYMMETRISED.y.F, UNSYMMETRISED.k
    M, D = (MatrixSymbol(name, *F.shape) for name in ("M", "D"))
    product = Identity(F.shape[0]) / k.kappa - k.eta / (k.alpha_p * k.kappa) * M  # from M (κ F + eta/alpha_p I) = I
    return Space(Given(F, M, D), k, _given_instance, (F, M), {M @ F: product, F @ M: product})


def _given_instance(rng: Any) -> tuple[Given, Isotropic]:
    y, k = instances.symmetric(rng), instances.isotropic(rng)
    M = np.linalg.inv(k.kappa * y.F + k.eta / k.alpha_p * np.eye(4))
    return Given(y.F, M, y.Wp), k


def _manifold() -> Space:
    """Appendix D at eta = 0: Wp W (X + X_aug) = W X and Wa = W, moved by an invertible S."""
    (W, Wp, _), k = WEIGHTS.y, WEIGHTS.k
    S, inverse = (MatrixSymbol(name, *Wp.shape) for name in ("S", "S_inverse"))
    y = Weights(W=S @ W, Wp=S @ Wp @ inverse, Wa=S @ W)
    eye = Identity(Wp.shape[0])
    rules = {inverse @ S: eye, S @ inverse: eye, Wp @ W @ k.X_aug: W @ k.X - Wp @ W @ k.X}
    return Space(y, k._replace(eta=0), _manifold_instance, WEIGHTS.symmetric, rules)


def _manifold_instance(rng: Any) -> tuple[Weights, Constants]:
    k = instances.constants(rng, eta=0.0)
    # Left eigenvectors of X (X + X_aug)⁻¹: those of the symmetric R⁻¹ X R⁻ᵀ with X + X_aug = R Rᵀ, times R⁻¹.
    R = np.linalg.cholesky(k.X + k.X_aug)
    inverse = np.linalg.inv(R)
    p, Q = np.linalg.eigh(inverse @ k.X @ inverse.T)
    W = Q.T[:4] @ inverse
    S = np.eye(4) + instances.weights(rng, n=4, scale=0.1).W
    return Weights(W=S @ W, Wp=S @ np.diag(p[:4]) @ np.linalg.inv(S), Wa=S @ W), k


def _at_rest(y: Any, k: Any) -> Weights:
    return Weights(*(0 * A for A in y))


def _lemma_1(y: Weights, k: Any) -> Weights:
    return weights_flow(y, k[0])


def _symmetrised(y: Symmetric, k: Isotropic) -> Symmetric:
    rate = unsymmetrised_flow(y, k)
    return Symmetric(Wp=(rate.Wp + rate.Wp.T) / 2, F=rate.F)


def _predictor_rate(Wp: Matrix, y: Given, k: Isotropic) -> Matrix:
    return unsymmetrised_flow(Symmetric(Wp, y.F), k).Wp


GIVEN = _given()
PROOFS: dict[str, tuple[Statement, ...]] = {
    "B15": (
        Equal(
            GIVEN,
            lambda y, k: unsymmetrised_flow(Symmetric(stationary_predictor(y, k), y.F), k).Wp,
            lambda y, k: 0 * y.F,
        ),
        Equal(GIVEN, lambda y, k: stationary_predictor(y, k).T, stationary_predictor),
        Equal(
            GIVEN,
            lambda y, k: _predictor_rate(stationary_predictor(y, k) + y.D, y, k),
            lambda y, k: -k.alpha_p * y.D @ (k.kappa * y.F + k.eta / k.alpha_p * identity(y.F)),
        ),
    ),
    "B19": (
        Rate(
            _proportional(),
            _lemma_1,
            lambda y, k: to_unsymmetrised(y, k[0]),
            lambda y, k: unsymmetrised_flow(to_unsymmetrised(y, k[0]), k[1]),
        ),
    ),
    "B20": (
        Equal(SYMMETRIC, _symmetrised, symmetric_flow),
        Rate(
            _proportional("Wp"),
            _lemma_1,
            lambda y, k: to_symmetric(y, k[0]),
            lambda y, k: symmetric_flow(to_symmetric(y, k[0]), k[1]),
        ),
    ),
    "B63": (Equal(_manifold(), weights_flow, _at_rest),),
}


@claim(
    "B15",
    title="Why a symmetric predictor",
    statement="At given F and η > 0 the one fixed point of Eq. 2 is Wp = τ F (κ F + η/α_p)⁻¹ = U τΛ (κΛ + η/α_p)⁻¹ Uᵀ.",
    source="Sec. 3, Assumption 3",
    kind="symbolic",
)
def stationary(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 15])
    k = instances.isotropic(rng)
    U = instances.orthogonal(rng, 4)
    lambda_ = np.array([0.0, 0.0, 0.4, 1.1])  # singular F, as in collapse
    turned = lambda a: U @ np.diag(a) @ U.T  # noqa: E731
    spectral, F = turned(k.tau * lambda_ / (k.kappa * lambda_ + k.eta / k.alpha_p)), turned(lambda_)
    gap = largest(np.abs(unsymmetrised_flow(Symmetric(spectral, F), k).Wp))
    # Without decay any D with D F = 0 may be added, symmetric or not: the fixed point is no longer one.
    D = np.outer(U[:, 3], U[:, 0])
    other = turned(np.where(lambda_ > 0, k.tau / k.kappa, 0)) + D
    free = unsymmetrised_flow(Symmetric(other, F), k._replace(eta=0.0))
    loose = largest(np.abs(free.Wp))
    good = gap < 1e-14 and loose < 1e-14  # rounding of products of 4 x 4 matrices of order one
    return proven(run, PROOFS["B15"], good, spectral_gap=gap, not_unique_at_eta_0=loose)


@claim(
    "B19",
    title="Lemma 1 reduces to Eqs. 62-63",
    statement="Under Assumptions 1 and 2 (Wa = τ W, X = I, X_aug = σ² I) Wp and F = W Wᵀ obey Eqs. 62-63.",
    source="Appendix, Eqs. 62-63",
    kind="symbolic",
)
def unsymmetrised(run: Run) -> Verdict:
    return proven(run, PROOFS["B19"])


@claim(
    "B20",
    title="Symmetrising gives Eq. 7",
    statement="The symmetric part of Eqs. 62-63 at a symmetric Wp is Eq. 7 (= Eq. 67), from Lemma 1 itself too.",
    source="Eq. 7",
    kind="symbolic",
)
def symmetrised(run: Run) -> Verdict:
    return proven(run, PROOFS["B20"])


@claim(
    "B63",
    title="Symmetry of the fixed points",
    statement="At η = 0, Wp W Σˢ = W Σᵈ with Wa = W is at rest, and stays so under Wp → S Wp S⁻¹, W → S W.",
    source="Appendix D",
    kind="symbolic",
)
def symmetry(run: Run) -> Verdict:
    return proven(run, PROOFS["B63"])
