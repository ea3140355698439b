"""Basins of collapse in the (p, s) plane at a fixed target where they are exact: at η = 0, and left of the parabola."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.exact import collapses
from linbyol.extremes import every
from linbyol.fixed_points import critical_eta
from theory.proving.mode_runs import LANES, between, fixed_target, follow, grid, uniforms

COLLAPSED = 1e-3  # s below it, at the end of a long run, counts as collapsed
AREAS = [0.3732, 0.2941, 0.1688, 0.0844, 0.0422]  # computed independently, at alpha_p = 0.5, 1, 2, 4, 8
CELLS = 100  # a side of a box that is counted out
PRINTED = 5e-5  # half a unit of their last digit


def lost(p: Any, s: Any, k: Isotropic) -> np.ndarray:
    """`collapses` of up to 64 starts, in the one shape that claims share: a compilation costs more than the rest."""
    size = np.broadcast(p, s, *k).size
    p, s, *leaves = lanes(p, s, *k)
    return np.asarray(collapses(p, s, Isotropic(*leaves)))[:size]


def lanes(*columns: Any) -> list[np.ndarray]:
    flat = [np.ravel(a) * 1.0 for a in np.broadcast_arrays(*columns)]
    return [np.pad(a, (0, LANES - a.size), mode="edge") for a in flat]


@cache
def undecayed(seed: int) -> dict[str, Any]:
    """64 starts at η = 0 with s₀ ≥ 0.02, at least 3 % from the edges of the basin, and where they rest."""
    u = uniforms(seed, 29)
    k = Isotropic(between(0.4, 2.5, u[0]), 0.0, 0.0, between(0.1, 1, u[1]), between(0.5, 1, u[2]))
    goal = k.tau / k.kappa
    p, s = between(-1.2, 2, u[3]) * goal, between(0.02, 1, u[4])
    c = s - p**2 / k.alpha_p
    inner = np.abs(c) < 0.03  # too near the parabola: it matters for p < 0
    s = np.where(inner & (p < 0), s + 0.1, s)
    outer = np.abs(p**2 - k.alpha_p * s - goal**2) < 0.03
    s = np.where(outer, s + 0.1 / k.alpha_p, s)
    # the slowest rates are 2 |p| (τ - κ p) at s = 0, and α_p κ s at p = τ/κ
    modes = follow(fixed_target, p, s, 4000.0, alpha_p=k.alpha_p, sigma2=k.sigma2, tau=k.tau).modes
    return {"k": k, "p": p, "s": s, "c": s - p**2 / k.alpha_p, "end": (modes.p[:, -1], modes.s[:, -1])}


@claim(
    "B29",
    title="Two branches of fixed points without decay",
    statement=(
        "At η = 0 a mode rests where s = 0 or p = τ/κ, and nowhere else; s(∞) = s(0) + (p(∞)² - p(0)²)/α_p on either."
    ),
    source="Sec. 3",
    kind="numeric",
)
def branches(run: Run) -> Verdict:
    p, s, kappa, tau, alpha_p = sp.symbols("p s kappa tau alpha_p", positive=True)
    rate = modes_flow(Modes(p, s, tau), Isotropic(alpha_p, 0, 0, kappa - 1, tau))
    symbolic = sp.factor(rate.p) == sp.factor(alpha_p * s * (tau - kappa * p)) and rate.s.subs(p, tau / kappa) == 0
    found = undecayed(run.seed)
    k, (p1, s1) = found["k"], found["end"]
    from_branch = np.minimum(np.abs(s1), np.abs(p1 - k.tau / k.kappa)).max()
    law = np.abs(s1 - found["s"] - (p1**2 - found["p"] ** 2) / k.alpha_p).max()
    return holds_if(
        symbolic and from_branch < 1e-6 and law < 1e-6,  # the integrator leaves 1e-7
        predictor_rate_vanishes_there_only=symbolic,
        distance_from_a_branch=from_branch,
        error_of_the_law=law,
        collapsed=int((s1 < COLLAPSED).sum()),
        starts=64,
    )


@claim(
    "B30",
    title="The paper's criterion for escape",
    statement="At η = 0 every mode with s(0) > p(0)²/α_p escapes.",
    source="Sec. 3",
    kind="numeric",
)
def sufficient(run: Run) -> Verdict:
    found = undecayed(run.seed)
    above = found["c"] > 0
    lost = int((found["end"][1][above] < COLLAPSED).sum())
    return holds_if(lost == 0 and above.sum() > 10, starts_above=int(above.sum()), collapsed=lost)


@claim(
    "B31",
    title="The exact basin of collapse without decay",
    statement=(
        "At η = 0, with c = s₀ - p₀²/α_p and s₀ > 0: a mode with c > 0 escapes; with c ≤ 0 it collapses where p₀ ≤ 0, "
        "or where p₀² - α_p s₀ ≥ (τ/κ)². So s₀ > p₀²/α_p is not necessary."
    ),
    source="derived (theory/README.md, without decay)",
    kind="numeric",
)
def exact_basin(run: Run) -> Verdict:
    found = undecayed(run.seed)
    predicted = lost(found["p"], found["s"], found["k"])
    seen = found["end"][1] < COLLAPSED
    below = (found["c"] < 0) & ~seen
    return holds_if(
        every(predicted == seen) and below.any() and seen.any(),
        starts=64,
        mismatches=int((predicted != seen).sum()),
        collapsed=int(seen.sum()),
        escaped_from_below_the_parabola=int(below.sum()),
    )


@claim(
    "B32",
    title="No escape from the left below the parabola",
    statement="p₀ < 0 and s₀ < p₀²/α_p imply collapse, for any η ≥ 0 (τ fixed).",
    source="derived (theory/README.md, without decay)",
    kind="numeric",
)
def left_below(run: Run) -> Verdict:
    u = uniforms(run.seed, 32)
    k = Isotropic(between(0.3, 3, u[0]), 0.0, 0.0, between(0.05, 1, u[1]), between(0.4, 1, u[2]))
    eta = np.where(np.arange(64) < 16, 0, between(0, 1.5, u[3]) * np.asarray(critical_eta(k)))
    p = between(-1, -0.1, u[4])
    s = between(0.02, 0.98, u[5]) * p**2 / k.alpha_p
    modes = follow(fixed_target, p, s, 4000.0, alpha_p=k.alpha_p, eta=eta, sigma2=k.sigma2, tau=k.tau).modes
    highest = modes.p.max()  # p = 0 is never crossed: there ṗ = α_p τ s, and s = c e^(-2ηt) < 0 is impossible
    predicted = every(lost(p, s, k._replace(eta=eta)))
    return holds_if(
        predicted and modes.s[:, -1].max() < COLLAPSED and highest < 1e-8,  # 10 × rtol of the trajectories, and less
        starts=64,
        largest_final_s=modes.s[:, -1].max(),
        highest_p=highest,
    )


@claim(
    "B47",
    title="Observation 1: a fast predictor shrinks the basin of collapse",
    statement="The larger α_p, the smaller the part of a box of starts (p₀, s₀) that collapses, at η = 0 and at η > 0.",
    source="Obs. 1",
    kind="numeric",
)
def observation_1(run: Run) -> Verdict:
    alphas = np.array([0.5, 1, 2, 4, 8])
    areas = np.array([float(_area(a)) for a in alphas])
    (counted, decayed), shrinking = np.split(_fractions(run.seed, alphas), [2])
    # random boxes that reach beyond τ/κ: the area falls with alpha_p
    u = uniforms(run.seed, 47)[:, :5]
    boxes = zip(between(0.3, 0.7, u[0]), *between(0.7, 1.5, u[1:3]), strict=True)
    falls = every(np.diff([float(_area(a, *box)) for a in alphas]) < 0 for box in boxes)
    return holds_if(
        np.abs(areas - AREAS).max() < PRINTED
        and np.abs(areas - counted).max() < 2 / CELLS  # two cells' width along an edge about as long as the box
        and every(np.diff(areas) < 0)
        and every(np.diff(decayed) < 0)
        and every(np.diff(shrinking, axis=1) < 0)
        and falls,
        alpha_p=alphas,
        exact_fraction=areas,
        counted_fraction=counted,
        fraction_at_eta_005=decayed,
        fractions_of_random_boxes_with_decay=shrinking,
        random_boxes=5,
    )


def _fractions(seed: int, alphas: np.ndarray) -> np.ndarray:
    """The part of a box that collapses, by alpha_p: (4, 5). The printed box at η = 0 and a smaller one at η = 0.05; two
    boxes -g/4 < p < g, 0 < s < S, g = τ/κ, with random constants below the threshold.
    """
    x, y = grid(*[(np.arange(CELLS) + 0.5) / CELLS] * 2)
    u = uniforms(seed, 470)[:, :2]
    sigma2, tau = np.append([0.25, 0.25], between(0.1, 1, u[0])), np.append([1, 1], between(0.5, 1, u[1]))
    goal = tau / (1 + sigma2)
    eta = np.append([0, 0.05], (between(0.2, 0.8, u[2]) * tau[2:] * goal[2:] / 4))
    sides = np.append([1.5, 0.2], 1.25 * goal[2:]), np.append([1, 0.0195], between(0.02, 0.1, u[3]))
    corner = np.append([0, -0.1], -goal[2:] / 4), np.array([0, 0.0005, 0, 0])
    p, s = (a[:, None, None] + b[:, None, None] * c for a, b, c in zip(corner, sides, (x, y), strict=True))
    k = Isotropic(alphas[None, :, None], 0.0, *(a[:, None, None] for a in (eta, sigma2, tau)))
    return np.asarray(collapses(p, s, k)).mean(axis=2)


@cache
def _closed_area() -> Any:
    """∫ min((p² - g²)/α, S) dp from g to Q over the box's area Q S, g = τ/κ: two pieces, met where p² = g² + α S."""
    p, g, a, Q, S = sp.symbols("p g alpha Q S", positive=True)
    knee = sp.Min(Q, sp.sqrt(g**2 + a * S))
    rising = sp.integrate((p**2 - g**2) / a, p)
    area = rising.subs(p, knee) - rising.subs(p, g) + S * (Q - knee)
    return sp.lambdify((a, g, Q, S), area / (Q * S), "math")


def _area(alpha_p: float, g: float = 0.8, Q: float = 1.5, S: float = 1.0) -> float:
    """Fraction of the box 0 < p ≤ Q, 0 < s ≤ S that collapses at η = 0, where p² - α_p s ≥ g², g = τ/κ."""
    return _closed_area()(alpha_p, g, np.maximum(Q, g), S) * np.maximum(Q, g) / Q if g < Q else 0.0
