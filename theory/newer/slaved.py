"""Predictors set by a rule: where a slaved mode stops, and the two attractors of NE."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import (
    Commuting,
    Constants,
    Modes,
    Weights,
    modes_flow,
    simsiam,
    slave,
    weights_flow,
)
from linbyol.extremes import every, largest, least
from linbyol.fixed_points import critical_eta, predictor_roots
from linbyol.predictors import RULES, nash
from theory.proving.prover import Equal, Space, proven
from theory.proving.spaces import AMPLITUDES

SOURCE = "Richemond et al. 2023, arXiv 2302.04817; derived"
ONE = sp.eye(1)
R = sp.Function("r")
GRID = np.linspace(1e-3, 3.0, 4000)  # of s

# Rules of one mode by name, with settings under which p moves with s; "direct" is the one of an absolute boost.
MOVING: dict[str, dict[str, Any]] = {
    "direct": {},
    "copy": {"eps": 0.02},
    "set": {"alpha": 0.8, "norm": None},
    "optimal": {"eps": 0.2},
    "nash": {},
    "visser": {"iterations": 9},
    "newton-schulz": {"ridge": 0.03},
    "soft-projector": {"eps": 0.3},
}


def growth(rule: Any, y: Any, k: Any) -> Any:
    """ẇ/w of SimSiam with d = n = 1 on explicit 1×1 matrices, its predictor slaved to a rule."""
    networks = Weights(ONE * y.w, ONE * y.wp, ONE * y.w)
    data = Constants(k.alpha_p, k.beta, k.eta, ONE * k.lambda_d, ONE * (k.lambda_s - k.lambda_d))
    return slave(simsiam(weights_flow), rule)(networks, data).W[0] / y.w


def any_rule(Wp: Any, F: Any) -> Any:
    """p = r(F) of a function that nobody knows."""
    return ONE * R(F[0])


def stated_growth(y: Any, k: Any) -> Any:
    """p (λ_d - λ_s p) - η at p = r(λ_d w²)."""
    p = R(k.lambda_d * y.w * y.w)
    return p * (k.lambda_d - k.lambda_s * p) - k.eta


def _slope_at_a_root(sign: int) -> Any:
    """∂growth/∂p at p_±, of which r′ is the factor that is left."""

    def slope(y: Any, k: Any) -> Any:
        p = sp.Symbol("p")
        root = (k.lambda_d + sign * sp.sqrt(k.lambda_d**2 - 4 * k.eta * k.lambda_s)) / (2 * k.lambda_s)
        return sp.diff(p * (k.lambda_d - k.lambda_s * p) - k.eta, p).subs(p, root)

    return slope


def nash_growth(y: Any, k: Any) -> Any:
    """λ_d ρ x (2 - x)(1 - x)² - η, x = λ_s s."""
    x = k.lambda_s * y.w * y.w
    return k.lambda_d * (k.lambda_d / k.lambda_s) * x * (2 - x) * (1 - x) * (1 - x) - k.eta


SYMBOLS = Space(AMPLITUDES.y, AMPLITUDES.k)
PROOFS = {
    "M33": (
        Equal(SYMBOLS, lambda y, k: growth(any_rule, y, k), stated_growth),
        Equal(SYMBOLS, _slope_at_a_root(1), lambda y, k: -sp.sqrt(k.lambda_d**2 - 4 * k.eta * k.lambda_s)),
        Equal(SYMBOLS, _slope_at_a_root(-1), lambda y, k: sp.sqrt(k.lambda_d**2 - 4 * k.eta * k.lambda_s)),
    ),
    "M34": (Equal(SYMBOLS, lambda y, k: growth(RULES["nash"], y, k), nash_growth),),
}  # fmt: skip


@cache
def of_modes() -> Any:
    """Compiled: p of each moving rule, (rules, s), for s (s,) of one mode with λ_d, λ_s."""

    def at(s: Any, lambda_d: Any, lambda_s: Any) -> Any:
        F, seen = (lambda_d * s).reshape(1, 1), {"features": (lambda_s * s).reshape(1, 1), "cross": None}
        seen["cross"] = F
        more = {name: seen if name in ("nash", "optimal") else {} for name in MOVING}
        return jnp.stack([RULES[name](F, F, **more[name], **given)[0, 0] for name, given in MOVING.items()])

    return jax.jit(jax.vmap(at, (0, None, None), 1))


def stops(k: Commuting) -> list[dict[str, Any]]:
    """Of each rule the s at which a mode stops, by bisection on the growth: p there, r′, and whether it attracts."""
    r = lambda s: np.asarray(of_modes()(np.asarray(s), k.lambda_d, k.lambda_s))  # noqa: E731
    grows = lambda s: r(s) * (k.lambda_d - k.lambda_s * r(s)) - k.eta  # noqa: E731
    signs = grows(GRID) > 0
    found = []
    for i, name in enumerate(MOVING):
        cells = np.flatnonzero(signs[i, 1:] != signs[i, :-1])
        low, high, rising = GRID[cells], GRID[cells + 1], signs[i, cells + 1]
        for _ in range(44):
            middle = (low + high) / 2
            over = grows(np.resize(middle, GRID.size))[i, : len(cells)] > 0 if len(cells) else signs[i, :0]
            low, high = np.where(over == rising, low, middle), np.where(over == rising, middle, high)
        for s, up in zip(high, rising, strict=True):
            around = np.resize([s * (1 + 1e-5), s * (1 - 1e-5), s], GRID.size)
            p = r(around)[i, :3]
            found.append({"rule": name, "s": s, "p": p[2], "slope": p[0] - p[1], "attracts": not up})
    return found


@claim(
    "M33",
    title="Where a slaved mode stops",
    statement="With p = r(s) set by a rule, ẇ/w = p(λ_d - λ_s p) - η: every rule stops where r(s) = p_±, so η_c = "
    "λ_d²/(4λ_s) for all of them; stable iff r′ > 0 at p₊, or r′ < 0 at p₋.",
    source=SOURCE,
    kind="numeric",
)
def slaved_stops(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 33])
    lambda_s = rng.uniform(0.9, 1.4)
    k = Commuting(1.0, 0.0, 0.0, lambda_s * rng.uniform(0.75, 0.9), lambda_s)
    k = k._replace(eta=rng.uniform(0.3, 0.7) * float(critical_eta(k)))
    _, p_minus, p_plus = (float(root) for root in predictor_roots(k))
    found = stops(k)
    gaps = [least(abs(one["p"] - p_minus), abs(one["p"] - p_plus)) for one in found]
    at_plus = [abs(one["p"] - p_plus) < abs(one["p"] - p_minus) for one in found]
    stable = [(one["slope"] > 0) == plus for one, plus in zip(found, at_plus, strict=True)]
    agree = [one["attracts"] == stated for one, stated in zip(found, stable, strict=True)]
    above = stops(k._replace(eta=1.001 * float(critical_eta(k))))
    number = {name: sum(one["rule"] == name for one in found) for name in MOVING}
    return proven(
        run,
        PROOFS["M33"],
        largest(gaps) < 1e-9 and every(agree) and not above and least(number) > 0 and number["nash"] == 4,
        p_minus=p_minus,
        p_plus=p_plus,
        largest_distance_of_p=largest(gaps),
        stops=number,
        attracting=sum(one["attracts"] for one in found),
    )


def of_nash(x: np.ndarray, k: Commuting) -> np.ndarray:
    """The growth of modes x = λ_s s under NE, as the formula that runs gives it."""
    s = x / k.lambda_s
    p = np.array([nash(np.full((1, 1), a), np.full((1, 1), k.lambda_d * b))[0, 0] for a, b in zip(x, s, strict=True)])
    return modes_flow(Modes(p, s, 1.0), k).s / (2 * s)


def nash_stops(k: Commuting) -> np.ndarray:
    """x = 1 ± √(1 - p_±/ρ), ascending: barrier, attractor, barrier, attractor."""
    rho = k.lambda_d / k.lambda_s
    below = 1 - np.sqrt(1 - np.array([float(root) for root in predictor_roots(k)[1:]]) / rho)
    return np.sort(np.concatenate([below, 2 - below]))


@claim(
    "M34",
    title="NE has two attractors",
    statement="NE, p = ρx(2 - x) with x = λ_s s, has the growth λ_dρ x(2 - x)(1 - x)² - η, hence two attractors "
    "besides 0, 1 - √(1 - p₊/ρ) and 1 + √(1 - p₋/ρ). λ_d = 1, λ_s = 1.25, η = 0.05: barriers 0.03407417371 and "
    "1.258819045, attractors 0.7411809549 and 1.965925826. At η = 0, x = 1 is half-stable, and x = 2 attracts from "
    "above.",
    source=SOURCE,
    kind="numeric",
)
def two_attractors(run: Run) -> Verdict:
    k = Commuting(1.0, 0.0, 0.05, 1.0, 1.25)
    x = nash_stops(k)
    rest, up, down = of_nash(x, k), of_nash(x * (1 + 1e-6), k), of_nash(x * (1 - 1e-6), k)
    stable = ((up < 0) & (down > 0)).tolist()
    known = largest(np.abs(x - [0.03407417371, 0.7411809549, 1.258819045, 1.965925826]))
    still = of_nash(np.array([0.99, 1.01, 1.99, 2.01]), k._replace(eta=0.0))
    half = still[0] > 0 and still[1] > 0 and still[2] > 0 > still[3]
    return proven(
        run,
        PROOFS["M34"],
        known < 1e-6 and largest(np.abs(rest)) < 1e-12 and stable == [False, True, False, True] and half,
        stops=x,
        attracting=stable,
        largest_growth_there=largest(np.abs(rest)),
        growth_around_1_and_2_without_decay=still,
    )
