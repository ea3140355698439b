"""What the iterations of Richemond et al. leave after finitely many steps, and why projections are no predictors."""

import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Commuting, Modes, modes_flow, no_predictor, simsiam, slave
from linbyol.extremes import largest
from linbyol.fixed_points import predictor_roots
from linbyol.predictors import RULES, newton_schulz, stiefel, visser, visser_step
from theory.proving import instances
from theory.proving.prover import Equal, proven
from theory.proving.spaces import COMMUTING_MODES

SOURCE = "Richemond et al. 2023, arXiv 2302.04817; derived"
ONE = sp.eye(1)
PROOFS = {
    "M36": (
        Equal(COMMUTING_MODES, lambda y, k: no_predictor(simsiam(modes_flow))(y, k).s,
              lambda y, k: -2 * (k.lambda_s - k.lambda_d + k.eta) * y.s),
    ),
}  # fmt: skip


@claim(
    "M35",
    title="What finite iterations leave",
    statement="After n steps of Visser's iteration a collapsed mode keeps p = y_n/η_v, y₀ = ½, y ← y - y² (y₉ = "
    "0.0750892963, y₃₀ = 0.0283142123, about 1/n): a built-in ridge. Newton and Schulz' gives p ≈ (3/2)ⁿ λ_s s/√‖Σ‖_F "
    "on small modes (38.44 at n = 9), as DirectCopy does.",
    source=SOURCE,
    kind="numeric",
)
def finite_iterations(run: Run) -> Verdict:
    y, eta_v = sp.Rational(1, 2) * ONE / sp.Rational(3, 10), sp.Rational(3, 10)
    exact = {}
    for n in range(1, 31):
        y = visser_step(sp.N(y, 30) if n > 6 else y, 0 * ONE, eta_v)  # fractions double their length at each step
        exact[n] = float(y[0] * eta_v)
    kept = {n: 0.3 * float(visser(jnp.zeros((1, 1)), eta_v=0.3, iterations=n)[0, 0]) for n in (9, 30)}
    long = 3000 * 0.3 * float(visser(jnp.zeros((1, 1)), eta_v=0.3, iterations=3000)[0, 0])
    gaps = [abs(kept[9] - 0.0750892963), abs(kept[30] - 0.0283142123), *(abs(kept[n] - exact[n]) for n in kept)]
    Sigma = np.diag([1.0, 0.4, 1e-9])
    factor = float(newton_schulz(jnp.asarray(Sigma))[2, 2]) * np.linalg.norm(Sigma) ** 0.5 / 1e-9
    return holds_if(
        largest(gaps) < 1e-9 and abs(long - 1) < 0.01 and abs(factor / 1.5**9 - 1) < 1e-6,
        visser=kept,
        n_times_y_n=long,
        newton_schulz_factor=factor,
    )


@claim(
    "M36",
    title="Projections are no predictors under the L2 loss",
    statement="Stiefel tends to I/‖Σ⁻¹‖_F; with 9 steps it is a soft projector (Σ = diag(1, 0.3, 0.01, 1e-4): p in "
    "units of the first 1, 1, 0.36914, 0.0038366). At p = 1 every mode decays at λ_s - λ_d + η. The soft projector "
    "p = s/(s + ε) stops at s_± = εp_±/(1 - p_±) (κ = 1.25, η = 0.05, ε = 0.3: 0.01698729811, 0.8830127019), and at "
    "ε/σ² without decay.",
    source=SOURCE,
    kind="numeric",
)
def projections(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 36])
    Sigma = instances.moment(rng, 4)
    limit = np.eye(4) / np.linalg.norm(np.linalg.inv(Sigma))
    far = largest(np.abs(np.asarray(stiefel(jnp.asarray(Sigma), iterations=60)) - limit))
    soft = np.diagonal(stiefel(jnp.diag(jnp.array([1.0, 0.3, 0.01, 1e-4]))))
    soft = soft / soft[0]
    known = largest(np.abs(soft - [1, 1, 0.36914, 0.0038366]) / [1e-5, 1e-5, 1e-5, 1e-7])
    k = Commuting(1.0, 0.0, 0.05, 1.0, 1.25)
    p = np.array([float(root) for root in predictor_roots(k)[1:]])
    s = np.append(0.3 * p / (1 - p), 0.3 / 0.25)
    flow, data = slave(simsiam(modes_flow), lambda Wp, F: RULES["soft-projector"](Wp, F, eps=0.3)), k
    rates = [
        abs(float(flow(Modes(0.0, a, 1.0), data._replace(eta=eta)).s))
        for a, eta in zip(s, (0.05, 0.05, 0), strict=True)
    ]
    return proven(
        run,
        PROOFS["M36"],
        far < 1e-9
        and known < 1
        and largest(np.abs(s - [0.01698729811, 0.8830127019, 1.2])) < 1e-9
        and largest(rates) < 1e-12,
        distance_from_the_limit=far,
        soft_projector_of_9_steps=soft,
        stops=s,
        largest_rate_there=largest(rates),
    )
