"""DirectSet(alpha), arXiv 2110.04947: its Theorems 1, 4 (corrected), 5 and 6."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax.tree_util import Partial

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Constants, Matrix, Weights, simsiam, slave, weights_flow
from linbyol.equations.directset import (
    DirectSet,
    Encoder,
    depth_floor,
    depth_threshold,
    directset_flow,
    encoder_at,
    layer_flow,
)
from linbyol.extremes import every, largest
from linbyol.predictors import directset
from theory.proving.instances import orthogonal
from theory.proving.prover import slope, slopes
from theory.proving.set_modes import DEAD, SIDE, largest_matrix_gap, levels, settled, spread
from theory.proving.solves import follow
from theory.proving.words import residual

ROUNDING = 1e-12  # one rate of order one, evaluated twice in float64
STILL = 1e-8  # rates are up to 10, and the explicit solver keeps a fixed point to 10 × rtol = 1e-9
D, D_S = 6, 3  # W (d, d), S of half the dimension


def power_rule(alpha: Any, Wp: Matrix, F: Matrix) -> Matrix:
    """DirectSet(alpha) without norm, as a rule for `slave`."""
    return directset(F, alpha=alpha, norm=None)


@jax.jit
@jax.vmap
def _descent(y: tuple[Weights], k: tuple[Any, Constants]) -> tuple[Weights]:
    """Lemma 1 for SimSiam with Wp = (W Wᵀ)^alpha, by lanes; k = (alpha, constants)."""
    return (slave(simsiam(weights_flow), Partial(power_rule, k[0]))(*y, k[1]),)


def encoder_limits(alpha: Any, eta: Any, kappa: Any, delta: Any, P_B: Matrix) -> np.ndarray:
    """W at t = 400 from W(0) = delta I with X = I, X_aug = (kappa - 1) P_B, (lanes, D, D)."""
    wide = lambda a: np.asarray(a)[:, None, None]  # noqa: E731
    eye, still = np.tile(np.eye(D), (len(alpha), 1, 1)), np.zeros(len(alpha))
    k = Constants(alpha_p=1 + still, beta=still, eta=eta, X=eye, X_aug=wide(kappa - 1) * P_B)
    y0 = Weights(W=wide(delta) * eye, Wp=eye, Wa=eye)
    return follow(_descent, (y0,), (alpha, k), [0.0, 400.0], atol=1e-13).ys[0].W[-1]


@claim(
    "B84",
    title="DirectSet, Theorem 1",
    statement="Wp = (W Wᵀ)^α, W(0) = δ I, η in (1/(4κ), 1/4): W → p₊^(1/(2α)) P_S for δ > p₋^(1/(2α)), "
    "p± = (1 ± √(1 - 4η))/2, and W → 0 below.",
    source="arXiv 2110.04947, Theorem 1",
    kind="numeric",
)
def theorem_1(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 84])
    Q = orthogonal(rng, D)
    P_S, P_B = Q[:, :D_S] @ Q[:, :D_S].T, Q[:, D_S:] @ Q[:, D_S:].T
    noise, share = rng.uniform(size=2)
    kappas = np.array([2.5, 1.5 + 2 * noise])
    etas = np.array([0.15, 1 / (4 * kappas[1]) + (0.3 + 0.4 * share) * (1 - 1 / kappas[1]) / 4])
    i, alpha, side = spread([0, 1], [0.5, 1.0, 2.0], [0, 1, 2])
    k = DirectSet(alpha, etas[i.astype(int)], lambda_s=1.0)
    low, high = (encoder_at(p, k) for p in levels(k))
    delta = np.choose(side.astype(int), [np.ones_like(low), 0.98 * low, 1.02 * low])
    W = encoder_limits(alpha, k.eta, kappas[i.astype(int)], delta, P_B)
    goal = np.where(side == 1, 0, high)[:, None, None] * P_S
    error = np.abs(W - goal).max(axis=(1, 2))
    return holds_if(
        error.max() < 1e-9,
        eta=etas,
        kappa=kappas,
        errors_from_delta_1=error[side == 0],
        largest_error_below_the_bound=error[side == 1].max(),
        largest_error_above_the_bound=error[side == 2].max(),
    )


@cache
def corrected_theorem_4() -> str:
    """λ̇ = λ [κ^α λ^(2α) - κ^(1 + 2α) λ^(4α) - η] for symbolic α: what SymPy leaves of it."""
    lam, alpha, eta, kappa = sp.symbols("lambda alpha eta kappa", positive=True)
    rate = directset_flow(Encoder(lam), DirectSet(alpha, eta, lambda_s=kappa, lambda_f=kappa)).lam
    law = lam * (kappa**alpha * lam ** (2 * alpha) - kappa ** (1 + 2 * alpha) * lam ** (4 * alpha) - eta)
    return residual(sp.powsimp(sp.expand_power_base(sp.expand(rate - law), force=True)))


@claim(
    "B87",
    title="DirectSet's Theorem 4, corrected",
    statement="With Wp = (W Σˢ Wᵀ)^α the theorem as printed omits κ^α; an augmented mode survives up to η = 1/(4κ), "
    "not 1/(4κ^(1 + 2α)).",
    source="arXiv 2110.04947, Theorem 4 (corrected)",
    kind="numeric",
)
def theorem_4(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 87])
    kappa, eta, alpha = np.array([2.5, 2.5]), np.array([0.05, 0.11]), np.ones(2)
    noise = rng.uniform(size=6)
    _, share, exponent = spread([0, 1, 2, 3, 4, 5], [0.5, 0.99, 1.01], [0.5, 1.0])
    kappa = np.append(kappa, np.repeat(1.3 + 1.7 * noise, 6))
    eta = np.append(eta, share / (4 * kappa[2:]))
    alpha = np.append(alpha, exponent)
    k = DirectSet(alpha, eta, lambda_s=kappa, lambda_f=kappa)
    _, high = levels(k)
    alive = eta < 1 / (4 * kappa)
    lam = settled(1.5, k)
    error = np.abs(lam - np.where(alive, encoder_at(np.where(alive, high, 1.0), k), 0)).max()
    closed = (kappa[0] + np.sqrt(kappa[0] ** 2 - 4 * kappa[0] ** 3 * eta[0])) / (2 * kappa[0] ** 3)
    printed_says_dead = alive & (eta > 1 / (4 * kappa ** (1 + 2 * alpha)))
    left = corrected_theorem_4()
    gap = largest_matrix_gap(rng, [0.5, 1.0, 2.0, 0.7], views=1.0)
    return holds_if(
        error < 1e-8 and abs(lam[0] ** 2 - closed) < 1e-9 and not left and gap < ROUNDING and printed_says_dead.any(),
        square_at_kappa_2_5_eta_0_05=lam[0] ** 2,
        its_closed_form=closed,
        at_eta_0_11=lam[1],
        largest_error=error,
        survivors_that_the_printed_threshold_kills=int(printed_says_dead.sum()),
        symbolic=not left,
        weights_flow_gap=gap,
    )


@cache
def layers_make_the_flow() -> str:
    """Symbolic depth l: d/dt a^l = l a^(l - 1) ȧ is `directset_flow` at λ = a^l; what SymPy leaves of it."""
    a, el, eta, kappa, alpha = sp.symbols("a l eta kappa alpha", positive=True)
    k = DirectSet(alpha, eta, lambda_s=kappa, depth=el)
    left = el * a ** (el - 1) * layer_flow(a, k) - directset_flow(Encoder(a**el), k).lam
    return residual(sp.powsimp(sp.powdenest(sp.expand(sp.powdenest(left, force=True)), force=True)))


def deep_gap(rng: np.random.Generator) -> float:
    """Three d × d layers descend BYOL's loss (X = I, Wp set and behind the stop-gradient): product against the flow."""
    Q, (lam, lambda_s) = orthogonal(rng, 4), rng.uniform(0.4, 1.4, (2, 4))
    full = lambda v: (Q * v) @ Q.T  # noqa: E731
    k = DirectSet(1.0, 0.07, lambda_s=0.6 + lambda_s, depth=3)
    Wp, Wa = np.asarray(directset(jnp.asarray(full(lam**2)), alpha=1.0, norm=None)), full(lam)

    def loss(layers: Any) -> Any:
        W = layers[0] @ layers[1] @ layers[2]
        return np.trace(Wp @ W @ full(k.lambda_s) @ W.T @ Wp.T) / 2 - np.trace(Wp @ W @ Wa.T)

    layers = np.array([full(lam ** (1 / 3))] * 3)
    rate = slope(lambda A: A[0] @ A[1] @ A[2], layers, -slopes(loss, layers) - k.eta * layers)
    return largest(np.abs(rate - full(directset_flow(Encoder(lam), k).lam)))


@claim(
    "B88",
    title="DirectSet, Theorem 5: any depth",
    statement="W of l equal layers: λ̇ = lλ[λ^(2 - 2/l) p (1 - κp) - η]; for η in the window W → c P_S with "
    "c in (((2αl + 2l - 2)/(4αl + 2l - 2))^(1/(2α)), 1), and the window is sharp.",
    source="arXiv 2110.04947, Theorem 5",
    kind="numeric",
)
def theorem_5(run: Run) -> Verdict:
    noise, share = np.random.default_rng([run.seed, 88]).uniform(size=(2, 16))
    alpha, depth = spread([0.5, 1.0, 1.7, 2.0], [1.0, 2.0, 3.0, 4.0])
    kappa = np.concatenate([[2.5, 2.5], 1.5 + 2 * noise])
    alpha, depth = np.append([1.0, 1.0], alpha), np.append([2.0, 3.0], depth)
    S, B = (DirectSet(alpha, 0.0, lambda_s=k, depth=depth) for k in (np.ones_like(kappa), kappa))
    low, high = depth_threshold(B), depth_threshold(S)
    eta = low + np.append([0.5, 0.5], 0.3 + 0.4 * share) * (high - low)
    S, B = S._replace(eta=eta), B._replace(eta=eta)
    lam_S, lam_B = settled(1.0, S), settled(1.0, B)
    inside = bool(every((depth_floor(S) < lam_S) & (lam_S < 1)))
    still = np.abs(directset_flow(Encoder(lam_S), S).lam).max()
    edges = [settled(1.0, S._replace(eta=high * (1 + side * 1e-3))) for side in (-1, 1)]
    lower = [settled(1.0, B._replace(eta=low * (1 + side * 1e-3))) for side in (-1, 1)]
    left, gap = layers_make_the_flow(), deep_gap(np.random.default_rng([run.seed, 880]))
    published = abs(lam_S[0] - 0.92297) < 5e-6 and np.abs(eta[:2] - [0.11647, 0.10427]).max() < 5e-6
    return holds_if(
        inside and lam_B.max() < DEAD and still < STILL and edges[0].min() > 0.1 and edges[1].max() < DEAD
        and lower[0].min() > 0.1 and lower[1].max() < DEAD
        and not left and gap < ROUNDING and published,
        eta=eta[:2],
        lambda_S=lam_S[:2],
        floor=depth_floor(S)[:2],
        largest_lambda_B=lam_B.max(),
        settings=len(eta),
        smallest_just_inside_the_window=edges[0].min(),
        largest_just_outside=edges[1].max(),
        smallest_lambda_B_just_below_the_window=lower[0].min(),
        symbolic_depth=not left,
        autodiff_gap_of_three_layers=gap
    )  # fmt: skip


@claim(
    "B89",
    title="DirectSet, Theorem 6: the boost",
    statement="Wp = (W Wᵀ)^α + ε I: for ε < p₊, W → (p₊ - ε)^(1/(2α)) P_S if δ > max(p₋ - ε, 0)^(1/(2α)); a larger ε "
    "gives 0.",
    source="arXiv 2110.04947, Theorem 6",
    kind="numeric",
)
def theorem_6(run: Run) -> Verdict:
    noise, place = np.random.default_rng([run.seed, 89]).uniform(size=(2, 12))
    alpha, share, side = spread([0.5, 1.0, 2.0], [0.5, 1.0 + 1e-9, 2.0, -1.0], [-1.0, 1.0])
    eta = np.append([0.15, 0.15], np.repeat(0.12 + 0.1 * noise, 2))
    low, high = levels(DirectSet(0.5, eta, 1.0))
    # below p_-, between p_- and p_+ (two), above p_+
    between = low[2:] + (0.2 + 0.6 * np.repeat(place, 2)) * (high - low)[2:]
    eps = np.append([0.2, 0.9], np.select([share == 0.5, share < 0], [0.5 * low[2:], 1.1 * high[2:]], between))
    alpha, side = np.append([1.0, 1.0], alpha), np.append([1.0, 1.0], side)
    S = DirectSet(alpha, eta, lambda_s=1.0, eps=eps)
    edge = encoder_at(np.maximum(low, eps), S)
    lam0 = np.where(edge > 0, edge * (1 + side * SIDE), np.where(side > 0, 1.0, 0.05))
    alive = (eps < high) & ((edge == 0) | (side > 0))
    lam_S = settled(lam0, S)
    error = np.abs(lam_S - np.where(alive, encoder_at(np.maximum(high, eps), S), 0)).max()
    kappa = 1.05 / (4 * eta)  # so that eta > 1/(4 kappa)
    lam_B = settled(1.0, S._replace(lambda_s=kappa)).max()
    return holds_if(
        error < 1e-8 and lam_B < DEAD,
        settings=len(eta),
        survivors=int(alive.sum()),
        largest_error=error,
        largest_augmented_mode=lam_B,
        at_alpha_1_eta_0_15_eps_0_2=lam_S[0],
        at_eps_0_9=lam_S[1],
    )
