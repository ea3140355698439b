"""IsoLoss and the cosine it mends (arXiv 2212.04858): what the flows of the spectrum conserve, and where they lead."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Flow
from linbyol.equations.isoloss import Angular, Spectrum, cosine_flow, cosine_isoloss_flow
from linbyol.extremes import every
from theory.followups.isoloss import ROUNDING, gaps
from theory.proving.solves import follow
from theory.proving.words import residual

DRIFT = 1e-9  # tolerance for an invariant


@cache
def angular_paths(seed: int) -> dict[str, Any]:
    """Spectra under both cosine flows (α = 1 and another), in the mean over 200 Gaussian samples."""
    rng = np.random.default_rng([seed, 92])
    lam, g2, alphas = rng.uniform(0.05, 1.5, 5), rng.standard_normal((200, 5)) ** 2, [1.0, rng.uniform(0.3, 2.0)]

    def solve(flow: Flow) -> np.ndarray:
        ts = np.linspace(0.0, 60.0, 61)
        return np.array([follow(flow, Spectrum(lam), Angular(alpha, g2), ts, 1e-11, 1e-13).ys.lam for alpha in alphas])

    return {"alphas": np.array(alphas), "plain": solve(cosine_flow), "mended": solve(cosine_isoloss_flow)}


@cache
def angular_invariants() -> str:
    """Σ λ under L_cos and Σ λ^(1 + α) under IsoLoss cos, sample by sample, symbolic α; what SymPy leaves."""
    lam = np.array(sp.symbols("lambda_1:4", positive=True))
    g2 = np.array([sp.symbols("g_1:4", positive=True)])  # one sample: the mean over samples is linear
    k = Angular(sp.Symbol("alpha", positive=True), g2)
    plain = cosine_flow(Spectrum(lam), k).lam.sum()
    mended = (lam**k.alpha * cosine_isoloss_flow(Spectrum(lam), k).lam).sum()
    return residual(sp.simplify(plain)) + residual(sp.simplify(mended))


@claim(
    "B92",
    title="The cosine equalises modes, and conserves their sum",
    statement="Under L_cos Σ λ_m = ‖W‖² is conserved, for every α and all samples, and the modes equalise.",
    source="arXiv 2212.04858",
    kind="numeric",
)
def cosine(run: Run) -> Verdict:
    paths = angular_paths(run.seed)["plain"]
    drift = np.abs(paths.sum(2) - paths.sum(2)[:, :1]).max()
    ratio = paths.max(2) / paths.min(2)
    gap, left = gaps(run.seed)["cosine_flow"], angular_invariants()
    return holds_if(
        drift < DRIFT and _narrows(paths) and gap < ROUNDING and not left,
        largest_drift=drift,
        largest_over_smallest_at_the_start=ratio[:, 0],
        largest_over_smallest_at_the_end=ratio[:, -1],
        gradient_of_the_loss_gap=gap,
        alphas=angular_paths(run.seed)["alphas"],
        symbolic_on_3_modes=not left,
    )


@claim(
    "B93",
    title="IsoLoss on the cosine conserves another sum",
    statement="Under IsoLoss cos Σ λ_m² is conserved at α = 1, and Σ λ_m^(1 + α) for every α; the modes equalise.",
    source="arXiv 2212.04858",
    kind="numeric",
)
def cosine_isoloss(run: Run) -> Verdict:
    found = angular_paths(run.seed)
    paths = found["mended"]
    power = paths ** (1 + found["alphas"][:, None, None])
    drift = np.abs(power.sum(2) - power.sum(2)[:, :1]).max()
    of_the_sum = np.abs(paths.sum(2) - paths.sum(2)[:, :1]).max()  # what L_cos conserves, this flow does not
    gap, left = gaps(run.seed)["cosine_isoloss_flow"], angular_invariants()
    return holds_if(
        drift < DRIFT and of_the_sum > 1e-4 and _narrows(paths) and gap < ROUNDING and not left,
        largest_drift=drift,
        drift_of_the_plain_sum=of_the_sum,
        largest_over_smallest_at_the_end=(paths.max(2) / paths.min(2))[:, -1],
        gradient_of_the_loss_gap=gap,
        symbolic_on_3_modes=not left,
    )


def _narrows(paths: np.ndarray) -> bool:
    """The largest mode only falls and the smallest only rises, to within the integrator's error, and they approach."""
    falls, rises = np.diff(paths.max(2), axis=1) < DRIFT, np.diff(paths.min(2), axis=1) > -DRIFT
    ratio = paths.max(2) / paths.min(2)
    return bool(every(falls) and every(rises) and every(ratio[:, -1] < ratio[:, 0]))
