"""Fig. 2 and Fig. 7 on real images: F and Wp align almost, Wp becomes symmetric, and Wa stays proportional to W.

Arrays in alignment.npz, with t times, d features and three runs: from above every fixed point with eta = 0.01 and 0.02,
and from random weights with 0.02. Of stochastic gradient descent (sgd_…) and of `weights_flow` (flow_…):

    ts                     (t,)       flow time
    etas                   (3,)       weight decays
    sgd_F, flow_F          (3, t, d)  eigenvalues of F, ascending
    sgd_Wp, flow_Wp        (3, t, d)  eigenvalues of the symmetric part of Wp, ascending
    …_cosines              (3, t, d)  cos(u_j, Wp u_j) for the eigenvectors u_j of F
    …_commutator           (3, t)     ‖[F, Wp]‖/(‖F‖ ‖Wp‖)
    …_asymmetry            (3, t)     ‖Wp - Wpᵀ‖/‖Wp‖
    …_negativity           (3, t)     -λ_min/max|λ| of the symmetric part of Wp, if λ_min < 0
    proportionality        (3, t)     <Wa, W>/(‖Wa‖ ‖W‖) of stochastic gradient descent
"""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.linear.banks import raw, start, together
from experiments.linear.pairs import BankPairs
from experiments.linear.sgd import byol, rates
from linbyol.alignment import Alignment, alignment, proportionality
from linbyol.assumptions import to_unsymmetrised
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Weights, weights_flow
from linbyol.extremes import every
from linbyol.integrate import integrate
from linbyol.store import write_arrays

ETAS, TIME, LR, BATCH, RECORDS = (0.01, 0.02), 400.0, 0.05, 256, 50
BETA = 1.0


class Raw(NamedTuple):
    """The digits as they are: from above every fixed point with both decays, and from noise with the larger one."""

    ts: Any  # (t,)
    sgd: Alignment  # leading axes (3, t)
    flow: Alignment
    proportionality: Any  # (3, t)


@functools.cache
def unwhitened(run: Run) -> Raw:
    """BYOL with a moving target on the raw digits: from above every fixed point with two decays, and from noise."""
    bank, moments, key = raw(run, 41)
    a, b = jax.random.split(key)
    noise = start(a, bank.shape[2])
    axes = jnp.linalg.eigh(moments.X)[1][:, -len(noise.Wp) :].T  # the leading principal axes
    above = Weights(W=noise.W + axes, Wp=noise.Wp + jnp.eye(len(noise.Wp)), Wa=noise.W + axes)
    starts = jax.tree.map(lambda *leaves: jnp.stack(leaves), above, above, noise)
    etas, k = jnp.array(ETAS + ETAS[-1:]), moments.constants(1.0, BETA, 0.0)
    r = rates(LR, beta=BETA, eta=etas)
    sgd = together(byol, BankPairs(bank, BATCH), starts, r, b, duration=TIME, records=RECORDS)
    ts = sgd.ts[0]
    at = zip((above, above, noise), np.asarray(etas), strict=True)
    flows = [integrate(weights_flow, y0, k._replace(eta=eta), ts, solver="dop853").ys for y0, eta in at]
    everywhere = lambda f: jax.jit(jax.vmap(jax.vmap(f)))  # noqa: E731
    measure = everywhere(lambda y: alignment(*to_unsymmetrised(y, k)))
    flow = Weights(*map(np.stack, zip(*flows, strict=True)))
    return Raw(ts, measure(sgd.ys), measure(flow), everywhere(proportionality)(sgd.ys))


@claim(
    "L11",
    title="On raw digits the commutator settles at a small value",
    statement="On the digits as they are, where X and X_aug do not commute, ‖[F, Wp]‖/(‖F‖ ‖Wp‖) falls below a "
    "fifth of its start and settles (by 10 %) at a small value that is not zero, between 0.005 and 0.05 at η = 0.01 "
    "and 0.02; stochastic gradient descent meets the flow's value within 10 %, so it is no noise.",
    source="Theorem 3; Assumption 2 does not hold",
    kind="real data",
)
def commutator_settles(run: Run) -> Verdict:
    """Means over the last fifth of the time, and how much the flow still moves there."""
    found = unwhitened(run)
    if run.out is not None:
        leave(run, run.out)
    flow, sgd = np.asarray(found.flow.commutator)[:2], np.asarray(found.sgd.commutator)[:2]
    tail = flow[:, -RECORDS // 5 :]
    settled, measured = tail.mean(axis=1), sgd[:, -RECORDS // 5 :].mean(axis=1)
    return holds_if(
        every((settled > 0.005) & (settled < 0.05))
        and every(settled < flow[:, 0] / 5)
        and every(np.ptp(tail, axis=1) < 0.1 * settled)
        and every(np.abs(measured / settled - 1) < 0.1),
        etas=list(ETAS),
        start=flow[:, 0],
        settled_in_the_flow=settled,
        still_moving=np.ptp(tail, axis=1),
        mean_in_descent=measured,
    )


@claim(
    "L12",
    title="Wp becomes symmetric and positive, and modes split, in linear BYOL",
    statement="In linear BYOL on the digits (stochastic gradient descent from random weights, η = 0.02, moving target) "
    "the predictor's asymmetry falls below 5 % of its start, its symmetric part becomes positive semidefinite up to "
    "1 % of its largest eigenvalue, some eigenvalues of F grow while at least three fall by a factor of 1000, and on "
    "those that grow cos(u_j, Wp u_j) exceeds 0.99: Fig. 2 of a deep network, here of a linear one.",
    source="Fig. 2",
    kind="real data",
)
def predictor_becomes_symmetric(run: Run) -> Verdict:
    """The four columns of Fig. 2 at the end of training, against its start; eigenvalues are compared rank by rank."""
    lane = jax.tree.map(lambda a: np.asarray(a[-1]), unwhitened(run).sgd)
    first, last = (jax.tree.map(lambda a: a[t], lane) for t in (0, -1))  # noqa: B023
    growing, vanishing = last.F > first.F, last.F < 1e-3 * first.F
    return holds_if(
        last.asymmetry < 0.05 * first.asymmetry
        and last.negativity < 0.01
        and growing.any()
        and vanishing.sum() >= 3
        and last.cosines[growing].min() > 0.99,
        asymmetry_start_and_end=[first.asymmetry, last.asymmetry],
        negativity_start_and_end=[first.negativity, last.negativity],
        F_start=first.F,
        F_end=last.F,
        Wp_end=last.Wp,
        cosines_of_growing_modes=last.cosines[growing],
    )


@claim(
    "L13",
    title="The target stays nearly proportional to the encoder",
    statement="In linear BYOL on the digits <Wa, W>/(‖Wa‖ ‖W‖) stays above 0.98 at all times.",
    source="Fig. 7; Assumption 1",
    kind="real data",
)
def target_stays_proportional(run: Run) -> Verdict:
    """The least value over time, from Wa = W at the start."""
    least = unwhitened(run).proportionality.min()
    return holds_if(least > 0.98, least=least, beta=BETA)


def leave(run: Run, folder: Path) -> None:
    """alignment.npz."""
    found = unwhitened(run)
    arrays = {"ts": found.ts, "etas": ETAS + ETAS[-1:], "proportionality": found.proportionality}
    for kind, measures in (("sgd", found.sgd), ("flow", found.flow)):
        arrays |= {f"{kind}_{name}": value for name, value in measures._asdict().items()}
    write_arrays(folder / "alignment.npz", arrays)
