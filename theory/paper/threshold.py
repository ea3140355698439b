"""The threshold η_c of a mode on the parabola, and the size of what survives below it."""

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Isotropic, parabola_flow
from linbyol.exact import parabola
from linbyol.extremes import every
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.proving.mode_runs import between, fixed_target, follow, uniforms

P, KAPPA, TAU = sp.symbols("p kappa tau", positive=True)


@claim(
    "B37",
    title="The threshold on the parabola",
    statement="For η > η_c = τ²/(4κ) only collapse is left; at η_c the double root holds starts above it alone.",
    source="Obs. 5, derived",
    kind="numeric",
)
def threshold(run: Run) -> Verdict:
    eta_c = float(critical_eta(Isotropic(1.0, 0.0, 0.0, 0.5)))
    u = uniforms(run.seed, 37)[:, :30]
    sigma2, tau = np.append([0.5, 0.5], between(0.1, 1, u[0])), np.append([1.0, 1.0], between(0.4, 1, u[1]))
    share = np.append([0.99, 1.01], np.where(u[2] < 0.5, between(0.9, 0.99, u[3]), between(1.01, 1.1, u[3])))
    center = tau / (2 * (1 + sigma2))  # between the roots, if there are any
    p0 = np.append([0.6, 0.6], center[2:] * between(1, 1.5, u[4]))
    eta = share * tau**2 / (4 * (1 + sigma2))
    # the ghost of the double root holds a mode for π/(p_c √(κ (η - η_c))), below 700 here
    end = follow(fixed_target, p0, p0**2, 3000.0 / tau**2, eta=eta, sigma2=sigma2, tau=tau).end
    _, _, p_plus = predictor_roots(Isotropic(1.0, 0.0, eta, sigma2, tau))
    right = np.abs(end - np.where(share < 1, p_plus, 0)) < 1e-6
    at = Isotropic(1.0, 0.0, eta_c, 0.5)
    t = np.array([1e2, 1e4, 1e6])
    above, below = np.asarray(parabola(np.array([0.34, 0.33]), at, t)).T  # p_c = 1/3
    # near the double root d(p - p_c)/dt = -κ p_c (p - p_c)², so p - p_c tends to 1/(κ p_c t) = 2/t
    half_stable = abs((above[-1] - 1 / 3) * t[-1] / 2 - 1) < 1e-2 and below[-1] == 0
    return holds_if(
        every(right) and half_stable and abs(eta_c - 1 / 6) < 1e-15,
        seeds=[run.seed],
        eta_c=eta_c,
        end_at_99_percent=end[0],
        end_at_101_percent=end[1],
        settings=len(end),
        at_threshold_from_above=above,
        at_threshold_from_below=below,
    )


@claim(
    "B60",
    title="More augmentation noise, smaller representation",
    statement="p_+ falls with κ = 1 + σ², and p_+ → τ/κ as η → 0.",
    source="Sec. 3",
    kind="symbolic",
)
def smaller_representation(run: Run) -> Verdict:
    eta = sp.Symbol("eta", positive=True)
    growth = sp.cancel(parabola_flow(P, Isotropic(1, 0, eta, KAPPA - 1, TAU)) / P)  # zero at p_±
    slope = sp.simplify(-sp.diff(growth, KAPPA) / sp.diff(growth, P))  # dp/dκ along a root
    root = sorted(sp.solve(growth, P), key=lambda r: r.subs({KAPPA: 2, TAU: 1, eta: sp.Rational(1, 10)}))[-1]
    stated = -(P**2) / (2 * KAPPA * P - TAU)
    discriminant = sp.expand((2 * KAPPA * root - TAU) ** 2)  # positive below the threshold: p_+ > τ/(2κ)
    proven = (
        sp.simplify(slope - stated) == 0
        and sp.simplify(discriminant - (TAU**2 - 4 * eta * KAPPA)) == 0
        and sp.simplify(sp.limit(root, eta, 0) - TAU / KAPPA) == 0
    )
    u = uniforms(run.seed, 60)[:, :16]
    k = Isotropic(1.0, 0.0, 0.0, between(0.05, 2, u[0]), between(0.3, 1, u[1]))
    k = k._replace(eta=between(0.01, 0.99, u[2]) * critical_eta(k))
    p_plus = lambda sigma2: predictor_roots(k._replace(sigma2=sigma2))[2]  # noqa: E731
    p, dp = jax.jvp(p_plus, (k.sigma2,), (np.ones(16),))
    error = jnp.max(jnp.abs(dp / (-(p**2) / (2 * k.kappa * p - k.tau)) - 1))
    # 1 ulp of D over √D, with D ≥ 0.01 τ²
    return holds_if(
        proven and every(dp < 0) and error < 1e-11,
        seeds=[run.seed],
        dimensions="symbolic",
        slope=str(slope),
        largest_slope=dp.max(),
        gap_on_arrays=error,
    )
