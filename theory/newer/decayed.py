"""Equilibria with decay: the equation for S = WᵀW, families of signs, and which of them attract."""

import itertools
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.linalg import sqrtm
from scipy.optimize import fsolve, least_squares

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Commuting, Constants, Weights, identity, simsiam, weights_flow
from linbyol.equations.no_loss import decay_equation
from linbyol.extremes import every, largest
from linbyol.families import families
from linbyol.fixed_points import predictor_roots
from linbyol.predictors import regression
from theory.newer.jacobians import counts, jacobian
from theory.proving import instances
from theory.proving.prover import Equal, proven
from theory.proving.solves import follow
from theory.proving.spaces import WEIGHTS

SOURCE = "Ponce et al. 2025, arXiv 2507.01028; derived"
FLOW = simsiam(weights_flow)
THREE = Commuting(1.0, 0.0, 0.06, np.array([1.0, 0.8, 0.6]), np.array([1.2, 1.0, 0.7]))


def driven(y: Any, k: Any) -> Any:
    """α_p Σ S + η I for S = WᵀW, (n, n)."""
    S = y.W.T @ y.W
    return k.alpha_p * ((k.X + k.X_aug) @ S) + k.eta * identity(S)


def _squared(y: Any, k: Any) -> Any:
    """AᵀS²A - α_p S X S X S with A = α_p Σ S + η I: zero where W_p W A = α_p W X S and WpᵀWp = α_p W Wᵀ."""
    S, A = y.W.T @ y.W, driven(y, k)
    return A.T @ S @ S @ A - k.alpha_p * (S @ k.X @ S @ k.X @ S)


PROOFS = {
    "M31": (
        Equal(WEIGHTS, lambda y, k: FLOW(y, k).Wp @ y.W,
              lambda y, k: k.alpha_p * (y.W @ k.X @ y.W.T @ y.W) - y.Wp @ y.W @ driven(y, k)),
        Equal(WEIGHTS, lambda y, k: y.W.T @ y.W @ decay_equation(y.W.T @ y.W, k) @ y.W.T @ y.W, _squared),
    ),
}  # fmt: skip


def turned(angle: float) -> Constants:
    """X = diag(1, 0.8), Σ = R diag(1.2, 1) Rᵀ."""
    R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    X = np.diag([1.0, 0.8])
    return Constants(1.3, 0.0, 0.08, X, R @ np.diag([1.2, 1.0]) @ R.T - X)


def ridged(W: np.ndarray, k: Constants) -> np.ndarray:
    """W_p = α_p W X Wᵀ(α_p W Σ Wᵀ + ηI)⁻¹."""
    features, cross = (jnp.asarray(W @ A @ W.T) for A in (k.X + k.X_aug, k.X))
    return np.asarray(regression(features, cross, eps=k.eta / k.alpha_p))


def networks(S: np.ndarray, k: Constants, d: int) -> Weights:
    """W = O √S with d ≥ n features and the ridge regression's predictor."""
    root = np.real(sqrtm(S))
    W = np.eye(d, len(S)) @ root
    return Weights(W, ridged(W, k), W)


@cache
def four() -> dict[str, np.ndarray]:
    """S of the four families of rank 2 at 0.35 rad, followed there from commuting data."""
    lower = np.tril_indices(2)

    def whole(x: np.ndarray) -> np.ndarray:
        return np.array([[x[0], x[1]], [x[1], x[2]]])

    flat = Commuting(1.3, 0.0, 0.08, np.array([1.0, 0.8]), np.array([1.2, 1.0]))
    p = dict(zip("-+", np.array(predictor_roots(flat))[1:], strict=True))
    found = {}
    for signs in itertools.product("+-", repeat=2):
        S = np.diag([p[sign][i] ** 2 / 1.3 for i, sign in enumerate(signs)])
        for angle in np.linspace(0, 0.35, 15)[1:]:
            k = turned(angle)
            S = whole(fsolve(lambda x, k=k: decay_equation(whole(x), k)[lower], S[lower], xtol=1e-13))
        found["".join(signs)] = S
    return found


def at_rest(y0: Weights, k: Constants) -> Weights:
    """The equilibrium near which the flow from y0 is after a while, by least squares of the rates."""
    ends = follow(FLOW, y0, k, [0.0, 150.0], rtol=1e-4, atol=1e-6).ys
    W, Wp = ends.W[-1], ends.Wp[-1]

    def networks(x: np.ndarray) -> Weights:
        encoder = x[: W.size].reshape(W.shape)
        return Weights(encoder, x[W.size :].reshape(Wp.shape), encoder)

    def rates(x: np.ndarray) -> np.ndarray:
        rate = FLOW(networks(x), k)
        return np.concatenate([rate.W.ravel(), rate.Wp.ravel()])

    start = np.concatenate([W.ravel(), Wp.ravel()])
    return networks(least_squares(rates, start, xtol=1e-15, ftol=1e-15, gtol=1e-15).x)


def spectra() -> dict[str, dict[str, Any]]:
    """Of each of the four with d = 2 and 3 features: the largest rate, zeros, unstable directions."""
    k, found = turned(0.35), {}
    for signs, S in four().items():
        for d in (2, 3):
            y = networks(S, k, d)
            values = np.linalg.eigvals(jacobian(FLOW, y, k))
            found[f"{signs}, d = {d}"] = {
                "rate": largest(np.abs(leaf) for leaf in FLOW(y, k)), **counts(values)._asdict()
            }  # fmt: skip
    return found


@claim(
    "M31",
    title="Equilibria with decay: an equation for WᵀW",
    statement="At an equilibrium of full column rank S = WᵀW solves (α_pΣS + ηI)(α_pSΣ + ηI) = α_p X S X, with the "
    "ridge regression W_p = α_p W X Wᵀ(α_p W Σ Wᵀ + ηI)⁻¹. At n = 2, rotated by 0.35 rad, the families ++, +-, -+, -- "
    "have 0, 1, 2, 3 unstable directions, and 1 (d = 2) or 3 (d = 3) eigenvalues 0.",
    source=SOURCE,
    kind="numeric",
)
def equation(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 31])
    left, rates = [], []
    for d in 4 * [3, 4]:
        k = instances.constants(rng, n=3, eta=0.004)
        W = 0.5 * np.eye(d, 3) + 0.1 * rng.standard_normal((d, 3))
        y = at_rest(Weights(W, 0.5 * np.eye(d), W), k)
        rate = largest(np.abs(leaf) for leaf in FLOW(y, k))
        if rate > 1e-12 or np.linalg.svd(y.W, compute_uv=False)[-1] < 0.05:
            continue  # least squares came to no equilibrium, or to one that is not of full column rank
        rates.append(rate)
        left.append(largest(np.abs(decay_equation(y.W.T @ y.W, k)), np.abs(ridged(y.W, k) - y.Wp)))
    found = spectra()
    unstable = {name: one["unstable"] for name, one in found.items()}
    zeros = {name: one["zeros"] for name, one in found.items()}
    stated = every(
        unstable[f"{signs}, d = {d}"] == number and zeros[f"{signs}, d = {d}"] == {2: 1, 3: 3}[d]
        for number, signs in enumerate(("++", "+-", "-+", "--"))
        for d in (2, 3)
    )
    rest = largest(one["rate"] for one in found.values())
    return proven(
        run,
        PROOFS["M31"],
        stated and rest < 1e-10 and len(left) > 2 and largest(left, rates) < 1e-9,
        unstable=unstable,
        zeros=zeros,
        largest_rate=rest,
        equation_where_the_flow_rests=largest(left),
        largest_rate_there=largest(rates),
        equilibria_of_full_rank=len(left),
    )


@claim(
    "M31p",
    title="Equilibria are in general asymptotically stable",
    statement="Read literally: the equilibria of linear SimSiam with decay are isolated, and all of them attract.",
    source="Ponce et al. 2025, arXiv 2507.01028, abstract",
    kind="numeric",
    expected="fails",
)
def literally(run: Run) -> Verdict:
    found = spectra()
    return holds_if(
        every(one["unstable"] == 0 and one["zeros"] == 0 for one in found.values()),
        note="With W ≠ 0 an equilibrium lies on an orbit W → O W, W_p → O W_p Oᵀ; a family with a p₋ is a saddle.",
        counterexamples={name: {key: one[key] for key in ("unstable", "zeros")} for name, one in found.items()},
        attracting_families_of_27=int(families(THREE, 3).attracts.sum()),
    )


def by_jacobian(k: Commuting, d: int) -> tuple[list[bool], list[int]]:
    """Whether each family of `families` attracts, and its zeros, by the spectrum of the flow."""
    X, X_aug = np.diag(k.lambda_d), np.diag(k.lambda_s - k.lambda_d)
    attracts, zeros = [], []
    for p in families(k, d).p:
        W, Wp = np.zeros((d, len(p))), np.zeros((d, d))
        for row, j in enumerate(np.flatnonzero(p)):
            W[row, j], Wp[row, row] = p[j] / k.alpha_p**0.5, p[j]
        data = Constants(k.alpha_p, 0.0, k.eta, X, X_aug)
        if largest(np.abs(leaf) for leaf in FLOW(Weights(W, Wp, W), data)) > 1e-12:
            raise RuntimeError("A family is not at rest.")
        found = counts(np.linalg.eigvals(jacobian(FLOW, Weights(W, Wp, W), data)))
        attracts.append(found.unstable == 0)
        zeros.append(found.zeros)
    return attracts, zeros


@claim(
    "M44",
    title="Which families attract with decay",
    statement="Aligned with d ≥ rank, a family attracts iff no mode is at p₋ and p_i (λ_d,j - p_iλ_s,j) < η for every "
    "used i and unused j. At λ_d = (1, 0.8, 0.6), λ_s = (1.2, 1, 0.7), η = 0.06, of 27 only 000, +00, +0+, +++ do: the "
    "prefixes in the order of p₊. The Jacobian has rank·d - rank(rank + 1)/2 zeros, those of the orbit.",
    source="derived; against Ponce et al. 2025, arXiv 2507.01028",
    kind="numeric",
)
def which_attract(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 44])
    cases = [(THREE, 3)]
    for d in (2, 3, 3):
        lambda_s = rng.uniform(0.6, 1.5, 3)
        lambda_d = lambda_s * rng.uniform(0.5, 0.95, 3)
        eta = rng.uniform(0.3, 0.9) * (lambda_d**2 / (4 * lambda_s)).min()
        cases.append((Commuting(rng.uniform(0.5, 2), 0.0, eta, lambda_d, lambda_s), d))
    agree = []
    for k, d in cases:
        attracts, zeros = by_jacobian(k, d)
        stated = families(k, d)
        agree += [attracts == stated.attracts.tolist(), zeros == stated.zeros.tolist()]
    known = families(THREE, 3)
    names = [
        "".join({0: "0", 1: "+", -1: "-"}[sign] for sign in signs) for signs in known.signs[known.attracts].tolist()
    ]
    p_plus = np.asarray(predictor_roots(THREE)[2])
    met = every(abs(p_plus - [0.768250, 0.716228, 0.741556]) < 1e-6)
    return holds_if(
        every(agree) and len(known.p) == 27 and sorted(names) == sorted(["000", "+00", "+0+", "+++"]) and met,
        families=sum(len(families(k, d).p) for k, d in cases),
        attracting=names,
        p_plus=p_plus,
    )
