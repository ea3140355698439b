"""DirectPred on modes: the window of eps, the shift c_j, any exponent, and the views' correlation."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.directset import DirectSet, Encoder, directset_flow, drive, encoder_at
from linbyol.extremes import largest
from theory.proving.set_modes import DEAD, SIDE, largest_matrix_gap, levels, settings, settled, spread
from theory.proving.words import residual

FEW = 3  # random pairs (eta, kappa) a claim
ROUNDING = 1e-12  # rates of matrices of order one against rates of modes, through an eigendecomposition
TINY = 1e-3  # a start near collapse


@cache
def boost_window_is_factored() -> str:
    """Near collapse λ̇/λ = ε (1 - κ ε) - η = -κ (ε - p_-)(ε - p_+): what SymPy leaves of it."""
    eps, kappa, low, high, lam = sp.symbols("epsilon kappa p_minus p_plus lambda", positive=True)
    eta = kappa * low * high  # product and sum of the roots, p_- + p_+ = 1/κ
    k = DirectSet(alpha=sp.Rational(1, 2), eta=eta, lambda_s=kappa, eps=eps)
    growth = (directset_flow(Encoder(lam), k).lam / lam).simplify().subs(lam, 0)
    product = -kappa * (eps - low) * (eps - high)
    return residual((growth - product).subs(high, 1 / kappa - low))


@claim(
    "B77",
    title="DirectPred's window of eps",
    statement="With p = √s + ε collapse is unstable if and only if p₋ < ε < p₊, then √s* = p₊ - ε; ε ≥ p₊ kills all.",
    source="derived (theory/README.md, DirectPred); Sec. 4",
    kind="numeric",
)
def boost_window(run: Run) -> Verdict:
    eta, kappa = settings(np.random.default_rng([run.seed, 77]), FEW)
    eta, kappa = np.append(eta, 0.05), np.append(kappa, 1.5)
    low, high = levels(DirectSet(0.5, eta, kappa))
    eps = np.stack(
        [*(f * low for f in (0.3, 0.95)), *(low + f * (high - low) for f in (0.03, 0.5, 0.97)), 1.02 * high, 1.5 * high]
    )
    inside = (low < eps) & (eps < high)
    k = DirectSet(0.5, *np.broadcast_arrays(eta, kappa), eps=eps)
    k = DirectSet(*(np.broadcast_to(field, eps.shape).ravel() for field in k))
    s = settled(TINY, k).reshape(eps.shape) ** 2
    error = np.abs(s - np.where(inside, (high - eps) ** 2, 0)).max()
    start, over, i = spread([0.3, 1.0, 2.0], [1.02, 1.1, 1.5], np.arange(len(eta)))
    i = i.astype(int)
    killed = settled(start, DirectSet(0.5, eta[i], kappa[i], eps=over * high[i])).max()
    left = boost_window_is_factored()
    gap = largest_matrix_gap(np.random.default_rng([run.seed, 770]), [0.5] * 4, eps=0.2)
    return holds_if(
        error < 1e-6 and killed < DEAD and not left and gap < ROUNDING,
        settings=eps.size,
        largest_error_of_s=error,
        largest_survivor_above_the_window=killed,
        growth_factored=not left,
        weights_flow_gap=gap,
    )


@claim(
    "B78",
    title="DirectPred's basin below the window",
    statement="For ε < p₋ the edge of the basin of collapse moves to √s = p₋ - ε.",
    source="derived (theory/README.md, DirectPred); Sec. 4",
    kind="numeric",
)
def boosted_edge(run: Run) -> Verdict:
    eta, kappa = settings(np.random.default_rng([run.seed, 78]), FEW)
    i, share, side = spread(np.arange(FEW), [0.0, 0.4, 0.7], [-1.0, 1.0])
    i = i.astype(int)
    low, high = (p[i] for p in levels(DirectSet(0.5, eta, kappa)))
    eps = share * low
    lam = settled((low - eps) * (1 + side * SIDE), DirectSet(0.5, eta[i], kappa[i], eps=eps))
    error = np.abs(lam - np.where(side > 0, high - eps, 0)).max()
    return holds_if(error < 1e-6, starts=len(lam), beside_the_edge=SIDE, largest_error=error)


@claim(
    "B79",
    title="The shift c_j of Table 7",
    statement="With p = √max(s - c, 0): c > 0 traps every s < c, and the edge is p₋² + c; c < 0 makes collapse "
    "unstable if and only if p₋ < √(-c) < p₊; what survives has s* = p₊² + c.",
    source="derived (theory/README.md, DirectPred); Table 7",
    kind="numeric",
)
def shifted_root(run: Run) -> Verdict:
    eta, kappa = settings(np.random.default_rng([run.seed, 79]), FEW)
    low, high = levels(DirectSet(0.5, eta, kappa))
    c = np.concatenate([[0.5 * low**2, np.full(FEW, 0.1)]])  # (2, FEW)
    shares = np.array([0.05, 0.5, 0.9, 0.999])[:, None, None]
    trapped = settled(np.sqrt(shares * c).ravel(), _shifted(eta, kappa, np.broadcast_to(c, (4, *c.shape)))).max()
    starts = (low**2 + c) * (1 + SIDE * np.array([-1.0, 1.0]))[:, None, None]
    ends = settled(np.sqrt(starts).ravel(), _shifted(eta, kappa, np.broadcast_to(c, starts.shape))) ** 2
    ends = ends.reshape(starts.shape)
    edge_error = largest(ends[0].max(), np.abs(ends[1] - high**2 - c).max())
    root = np.stack(
        [0.5 * low, 0.9 * low, 0.9 * low + 0.1 * high, 0.5 * (low + high), 0.1 * low + 0.9 * high, 1.1 * high]
    )
    s = settled(TINY, _shifted(eta, kappa, -(root**2))).reshape(root.shape) ** 2
    freed_error = np.abs(s - np.where((low < root) & (root < high), high**2 - root**2, 0)).max()
    return holds_if(
        trapped < DEAD and edge_error < 1e-5 and freed_error < 1e-5,
        largest_survivor_below_c=trapped,
        largest_error_beside_the_edge=edge_error,
        largest_error_for_negative_c=freed_error,
        settings=starts.size + root.size + c.size,
    )


@claim(
    "B80",
    title="DirectSet keeps the levels of p",
    statement="With p = s^α the fixed points are s± = p±^(1/α), p± as for a trained predictor; s₋ is the edge.",
    source="derived (theory/README.md, DirectPred)",
    kind="numeric",
)
def any_exponent(run: Run) -> Verdict:
    eta, kappa = settings(np.random.default_rng([run.seed, 80]), FEW)
    i, alpha, side = spread(np.arange(FEW), [0.25, 0.5, 1.0, 2.0], [-1.0, 1.0])
    i = i.astype(int)
    k = DirectSet(alpha, eta[i], kappa[i])
    low, high = levels(k)
    lam = settled(encoder_at(low, k) * (1 + side * SIDE), k)
    ratio = np.where(side > 0, lam / encoder_at(high, k), 1)
    dead = lam[side < 0].max()
    gap = largest_matrix_gap(np.random.default_rng([run.seed, 800]), [0.25, 0.5, 1.0, 2.0])
    left = same_levels()
    return holds_if(
        np.abs(ratio - 1).max() < 1e-5 and dead < DEAD and gap < ROUNDING and not left,
        exponents=[0.25, 0.5, 1.0, 2.0],
        largest_error_of_the_ratio=np.abs(ratio - 1).max(),
        largest_survivor_below_the_edge=dead,
        weights_flow_gap=gap,
        symbolic=not left,
    )


@cache
def same_levels() -> str:
    """For symbolic α: the growth at lam = encoder_at(p) is p (λ_d - λ_s p) - η; what SymPy leaves."""
    p, alpha, eta, d, s, f = sp.symbols("p alpha eta lambda_d lambda_s lambda_f", positive=True)
    k = DirectSet(alpha, eta, s, d, f)
    lam = encoder_at(p, k)
    return residual(sp.powdenest(drive(Encoder(lam), k), force=True) - p * (d - s * p))


@claim(
    "B138",
    title="DirectPred sees the views' correlation",
    statement="A trainer's F̂ is that of the views, κ F: p± stay, and s* = p±²/κ.",
    source="derived (theory/README.md, DirectPred)",
    kind="numeric",
)
def views_correlation(run: Run) -> Verdict:
    eta, kappa = settings(np.random.default_rng([run.seed, 138]), FEW)
    eta, kappa = np.append(0.05, eta), np.append(1.5, kappa)
    k = DirectSet(0.5, eta, kappa, lambda_f=kappa)
    low, high = levels(k)
    s = settled(1.0, k) ** 2
    error = np.abs(s - high**2 / kappa).max()
    sides = [settled(low / np.sqrt(kappa) * (1 + side * SIDE), k) ** 2 for side in (-1, 1)]
    edge_error = largest(sides[0].max(), np.abs(sides[1] - high**2 / kappa).max())
    gap = largest_matrix_gap(np.random.default_rng([run.seed, 1380]), [0.5] * 4, views=1.0)
    return holds_if(
        error < 1e-9 and edge_error < 1e-9 and abs(s[0] - 0.24988) < 5e-6 and gap < ROUNDING,
        s_at_kappa_1_5_eta_0_05=s[0],
        on_F_itself=settled(1.0, k._replace(lambda_f=1.0))[0] ** 2,
        largest_error=error,
        largest_error_beside_the_edge=edge_error,
        weights_flow_gap=gap,
    )


def _shifted(eta: np.ndarray, kappa: np.ndarray, c: Any) -> DirectSet:
    fields = np.broadcast_arrays(0.5, eta, kappa, 1.0, 1.0, 0.0, c)
    return DirectSet(*(a.ravel() for a in fields))
