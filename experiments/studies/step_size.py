"""Orders in the learning rate: the bias of finite steps, and the fluctuation of runs about full-batch descent."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from experiments.linear.banks import ALPHA_P, BETA, ETA, errors, follow, raw, slope, start
from experiments.linear.pairs import AllPairs, BankPairs
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import weights_flow
from linbyol.extremes import every
from linbyol.integrate import Trajectory, euler, integrate

LRS, TIME, RECORDS = (0.08, 0.04, 0.02, 0.01), 20.0, 50
BATCH = 64  # of the single runs: small, so that they fluctuate


class Orders(NamedTuple):
    """Bias of full-batch descent and fluctuation of single runs, for each learning rate."""

    rounding: float  # distance of full-batch descent from `euler` on the exact moments, at the largest learning rate
    bias: np.ndarray  # (l, 3)
    fluctuation: np.ndarray  # (l, S, 3)


@functools.cache
def orders(run: Run) -> Orders:
    """Full-batch descent against the flow, and 16 single runs (full: 64) against full-batch descent."""
    bank, moments, key = raw(run, 11)
    a, b = jax.random.split(key)
    y0, k = start(a, bank.shape[2]), moments.constants(ALPHA_P, BETA, ETA)
    flow = integrate(weights_flow, y0, k, jnp.linspace(0, TIME, RECORDS + 1))
    keys = jax.random.split(b, 64 if run.size == "full" else 16)
    full = [follow(AllPairs(bank), y0, lr, b, TIME, RECORDS) for lr in LRS]
    every = round(TIME / LRS[0] / RECORDS)
    stepped = euler(weights_flow, y0, k, lr=LRS[0], steps=every * RECORDS)
    rounding = errors(full[0].ys, jax.tree.map(lambda a: a[::every], stepped.ys)).max()

    def fluctuation(lr: float, mean: Trajectory) -> Array:
        runs = jax.vmap(lambda key: follow(BankPairs(bank, BATCH), y0, lr, key, TIME, RECORDS))(keys)
        distance = jax.vmap(lambda ys: errors(ys, mean.ys))(runs.ys)
        return jnp.sqrt((distance**2).mean(axis=1))

    return Orders(
        rounding=float(rounding),
        bias=np.array([errors(mean.ys, flow.ys).max(axis=0) for mean in full]),
        fluctuation=np.array([fluctuation(lr, mean) for lr, mean in zip(LRS, full, strict=True)]),
    )


def jackknife(fluctuation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of the root mean square over runs, (l, S, 3) -> (3,), and its standard error from leaving out each run."""
    order = lambda f: slope(LRS, np.sqrt((f**2).mean(axis=1)))  # noqa: E731
    S = fluctuation.shape[1]
    left = np.array([order(np.delete(fluctuation, i, axis=1)) for i in range(S)])
    return order(fluctuation), np.sqrt((S - 1) * left.var(axis=0))


@claim(
    "L2",
    title="The bias of finite steps has order 1",
    statement="Full-batch descent on all pairs of the bank, by automatic differentiation, is explicit Euler on the "
    "flow with the exact moments, to rounding, and its distance from the flow falls with order 1 ± 0.1 in the "
    "learning rate.",
    source="Lemma 1",
    kind="real data",
)
def bias_has_order_one(run: Run) -> Verdict:
    """Largest relative error over time, for four learning rates."""
    found = orders(run)
    order = slope(LRS, found.bias)
    return holds_if(
        every(np.abs(order - 1) < 0.1) and found.rounding < 1e-11,
        order_W_Wp_Wa=order,
        bias_at_least_lr=found.bias[-1],
        distance_from_euler=found.rounding,
        lrs=list(LRS),
    )


@claim(
    "L3",
    title="The fluctuation of single runs has order ½",
    statement="The distance of single runs of stochastic gradient descent (batch 64) from full-batch descent at the "
    "same learning rate, root mean square over time and runs, falls with order ½ ± 0.1 in the learning rate.",
    source="Lemma 1",
    kind="real data",
)
def fluctuation_has_order_half(run: Run) -> Verdict:
    """Orders with their standard errors, by the jackknife over runs."""
    fluctuation = orders(run).fluctuation
    order, error = jackknife(fluctuation)
    return holds_if(
        every(np.abs(order - 0.5) < 0.1) and every(error < 0.1),
        seeds=range(fluctuation.shape[1]),
        order_W_Wp_Wa=order,
        standard_error=error,
        fluctuation_at_least_lr=np.sqrt((fluctuation[-1] ** 2).mean(axis=0)),
        lrs=list(LRS),
    )
