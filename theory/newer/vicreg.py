"""M21: VICReg's flow of a linear encoder, whose population loss knows second moments alone."""

from typing import Any

import jax
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations.regularised import Encoder, Features, covariance
from linbyol.equations.vicreg import (
    Vicreg,
    VicregModes,
    paper_weights,
    vicreg_flow,
    vicreg_held_flow,
    vicreg_mode_flow,
    vicreg_modes_flow,
)
from linbyol.extremes import every, largest, least
from linbyol.losses import vicreg
from theory.newer.regularised_spaces import drawn_modes, drawn_vicreg, penalty
from theory.proving.prover import Descent, Equal, Space, proven
from theory.proving.solves import SAME, follow

WEIGHTS = {"invariance": 25.0, "variance": 25.0, "covariance": 1.0}  # the released ones
w = sp.Symbol("w", positive=True)
MODE = VicregModes(*sp.symbols("Lambda M d lambda_d lambda_s gamma epsilon eta", positive=True))
r = sp.Symbol("r", positive=True)  # √nu


def population_loss(y: Encoder, k: Vicreg) -> np.ndarray:
    """Λ s + M (v + v') + N (c + c') with s = 2 tr(W X_aug Wᵀ), views alike, and the decay; analytic off the hinge."""
    S = covariance(y, k)
    d, v = len(S), np.diagonal(S) + k.eps
    below = np.where(v.real < k.gamma**2, k.gamma - np.sqrt(v + 0j), 0).sum() / d
    off = (np.sum(S * S) - np.sum(np.diagonal(S) ** 2)) / d
    return penalty(y, k, 2 * k.invariance) + 2 * k.variance * below + 2 * k.covariance * off


def mode_rate(w: Any, k: VicregModes) -> Any:
    """d/dt of nu = lambda_s w² down the loss of one mode along an axis, below the hinge."""
    below = k.gamma - sp.sqrt(k.lambda_s * w * w + k.eps)
    noise = k.lambda_s - k.lambda_d
    loss = 2 * k.invariance * noise * w * w + 2 * k.variance * below / k.d + k.eta * w * w / 2
    return -2 * k.lambda_s * w * sp.diff(loss, w)


def drawn_axes(rng: np.random.Generator) -> tuple[Features, VicregModes]:
    """Modes on both sides of the hinge."""
    _, k = drawn_modes(rng)
    nu = np.array([0.1, 0.6, 2.5]) * rng.uniform(0.8, 1.2, 3)
    return Features(nu), VicregModes(*rng.uniform(0.3, 2, 2), 3, k.lambda_d, k.lambda_s, 1.1, 0.02, k.eta)


def on_the_axes(y: Features, k: VicregModes) -> Features:
    """nu's rate by the flow of the matrix, for W diagonal."""
    W = np.diag(np.sqrt(y.nu / k.lambda_s))
    data = Vicreg(
        k.invariance, k.variance, 0.7, np.diag(k.lambda_d), np.diag(k.lambda_s - k.lambda_d), k.gamma, k.eps, k.eta
    )
    return Features(2 * np.sqrt(y.nu * k.lambda_s) * np.diagonal(vicreg_flow(Encoder(W), data).W))


def beyond_the_hinge(rng: np.random.Generator) -> tuple[Features, VicregModes]:
    """Modes above the hinge alone."""
    y, k = drawn_axes(rng)
    return Features(k.gamma**2 + y.nu), k


def rate_at_the_hinge(y: Features, k: VicregModes) -> Features:
    """nu's rate from below where nu + eps = gamma², there and above: what holds a mode that comes to it."""
    pull = 4 * k.variance * k.lambda_s / (k.d * k.gamma) - 8 * k.invariance * (k.lambda_s - k.lambda_d)
    return Features((k.gamma**2 - k.eps) * (pull - 2 * k.eta))


def root_rate(r: Any, k: VicregModes) -> Any:
    """d√nu/dt at nu = r² and no eps."""
    return vicreg_mode_flow(Features(r * r), k._replace(eps=0, eta=0)).nu / (2 * r)


PROOFS = {
    "M21": (
        Equal(Space(w, MODE), lambda w, k: vicreg_mode_flow(Features(k.lambda_s * w * w), k).nu, mode_rate),
        Equal(
            Space(r, MODE), root_rate,
            lambda r, k: 2 * k.variance * k.lambda_s / k.d - 4 * k.invariance * (k.lambda_s - k.lambda_d) * r,
        ),
        Equal(
            Space(r, MODE), lambda r, k: sp.diff(vicreg_mode_flow(Features(r), k._replace(eta=0)).nu, r).subs(r, 0),
            lambda r, k: 4 * k.variance * k.lambda_s / (k.d * sp.sqrt(k.eps))
            - 8 * k.invariance * (k.lambda_s - k.lambda_d),
        ),
        Descent(Space(instance=drawn_vicreg), vicreg_flow, "W", population_loss),
        Equal(Space(instance=drawn_axes), on_the_axes, vicreg_modes_flow),
        Equal(Space(instance=beyond_the_hinge), vicreg_held_flow, rate_at_the_hinge),
    ),
}  # fmt: skip


@claim(
    "M21",
    title="VICReg's flow, which leaves zero in finite time",
    statement="VICReg's population loss (paper's convention) gives Ẇ = -4Λ W X_aug - 2G W Σ, G = (4N/d) offdiag(Σ_z) "
    "- (M/d) diag(1[v_j < γ²] v_j^(-1/2)), v_j = Σ_z,jj + ε; on the axes ν̇ = ν[-8Λσ² + (4M/d) λ_s (ν+ε)^(-1/2)] "
    "below the hinge. At ε = 0 zero is left in finite time, d√ν/dt = 2Mλ_s/d - 4Λσ²√ν, and √ν* = min(γ, "
    "Mλ_s/(2dΛσ²)), in the code's convention Mλ_s/(4Λσ²); with ε > 0 zero is unstable iff Mλ_s/(d√ε) > 2Λσ².",
    source="derived; arXiv 2105.04906 (the loss)",
    kind="symbolic",
)
def flow_and_modes(run: Run) -> Verdict:
    """Proofs; `losses.vicreg` on views that have their moments exactly; ends, and the time to leave zero."""
    rng = np.random.default_rng([run.seed, 21])
    gaps = [_gap_to_the_loss(rng, convention) for convention in ("paper", "code")]
    weights = paper_weights("code", 4, invariance=2.0, variance=3.0, covariance=1.0)
    ends, held, lambda_s, noise = {}, [], 1.3, np.array([0.8, 1.1])
    for convention, (strong, soft) in (("paper", (2.0, 3.0)), ("code", (weights["invariance"], weights["variance"]))):
        k = VicregModes(strong, soft, 4, lambda_s - noise, np.full(2, lambda_s))
        end = follow(vicreg_modes_flow, Features(np.full(2, 1e-8)), k, np.array([0.0, 40.0])).ys.nu[-1]
        beside = Features(np.array([0.999, 1.001]))  # the hinge, where little noise lets the mode go no further
        held.append(vicreg_modes_flow(beside, k._replace(lambda_d=lambda_s - 0.1)).nu * [1, -1])
        law = 3.0 * lambda_s / (4 * 2.0 * noise) if convention == "code" else 3.0 * lambda_s / (2 * 4 * 2.0 * noise)
        ends[convention] = np.sqrt(end), law
    off = [np.abs(found - law).max() for found, law in ends.values()]
    k = VicregModes(2.0, 3.0, 4, np.array([lambda_s - 0.8]), np.array([lambda_s]))
    speed, relax = 2 * 3.0 * lambda_s / 4, 4 * 2.0 * 0.8
    ts = np.linspace(0, 0.2, 5)
    left = np.sqrt(follow(vicreg_modes_flow, Features(np.array([1e-14])), k, ts).ys.nu[:, 0])
    time_gap = np.abs(left - speed / relax * (1 - np.exp(-relax * ts)))[1:].max()
    return proven(
        run,
        PROOFS["M21"],
        largest(gaps) < SAME and largest(off) < 1e-5 and time_gap < 1e-6 and every(left[1:] > 0.05) and least(held) > 0,
        gap_to_the_gradient_of_the_loss=gaps,
        ends_and_law={name: list(pair) for name, pair in ends.items()},
        root_of_nu_from_1e_14=left,
        gap_of_the_way_out=time_gap,
    )


def _gap_to_the_loss(rng: np.random.Generator, convention: str) -> float:
    """The flow against the gradient of `losses.vicreg` in W, on views whose sample moments are X and X_aug."""
    n, d, half = 4, 3, 40
    x, e = (_centred(rng.standard_normal((half, n))) for _ in range(2))
    e -= x @ np.linalg.lstsq(x, e, rcond=None)[0]
    one, two = np.concatenate([x + e, x + e, x - e, x - e]), np.concatenate([x + e, x - e, x + e, x - e])
    size = 4 * half - 1  # the divisor of the loss's covariances; that of its invariance is size + 1
    X, X_aug = 4 * x.T @ x / size, 4 * e.T @ e / size
    W = rng.standard_normal((d, n)) * np.array([0.2, 0.5, 2.0])[:, None]

    def loss(W: jax.Array) -> jax.Array:
        terms = vicreg(one @ W.T, two @ W.T, convention=convention, **WEIGHTS, eps=1e-3)
        return terms.total + terms.invariance / size

    gradient = jax.jit(jax.grad(loss))(W)
    k = Vicreg(**paper_weights(convention, d, **WEIGHTS), X=X, X_aug=X_aug, eps=1e-3)
    return largest(np.abs(vicreg_flow(Encoder(W), k).W + np.asarray(gradient))) / largest(np.abs(gradient))


def _centred(A: np.ndarray) -> np.ndarray:
    return A - A.mean(axis=0)
