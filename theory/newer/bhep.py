"""M18: BHEP on Gaussian features, in closed form for every dimension."""

from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations.bhep import (
    Bhep,
    BhepModes,
    bhep_alike_flow,
    bhep_distance,
    bhep_flow,
    bhep_gradient,
    bhep_gradient_matrix,
    bhep_modes_flow,
)
from linbyol.equations.regularised import Alike, Encoder, Features, covariance, features_flow
from linbyol.extremes import largest
from theory.newer.regularised_spaces import drawn_bhep, drawn_modes, penalty
from theory.proving.instances import moment
from theory.proving.prover import Descent, Equal, Space, proven, slope

beta = sp.Symbol("beta", positive=True)


def _entries(f: Any) -> Any:
    """What f gives for an object array of symbols, as an explicit matrix."""
    return lambda nu, beta: sp.Matrix(np.atleast_1d(f(np.array(nu, dtype=object), beta)).tolist())


def _space(size: int) -> Space:
    return Space(sp.symbols(f"nu:{size}", positive=True), beta, dimensions="1, 2, 3 features")


def determinant_loss(y: Encoder, k: Bhep) -> np.ndarray:
    """The loss with R written out in determinants."""
    S, I, b = covariance(y, k), np.eye(len(y.W)), k.beta**2  # noqa: E741
    det = np.linalg.det
    R = det(I + 2 * b * S) ** -0.5 - 2 * det((1 + b) * I + b * S) ** -0.5
    return penalty(y, k, k.a) + k.mu * R


def _modes(rng: np.random.Generator) -> tuple[Features, BhepModes]:
    y, k = drawn_modes(rng)
    return y, BhepModes(k.a, k.mu, k.lambda_d, k.lambda_s, rng.uniform(0.5, 1.5), k.eta)


def _turned(y: Features, k: BhepModes) -> np.ndarray:
    return np.diag(bhep_gradient_matrix(np.diag(y.nu), k.beta))


def _alike(rng: np.random.Generator) -> tuple[Features, Alike]:
    _, k = drawn_modes(rng)
    return Features(rng.uniform(0, 3)), Alike(k.a, k.mu, 3, k.lambda_d[0], k.lambda_s[0], k.eta)


def _one_of_them(y: Features, k: Alike) -> Features:
    """The first of d equal modes by the flow of any modes."""
    nu, lambda_d, lambda_s = (np.full(k.d, x) for x in (y.nu, k.lambda_d, k.lambda_s))
    return Features(bhep_modes_flow(Features(nu), BhepModes(k.a, k.mu, lambda_d, lambda_s, 1.0, k.eta)).nu[0])


PROOFS = {
    "M18": (
        *(
            Equal(
                _space(size), _entries(bhep_gradient),
                _entries(lambda nu, beta: [sp.diff(bhep_distance(nu, beta), v) for v in nu]),
            )
            for size in (1, 2, 3)
        ),
        Equal(_space(2), lambda nu, beta: bhep_distance(np.array([sp.Integer(1)] * 2), beta), lambda nu, beta: 0),
        Descent(Space(instance=drawn_bhep), bhep_flow, "W", determinant_loss),
        Equal(Space(instance=_modes), bhep_modes_flow, lambda y, k: features_flow(y, k, _turned(y, k))),
        Equal(Space(instance=_alike), bhep_alike_flow, _one_of_them),
    ),
}  # fmt: skip


@claim(
    "M18",
    title="BHEP on Gaussian features in closed form",
    statement="For the weight N(0, β²I) and z ~ N(m, Σ_z), R = det(I + 2β²Σ_z)^(-1/2) - 2 det C^(-1/2) exp(-(β²/2) "
    "mᵀC⁻¹m) + (1+2β²)^(-d/2), C = (1+β²)I + β²Σ_z. Its gradient is closed for every d, at β = 1 g_i = "
    "Π(2+ν_k)^(-1/2)/(2+ν_i) - Π(1+2ν_k)^(-1/2)/(1+2ν_i). Over samples it is the pairs formula.",
    source="derived; the pairs formula as in the released code",
    kind="symbolic",
)
def closed_form(run: Run) -> Verdict:
    """The gradient on symbols; R by a product of Gauss and Hermite in two dimensions; the pairs by the same."""
    rng = np.random.default_rng([run.seed, 18])
    x, w = np.polynomial.hermite_e.hermegauss(80)
    t, weights = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1), np.outer(w, w) / (2 * np.pi)
    gaps, of_pairs, of_gradients = [], [], []
    for _ in range(4):
        S, m, width = moment(rng, 2), rng.standard_normal(2), rng.uniform(0.4, 1.2)
        b, at = width * width, width * t
        normal = np.exp(-np.sum(at * at, axis=-1) / 2)
        features = np.exp(1j * at @ m - np.einsum("abi,ij,abj->ab", at, S, at) / 2)
        C, nu = (1 + b) * np.eye(2) + b * S, np.linalg.eigvalsh(S)
        overlap = np.exp(-b * m @ np.linalg.solve(C, m) / 2)
        gaps.append(bhep_distance(nu, width, overlap) - np.sum(weights * np.abs(features - normal) ** 2))
        z = rng.standard_normal((7, 2))
        sample = np.exp(1j * np.einsum("abi,ni->nab", at, z)).mean(axis=0)
        of_pairs.append(_pairs(z, b) - np.sum(weights * np.abs(sample - normal) ** 2))
        g = np.array([slope(lambda nu, width=width: bhep_distance(nu, width), nu, e) for e in np.eye(2)])
        of_gradients.append(np.abs(bhep_gradient(nu, width) - g).max())
    worst = largest(np.abs(gaps)), largest(np.abs(of_pairs)), largest(of_gradients)
    return proven(
        run,
        PROOFS["M18"],
        largest(worst) < 1e-12,
        gap_to_the_integral=worst[0],
        gap_of_the_pairs=worst[1],
        gap_of_the_gradient=worst[2],
    )


def _pairs(z: np.ndarray, b: float) -> float:
    d = z.shape[1]
    apart = np.sum((z[:, None] - z) ** 2, axis=-1)
    cross = np.exp(-b * np.sum(z**2, axis=1) / (2 * (1 + b))).mean()
    return np.exp(-b * apart / 2).mean() - 2 * (1 + b) ** (-d / 2) * cross + (1 + 2 * b) ** (-d / 2)
