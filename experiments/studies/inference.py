"""The constants of the theory, inferred from a trained network alone, where the truth is known.

Linear BYOL learns the whitened digits under isotropic noise; only the eigenvalues p_j, s_j seen during training go into
`linbyol.fit`, which gives back (sigma2, eta, beta, alpha_p).

inference.npz: ts (t,), p and s (runs, t, d), estimate and error (runs, 4), truth (4,), in the order of `fit.NAMES`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from experiments.linear import sgd
from experiments.linear.digits import digits, whitened
from experiments.linear.pairs import NoisyPairs
from linbyol.assumptions import from_modes
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, Modes
from linbyol.extremes import every
from linbyol.fit import NAMES, fit_modes
from linbyol.store import write_arrays

TRUTH = Isotropic(alpha_p=1.5, beta=0.3, eta=0.04, sigma2=0.3)
LR, BATCH, EVERY, RECORDS = 0.01, 512, 50, 80  # 4,000 steps, 40 units of flow time


def train(run: Run, seeds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ts (t,), p and s (seeds, t, d) of runs that differ in their batches and noise."""
    d = 4
    rows = jnp.asarray(whitened(digits().images.reshape(1797, -1), d))
    y0 = from_modes(
        Modes(jnp.array([0.1, 0.2, 0.3, 0.15]), jnp.array([0.3, 0.1, 0.05, 0.2]), 1.0), jnp.eye(d), jnp.eye(d)
    )
    r = sgd.rates(LR, alpha_p=TRUTH.alpha_p, beta=TRUTH.beta, eta=TRUTH.eta)
    pairs = NoisyPairs(rows, TRUTH.sigma2, BATCH)
    keys = jax.random.split(jax.random.fold_in(run.key, 4), seeds)
    runs = jax.vmap(lambda key: sgd.descend(sgd.byol, pairs, y0, r, key, records=RECORDS, every=EVERY))(keys)
    p = np.diagonal(runs.ys.Wp, axis1=-2, axis2=-1)
    return np.asarray(runs.ts[0]), p, np.asarray(jnp.sum(runs.ys.W**2, axis=-1))


@claim(
    "L20",
    title="Constants inferred from training",
    statement="(sigma2, eta, beta, alpha_p) fitted to the eigenvalues p_j, s_j of a linear BYOL trained by SGD on the "
    "whitened digits are those of the training, within 4 standard errors of the mean over runs plus the step's bias.",
    source="derived (Eqs. 11-13)",
    kind="real data",
)
def inference(run: Run) -> Verdict:
    seeds = 16 if run.size == "full" else 4
    ts, p, s = train(run, seeds)
    fits = [fit_modes(ts, p[i], s[i]) for i in range(seeds)]
    numbers, within = {"residual": float(np.mean([fit.residual for fit in fits]))}, []
    for name in NAMES:
        truth = getattr(TRUTH, name)
        found = np.array([getattr(fit.estimate, name) for fit in fits])
        mean, error = float(found.mean()), float(found.std(ddof=1) / np.sqrt(seeds))
        numbers |= {name: [truth, mean, error, float(np.mean([getattr(fit.error, name) for fit in fits]))]}
        within.append(abs(mean - truth) <= 4 * error + 2 * LR * truth)
    numbers["columns"] = "truth, mean estimate, its standard error over runs, standard error that one fit reports"
    if run.out is not None:
        rows = {"estimate": [fit.estimate for fit in fits], "error": [fit.error for fit in fits]}
        found = {
            name: [[getattr(row, field) for field in NAMES] for row in row_list] for name, row_list in rows.items()
        }
        truth = [getattr(TRUTH, name) for name in NAMES]
        write_arrays(run.out / "inference.npz", {"ts": ts, "p": p, "s": s, "truth": truth, **found})
    return holds_if(every(within) and every(fit.ok for fit in fits), **numbers)
