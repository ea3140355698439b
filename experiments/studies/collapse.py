"""When linear BYOL collapses on real images: without stop-gradient, without predictor, and above a critical decay."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.linear import sgd
from experiments.linear.banks import FEATURES, diagonal, errors, norm, raw, repeated, start, together
from experiments.linear.pairs import BankPairs
from experiments.linear.sgd import Loss, rates
from linbyol import equations
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Commuting, Weights, weights_flow
from linbyol.equilibria import critical_decay
from linbyol.extremes import every
from linbyol.fixed_points import critical_eta, predictor_roots
from linbyol.integrate import Trajectory, integrate

LR, BATCH, RECORDS = 0.05, 256, 50
TIME, LONG = 100.0, 400.0  # LONG: passing the ghost of a fixed point 5 % above its threshold takes about 200
ETAS = (0.0, 0.01, 0.02)
FACTORS = (0.5, 0.99, 1.05)  # of the critical decay


@functools.cache
def trained(run: Run, loss: Loss) -> tuple[Trajectory, Any]:
    """One run for each decay from one start, and the features' size tr F at its end over that at its start."""
    bank, moments, key = raw(run, 20)
    a, b = jax.random.split(key)
    y0 = start(a, bank.shape[2])
    runs = _descents(loss, bank, y0, jnp.array(ETAS), b, TIME)
    size = jnp.einsum("etdn,nm,etdm->et", runs.ys.W, moments.X, runs.ys.W)
    return runs, size[:, -1] / size[:, 0]


def _descents(loss: Loss, bank: Any, y0: Weights, etas: Any, key: Any, duration: float) -> Trajectory:
    starts = repeated(y0, len(etas))
    r = rates(LR, eta=etas)
    return together(loss, BankPairs(bank, BATCH), starts, r, key, duration=duration, records=RECORDS)


def _flows(flow: Any, run: Run, runs: Trajectory, etas: Any) -> Weights:
    """The states of the flow from the starts of the runs, at their times."""
    k, starts = raw(run, 20).moments.constants(1.0, 1.0, 0.0), zip(*(np.asarray(a)[:, 0] for a in runs.ys), strict=True)
    each = [
        integrate(flow, Weights(*y0), k._replace(eta=eta), np.asarray(runs.ts[0]), solver="dop853").ys
        for y0, eta in zip(starts, np.asarray(etas), strict=True)
    ]
    return Weights(*map(np.stack, zip(*each, strict=True)))


@claim(
    "L5",
    title="Without stop-gradient it collapses",
    statement="Trained without stop-gradient, with the predictor learned, the features' size tr F falls below 1 % "
    "of its start on the digits, also without weight decay, ‖W(t)‖ obeys Theorem 2's bound with "
    "λ₀ = λ_min(X_aug) + η, and its course is that of the flow; with stop-gradient, from the same start, it survives.",
    source="Theorem 2",
    kind="real data",
)
def collapses_without_stop_gradient(run: Run) -> Verdict:
    """Bound and flow at every record, for eta = 0, 0.01 and 0.02."""
    (runs, left), (_, kept) = trained(run, sgd.no_stop_gradient), trained(run, sgd.byol)
    flows = _flows(equations.no_stop_gradient(weights_flow), run, runs, jnp.array(ETAS))
    least = jnp.linalg.eigvalsh(raw(run, 20).moments.X_aug)[0]
    rate = (least + jnp.array(ETAS))[:, None]
    bound = jnp.exp(-rate * runs.ts) * norm(runs.ys.W)[:, :1]
    within = (norm(runs.ys.W) / bound)[:, 1:].max()
    error = errors(runs.ys, flows)[..., 0].max()
    return holds_if(
        every(left < 0.01) and every(kept > 0.2) and within <= 1 and error < 0.05,
        trace_F_left=left,
        trace_F_left_with_stop_gradient=kept,
        largest_ratio_to_the_bound=within,
        largest_error_of_W_against_the_flow=error,
        lambda_0=rate[:, 0],
    )


@claim(
    "L6",
    title="Without predictor it collapses",
    statement="Trained without predictor (Wp = I), with stop-gradient, the features' size tr F falls below 10 % of "
    "its start on the digits without weight decay and below 1 % with η = 0.02, and its course is that of "
    "Ẇ = -W (X_aug + ηI); with a predictor, from the same start, it survives.",
    source="after Theorem 2, corrected",
    kind="real data",
)
def collapses_without_predictor(run: Run) -> Verdict:
    """The flow at every record, for eta = 0, 0.01 and 0.02."""
    (runs, left), (_, kept) = trained(run, sgd.no_predictor), trained(run, sgd.byol)
    flows = _flows(equations.no_predictor(equations.simsiam(weights_flow)), run, runs, jnp.array(ETAS))
    error = errors(runs.ys, flows)[..., 0].max()
    return holds_if(
        left[0] < 0.1 and left[-1] < 0.01 and every(kept > 0.2) and error < 0.05,
        trace_F_left=left,
        trace_F_left_with_predictor=kept,
        largest_error_of_W_against_the_flow=error,
    )


@claim(
    "L7",
    title="The critical decay of the raw digits",
    statement="On the digits as they are, whose X and X_aug do not commute, the equilibria of weights_flow vanish "
    "above η_c = max (vᵀXv)²/(4 vᵀ(X + X_aug)v): at 0.5 and 0.99 η_c stochastic gradient descent survives "
    "with the flow's ‖W‖² to 5 %, at 1.05 η_c it collapses. η_c lies above λ_d²/(4λ_s) of every "
    "principal axis of X.",
    source="Sec. 3.2; derived",
    kind="real data",
)
def raw_digits_have_a_critical_decay(run: Run) -> Verdict:
    """Started above every fixed point, on the leading principal axes, where the encoder is to survive if it can."""
    bank, moments, key = raw(run, 21)
    k = moments.constants(1.0, 1.0, 0.0)
    threshold = critical_decay(k)
    s, U = jnp.linalg.eigh(moments.X)
    axes = s**2 / (4 * jnp.sum(U * ((moments.X + moments.X_aug) @ U), axis=0))
    W = U[:, -FEATURES:].T
    y0 = Weights(W=W, Wp=jnp.eye(FEATURES), Wa=W)
    etas = jnp.array(FACTORS) * threshold
    runs = _descents(sgd.byol, bank, y0, etas, key, LONG)
    flows = _flows(weights_flow, run, runs, etas)
    found, predicted = norm(runs.ys.W[:, -1]) ** 2, norm(flows.W[:, -1]) ** 2
    below = np.array(FACTORS) < 1
    return holds_if(
        every(np.asarray(found < 1e-3) == ~below)
        and every(np.abs(found / predicted - 1)[below] < 0.05)
        and axes.max() < 0.99 * threshold,
        critical_eta=threshold,
        largest_lambda_d_squared_over_4_lambda_s=axes.max(),
        eta_over_critical=list(FACTORS),
        W_squared=found,
        W_squared_of_the_flow=predicted,
    )


@claim(
    "L8",
    title="The critical decay, mode by mode",
    statement="On whitened axes of the digits, where X = I and X_aug is diagonal, each mode has the threshold "
    "λ_d²/(4λ_s): for decays between two thresholds stochastic gradient descent keeps exactly the modes whose "
    "threshold is larger, with s = p_+²/α_p to 0.03.",
    source="Sec. 3.2; Appendix D; B67",
    kind="real data",
)
def modes_have_their_own_thresholds(run: Run) -> Verdict:
    """The decays lie in the middle of the three widest gaps between the thresholds of eight modes."""
    bank, moments, key = diagonal(run, 22)
    modes = Commuting(1.0, 1.0, 0.0, jnp.diagonal(moments.X), jnp.diagonal(moments.X + moments.X_aug))
    thresholds = np.sort(np.asarray(critical_eta(modes)))
    gaps = thresholds[1:] / thresholds[:-1]
    widest = np.sort(np.argsort(gaps)[-3:])
    etas = jnp.asarray(np.sqrt(thresholds[widest] * thresholds[widest + 1]))
    eye = jnp.eye(len(thresholds))
    runs = _descents(sgd.byol, bank, Weights(eye, eye, eye), etas, key, LONG)
    s = jnp.sum(runs.ys.W[:, -1] ** 2, axis=1)  # (etas, modes): the size of each column
    p_plus = jax.vmap(lambda eta: predictor_roots(modes._replace(eta=eta))[2])(etas)
    alive = ~jnp.isnan(p_plus)
    predicted = jnp.where(alive, p_plus, 0) ** 2
    return holds_if(
        every((s > 0.02) == alive) and jnp.abs(s - predicted).max() < 0.03,
        thresholds=thresholds,
        etas=etas,
        survivors=(s > 0.02).sum(axis=1),
        survivors_predicted=alive.sum(axis=1),
        s=s,
        largest_error_of_s=jnp.abs(s - predicted).max(),
        least_gap=gaps[widest].min(),
    )
