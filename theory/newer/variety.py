"""Equilibria without decay: a variety of d² dimensions, and the flow towards it."""

import itertools
from math import comb
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Constants, Weights, simsiam, weights_flow
from linbyol.equations.no_loss import defect, normal_flow, normal_operator
from linbyol.extremes import every, largest
from theory.newer.jacobians import counts, jacobian
from theory.proving import instances
from theory.proving.prover import Rate, proven
from theory.proving.spaces import WEIGHTS

SOURCE = "Ponce et al. 2025, arXiv 2507.01028; derived"
FLOW = simsiam(weights_flow)
D, N = 2, 4


def still(k: Constants) -> Constants:
    """The same without decay."""
    return k._replace(eta=0 * k.eta)


def _moving(y: Weights, k: Constants) -> Weights:
    return weights_flow(y, still(k))


def _following(y: Weights, k: Constants) -> Weights:
    return FLOW(y, still(k))


def _at_the_encoder(y: Weights) -> Weights:
    return y._replace(Wa=y.W)


PROOFS = {
    "M27": (
        Rate(WEIGHTS, _following, lambda y, k: defect(_at_the_encoder(y), k).E,
             lambda y, k: normal_operator(defect(_at_the_encoder(y), k).E, y, k)),
        Rate(WEIGHTS, _moving, defect, lambda y, k: normal_flow(defect(y, k), y, k)),
    ),
}  # fmt: skip


def modes(k: Constants) -> tuple[np.ndarray, np.ndarray]:
    """ρ, descending, and the left eigenvectors of X Σ⁻¹ as rows."""
    values, right = np.linalg.eig(np.linalg.solve(k.X + k.X_aug, k.X))  # of Σ⁻¹ X, the transpose
    order = np.argsort(-values.real)
    return values.real[order], right.real.T[order]


def on_stratum(used: tuple[int, ...], k: Constants, parameters: np.ndarray) -> Weights:
    """The equilibrium with W = A V_I and Wp A = A diag(ρ_I), Wp free on what completes A to a basis."""
    rho, V = modes(k)
    r = len(used)
    A, free = parameters[: D * r].reshape(D, r), parameters[D * r :].reshape(D, D - r)
    rest = np.linalg.svd(FRAME[:, :r], full_matrices=True)[0][:, r:]  # a fixed complement, of A too if A is near FRAME
    basis = np.hstack([A, rest])
    Wp = np.hstack([A * rho[list(used)], free]) @ np.linalg.inv(basis)
    W = A @ V[list(used)] if r else np.zeros((D, len(V)))
    return Weights(W, Wp, W)


FRAME = np.array([[1.0, 0.3], [-0.4, 0.8]])


def stratum(used: tuple[int, ...], k: Constants, rng: np.random.Generator) -> dict[str, Any]:
    """What is left of the rates on it, its dimension, and the Jacobian's spectrum against the normal operator's."""
    point = np.concatenate([FRAME[:, : len(used)].ravel(), np.zeros(D * (D - len(used)))])
    point = point + 0.1 * rng.standard_normal(point.size)
    y = on_stratum(used, k, point)
    step = 1e-6
    sides = [[on_stratum(used, k, point + sign * step * e) for sign in (1, -1)] for e in np.eye(point.size)]
    tangent = [np.concatenate([(a - b).ravel() / (2 * step) for a, b in zip(*pair, strict=True)][:2]) for pair in sides]
    values = np.linalg.eigvals(jacobian(FLOW, y, k))
    found = {
        "rate": largest(np.abs(leaf) for leaf in FLOW(y, k)),
        "dimension": int(np.linalg.matrix_rank(np.array(tangent), tol=1e-6)),
        "zeros": counts(values, 1e-6).zeros,
    }
    if len(used) == D:
        units = np.eye(y.W.size).reshape(-1, *y.W.shape)
        normal = np.linalg.eigvals(np.array([normal_operator(E, y, k).ravel() for E in units]))
        ours = np.sort_complex(values[np.argsort(abs(values))[D * D :]])
        found["spectrum_gap"] = largest(np.abs(ours - np.sort_complex(normal)))
    return found


def found_at_random(k: Constants, rng: np.random.Generator) -> float:
    """The largest defect of points at which the rates vanish, found from random starts."""
    sizes, left = (D * N, D * D), []

    def networks(x: np.ndarray) -> Weights:
        W = x[: sizes[0]].reshape(D, N)
        return Weights(W, x[sizes[0] :].reshape(D, D), W)

    def rates(x: np.ndarray) -> np.ndarray:
        rate = FLOW(networks(x), k)
        return np.concatenate([rate.W.ravel(), rate.Wp.ravel()])

    for _ in range(12):
        solved = least_squares(rates, 0.7 * rng.standard_normal(sum(sizes)), xtol=1e-15, ftol=1e-15, gtol=1e-15)
        if abs(solved.fun).max() < 1e-15:  # near W = 0 the defect is its root
            left.append(np.abs(defect(networks(solved.x), k).E).max())
    return largest(left)


@claim(
    "M27",
    title="Equilibria without decay are a variety",
    statement="For X ≻ 0 and η = 0 the equilibria of SimSiam are {W_p W Σ = W X}, Σ = X + X_aug: along the flow, from "
    "any start, E = W X - W_p W Σ obeys Ė = W_pᵀE X - W_p W_pᵀ E Σ - α_p E WᵀW Σ. With distinct ρ there are C(n, r) "
    "components of rank r, each of d² dimensions (11 for d = 2, n = 4), where the Jacobian has d² zeros, and on full "
    "rank the eigenvalues of that operator.",
    source=SOURCE,
    kind="numeric",
)
def variety(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 27])
    k = instances.constants(rng, n=N, eta=0.0)
    sets = [used for r in range(D + 1) for used in itertools.combinations(range(N), r)]
    found = [stratum(used, k, rng) for used in sets]
    rate, gap = largest(one["rate"] for one in found), largest(one.get("spectrum_gap", 0.0) for one in found)
    defects = found_at_random(k, rng)
    whole = every(one["dimension"] == one["zeros"] == D * D for one in found)
    return proven(
        run,
        PROOFS["M27"],
        len(sets) == sum(comb(N, r) for r in range(D + 1)) == 11
        and whole
        and rate < 1e-12
        and gap < 1e-6
        and defects < 1e-6,
        components=len(sets),
        dimensions_of_the_components=[one["dimension"] for one in found],
        zeros=[one["zeros"] for one in found],
        largest_rate_on_them=rate,
        spectrum_against_the_normal_operator=gap,
        largest_defect_of_equilibria_from_random_starts=defects,
    )
