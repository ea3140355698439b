"""M1: deep linear JEPA and MAE as matrices, the gradient flows of their losses."""

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations.deep_linear import chained
from linbyol.equations.jepa import Moments, Stack, jepa_layers_flow, mae_layers_flow
from linbyol.extremes import largest
from theory.proving import instances
from theory.proving.prover import Descent, Space, Statement, proven, slopes, square, trace

DEPTHS = (1, 2, 3)  # at 3 a pair of layers has a layer below and above it, which may be any product of layers
D, N, SAMPLES = 2, 3, 9
OF_SAMPLES = 1e-12  # rounding of a gradient of order one
FLOWS = {"JEPA": jepa_layers_flow, "MAE": mae_layers_flow}


def named(depth: int) -> type:
    """The stack of a depth with a name for each matrix."""
    return namedtuple(f"Stack{depth}", [*(f"W{i + 1}" for i in range(depth)), "V"])  # type: ignore[misc]


def stacked(y: Any) -> Stack:
    """The named matrices as a stack."""
    return Stack(tuple(y[:-1]), y[-1])


def by_name(flow: Callable) -> Callable:
    """The flow of stacks on named matrices; constants begin with the moments."""

    def renamed(y: Any, k: Any) -> Any:
        rate = flow(stacked(y), k[0])
        return type(y)(*rate.layers, rate.V)

    return renamed


def loss(y: Any, k: Any) -> Any:
    """½ E‖V W̄ x - target y‖² without its constant, plus the decay's ½ η Σ‖W_i‖²; k = (moments, target)."""
    moments, target = k
    whole = chained(y)
    pairs = trace(whole @ moments.Sxx @ whole.T) / 2 - trace(whole @ moments.Syx.T @ target.T)
    return pairs + moments.eta * sum(square(A) for A in y) / 2


@cache
def space(depth: int, objective: str) -> Space:
    """All stacks of a depth and all moments; the target of JEPA is the encoder at the point, that of MAE is I."""
    d, n, eta = sp.symbols("d n", integer=True, positive=True) + (sp.Symbol("eta", real=True),)
    rows = {"JEPA": d, "MAE": n}[objective]
    layers = [MatrixSymbol(f"W{i + 1}", d, n if i == 0 else d) for i in range(depth)]
    k = Moments(MatrixSymbol("S_xx", n, n), MatrixSymbol("S_yx", n, n), eta)
    y = named(depth)(*layers, MatrixSymbol("V", rows, d))
    target = chained(layers) if objective == "JEPA" else sp.Identity(n)
    return Space(y, (k, target), lambda rng: drawn(rng, depth, objective), (k.Sxx,))


def drawn(rng: np.random.Generator, depth: int, objective: str) -> tuple[Any, Any]:
    """A random stack with random moments."""
    layers = [0.6 * rng.standard_normal((D, N if i == 0 else D)) for i in range(depth)]
    V = 0.6 * rng.standard_normal(({"JEPA": D, "MAE": N}[objective], D))
    k = Moments(instances.moment(rng, N), rng.standard_normal((N, N)), 0.1 * rng.uniform())
    return named(depth)(*layers, V), (k, chained(layers) if objective == "JEPA" else np.eye(N))


def on_samples(rng: np.random.Generator, depth: int, objective: str) -> float:
    """The largest gap between the flow and minus the gradient of the mean over samples (x, y), each by itself."""
    y, (k, target) = drawn(rng, depth, objective)
    xs, ys = rng.standard_normal((2, N, SAMPLES))
    k = Moments(xs @ xs.T / SAMPLES, ys @ xs.T / SAMPLES)
    rate = by_name(FLOWS[objective])(y, (k, target))
    mean = lambda i, A: ((chained((*y[:i], A, *y[i + 1 :])) @ xs - target @ ys) ** 2).sum() / (2 * SAMPLES)  # noqa: E731
    return largest(np.abs(rate[i] + slopes(lambda A, i=i: mean(i, A), y[i])) for i in range(depth + 1))


PROOFS: dict[str, tuple[Statement, ...]] = {
    "M1": tuple(
        Descent(space(depth, objective), by_name(FLOWS[objective]), name, loss)
        for depth in DEPTHS
        for objective in FLOWS
        for name in named(depth)._fields  # type: ignore[attr-defined]
    ),
}


@claim(
    "M1",
    title="Deep JEPA and MAE as gradient flows",
    statement="With G = W̄ Syx - V W̄ Sxx (JEPA) or Syx - V W̄ Sxx (MAE), V̇ = G W̄ᵀ and "
    "Ẇ_i = (V W_L⋯W_{i+1})ᵀ G (W_{i-1}⋯W_1)ᵀ are minus the gradient of ½ E‖V W̄ x - target‖², the target frozen; "
    "each layer's decay beside it.",
    source="arXiv 2407.03475, derived",
    kind="symbolic",
)
def gradient_flows(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1001])
    gap = largest(on_samples(rng, depth, objective) for depth in DEPTHS for objective in FLOWS)
    return proven(run, PROOFS["M1"], gap < OF_SAMPLES, gap_on_samples=gap, depths=list(DEPTHS))
