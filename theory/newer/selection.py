"""Which equilibria without decay attract: aligned, on the balanced leaf, and from small starts."""

import itertools
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Amplitudes, Commuting, Constants, Weights, simsiam, weights_flow
from linbyol.equations.no_loss import Defect, normal_flow, normal_operator, transverse_rate
from linbyol.extremes import every, largest
from theory.newer.jacobians import MOVING, counts, jacobian
from theory.newer.variety import SOURCE, modes
from theory.proving import instances
from theory.proving.prover import Equal, Space, proven
from theory.proving.solves import follow
from theory.proving.spaces import AMPLITUDES

FLOW = simsiam(weights_flow)
D, N = 2, 4


def _one_mode(y: Amplitudes, k: Any) -> tuple[Weights, Constants]:
    """A feature with Wp = p and an input mode with WᵀW = w², on explicit 1×1 matrices."""
    one = sp.eye(1)
    data = Constants(k.alpha_p, k.beta, 0, one * k.lambda_d, one * (k.lambda_s - k.lambda_d))
    return Weights(W=one * y.w, Wp=one * y.wp, Wa=one * y.w), data


def _rate(y: Amplitudes, k: Any) -> Any:
    return normal_operator(sp.eye(1), *_one_mode(y, k))[0]


def _determinant(y: Amplitudes, k: Any) -> Any:
    """Of the rates of (E, D) between the two."""
    one, zero = sp.eye(1), sp.zeros(1)
    left, right = (normal_flow(v, *_one_mode(y, k)) for v in (Defect(one, zero), Defect(zero, one)))
    return left.E[0] * right.D[0] - right.E[0] * left.D[0]


SYMBOLS = Space(AMPLITUDES.y, AMPLITUDES.k)
PROOFS = {
    "M28": (
        Equal(SYMBOLS, _rate, lambda y, k: transverse_rate(y.wp, y.w, k)),
        Equal(SYMBOLS, _determinant, lambda y, k: -k.beta * transverse_rate(y.wp, y.w, k)),
    ),
}


def aligned(used: Any, w: Any, k: Commuting) -> tuple[Weights, Constants]:
    """Feature i on input mode used[i] with weight w[i], at rest without decay."""
    d, n = len(used), len(k.lambda_d)
    W = np.zeros((d, n))
    W[np.arange(d), used] = w
    rho = (k.lambda_d / k.lambda_s)[list(used)]
    return Weights(W, np.diag(rho), W), Constants(
        k.alpha_p, k.beta, 0.0, np.diag(k.lambda_d), np.diag(k.lambda_s - k.lambda_d)
    )


def transverse(used: Any, w: Any, k: Commuting) -> np.ndarray:
    """The rates between each feature and each input mode, (d, n)."""
    at = np.zeros(len(k.lambda_d))
    at[list(used)] = w
    p = (k.lambda_d / k.lambda_s)[list(used)][:, None]
    return transverse_rate(p, at, k)


def verdicts(rng: np.random.Generator, balanced: bool) -> tuple[list[bool], float]:
    """On random aligned equilibria: the verdict of the rates is the Jacobian's, with and without EMA, and as stated."""
    agree, gap = [], 0.0
    for _ in range(6):
        lambda_s = rng.uniform(0.5, 1.5, N)
        k = Commuting(rng.uniform(0.5, 2), 0.0, 0.0, rng.uniform(0.2, 0.95, N) * lambda_s, lambda_s)
        rho = k.lambda_d / k.lambda_s
        for used in itertools.combinations(range(N), D):
            chosen = list(used)
            w = rho[chosen] / k.alpha_p**0.5 if balanced else rng.uniform(0.02, 0.6, D)
            rates = transverse(used, w, k)
            y, data = aligned(used, w, k)
            values = np.linalg.eigvals(jacobian(FLOW, y, data))
            with_zeros = np.append(rates.ravel(), np.zeros(D * D))
            gap = largest(gap, np.abs(np.sort(values.real) - np.sort(with_zeros)), abs(values.imag))
            unstable = counts(rates.ravel()).unstable
            rest = [j for j in range(N) if j not in used]
            stated = rho[chosen].min() > rho[rest].max() and every(
                k.alpha_p * wj**2 > rho[i] * (rho[j] - rho[i]) for i in chosen for j, wj in zip(chosen, w, strict=True)
            )
            agree += [counts(values).unstable == unstable, stated == (unstable == 0)]
            if balanced:
                agree.append(stated == (set(used) == set(np.argsort(-rho)[:D])))
            for beta in (0.05, 2.0):
                ema = np.linalg.eigvals(jacobian(weights_flow, y, data._replace(beta=beta), (*MOVING, "Wa")))
                agree.append(counts(ema).unstable == unstable)
    return agree, float(gap)


@claim(
    "M28",
    title="Which equilibria attract without decay",
    statement="Aligned, feature i and input mode j have the rate p_iλ_s,j(ρ_j - ρ_i) - α_p w_j²λ_s,j, p_i = ρ_i "
    "(with EMA a block of determinant -β times it, of the same verdict): stable iff every used ρ exceeds every unused "
    "one and α_p w_j² > ρ_i(ρ_j - ρ_i) among the used. On the balanced leaf α_p w_j² = ρ_j² exactly those on the d "
    "largest ρ attract. Off it not even these need be stable: at w = 0.05, ρ = 0.9, 0.7, α_p = 1.7, λ_s = 1.3 a rate "
    "is 0.176475.",
    source=SOURCE,
    kind="numeric",
)
def attracting(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 28])
    (anywhere, gap), (balanced, other) = verdicts(rng, False), verdicts(rng, True)
    k = Commuting(1.7, 0.0, 0.0, np.array([0.9, 0.7, 0.3]) * 1.3, np.full(3, 1.3))
    small = transverse((0, 1), 0.05, k).max()
    y, data = aligned((0, 1), 0.05, k)
    met = np.linalg.eigvals(jacobian(FLOW, y, data)).real.max()
    return proven(
        run,
        PROOFS["M28"],
        every(anywhere, balanced)
        and largest(gap, other) < 1e-6
        and abs(small - 0.176475) < 1e-9
        and abs(met - small) < 1e-9,
        equilibria=len(anywhere) // 4 + len(balanced) // 5,
        spectrum_against_the_rates=largest(gap, other),
        rate_of_small_weights_on_the_right_modes=small,
    )


@claim(
    "M29",
    title="Small balanced starts select the largest ρ",
    statement="For X and Σ that do not commute, balanced small starts with W_p ≻ 0 end on the two largest ρ (6 of 6 "
    "runs, d = 2, n = 4).",
    source=SOURCE,
    kind="numeric",
)
def selection(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 29])
    gaps, mixing = [], []
    for _ in range(6):
        k = instances.constants(rng, n=N, eta=0.0)
        W = 0.1 * rng.standard_normal((D, N))
        s, U = np.linalg.eigh(k.alpha_p * W @ W.T)
        y = follow(FLOW, Weights(W, U * np.sqrt(s) @ U.T, W), k, [0.0, 1000.0], rtol=1e-5, atol=1e-7).ys
        found = np.sort(np.linalg.eigvals(y.Wp[-1]).real)[::-1]
        gaps.append(largest(np.abs(found - modes(k)[0][:D])))
        mixing.append(np.linalg.norm(k.X @ k.X_aug - k.X_aug @ k.X))
    return holds_if(largest(gaps) < 1e-4, runs=len(gaps), distance_from_the_two_largest=gaps, commutators=mixing)
