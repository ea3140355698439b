"""M2: balances between the layers of deep linear JEPA and MAE, and what breaks without the stop-gradient."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim
from linbyol.equations import Matrix
from linbyol.equations.deep_linear import backpropagated, chained
from linbyol.equations.jepa import Moments, Stack, encoder, jepa_layers_flow, layer_balances, mae_layers_flow
from linbyol.extremes import largest, least
from theory.newer.stacks import DEPTHS, FLOWS, OF_SAMPLES, N, by_name, drawn, loss, space, stacked
from theory.proving import instances
from theory.proving.prover import Descent, Rate, Space, Statement, proven, trace
from theory.proving.solves import DRIFT, TS, follow


def any_loss(y: Any, G: Any) -> Any:
    """The descent of any loss of the stack's output, any target: what meets the inputs is some G = E[error xᵀ]."""
    return type(y)(*backpropagated(y, G[0]))


def _any_loss_space(depth: int) -> Space:
    given = space(depth, "MAE")
    m = sp.Symbol("m", integer=True, positive=True)
    y = given.y._replace(V=MatrixSymbol("V", m, given.y.V.shape[1]))
    return Space(y, (MatrixSymbol("G", m, given.y[0].shape[1]),), lambda rng: _any_loss_instance(rng, depth))


def _any_loss_instance(rng: np.random.Generator, depth: int) -> tuple[Any, Any]:
    return drawn(rng, depth, "MAE")[0], (rng.standard_normal((N, N)),)


def balance_of(i: int, y: Any) -> Matrix:
    """The i-th balance of named matrices."""
    return layer_balances(stacked(y))[i]


def _decays(depth: int, objective: str, i: int) -> Rate:
    return Rate(
        space(depth, objective),
        by_name(FLOWS[objective]),
        lambda y, k: balance_of(i, y),
        lambda y, k: -2 * k[0].eta * balance_of(i, y),
    )


class Open(NamedTuple):
    """Moments of JEPA without stop-gradient, which sees those of y as well."""

    pairs: Moments
    Syy: Matrix


def target_gradient(y: Any, k: Open) -> Matrix:
    """What the stop-gradient stops: E[(V W̄ x - W̄ y) yᵀ], (d, n)."""
    whole = encoder(stacked(y))
    return y.V @ whole @ k.pairs.Syx.T - whole @ k.Syy


def open_flow(y: Any, k: Open) -> Any:
    """JEPA without stop-gradient: the encoder descends through its target as well."""
    rate = jepa_layers_flow(stacked(y), k.pairs)
    through = backpropagated(y[:-1], target_gradient(y, k))
    return type(y)(*(A + B for A, B in zip(rate.layers, through, strict=True)), rate.V)


def open_loss(y: Any, k: Open) -> Any:
    """½ E‖V W̄ x - W̄ y‖², nothing stopped."""
    whole = encoder(stacked(y))
    return loss(y, (k.pairs, whole)) + trace(whole @ k.Syy @ whole.T) / 2


@cache
def _open_space(depth: int) -> Space:
    given = space(depth, "JEPA")
    Syy = MatrixSymbol("S_yy", *given.k[0].Sxx.shape)

    def instance(rng: np.random.Generator) -> tuple[Any, Open]:
        y, (k, _) = drawn(rng, depth, "JEPA")
        return y, Open(k._replace(eta=0.0), instances.moment(rng, N))

    return Space(given.y, Open(given.k[0]._replace(eta=sp.Integer(0)), Syy), instance, (*given.symmetric, Syy))


def _open_rate(depth: int, i: int) -> Callable:
    def rate(y: Any, k: Open) -> Matrix:
        lost = target_gradient(y, k) @ encoder(stacked(y)).T
        return -lost - lost.T if i == depth - 1 else 0 * balance_of(i, y)

    return rate


PROOFS: dict[str, tuple[Statement, ...]] = {
    "M2": (
        *(_decays(depth, objective, i) for depth in DEPTHS for objective in FLOWS for i in range(depth)),
        *(
            Rate(
                _any_loss_space(depth),
                any_loss,
                lambda y, k, i=i: balance_of(i, y),
                lambda y, k, i=i: 0 * balance_of(i, y),
            )
            for depth in DEPTHS
            for i in range(depth)
        ),
        *(
            Rate(_open_space(depth), open_flow, lambda y, k, i=i: balance_of(i, y), _open_rate(depth, i))
            for depth in (2, 3)
            for i in range(depth)
        ),
    ),
}


class Averaged(NamedTuple):
    """JEPA whose target is a moving average of the encoder."""

    y: Stack
    Wa: Matrix


def averaged_flow(state: Averaged, k: tuple[Moments, Any]) -> Averaged:
    """G = Wa Syx - V W̄ Sxx, Ẇa = β (W̄ - Wa); β = 0 is a frozen target."""
    moments, beta = k
    layers = (*state.y.layers, state.y.V)
    *encoder_rates, V = backpropagated(layers, state.Wa @ moments.Syx - chained(layers) @ moments.Sxx)
    return Averaged(Stack(tuple(encoder_rates), V), beta * (encoder(state.y) - state.Wa))


def drifts(run: Run) -> dict[str, list[float]]:
    """How far each balance moves along a trajectory, its decay taken out, relative to its size at the start."""
    rng = np.random.default_rng([run.seed, 1002])
    (y, (_, whole)), (z, _) = drawn(rng, 2, "JEPA"), drawn(rng, 2, "MAE")
    xs = rng.standard_normal((N, 3 * N))
    ys = xs + rng.standard_normal((N, 3 * N)) / 2
    k = Moments(*(a @ xs.T / (3 * N) for a in (xs, ys)), 0.0)
    opened, decaying = Open(k, ys @ ys.T / (3 * N)), k._replace(eta=0.02)
    averaged = [(averaged_flow, Averaged(stacked(y), whole), (k, beta)) for beta in (0.0, 0.4)]
    solved = {
        "JEPA": (jepa_layers_flow, stacked(y), decaying, lambda s: s),
        "MAE": (mae_layers_flow, stacked(z), decaying, lambda s: s),
        "frozen target": (*averaged[0], lambda s: s.y),
        "moving average": (*averaged[1], lambda s: s.y),
        "no stop-gradient": (open_flow, y, opened, stacked),
    }
    found = {}
    for name, (flow, start, constants, part) in solved.items():
        course = follow(flow, start, constants)
        eta = getattr(constants, "eta", 0.0)
        C = course.map(lambda s, _, part=part: layer_balances(part(s)))
        grown = [np.exp(2 * eta * TS)[:, None, None] * each for each in C]
        found[name] = [float(np.abs(each - each[0]).max() / np.abs(each[0]).max()) for each in grown]
    return found


@claim(
    "M2",
    title="Balances between the layers of JEPA and MAE",
    statement="W_{i+1}ᵀW_{i+1} - W_iW_iᵀ and VᵀV - W_LW_Lᵀ fall as e^(-2ηt) for any moments, both losses and any "
    "target; without stop-gradient the encoder's stay, and VᵀV - W_LW_Lᵀ alone breaks.",
    source="arXiv 2407.03475, derived",
    kind="symbolic",
)
def balances(run: Run) -> Verdict:
    found = drifts(run)
    opened = found.pop("no stop-gradient")
    gradient = Descent(_open_space(2), open_flow, "W1", open_loss), Descent(_open_space(2), open_flow, "W2", open_loss)
    gap = largest(statement.gap(np.random.default_rng([run.seed, 1003])) for statement in gradient)
    return proven(
        run,
        PROOFS["M2"],
        largest(found) < DRIFT and opened[0] < DRIFT and least(opened[1:]) > 1e-2 and gap < OF_SAMPLES,
        drifts=found,
        without_stop_gradient=opened,
        gap_of_its_gradient=gap,
    )
