"""The edge of the basin of collapse for 0 < η < η_c: p_- on the parabola, the stable manifold of its saddle off it."""

from functools import cache
from typing import Any

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic
from linbyol.exact import separatrix
from linbyol.extremes import every
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.paper.basins import COLLAPSED, lanes, lost
from theory.proving.mode_runs import between, fixed_target, follow, uniforms

EDGE = 1e-6  # tolerance of a basin's edge


def edge(k: Isotropic, p: Any) -> np.ndarray:
    """`separatrix` at up to 64 points, in one shape."""
    size = np.broadcast(p, *k).size
    p, *leaves = lanes(p, *k)
    return np.asarray(separatrix(Isotropic(*leaves), p))[:size]


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
    return holds_if(error < EDGE, settings=8, p_minus=p_minus, largest_error_of_bisected_edge=error)


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
    source="derived (theory/README.md, the edge of the basin)",
    kind="numeric",
)
def edge_in_plane(run: Run) -> Verdict:
    found = neighbours(run.seed)
    _, _, p_plus = map(np.asarray, predictor_roots(found["k"]))
    below, above = np.abs(found["end"][0]), np.abs(found["end"][1] - p_plus)
    predicted = every(found["predicted"] == [[True], [False]])
    return holds_if(
        predicted and below.max() < EDGE and above.max() < EDGE,
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
    source="derived (theory/README.md, the edge of the basin)",
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
        and every(np.diff(error) < 0)
        and collapsed < COLLAPSED
        and survived < EDGE,
        eta_over_eta_c=share[:, 0],
        distance_of_the_squared_edge_from_4=error,
        squared_edge_at_zero=at_zero,
        one_start_at_zero_decay_ends_at_s=collapsed,
        same_start_with_decay_misses_p_plus_by=survived,
    )
