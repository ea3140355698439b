"""Basins of collapse in the (p, s) plane at a fixed target: exact at η = 0, below the separatrix at 0 < η < η_c."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.exact import collapses, separatrix
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.mode_runs import LANES, between, fixed_target, follow, grid, uniforms

EDGE = 1e-6  # the sheet's tolerance of a basin's edge
COLLAPSED = 1e-3  # s below it, at the end of a long run, counts as collapsed
AREAS = [0.3732, 0.2941, 0.1688, 0.0844, 0.0422]  # the sheet's, at alpha_p = 0.5, 1, 2, 4, 8
PRINTED = 5e-5  # half a unit of their last digit


def lost(p: Any, s: Any, k: Isotropic) -> np.ndarray:
    """`collapses` of up to 64 starts, in the one shape that claims share: a compilation costs more than the rest."""
    size = np.broadcast(p, s, *k).size
    p, s, *leaves = _lanes(p, s, *k)
    return np.asarray(collapses(p, s, Isotropic(*leaves)))[:size]


def edge(k: Isotropic, p: Any) -> np.ndarray:
    """`separatrix` at up to 64 points, in one shape."""
    size = np.broadcast(p, *k).size
    p, *leaves = _lanes(p, *k)
    return np.asarray(separatrix(Isotropic(*leaves), p))[:size]


def _lanes(*columns: Any) -> list[np.ndarray]:
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
    source="Sec. 3 (7.3)",
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
        symbolic and from_branch < 1e-6 and law < 1e-6,  # the sheet's 1e-6; the integrator leaves 1e-7
        seeds=[run.seed],
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
    return holds_if(lost == 0 and above.sum() > 10, seeds=[run.seed], starts_above=int(above.sum()), collapsed=lost)


@claim(
    "B31",
    title="The exact basin of collapse without decay",
    statement=(
        "At η = 0, with c = s₀ - p₀²/α_p and s₀ > 0: a mode with c > 0 escapes; with c ≤ 0 it collapses where p₀ ≤ 0, "
        "or where p₀² - α_p s₀ ≥ (τ/κ)². So s₀ > p₀²/α_p is not necessary."
    ),
    source="derived (7.3)",
    kind="numeric",
)
def exact_basin(run: Run) -> Verdict:
    found = undecayed(run.seed)
    predicted = lost(found["p"], found["s"], found["k"])
    seen = found["end"][1] < COLLAPSED
    below = (found["c"] < 0) & ~seen
    return holds_if(
        (predicted == seen).all() and below.any() and seen.any(),
        seeds=[run.seed],
        starts=64,
        mismatches=int((predicted != seen).sum()),
        collapsed=int(seen.sum()),
        escaped_from_below_the_parabola=int(below.sum()),
    )


@claim(
    "B32",
    title="No escape from the left below the parabola",
    statement="p₀ < 0 and s₀ < p₀²/α_p imply collapse, for any η ≥ 0 (τ fixed).",
    source="derived (7.3)",
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
    predicted = lost(p, s, k._replace(eta=eta)).all()
    return holds_if(
        predicted and modes.s[:, -1].max() < COLLAPSED and highest < 1e-8,  # 10 × rtol of the trajectories, and less
        seeds=[run.seed],
        starts=64,
        largest_final_s=modes.s[:, -1].max(),
        highest_p=highest,
    )


@claim(
    "B36",
    title="The edge of the basin on the parabola",
    statement="For 0 < η < η_c a mode on the parabola collapses if and only if p₀ < p_-.",
    source="Sec. 3",
    kind="numeric",
)
def edge_on_parabola(run: Run) -> Verdict:
    u = uniforms(run.seed, 36)[:, :8]
    k = Isotropic(between(0.3, 3, u[0]), 0.0, 0.0, between(0.05, 1, u[1]), between(0.5, 1, u[2]))
    k = k._replace(eta=between(0.3, 0.9, u[3]) * np.asarray(critical_eta(k)))
    _, p_minus, p_plus = map(np.asarray, predictor_roots(k))
    low, high = np.zeros(8), p_plus
    for _ in range(8):  # eight starts a setting cut the bracket by nine: 9^8 = 4e7
        p = low[:, None] + (high - low)[:, None] * np.arange(1, 9) / 9
        many = [np.repeat(a, 8) for a in (k.alpha_p, k.eta, k.sigma2, k.tau)]
        end = follow(
            fixed_target, p.reshape(-1), p.reshape(-1) ** 2 / many[0], 3000.0,
            alpha_p=many[0], eta=many[1], sigma2=many[2], tau=many[3],
        ).end.reshape(8, 8)  # fmt: skip
        lost = (end < p_minus[:, None] / 2).sum(axis=1)
        edges = np.concatenate([low[:, None], p, high[:, None]], axis=1)
        low, high = np.take_along_axis(edges, np.stack([lost, lost + 1], axis=1), axis=1).T
    error = np.abs((low + high) / 2 - p_minus).max()
    return holds_if(error < EDGE, seeds=[run.seed], settings=8, p_minus=p_minus, largest_error_of_bisected_edge=error)


@cache
def neighbours(seed: int) -> dict[str, Any]:
    """Points of the separatrix for 32 settings, and where starts 1e-5 below and above them go."""
    u = uniforms(seed, 42)[:, :32]
    k = Isotropic(between(0.3, 3, u[0]), 0.0, 0.0, between(0.05, 1, u[1]), between(0.5, 1, u[2]))
    # at smaller decays s on the edge falls to exp(-4 η_c/η), below what the trajectories resolve
    k = k._replace(eta=between(0.5, 0.95, u[3]) * np.asarray(critical_eta(k)))
    p = between(-1, 2, u[4]) * k.tau / k.kappa
    s = edge(k, p)
    starts = np.concatenate([s * (1 - 1e-5), s * (1 + 1e-5)])
    twice = [np.tile(a, 2) for a in (p, k.alpha_p, k.eta, k.sigma2, k.tau)]
    end = follow(
        fixed_target, twice[0], starts, 3000.0, alpha_p=twice[1], eta=twice[2], sigma2=twice[3], tau=twice[4]
    ).end
    predicted = lost(twice[0], starts, Isotropic(twice[1], 0.0, *twice[2:]))
    return {"k": k, "p": p, "s": s, "end": end.reshape(2, 32), "predicted": predicted.reshape(2, 32)}


@claim(
    "B42",
    title="The edge of the basin off the parabola",
    statement="For 0 < η < η_c the stable manifold of (p_-, p_-²/α_p) parts collapse (below it) from survival (above).",
    source="derived (7.5)",
    kind="numeric",
)
def edge_in_plane(run: Run) -> Verdict:
    found = neighbours(run.seed)
    _, _, p_plus = map(np.asarray, predictor_roots(found["k"]))
    below, above = np.abs(found["end"][0]), np.abs(found["end"][1] - p_plus)
    predicted = found["predicted"][0].all() and not found["predicted"][1].any()
    return holds_if(
        predicted and below.max() < EDGE and above.max() < EDGE,
        seeds=[run.seed],
        settings=32,
        relative_distance=1e-5,
        range_of_p=[found["p"].min(), found["p"].max()],
        distance_from_zero_below=below.max(),
        distance_from_p_plus_above=above.max(),
    )


@claim(
    "B42c",
    title="Any decay, however small, shrinks the basin of collapse",
    statement=(
        "As η → 0 the edge of the basin tends to α_p s = p² - (2τ/κ)², not to the edge α_p s = p² - (τ/κ)² of η = 0: "
        "a mode that lands on s = 0 at p < 2τ/κ leaves it once p has decayed far enough, after a time of order 1/η."
    ),
    source="derived here; 7.3, 7.5",
    kind="numeric",
)
def vanishing_decay(run: Run) -> Verdict:
    u = uniforms(run.seed, 420)[:, :6]
    k = Isotropic(between(0.3, 3, u[0]), 0.0, 0.0, between(0.05, 1, u[1]), between(0.5, 1, u[2]))
    goal = k.tau / k.kappa
    p = between(2.2, 4, u[3]) * goal
    share = np.array([1e-2, 1e-3, 1e-4, 1e-5])[:, None]
    wide = Isotropic(*(np.broadcast_to(a, (4, 6)) for a in k))
    wide = wide._replace(eta=share * np.asarray(critical_eta(wide)))
    squared = (p**2 - k.alpha_p * edge(wide, p).reshape(4, 6)) / goal**2
    at_zero = (p**2 - k.alpha_p * edge(k, p)) / goal**2
    # a start with p² - α_p s = 1.5² (τ/κ)²: it collapses at η = 0 and survives at η_c/8, on s = e^-9 at the least
    x = 1.75 * goal
    s = (x**2 - (1.5 * goal) ** 2) / k.alpha_p
    modes = follow(
        fixed_target, np.tile(x, 2), np.tile(s, 2), 4000.0, alpha_p=np.tile(k.alpha_p, 2),
        eta=np.append(np.zeros(6), np.asarray(critical_eta(k)) / 8), sigma2=np.tile(k.sigma2, 2), tau=np.tile(k.tau, 2),
    ).modes  # fmt: skip
    _, _, p_plus = map(np.asarray, predictor_roots(k._replace(eta=np.asarray(critical_eta(k)) / 8)))
    collapsed, survived = modes.s[:6, -1].max(), np.abs(modes.p[6:, -1] - p_plus).max()
    error = np.abs(squared - 4).max(axis=1)
    return holds_if(
        np.abs(at_zero - 1).max() < 1e-12  # rounding
        and error[-1] < 1e-3
        and (np.diff(error) < 0).all()
        and collapsed < COLLAPSED
        and survived < EDGE,
        seeds=[run.seed],
        eta_over_eta_c=share[:, 0],
        distance_of_the_squared_edge_from_4=error,
        squared_edge_at_zero=at_zero,
        one_start_at_zero_decay_ends_at_s=collapsed,
        same_start_with_decay_misses_p_plus_by=survived,
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
    n = 100
    cells = (np.arange(n) + 0.5) / n
    boxes = grid(1.5 * cells, cells), grid(0.2 * cells - 0.1, 0.0005 + 0.0195 * cells)
    p, s = np.array(boxes).transpose(1, 0, 2)[:, :, None, :]  # (2, 1, n²)
    k = Isotropic(alphas[None, :, None], 0.0, np.array([0.0, 0.05])[:, None, None], 0.25)
    counted, decayed = np.asarray(collapses(p, s, k)).mean(axis=2)
    # random boxes and constants: the area is a decreasing function of alpha_p
    u = uniforms(run.seed, 47)[:, :5]
    random = [[_area(a, *box) for a in alphas] for box in zip(*between(0.3, 1.2, u[:3]), strict=True)]
    falls = all((np.diff(np.array(row, float)) <= 0).all() for row in random)
    return holds_if(
        np.abs(areas - AREAS).max() < PRINTED
        and np.abs(areas - counted).max() < 2 / n  # two cells' width along an edge about as long as the box
        and (np.diff(areas) < 0).all()
        and (np.diff(decayed) < 0).all()
        and falls,
        seeds=[run.seed],
        alpha_p=alphas,
        exact_fraction=areas,
        counted_fraction=counted,
        fraction_at_eta_005=decayed,
        random_boxes=5,
    )


@cache
def _closed_area() -> Any:
    """∫ min((p² - g²)/α, S) dp from g to Q over the box's area Q S, g = τ/κ: two pieces, met where p² = g² + α S."""
    p, g, a, Q, S = sp.symbols("p g alpha Q S", positive=True)
    knee = sp.Min(Q, sp.sqrt(g**2 + a * S))
    rising = sp.integrate((p**2 - g**2) / a, p)
    area = rising.subs(p, knee) - rising.subs(p, g) + S * (Q - knee)
    return sp.lambdify((a, g, Q, S), area / (Q * S), "math")


def _area(alpha_p: float, g: float = 0.8, Q: float = 1.5, S: float = 1.0) -> float:
    """Fraction of the box 0 < p ≤ Q, 0 < s ≤ S that collapses at η = 0; 7.3: p² - α_p s ≥ g², g = τ/κ."""
    return _closed_area()(alpha_p, g, max(Q, g), S) * max(Q, g) / Q if g < Q else 0.0
