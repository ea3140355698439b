"""In which order deep JEPA and MAE learn: "by ρ" is no limit of small starts (M9), "by λ" is (M9c)."""

from typing import Any

import numpy as np
from scipy.optimize import brentq

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import DeepMode
from linbyol.extremes import every, largest, least
from theory.newer.deep_times import LANES, half_rise, rest_of

A, B = (0.8, 0.9), (1.0, 0.4)  # (λ_d, ρ): A has the larger ρ, B the larger λ_d
WINDOWS = {2: (0.10231854, 0.16020621), 3: (0.09688497, 0.27149895), 4: (0.10427233, 0.31229397)}
DEPTHS = (1, 2, 3, 4)


def lead(name: str, w0: Any, depth: int, one: tuple = A, other: tuple = B) -> np.ndarray:
    """By how much the first feature is half risen before the second, both from a layer w0."""
    late, early = (half_rise(name, w0, DeepMode(d, d / rho, depth)) for d, rho in (other, one))
    return late - early


def starts(name: str, depth: int) -> np.ndarray:
    """Starts up to where a feature would begin half risen."""
    half = least(rest_of(name, DeepMode(d, d / rho, depth)) * 0.5 ** (1 / depth) for d, rho in (A, B))
    return np.geomspace(0.01, 0.999, 10 * LANES) * half


def window(depth: int) -> tuple[float, ...]:
    """The starts between which JEPA learns A, of the larger ρ, before B; empty if it never does."""
    w0 = starts("JEPA", depth)
    found = np.concatenate([lead("JEPA", part, depth) for part in w0.reshape(-1, LANES)])
    turns = np.flatnonzero(np.diff(np.sign(found)))
    return tuple(brentq(lambda x: lead("JEPA", np.array([x]), depth)[0], w0[i], w0[i + 1], xtol=1e-14) for i in turns)


def by_covariance(rng: np.random.Generator) -> list[float]:
    """The leads of the larger λ_d over a random feature of smaller λ_d and larger ρ, at a start of a hundredth."""
    found = []
    for name in ("JEPA", "MAE"):
        for depth in DEPTHS:
            lambda_d, rho = rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.7)
            ahead, behind = (lambda_d * 1.25, rho), (lambda_d, rho * 1.25)
            # w₀* is near ρ times the relative gap in λ_d, some 0.1 here; L = 1 has ln(1/w₀) w₀ for w₀
            found.append(float(lead(name, np.array([1e-3]), depth, ahead, behind)[0]))
    return found


@claim(
    "M9",
    title="Deep JEPA learns by ρ from small starts, as the paper's word goes",
    statement="For w₀ → 0 a JEPA with L ≥ 2 learns the feature with the larger ρ first, whatever the λ_d.",
    source="arXiv 2407.03475, abstract",
    kind="numeric",
    expected="fails",
)
def by_regression_coefficient(run: Run) -> Verdict:
    small = {depth: float(lead("JEPA", np.array([0.01]), depth)[0]) for depth in DEPTHS[1:]}
    return holds_if(
        every(np.array(list(small.values())) > 0), seeds=[], features=[*A, *B], lead_of_the_larger_rho=small
    )


@claim(
    "M9c",
    title="By λ from small starts, by ρ in a window of larger ones",
    statement="For w₀ → 0 both losses learn the larger λ_d first at every depth. A = (λ_d 0.8, ρ 0.9) precedes "
    "B = (1, 0.4) in JEPA for w₀ in (0.10231854, 0.16020621), (0.09688497, 0.27149895), (0.10427233, 0.31229397) at "
    "L = 2, 3, 4, never at L = 1, nor in MAE.",
    source="arXiv 2407.03475, corrected",
    kind="numeric",
)
def by_covariance_then_by_rho(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1009])
    found = {depth: window(depth) for depth in DEPTHS}
    errors = [np.abs(np.subtract(found[depth], ends)) for depth, ends in WINDOWS.items()]
    others = np.concatenate(
        [lead("MAE", part, depth) for depth in DEPTHS for part in starts("MAE", depth).reshape(-1, LANES)]
    )
    ahead = by_covariance(rng)
    inside = [lead("JEPA", np.array([np.mean(ends)]), depth)[0] for depth, ends in WINDOWS.items()]
    return holds_if(
        found[1] == () and largest(errors) < 1e-7 and every(others < 0) and every(np.array(ahead) > 0)
        and every(np.array(inside) > 0),
        seeds=[run.seed],
        windows={depth: list(ends) for depth, ends in found.items()},
        largest_error=largest(errors),
        least_lead_of_B_in_MAE=float(-others.max()),
        leads_of_the_larger_lambda_d=ahead,
    )  # fmt: skip
