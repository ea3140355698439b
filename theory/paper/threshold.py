"""The threshold η_c of a mode, and the size of what survives below it."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Commuting, Isotropic, Modes, hold, modes_flow, parabola_flow
from linbyol.exact import parabola
from linbyol.extremes import every
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.proving import solves
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
        eta_c=eta_c,
        end_at_99_percent=end[0],
        end_at_101_percent=end[1],
        settings=len(end),
        at_threshold_from_above=above,
        at_threshold_from_below=below,
    )


@cache
def survival(seed: int) -> dict[str, Any]:
    """s of 64 modes at T = 2000, and p_+²/α_p or 0: the six printed ones, from W(0) = Wp(0) = I; 34 random ones that
    start at 1.2 p_+, half of them below their threshold; 24 above their threshold, from anywhere.
    """
    u, i = uniforms(seed, 67), np.arange(64)
    printed, anywhere = i < 6, i >= 40
    lambda_d = np.append([1, 0.9, 0.6, 0.5, 0.4, 0.8], between(0.7, 1.2, u[0, 6:]))
    lambda_s = np.append([1.05, 1.8, 0.7, 0.52, 1.4, 1.0], lambda_d[6:] + between(0.05, 0.8, u[1, 6:]))
    alpha_p, tau = np.where(printed, 1, between(0.3, 3, u[2])), np.where(printed, 1, between(0.8, 1.2, u[3]))
    below = between(0.2, 0.98, u[4])
    share = np.where(anywhere | (i % 2 == 0), 1.02 + u[4], below)
    eta = np.where(printed, 0.12, share * lambda_d**2 * tau**2 / (4 * lambda_s))
    k = Commuting(alpha_p, np.zeros(64), eta, lambda_d, lambda_s)
    # twice the middle of both roots is above p_+; p_- + p_+ = λ_d τ/λ_s
    p = np.where(printed, 1, np.where(anywhere, between(-1.5, 1.5, u[5]), 1.0) * lambda_d * tau / lambda_s)
    s = np.where(anywhere, between(0.01, 1, u[6]), p**2 / alpha_p)
    end = solves.follow(hold(modes_flow, "tau"), Modes(p, s, tau), k, [0.0, 2000.0], atol=1e-10)
    alive = eta < lambda_d**2 * tau**2 / (4 * lambda_s)
    root = np.sqrt(np.where(alive, lambda_d**2 * tau**2 - 4 * eta * lambda_s, 0))
    law = np.where(alive, ((lambda_d * tau + root) / (2 * lambda_s)) ** 2 / alpha_p, 0)
    return {"k": k, "tau": tau, "s": np.asarray(end.ys.s[-1]), "law": law, "share": share}


@claim(
    "B67",
    title="The threshold of a mode",
    statement="With decay a mode can survive if and only if η < λ_d² τ²/(4 λ_s); it then ends at s = p_+²/α_p.",
    source="derived (theory/README.md, Appendix D)",
    kind="numeric",
)
def six_modes(run: Run) -> Verdict:
    found = survival(run.seed)
    s, law, k = found["s"], found["law"], found["k"]
    table = np.array([0.65863, 0, 0.29077, 0.25, 0, 0.36])  # at η = 0.12
    # the library's own threshold and p_+, of the isotropic mode with κ = λ_s/λ_d in the time λ_d t
    turned = Isotropic(k.alpha_p, 0.0, k.eta / k.lambda_d, k.lambda_s / k.lambda_d - 1, found["tau"])
    threshold, (_, _, p_plus) = k.lambda_d * np.asarray(critical_eta(turned)), map(np.asarray, predictor_roots(turned))
    same = np.abs(np.where(np.isnan(p_plus), 0, p_plus) ** 2 / k.alpha_p - law).max()
    error = np.abs(s - law).max()
    return holds_if(
        np.abs(s[:6] - table).max() < 5e-6  # half a unit of the printed digits
        and error < 1e-6
        and same < 1e-12
        and every((k.eta < threshold) == (law > 0)),
        s=s[:6],
        threshold=threshold[:6],
        p_plus_squared=law[:6],
        modes=len(s),
        survivors=int((law > 0).sum()),
        nearest_to_the_threshold=np.abs(found["share"] - 1).min(),
        largest_error=error,
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
        dimensions="symbolic",
        slope=str(slope),
        largest_slope=dp.max(),
        gap_on_arrays=error,
    )
