"""Observations 2 to 5 (Sec. 3.2): what the predictor's rate and the weight decay do to a mode, at a fixed target.

κ = 1.25 and τ = 1 in the printed numbers; laws are checked on random settings beside them.
"""

from functools import cache
from typing import Any

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic
from linbyol.extremes import every, largest
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.proving.mode_runs import between, fixed_target, follow, uniforms

KAPPA = 1.25
COLLAPSED = 1e-3  # |p| below it counts as collapsed, as in the grids of the facts
INTEGRATED = 1e-7  # 10 × rtol of the trajectories


@cache
def growth(seed: int) -> dict[str, Any]:
    """s(∞) - s(0) at η = 0 against ((τ/κ)² - p₀²)/α_p: the four printed settings, then random escaping ones."""
    u = uniforms(seed, 48)[:, :12]
    alpha_p = np.append([1.0, 10, 100, 1000], 10 ** (3 * u[0]))
    sigma2 = np.append(np.full(4, KAPPA - 1), between(0.05, 1, u[1]))
    tau = np.append(np.ones(4), between(0.5, 1.2, u[2]))
    goal = tau / (1 + sigma2)
    p = np.append(np.full(4, 0.1), goal[4:] * between(0.05, 0.9, u[3]))
    s = np.append(np.full(4, 0.2), p[4:] ** 2 / alpha_p[4:] + between(0.05, 1, u[4]))
    # above the parabola s only grows, and p nears its goal at the rate α_p κ s or faster: e^-60 at the end
    paths = follow(fixed_target, p, s, 60 / (alpha_p * s), alpha_p=alpha_p, sigma2=sigma2, tau=tau)
    return {"alpha_p": alpha_p, "grown": paths.modes.s[:, -1] - s, "law": (goal**2 - p**2) / alpha_p}


@claim(
    "B48",
    title="Observation 2: a fast predictor stops the features",
    statement="At η = 0 an escaping mode grows by s(∞) - s(0) = ((τ/κ)² - p₀²)/α_p only, so a large α_p stops it.",
    source="Obs. 2",
    kind="numeric",
)
def observation_2(run: Run) -> Verdict:
    found = growth(run.seed)
    error = np.abs(found["grown"] - found["law"]).max()
    alpha_p, grown = found["alpha_p"][:4], found["grown"][:4]
    return holds_if(
        error < INTEGRATED and every(np.diff(grown) < 0),
        alpha_p=alpha_p,
        growth=grown,
        growth_times_alpha_p=grown * alpha_p,
        largest_error=error,
        random_settings=12,
    )


@cache
def forgetting(seed: int) -> dict[str, Any]:
    """Spread of s(∞) over four s₀ above the parabola, without decay and with some: the printed setting, seven random.

    printed: p₀ = 0.3, s₀ = 0.1 … 0.9, η = 0.01. Arrays (8, 2): settings, without and with decay.
    """
    u = uniforms(seed, 49)[:, :7]
    alpha_p, sigma2 = np.append(1.0, between(0.5, 2, u[0])), np.append(KAPPA - 1, between(0.1, 0.6, u[1]))
    k = Isotropic(alpha_p, 0.0, 0.0, sigma2, np.append(1.0, between(0.6, 1.1, u[2])))
    eta = np.append(0.01, between(0.1, 0.4, u[3]) * np.asarray(critical_eta(k))[1:])
    p = np.append(0.3, (between(0.3, 0.9, u[4]) * (k.tau / k.kappa)[1:]))
    above = np.append([[0.01, 0.21, 0.51, 0.81]], between(0.02, 0.8, u[:4]).T, axis=0)  # (8, 4)
    s0 = p[:, None] ** 2 / alpha_p[:, None] + above
    wide = lambda a: np.repeat(a, 8)  # noqa: E731 - settings, decays, starts
    decays = np.stack([0 * eta, eta], axis=1)
    paths = follow(
        fixed_target, wide(p), np.repeat(s0[:, None], 2, axis=1).reshape(-1), wide(30 / eta), alpha_p=wide(alpha_p),
        eta=np.repeat(decays.reshape(-1), 4), sigma2=wide(sigma2), tau=wide(k.tau),
    )  # fmt: skip
    s, p_end = (a[:, -1].reshape(8, 2, 4) for a in (paths.modes.s, paths.modes.p))
    gap = np.abs(s - p_end**2 / alpha_p[:, None, None]).max(axis=2)
    return {"eta": eta, "spread": np.ptp(s, axis=2), "initial": np.ptp(s0, axis=1), "gap": gap}


@claim(
    "B49",
    title="Observation 3: weight decay forgets the start",
    statement="With η > 0 the offset c_j is forgotten and s follows p²/α_p; at η = 0 it is kept for ever.",
    source="Obs. 3",
    kind="numeric",
)
def observation_3(run: Run) -> Verdict:
    found = forgetting(run.seed)
    kept = largest(np.abs(found["spread"][:, 0] - found["initial"])) < INTEGRATED
    forgotten = largest(found["spread"][:, 1], found["gap"][:, 1]) < INTEGRATED  # c_j has fallen by e^(-2ηt) = e^-60
    return holds_if(
        kept and forgotten,
        eta=found["eta"],
        initial_spread_of_s=found["initial"],
        spread_without_decay=found["spread"][:, 0],
        spread_with_decay=found["spread"][:, 1],
        distance_from_parabola=found["gap"][:, 1],
    )


@cache
def edges(seed: int) -> dict[str, Any]:
    """p_- at three printed decays and 13 random settings, and where starts 1 % below and above it go."""
    u = uniforms(seed, 50)[:, :13]
    alpha_p, sigma2 = np.append(np.ones(3), between(0.3, 3, u[0])), np.append(np.full(3, 0.25), between(0.05, 1, u[1]))
    k = Isotropic(alpha_p, 0.0, 0.0, sigma2, np.append(np.ones(3), between(0.5, 1.2, u[2])))
    eta = np.append([0.01, 0.05, 0.15], between(0.05, 0.8, u[3]) * np.asarray(critical_eta(k))[3:])
    _, p_minus, p_plus = (np.asarray(p) for p in predictor_roots(k._replace(eta=eta)))
    _, p_more, _ = (np.asarray(p) for p in predictor_roots(k._replace(eta=1.01 * eta)))
    p, twice = np.append(0.99 * p_minus, 1.01 * p_minus), lambda a: np.tile(a, 2)
    paths = follow(
        fixed_target, p, p**2 / twice(alpha_p), twice(40 / eta), alpha_p=twice(alpha_p), eta=twice(eta),
        sigma2=twice(sigma2), tau=twice(k.tau),
    )  # fmt: skip
    below, above = paths.end.reshape(2, 16)
    return {"eta": eta, "p_minus": p_minus, "p_more": p_more, "p_plus": p_plus, "below": below, "above": above}


@claim(
    "B50",
    title="Observation 4: weight decay widens the basin of collapse",
    statement="The edge p_- of the basin on the parabola rises with η.",
    source="Obs. 4",
    kind="numeric",
)
def observation_4(run: Run) -> Verdict:
    found = edges(run.seed)
    collapse = largest(np.abs(found["below"])) < 1e-6  # e^(-ηt) = e^-40, less the time to leave the edge
    survive = largest(np.abs(found["above"] - found["p_plus"])) < 1e-6  # the same, and the integrator
    return holds_if(
        collapse and survive and every(np.diff(found["p_minus"][:3]) > 0) and every(found["p_more"] > found["p_minus"]),
        eta=found["eta"],
        p_minus=found["p_minus"],
        p_minus_at_one_percent_more_decay=found["p_more"],
        end_from_1_percent_below=found["below"],
        end_from_1_percent_above=found["above"],
    )


@cache
def overdecayed(seed: int) -> dict[str, Any]:
    """63 random starts above η_c (30 at 1.01 η_c, κ = 1.25, τ = 1, then random settings), one at 0.99 η_c, surviving.

    above: the larger of |p| and s at the end; below: p there.
    """
    u = uniforms(seed, 51)
    printed, last = np.arange(64) < 30, np.arange(64) == 63
    k = Isotropic(
        np.where(printed | last, 1.0, between(0.3, 3, u[0])), 0.0, 0.0,
        np.where(printed | last, KAPPA - 1, between(0.05, 1, u[1])),
        np.where(printed | last, 1.0, between(0.5, 1.2, u[2])),
    )  # fmt: skip
    share = np.where(last, 0.99, np.where(printed, 1.01, between(1.01, 2, u[3])))
    eta = share * np.asarray(critical_eta(k))
    p, s = np.where(last, 0.6, between(-1.5, 1.5, u[4])), np.where(last, 0.36, between(0.01, 1, u[5]))
    # past the ghost of the double root in about π/(p_c √(κ (η - η_c))) = 4πκ/(τ² √(share - 1)), then e^(-ηt)
    t1 = 4 * np.pi * k.kappa / (k.tau**2 * np.sqrt(np.abs(share - 1))) + 60 / eta
    modes = follow(fixed_target, p, s, t1, alpha_p=k.alpha_p, eta=eta, sigma2=k.sigma2, tau=k.tau).modes
    left = np.maximum(np.abs(modes.p[:, -1]), modes.s[:, -1])
    return {"eta_c": KAPPA**-1 / 4, "share": share[:-1], "above": left[:-1], "below": modes.p[-1, -1]}


@claim(
    "B51",
    title="Observation 5: too much weight decay collapses everything",
    statement="For η > η_c = τ²/(4κ) every start collapses.",
    source="Obs. 5",
    kind="numeric",
)
def observation_5(run: Run) -> Verdict:
    found = overdecayed(run.seed)
    return holds_if(
        largest(found["above"]) < 1e-6 and found["below"] > 0.4,  # the integrator; p_+ = 0.44 at 0.99 η_c
        eta_c_at_kappa_1_25=found["eta_c"],
        eta_over_eta_c=[found["share"].min(), found["share"].max()],
        largest_end_above_eta_c=found["above"].max(),
        end_at_0_99_eta_c=found["below"],
    )
