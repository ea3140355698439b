"""Lemma 1 laid over stochastic gradient descent on the handwritten digits, nothing fitted.

Linear BYOL is trained on pairs of views drawn from a fixed bank, whose X and X_aug are exact, and
`integrate(weights_flow, …)` with these moments is laid over it from the same start. The copy in experiments/results is
what `linbyol reproduce --only L1` leaves (seed 0, a minute on two cores; expected: errors below 0.3 %).
Arrays in overlay.npz, with t times, d features, S seeds, l learning rates, and the networks W, Wp, Wa in this order
where an axis has length 3:

    ts                  (t,)       flow time, learning rate × steps
    F_predicted         (t, d)     eigenvalues of F = W X Wᵀ of the flow, ascending
    F_measured          (S, t, d)  the same of single runs of descent at learning rate `lr`, batch `batch`
    Wp_predicted        (t, d)     eigenvalues of the symmetric part of Wp of the flow, ascending
    Wp_measured         (S, t, d)
    size_predicted      (t, 3)     Frobenius norms of W, Wp, Wa of the flow
    size_measured       (S, t, 3)
    error               (S, t, 3)  relative error of a single run, ‖ΔW(t)‖/‖W(t)‖ with the flow's W(t) below
    lr, batch           ()         of these runs

    bias_lrs            (l,)       learning rates of full-batch descent (no randomness)
    bias                (l, 3)     its largest relative error over time
    bias_order          (3,)       slope of log bias against log lr

    fluctuation_lrs     (l,)       learning rates of runs at batch `fluctuation_batch`
    fluctuation         (l, S', 3) root mean square over time of ‖W(t) - full-batch W(t)‖/‖full-batch W(t)‖, one a run
    fluctuation_order   (3,)       slope of log (root mean square over runs) against log lr
    fluctuation_order_error (3,)   its standard error, by the jackknife over runs
    fluctuation_batch   ()

    fresh_error         (t, 3)     one run on fresh views, against the flow with moments measured from other fresh views
    fresh_floor         (t, 3)     relative distance of two flows with independently measured moments, over √2
    fresh_moments_error (2,)       relative error of the measured X and X_aug themselves (Frobenius norm)
"""

import functools
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.linear.banks import ALPHA_P, AUGMENTATION, BETA, ETA, errors, follow, raw, sizes, slope, start
from experiments.linear.pairs import BankPairs
from experiments.studies import fresh_views, step_size
from linbyol.claims import Run, Verdict, claim, environment, holds_if
from linbyol.equations import weights_flow
from linbyol.extremes import every
from linbyol.integrate import Trajectory, integrate
from linbyol.store import write_arrays, write_json

RECORDS = 50
LR, BATCH, TIME = 0.005, 1024, 30.0


class Overlay(NamedTuple):
    """Single runs over the flow, from one start."""

    flow: Trajectory
    runs: Trajectory  # leading axis: seeds
    error: Any  # (S, t, 3)


@functools.cache
def overlay(run: Run) -> Overlay:
    """Three single runs (full: eight) at learning rate 0.005 and batch 1024, and the flow."""
    bank, moments, key = raw(run, 10)
    a, b = jax.random.split(key)
    y0 = start(a, bank.shape[2])
    flow = integrate(weights_flow, y0, moments.constants(ALPHA_P, BETA, ETA), jnp.linspace(0, TIME, RECORDS + 1))
    keys = jax.random.split(b, 8 if run.size == "full" else 3)
    runs = jax.vmap(lambda key: follow(BankPairs(bank, BATCH), y0, LR, key, TIME, RECORDS))(keys)
    return Overlay(flow, runs, jax.vmap(lambda ys: errors(ys, flow.ys))(runs.ys))


@claim(
    "L1",
    title="Theory over practice",
    statement="Linear BYOL trained by stochastic gradient descent on real pairs of views of the digits (learning rate "
    "0.005, batch 1024) stays within 1 % of integrate(weights_flow, …) with the bank's exact moments, in W, Wp and Wa, "
    "at all times, nothing fitted: max over t of ‖ΔW(t)‖/‖W(t)‖.",
    source="Lemma 1",
    kind="real data",
)
def follows_the_flow(run: Run) -> Verdict:
    """Several single runs; the flow moves by much more than they differ from it."""
    began = time.perf_counter()
    flow, runs, error = overlay(run)
    worst = np.asarray(error).max(axis=(0, 1))
    change = np.asarray(errors(jax.tree.map(lambda a: a[:1], flow.ys), jax.tree.map(lambda a: a[-1:], flow.ys)))[0]
    if run.out is not None:
        leave(run, run.out, began)
    return holds_if(
        every(runs.ok) and every(worst < 0.01) and every(change > 0.3),
        seeds=range(len(error)),
        largest_error_W_Wp_Wa=worst,
        change_of_the_flow_W_Wp_Wa=change,
        lr=LR,
        batch=BATCH,
        time=TIME,
    )


def leave(run: Run, folder: Path, began: float) -> None:
    """overlay.npz, which the same seed repeats byte for byte, and overlay.json with how it was made."""
    flow, runs, error = overlay(run)
    found, (fresh_error, fresh_floor, apart) = step_size.orders(run), fresh_views.fresh(run)
    moments = raw(run, 10).moments
    order, order_error = step_size.jackknife(found.fluctuation)
    spectrum = lambda A: jnp.linalg.eigvalsh((A + jnp.swapaxes(A, -1, -2)) / 2)  # noqa: E731
    correlation = lambda ys: spectrum(ys.W @ moments.X @ jnp.swapaxes(ys.W, -1, -2))  # noqa: E731
    arrays = {
        "ts": flow.ts,
        "F_predicted": correlation(flow.ys),
        "F_measured": correlation(runs.ys),
        "Wp_predicted": spectrum(flow.ys.Wp),
        "Wp_measured": spectrum(runs.ys.Wp),
        "size_predicted": sizes(flow.ys),
        "size_measured": sizes(runs.ys),
        "error": error,
        "lr": LR,
        "batch": BATCH,
        "bias_lrs": step_size.LRS,
        "bias": found.bias,
        "bias_order": slope(step_size.LRS, found.bias),
        "fluctuation_lrs": step_size.LRS,
        "fluctuation": found.fluctuation,
        "fluctuation_order": order,
        "fluctuation_order_error": order_error,
        "fluctuation_batch": step_size.BATCH,
        "fresh_error": fresh_error,
        "fresh_floor": fresh_floor,
        "fresh_moments_error": apart,
    }
    write_arrays(folder / "overlay.npz", arrays)
    config = {"alpha_p": ALPHA_P, "beta": BETA, "eta": ETA, "lr": LR, "batch": BATCH, "time": TIME}
    config |= {"augmentation": AUGMENTATION._asdict(), "fresh_lr": fresh_views.LR, "fresh_views": fresh_views.VIEWS}
    record = {"study": "overlay", "seed": run.seed, "size": run.size, "config": config, "environment": environment()}
    write_json(folder / "overlay.json", record | {"seconds": round(time.perf_counter() - began, 1)})
