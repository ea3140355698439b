"""Observations 2 to 7 (Sec. 3.2): what the predictor's rate and the weight decay do to a mode, at a fixed target.

κ = 1.25 and τ = 1 in the printed numbers; laws are checked on random settings beside them.
"""

from functools import cache
from typing import Any

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.mode_runs import between, fixed_target, follow, uniforms

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
        error < INTEGRATED and (np.diff(grown) < 0).all(),
        seeds=[run.seed],
        alpha_p=alpha_p,
        growth=grown,
        growth_times_alpha_p=grown * alpha_p,
        largest_error=error,
        random_settings=12,
    )


@cache
def forgetting() -> dict[str, Any]:
    """Spread of s(∞) over s₀ from p₀ = 0.3, without decay and with η = 0.01."""
    s0 = np.array([0.1, 0.3, 0.6, 0.9])
    paths = follow(fixed_target, 0.3, np.tile(s0, 2), 3000.0, eta=np.repeat([0.0, 0.01], 4))
    s, p = (a[:, -1].reshape(2, 4) for a in (paths.modes.s, paths.modes.p))
    return {"spread": np.ptp(s, axis=1), "initial": np.ptp(s0), "gap": np.abs(s - p**2).max(axis=1)}


@claim(
    "B49",
    title="Observation 3: weight decay forgets the start",
    statement="With η > 0 the offset c_j is forgotten and s follows p²/α_p; at η = 0 it is kept for ever.",
    source="Obs. 3",
    kind="numeric",
)
def observation_3(run: Run) -> Verdict:
    found = forgetting()
    kept = abs(found["spread"][0] - found["initial"]) < INTEGRATED
    forgotten = max(found["spread"][1], found["gap"][1]) < INTEGRATED  # c_j has fallen by e^(-2ηt) = e^-60
    return holds_if(
        kept and forgotten, eta=[0.0, 0.01], spread_of_s=found["spread"], distance_from_parabola=found["gap"]
    )


@cache
def edges() -> dict[str, Any]:
    """p_- at three decays, and where starts on the parabola 1 % below and above it go."""
    eta = np.array([0.01, 0.05, 0.15])
    _, p_minus, p_plus = (np.asarray(p) for p in predictor_roots(Isotropic(1.0, 0.0, eta, KAPPA - 1)))
    p = np.append(0.99 * p_minus, 1.01 * p_minus)
    below, above = follow(fixed_target, p, p**2, 4000.0, eta=np.tile(eta, 2)).end.reshape(2, 3)
    return {"eta": eta, "p_minus": p_minus, "p_plus": p_plus, "below": below, "above": above}


@claim(
    "B50",
    title="Observation 4: weight decay widens the basin of collapse",
    statement="The edge p_- of the basin on the parabola rises with η.",
    source="Obs. 4",
    kind="numeric",
)
def observation_4(run: Run) -> Verdict:
    found = edges()
    collapse = (np.abs(found["below"]) < COLLAPSED).all()
    survive = (np.abs(found["above"] - found["p_plus"]) < 1e-6).all()  # e^(-0.3 t) from p_+, and the integrator
    return holds_if(
        collapse and survive and (np.diff(found["p_minus"]) > 0).all(),
        eta=found["eta"],
        p_minus=found["p_minus"],
        end_from_1_percent_below=found["below"],
        end_from_1_percent_above=found["above"],
    )


@cache
def overdecayed(seed: int) -> dict[str, Any]:
    """Random starts at η = 1.01 η_c, and one start at 0.99 η_c, which survives."""
    u = uniforms(seed, 51)[:, :40]
    eta_c = float(critical_eta(Isotropic(1.0, 0.0, 0.0, KAPPA - 1)))
    p, s = np.append(between(-1.5, 1.5, u[0]), 0.6), np.append(between(0.01, 1, u[1]), 0.36)
    # past the ghost of the double root in about π/(p_c √(κ (η - η_c))) = 160, then e^(-ηt)
    end = follow(fixed_target, p, s, 600.0, eta=np.append(np.full(40, 1.01 * eta_c), 0.99 * eta_c)).end
    return {"eta_c": eta_c, "above": end[:-1], "below": end[-1]}


@claim(
    "B51",
    title="Observation 5: too much weight decay collapses everything",
    statement="For η > η_c = τ²/(4κ) every start collapses.",
    source="Obs. 5",
    kind="numeric",
)
def observation_5(run: Run) -> Verdict:
    found = overdecayed(run.seed)
    collapsed = np.abs(found["above"]) < COLLAPSED
    return holds_if(
        collapsed.all() and found["below"] > 0.4,  # p_+ = 0.44 at 0.99 η_c
        seeds=[run.seed],
        eta_c=found["eta_c"],
        collapsed_at_1_01_eta_c=collapsed.mean(),
        end_at_0_99_eta_c=found["below"],
    )


@cache
def loosened_by_alpha_p(seed: int) -> dict[str, Any]:
    """inf K_j at η = 0 for α_p = 1 … 16: (0) the printed start, (1) a random one, (2) p₀ = 0.02 on the parabola."""
    u = uniforms(seed, 52)[:, 0]
    alpha_p = np.array([1.0, 2, 4, 8, 16])
    p_random = between(0.02, 0.1, u[0])
    s_random = p_random**2 * between(1.5, 3, u[1])  # above the parabola of every α_p
    p = np.repeat([0.02, p_random, 0.02], 5)
    s = np.concatenate([np.full(5, 0.01), np.full(5, s_random), 0.02**2 / alpha_p])
    least = follow(fixed_target, p, s, 1000.0, alpha_p=np.tile(alpha_p, 3)).least_alignment_rate.reshape(3, 5)
    # at η = 0, α_p s = p² + α_p c, so K = (3/2) κ p² - p + κ α_p c/2 with the c of the start
    law = KAPPA * (np.tile(alpha_p, 3) * s - p**2).reshape(3, 5) / 2 - 1 / (6 * KAPPA)
    return {"alpha_p": alpha_p, "least": least, "error": np.abs(least - law).max()}


@claim(
    "B52",
    title="Observation 6: a fast predictor keeps a mode aligned",
    statement="Off the parabola (s₀ fixed above it, η = 0) a larger α_p raises inf K_j, by κ α_p c/2; on it, B53.",
    source="Obs. 6",
    kind="numeric",
)
def observation_6(run: Run) -> Verdict:
    found = loosened_by_alpha_p(run.seed)
    printed, random, on = found["least"]
    # 1e-3: p moves by up to 0.03 between two of the sampled times where K is least, and K'' = 3κ
    return holds_if(
        (np.diff(printed) > 0).all() and (np.diff(random) > 0).all() and found["error"] < 1e-3,
        seeds=[run.seed],
        alpha_p=found["alpha_p"],
        least_K=printed,
        least_K_random_start=random,
        least_K_on_the_parabola=on,
        error_of_the_law=found["error"],
    )


def empty_on_the_parabola(seed: int) -> tuple[bool, dict[str, Any]]:
    """Whether inf K_j is the same for every α_p on the parabola, where off it it is not."""
    found = loosened_by_alpha_p(seed)
    off, _, on = found["least"]
    same = np.ptp(on) < INTEGRATED  # one trajectory p(t), solved five times
    numbers = {"least_K": on, "spread": np.ptp(on), "spread_off_the_parabola": np.ptp(off)}
    return bool(same and np.ptp(off) > 0.05), {"alpha_p": found["alpha_p"], **numbers}


@claim(
    "B53",
    title="Observation 6 is empty on the parabola",
    statement="On s = p²/α_p the rate K_j does not depend on α_p at all, because there α_p s = p².",
    source="derived; Obs. 6",
    kind="numeric",
)
def observation_6_on_the_parabola(run: Run) -> Verdict:
    empty, numbers = empty_on_the_parabola(run.seed)
    return holds_if(empty, **numbers)


@cache
def loosened_by_eta() -> dict[str, Any]:
    """inf K_j and the end of a mode for four decays, from p₀ = 0.02, s₀ = 0.01."""
    eta = np.array([0.0, 0.01, 0.04, 0.1])
    paths = follow(fixed_target, 0.02, 0.01, 1000.0, eta=eta)
    return {"eta": eta, "least": paths.least_alignment_rate, "end": paths.end}


@cache
def window() -> dict[str, Any]:
    """On the parabola, just above p_-: the decays at which the mode survives with K > 0 all the way."""
    low, high = 1 / (9 * KAPPA), 1 / (4 * KAPPA)
    eta = np.array([0.5 * low, 0.98 * low, 1.02 * low, 0.5 * (low + high), 0.98 * high, 1.02 * high, 1.5 * high])
    _, p_minus, _ = predictor_roots(Isotropic(1.0, 0.0, eta, KAPPA - 1))
    p = np.where(np.isnan(p_minus), 0.6, 1.001 * np.asarray(p_minus))
    paths = follow(fixed_target, p, p**2, 2000.0, eta=eta)
    both = (paths.least_alignment_rate > 0) & (paths.end > COLLAPSED)
    return {"eta": eta, "both": both, "predicted": (eta > low) & (eta < high), "bounds": (low, high)}


@claim(
    "B54",
    title="Observation 7: weight decay keeps a mode aligned",
    statement="A larger η raises inf K_j; on the parabola K > 0 all the way with survival iff τ²/(9κ) < η < τ²/(4κ).",
    source="Obs. 7",
    kind="numeric",
)
def observation_7(run: Run) -> Verdict:
    found, both = loosened_by_eta(), window()
    survives = found["end"] > COLLAPSED
    return holds_if(
        (np.diff(found["least"]) > 0).all() and survives[:3].all() and (both["both"] == both["predicted"]).all(),
        eta=found["eta"],
        least_K=found["least"],
        end=found["end"],
        window=both["bounds"],
        window_eta=both["eta"],
        window_found=both["both"],
    )
