"""Modes of deep linear JEPA and MAE: from matrices (M3), where they rest (M4), and what else they are (M10)."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Commuting, DeepMode, Layer, jepa_flow, mae_flow, parabola_flow
from linbyol.equations.deep_linear import Strength, product_flow
from linbyol.equations.directset import DirectSet, Encoder, directset_flow
from linbyol.equations.jepa import (
    Moments,
    Stack,
    encoder,
    jepa_layers_flow,
    jepa_threshold,
    mae_layers_flow,
    mae_threshold,
)
from linbyol.extremes import largest, least
from theory.proving.instances import orthogonal
from theory.proving.latex import symbols
from theory.proving.prover import Equal, Space, Statement, proven
from theory.proving.solves import SAME, follow

DEPTHS, SIZE = (1, 2, 3), 3
CLOCK = np.linspace(0.0, 12.0, 13)

K = symbols(DeepMode)
L, ETA = K.depth, K.eta
W, LAM = sp.symbols("w lambda", positive=True)  # a layer, and λ_d
R = sp.Symbol("r", positive=True)  # where a layer of MAE rests, so that ρ = r^(L + 1)


def _instance(rng: np.random.Generator) -> tuple[Any, Any]:
    depth = int(rng.integers(1, 5))
    lambda_d, w = rng.uniform(0.3, 1.2, (2, 4))
    return Layer(w), DeepMode(lambda_d, lambda_d + rng.uniform(size=4), depth, 0.05 * rng.uniform())


ANY = Space(Layer(W), DeepMode(LAM, sp.Symbol("sigma", positive=True), L, ETA), _instance)
AT_ONE = Space(ANY.y, DeepMode(LAM, ANY.k.lambda_s, sp.Integer(1), ETA))
AT_RHO = Space(Layer(R), DeepMode(LAM, LAM / R, L, sp.Integer(0)))  # JEPA's fixed point, ρ = r
AT_ROOT = Space(Layer(R), DeepMode(LAM, LAM / R ** (L + 1), L, sp.Integer(0)))  # MAE's
DEEP = sp.Symbol("m", integer=True, positive=True) + 1  # a depth of at least 2: below it MAE has no peak
ODD = sp.Symbol("a", positive=True)  # 2L - 1
JEPA_PEAK = Space(Layer(R), DeepMode(LAM, LAM * ODD / (ODD + 1) / R, (ODD + 1) / 2, sp.Integer(0)))  # r = (2L-1)ρ/(2L)
MAE_PEAK = Space(Layer(R), DeepMode(LAM, LAM * (DEEP - 1) / (2 * DEEP * R ** (DEEP + 1)), DEEP, sp.Integer(0)))


def slope_at(flow: Any, y: Layer, k: DeepMode) -> Any:
    """d/dw of the flow, at a point."""
    return _plain(sp.diff(flow(Layer(W), k).w, W).subs(W, y.w))


def growth_slope(flow: Any, y: Layer, k: DeepMode) -> Any:
    """d/dw of ẇ/w, at a point."""
    return _plain(sp.diff(flow(Layer(W), k).w / W, W).subs(W, y.w))


def as_directset(y: Layer, k: DeepMode) -> Any:
    """d/dt w^L of DirectSet(1/(2L)) at depth L: the predictor is the layer that JEPA has on top."""
    rule = DirectSet(1 / (2 * k.depth), k.eta, k.lambda_s, k.lambda_d, depth=k.depth)
    return _plain(directset_flow(Encoder(y.w**k.depth), rule).lam)


def as_saxe(y: Layer, k: DeepMode) -> Any:
    """d/dt w^(L + 1) of Saxe's L + 1 layers with strength ρ in the time λ_s t, and decay in each."""
    m = k.depth + 1
    u = y.w**m
    return _plain(k.lambda_s * product_flow(u, Strength(k.rho, layers=m)) - m * k.eta * u)


def simsiam_of(k: DeepMode) -> Commuting:
    """The constants of SimSiam at alpha_p = 1 on the same data."""
    return Commuting(alpha_p=1, beta=0, eta=k.eta, lambda_d=k.lambda_d, lambda_s=k.lambda_s)


def _plain(value: Any) -> Any:
    """Powers of positive numbers multiplied out; arrays as they are."""
    if not isinstance(value, sp.Basic):
        return value
    flat = sp.powdenest(value, force=True).replace(lambda a: a.is_Pow, lambda a: sp.Pow(a.base, sp.cancel(a.exp)))
    return sp.powsimp(sp.expand(flat), force=True)


def _powers(space: Space, left: Any, right: Any) -> Equal:
    """left = right once powers are multiplied out."""
    return Equal(space, lambda y, k: _plain(left(y, k) - right(y, k)), lambda y, k: 0 * k.lambda_d)


PROOFS: dict[str, tuple[Statement, ...]] = {
    "M4": (
        _powers(AT_RHO, lambda y, k: jepa_flow(y, k).w, lambda y, k: 0),
        _powers(AT_RHO, lambda y, k: slope_at(jepa_flow, y, k), lambda y, k: -k.lambda_d * k.rho ** (2 * k.depth - 1)),
        _powers(AT_ROOT, lambda y, k: mae_flow(y, k).w, lambda y, k: 0),
        _powers(
            AT_ROOT,
            lambda y, k: slope_at(mae_flow, y, k),
            lambda y, k: -(k.depth + 1) * k.lambda_d * y.w ** (k.depth - 1),  # ρ^((L-1)/(L+1)) = r^(L-1)
        ),
    ),
    "M10": (
        _powers(ANY, lambda y, k: k.depth * y.w ** (k.depth - 1) * jepa_flow(y, k).w, as_directset),
        _powers(ANY, lambda y, k: (k.depth + 1) * y.w**k.depth * mae_flow(y, k).w, as_saxe),
        Equal(AT_ONE, lambda y, k: jepa_flow(y, k).w, lambda y, k: parabola_flow(y.w, simsiam_of(k))),
        _powers(JEPA_PEAK, lambda y, k: growth_slope(jepa_flow, y, k), lambda y, k: 0),
        _powers(JEPA_PEAK, lambda y, k: sp.simplify(jepa_flow(y, k).w / y.w / jepa_threshold(k)), lambda y, k: 1),
        _powers(MAE_PEAK, lambda y, k: growth_slope(mae_flow, y, k), lambda y, k: 0),
        _powers(MAE_PEAK, lambda y, k: mae_flow(y, k).w / y.w, lambda y, k: mae_threshold(k)),
        Equal(AT_ONE, lambda y, k: mae_threshold(k), lambda y, k: k.lambda_d),
    ),
}
FLOWS = {"JEPA": (jepa_flow, jepa_layers_flow), "MAE": (mae_flow, mae_layers_flow)}


def aligned(rng: np.random.Generator, objective: str, depth: int, P_is_Q: bool) -> float:
    """The largest distance between the matrices' course and that of the modes, from an aligned balanced start."""
    Q, P, *Rs = (orthogonal(rng, SIZE) for _ in range(depth + 2))
    P = Q if P_is_Q else P
    lambda_d, w0 = rng.uniform(0.4, 1.2, (2, SIZE))
    k = DeepMode(lambda_d, lambda_d + rng.uniform(0.1, 0.6, SIZE), depth, 0.01)
    moments = Moments((Q * k.lambda_s) @ Q.T, (P * k.lambda_d) @ Q.T, k.eta)
    sides = [Q, *Rs, Rs[-1] if objective == "JEPA" else P]
    matrices = lambda w: [(B * w) @ A.T for A, B in pairwise(sides)]  # noqa: E731
    mode_flow, stack_flow = FLOWS[objective]
    modes = follow(mode_flow, Layer(w0), k, CLOCK).ys.w
    *layers, V = matrices(w0)
    found = follow(stack_flow, Stack(tuple(layers), V), moments, CLOCK).ys
    return largest(
        np.abs(A[i] - B)
        for i, w in enumerate(modes)
        for A, B in zip((*found.layers, found.V), matrices(w), strict=True)
    )


def scaled_orthogonal(rng: np.random.Generator, objective: str, depth: int) -> float:
    """The same from layers w₀ O_i that know nothing of Q: W̄ follows O_L ⋯ O_1 Q diag(w^L) Qᵀ."""
    Q, *Os = (orthogonal(rng, SIZE) for _ in range(depth + 1))
    lambda_d, w0 = rng.uniform(0.4, 1.2, SIZE), rng.uniform(0.3, 0.8)
    k = DeepMode(lambda_d, lambda_d + rng.uniform(0.1, 0.6, SIZE), depth)
    moments = Moments((Q * k.lambda_s) @ Q.T, (Q * k.lambda_d) @ Q.T, 0.0)
    mode_flow, stack_flow = FLOWS[objective]
    whole = encoder(Stack(tuple(Os), np.eye(SIZE)))
    start = Stack(tuple(w0 * A for A in Os), w0 * (np.eye(SIZE) if objective == "JEPA" else whole.T))
    modes = follow(mode_flow, Layer(np.full(SIZE, w0)), k, CLOCK).ys.w
    found = follow(stack_flow, start, moments, CLOCK).map(lambda y, _: encoder(y))
    return largest(np.abs(A - whole @ (Q * w**depth) @ Q.T) for A, w in zip(found, modes, strict=True))


@claim(
    "M3",
    title="Aligned balanced matrices of JEPA and MAE follow one scalar equation a mode",
    statement="From an aligned balanced start each layer's singular value obeys ẇ = w^(2L) (λ_d - λ_s w) - ηw (JEPA) "
    "or w^L (λ_d - λ_s w^(L+1)) - ηw (MAE); also from w₀ times orthogonal layers. MAE allows "
    "Syx = PΛ′Qᵀ with P ≠ Q, JEPA does not.",
    source="arXiv 2407.03475, derived",
    kind="numeric",
)
def modes_of_matrices(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1004])
    gaps = {f"{name}, L = {depth}": aligned(rng, name, depth, True) for name in FLOWS for depth in DEPTHS}
    orthogonal_gaps = {
        f"{name}, L = {depth}": scaled_orthogonal(rng, name, depth) for name in FLOWS for depth in DEPTHS
    }
    other = {name: [aligned(rng, name, depth, False) for depth in DEPTHS] for name in FLOWS}
    return proven(
        run,
        (),
        largest(gaps, orthogonal_gaps, other["MAE"]) < SAME and least(other["JEPA"]) > 1e-2,
        from_aligned_starts=gaps,
        from_orthogonal_layers=orthogonal_gaps,
        with_P_not_Q=other,
    )


@claim(
    "M4",
    title="Where deep JEPA and MAE rest",
    statement="The encoder's modes rest at ρ^L (JEPA) and ρ^(L/(L+1)) (MAE), and come to rest at the rates "
    "-λ_d ρ^(2L-1) and -(L+1) λ_d ρ^((L-1)/(L+1)).",
    source="arXiv 2407.03475, derived",
    kind="symbolic",
)
def rest(run: Run) -> Verdict:
    return proven(run, PROOFS["M4"])


@claim(
    "M10",
    title="JEPA is a DirectSet, MAE a deeper Saxe network; their thresholds",
    statement="JEPA of depth L is DirectSet(1/(2L)) of depth L, at L = 1 Eq. 16; MAE is Saxe's network of L + 1 "
    "layers. With decay on every layer "
    "η_c = ((2L-1)ρ/2L)^(2L-1) λ_d/(2L) and λ_d (L+1)/(2L) ((L-1)ρ/2L)^((L-1)/(L+1)).",
    source="arXiv 2407.03475, derived",
    kind="symbolic",
)
def relations(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1010])
    sides: dict[str, dict[int, list[float]]] = {name: {} for name in FLOWS}
    for name, threshold in (("JEPA", jepa_threshold), ("MAE", mae_threshold)):
        for depth in DEPTHS:
            k = DeepMode(*np.sort(rng.uniform(0.5, 1.3, 2)), depth)
            eta_c = float(threshold(k))
            decays = [replace(k, eta=eta_c * side) for side in (0.99, 1.01)]
            ends = [follow(FLOWS[name][0], Layer(np.array(1.0)), near, [0.0, 2000 / eta_c]).ys.w[-1] for near in decays]
            sides[name][depth] = [float(end) for end in ends]
    below, above = zip(*(ends for found in sides.values() for ends in found.values()), strict=True)
    return proven(
        run,
        PROOFS["M10"],
        least(below) > 0.05 and largest(np.abs(above)) < 1e-6,
        just_below_and_above_the_threshold=sides,
    )
