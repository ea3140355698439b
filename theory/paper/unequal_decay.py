"""Separate weight decays of predictor and encoder (Table 5) on modes at a fixed target."""

from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, Modes, decay, hold, modes_flow
from linbyol.extremes import every, largest
from linbyol.fixed_points import critical_eta, fixed_points, stability
from linbyol.integrate import integrate
from theory.proving.mode_runs import between, uniforms

N = 16  # settings a claim
TIMES = np.array([0, 0.25, 0.5, 1])
LAST = np.array([4000.0, 200.0, 4000.0])  # of each family; the second grows stiff, at the rate α_p κ s


@cache
def runs(seed: int) -> dict[str, Any]:
    """Three families of settings: both decays (above the edge of the basin), the predictor's, the encoder's alone.

    Half of those with one decay start at p₀ < 0; under the predictor's decay at |p₀| < 0.4 η_p/τ, since s falls by
    about e^(-2τ|p₀|/η_p) before p passes 0, and then needs the time η_p/(2 α_p τ² s) to come back. Each state at TIMES
    of its last time, with the constants and the two decays.
    """
    u = uniforms(seed, 72)[:, : 3 * N]
    k = Isotropic(between(0.3, 2, u[0]), 0.0, 0.0, between(0.1, 1, u[1]), between(0.5, 1, u[2]))
    eta_c = np.asarray(critical_eta(k))
    family = np.repeat(np.arange(3), N)
    eta_p = np.where(family == 2, 0, between(0.2, 3, u[3]) * eta_c)
    eta_s = np.where(family == 1, 0, between(0.2, 0.8, u[4]) * eta_c)
    negative = (np.arange(3 * N) % 2 == 0) & (family > 0)
    p, s = between(0.6, 1.2, u[5]) * k.tau / k.kappa, between(0.2, 1, u[6])
    p = np.where(negative, -np.where(family == 1, 0.4 * u[5] * eta_p / k.tau, p), p)
    s = np.where(negative & (family == 1), 0.5 + s / 2, s)
    end = _solve(Modes(p, s, k.tau), k, eta_p, eta_s, LAST[family])
    at = lambda i, x: np.asarray(x)[i * N : (i + 1) * N]  # noqa: E731
    return {
        name: {"k": jax.tree.map(lambda x, i=i: at(i, x), k._replace(beta=np.zeros(3 * N), eta=eta_s)),
               "eta_p": at(i, eta_p), "eta_s": at(i, eta_s), "p0": at(i, p),
               "end": jax.tree.map(lambda x, i=i: at(i, x), end)}
        for i, name in enumerate(("both", "predictor", "encoder"))
    }  # fmt: skip


@eqx.filter_jit
def _solve(y0: Modes, k: Isotropic, eta_p: Any, eta_s: Any, t1: Any) -> Modes:
    def lane(y: Modes, alpha_p: Any, sigma2: Any, eta_p: Any, eta_s: Any, t1: Any) -> Modes:
        flow = hold(decay(modes_flow, Wp=eta_p, W=eta_s), "tau")
        settings = {"rtol": 1e-11, "atol": 1e-13}  # 1e-9 is asked of the end
        solved = integrate(flow, y, Isotropic(alpha_p, 0.0, 0.0, sigma2), t1 * TIMES, **settings)
        return jax.tree.map(lambda leaf: jnp.where(solved.ok, leaf, jnp.nan), solved.ys)

    return jax.vmap(lane)(y0, k.alpha_p, k.sigma2, eta_p, eta_s, t1)


@claim(
    "B72",
    title="Fixed points under unequal decay",
    statement="With separate decays p_± depend on the encoder's alone, and s = (η_p/η_s) p²/α_p.",
    source="derived (theory/README.md, two decays)",
    kind="numeric",
)
def fixed_under_both(run: Run) -> Verdict:
    found = runs(run.seed)["both"]
    k, eta_p, eta_s = found["k"], found["eta_p"], found["eta_s"]
    y = fixed_points(k, Wp=eta_p, W=eta_s)
    column = jax.tree.map(lambda x: x[:, None], (k, eta_p, eta_s))
    flow = decay(modes_flow, Wp=column[1], W=column[2])
    rate = flow(y, column[0])
    residual = largest(jnp.abs(rate.p), jnp.abs(rate.s))
    plus = jax.tree.map(lambda x: x[:, 2], y)
    missed = largest(np.abs(found["end"].p[:, -1] - plus.p).max(), np.abs(found["end"].s[:, -1] - plus.s).max())
    return holds_if(
        residual < 1e-14 and missed < 1e-9,
        settings=N,
        rates_at_the_fixed_points=residual,
        trajectories_miss_p_plus_by=missed,
        eta_p_over_eta_s=eta_p / eta_s,
    )


@claim(
    "B73",
    title="Decay of the predictor alone",
    statement=(
        "With η_s = 0 < η_p nothing collapses: p → τ/κ, s grows like 2 η_p (τ/κ)² t/α_p, and at p = s = 0 the encoder "
        "does not decay (its eigenvalue is 0)."
    ),
    source="derived (theory/README.md, two decays); Table 5",
    kind="numeric",
)
def predictor_alone(run: Run) -> Verdict:
    found = runs(run.seed)["predictor"]
    k, eta_p, end = found["k"], found["eta_p"], found["end"]
    goal = k.tau / k.kappa
    t = LAST[1] * TIMES
    ratio = np.diff(end.s[:, 1:]) / np.diff(t[1:]) / (2 * eta_p * goal**2 / k.alpha_p)[:, None]
    values = stability(Modes(0.0, 0.0, 1.0), Isotropic(1.0, 0.0, 0.0, 0.25), flow=decay(modes_flow, Wp=0.1, W=0.0))
    neutral = float(jnp.max(values.real))
    # s = 2 η_p (τ/κ)² t/α_p makes p - τ/κ = -η_p p/(α_p κ s) = -1/(2 τ t), and the slope ∝ p² smaller by κ/(τ² t)
    allowed = 2 * (k.kappa / k.tau**2)[:, None] / t[1:-1]
    off, missed = np.abs(ratio - 1), np.abs(end.p[:, -1] - goal)
    return holds_if(
        every(off < allowed)
        and every(off[:, 1] < off[:, 0])
        and every(missed < 1 / (k.tau * t[-1]))
        and neutral == 0
        and every(end.s[:, -1] > end.s[:, 0])
        and found["p0"].min() < 0 < found["p0"].max(),
        settings=N,
        slope_over_prediction_early=ratio[:, 0],
        slope_over_prediction_late=ratio[:, 1],
        starts_of_p=[found["p0"].min(), found["p0"].max()],
        distance_of_p_from_goal=missed.max(),
        largest_eigenvalue_at_the_origin=neutral,
    )


@claim(
    "B74",
    title="Decay of the encoder alone",
    statement="With η_p = 0 < η_s every mode collapses, s → 0.",
    source="derived (theory/README.md, two decays)",
    kind="numeric",
)
def encoder_alone(run: Run) -> Verdict:
    found = runs(run.seed)["encoder"]
    s, p = found["end"].s[:, -1], found["end"].p[:, -1]
    # no other fixed point: ṗ = 0 wants p = τ/κ where s > 0, and there ṡ = -2 η_s s
    k = found["k"]
    rate = decay(modes_flow, Wp=0.0, W=found["eta_s"])(Modes(k.tau / k.kappa, np.ones(N), k.tau), k)
    falls = np.abs(np.asarray(rate.s) / (-2 * found["eta_s"]) - 1).max()
    still = np.abs(np.asarray(rate.p)).max()
    return holds_if(
        s.max() < 1e-9 and falls < 1e-12 and still < 1e-12 and found["p0"].min() < 0 < found["p0"].max(),
        settings=N,
        starts_of_p=[found["p0"].min(), found["p0"].max()],
        largest_final_s=s.max(),
        final_p=p,
        rate_of_s_over_prediction_minus_1=falls,
    )
