"""A mode on the invariant parabola (Eq. 16): closed forms derived by SymPy from `parabola_flow`, then met in numbers.

The antiderivative of 1/ṗ follows from partial fractions in each of four cases, with the roots as symbols: two real
roots 0 < m < P (eta = κ m P, tau = κ (m + P)), one at 0 (eta = 0), a double one, and a pair c ± i g (eta > eta_c).
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from scipy.integrate import quad

from linbyol.assumptions import amplitudes_to_modes
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Amplitudes, Commuting, Isotropic, amplitudes_flow, parabola_flow
from linbyol.exact import escape_time, escape_time_asymptotics, parabola, parabola_time, target_ratio
from linbyol.extremes import every, largest
from theory.proving.mode_runs import between, uniforms
from theory.proving.solves import follow

TIMES = 1e-10  # tolerance of closed-form times, relative where they exceed 1
P, X0, KAPPA, TAU, C, G, M, ROOT, H = sp.symbols("p p_0 kappa tau c g m P h", positive=True)


@cache
def antiderivatives() -> dict[str, tuple[sp.Expr, sp.Expr]]:
    """Case -> (∫ dp/ṗ, ṗ), from `parabola_flow` with its roots as symbols."""
    roots = {"two roots": (M * ROOT, M + ROOT), "eta = 0": (0, ROOT), "double root": (C**2, 2 * C)}
    roots["no roots"] = (C**2 + G**2, 2 * C)
    found = {}
    for case, (product, total) in roots.items():
        rate = sp.factor(parabola_flow(P, Isotropic(1, 0, KAPPA * product, KAPPA - 1, KAPPA * total)))
        found[case] = sum(_integral(term) for term in sp.Add.make_args(sp.apart(1 / rate, P))), rate
    return found


def _integral(term: sp.Expr) -> sp.Expr:
    """∫ term dp; by hand over (p - c)² + g², where SymPy gives 0 for p - 2 c."""
    if not sp.denom(term).subs(P, C + sp.I * G).equals(0):
        return sp.integrate(term, P)
    x = sp.Symbol("x", real=True)  # p = c + g x
    slope, level = sp.Poly(sp.cancel(term.subs(P, C + G * x) * G * (x**2 + 1)), x).all_coeffs()
    return (slope * sp.log(x**2 + 1) / 2 + level * sp.atan(x)).subs(x, (P - C) / G)


def symbolic_time(case: str, p0: float, p: float, values: dict[Any, float]) -> float:
    """The derived time from p0 to p, in 40 digits; logarithms of negative numbers share their imaginary part."""
    T = antiderivatives()[case][0].subs({symbol: sp.Float(value, 60) for symbol, value in values.items()})
    return float(sp.re(sp.N(T.subs(P, sp.Float(p, 60)) - T.subs(P, sp.Float(p0, 60)), 40)))


def settings(seed: int) -> list[tuple[str, dict[Any, float], Isotropic, float, float]]:
    """Per case eight random transits: the case, its symbols' values, constants, p0 and p on one orbit."""
    u = uniforms(seed, 43)
    found = []
    for i in range(32):
        case = list(antiderivatives())[i % 4]
        kappa, low, high = between(1.05, 2, u[0, i]), between(0.05, 0.4, u[1, i]), between(0.5, 1, u[2, i])
        start, end, sign = u[3, i], u[4, i], u[5, i] < 0.25
        if case == "two roots":
            values, eta, tau = {M: low, ROOT: high}, kappa * low * high, kappa * (low + high)
            ways = [(0, low), (high, low), (high, high + 2)]  # the end first, then how far a start may be from it
            stop, far = ways[i // 4 % 3]
        elif case == "eta = 0":
            values, eta, tau = {ROOT: high}, 0.0, kappa * high
            stop, far = high, (0, high + 2)[i // 4 % 2]
        elif case == "double root":
            values, eta, tau = {C: high}, kappa * high**2, 2 * kappa * high
            stop, far = ((0, high), (high, high + 2))[i // 4 % 2]
        else:
            values, eta, tau = {C: high, G: low}, kappa * (high**2 + low**2), 2 * kappa * high
            stop, far = 0, high + 2
        if sign:
            stop, far = 0, -2.0
        p0 = stop + (far - stop) * between(0.5, 0.98, start)
        p = stop + (p0 - stop) * between(0.02, 0.9, end)
        found.append((case, values | {KAPPA: kappa}, Isotropic(1.0, 0.0, eta, kappa - 1, tau), p0, p))
    return found


@claim(
    "B43",
    title="Closed-form transit times",
    statement=(
        "The time from p₀ to p on the parabola is the difference of an elementary antiderivative of 1/ṗ, for η = 0, "
        "below, at and above η_c; its inverse is the trajectory p(t)."
    ),
    source="derived (theory/README.md, closed-form times); Eq. 16",
    kind="numeric",
)
def transit_times(run: Run) -> Verdict:
    proven = every(sp.simplify(sp.diff(T, P) * rate) == 1 for T, rate in antiderivatives().values())
    printed = (
        -(sp.log(P) / (M * ROOT) + sp.log(P - M) / (M * (M - ROOT)) + sp.log(P - ROOT) / (ROOT * (ROOT - M))) / KAPPA
    )  # 7.6
    as_printed = sp.simplify(sp.diff(printed, P) * antiderivatives()["two roots"][1]) == 1
    found = settings(run.seed)
    k = jax.tree.map(lambda *x: jnp.array(x), *(setting[2] for setting in found))
    p0, p = np.array([setting[3:] for setting in found]).T
    t = np.asarray(parabola_time(p, p0, k))
    derived = np.array([symbolic_time(case, p0, p, values) for case, values, _, p0, p in found])
    rate = lambda x, k: float(parabola_flow(x, k))  # noqa: E731
    quadrature = np.array(
        [quad(lambda x, k=k: 1 / rate(x, k), p0, p, epsabs=0, epsrel=1e-12)[0] for _, _, k, p0, p in found]
    )
    back = np.asarray(jax.vmap(parabola)(p0, k, t))
    scale = np.maximum(1, np.abs(t))
    errors = [float(np.max(np.abs(t - other) / scale)) for other in (derived, quadrature)]
    round_trip = float(np.max(np.abs(back / p - 1)))
    return holds_if(
        proven and as_printed and largest(errors) < TIMES and round_trip < TIMES,
        derivative_is_one_over_rate=proven,
        printed_form_has_this_derivative=as_printed,
        cases=list(antiderivatives()),
        error_against_derivation=errors[0],
        error_against_quadrature=errors[1],
        error_of_inverse=round_trip,
    )


@claim(
    "B44",
    title="Escape time from a small start",
    statement=(
        "At η = 0 the escape time differs from 1/(λ_d p₀) + (λ_s/λ_d²) ln(1/p₀) by a bounded amount as p₀ → 0; for a "
        "fraction f of p_+ the difference tends to (λ_s/λ_d²)(ln(λ_d f/(λ_s (1 - f))) - 1/f)."
    ),
    source="derived (theory/README.md, closed-form times)",
    kind="numeric",
)
def small_starts(run: Run) -> Verdict:
    T, _ = antiderivatives()["eta = 0"]  # a = κ P, b = κ, so b/a² = 1/(κ P²)
    T = T.replace(sp.log, lambda x: sp.log(x) if x == P else sp.log(sp.factor(-x)))  # real below the root
    printed = 1 / (KAPPA * ROOT * X0) + sp.log(1 / X0) / (KAPPA * ROOT**2)
    goal = ROOT / (1 + H)  # f = 1/(1 + h)
    gap = sp.expand_log(T.subs(P, goal) - T.subs(P, X0) - printed, force=True)
    constant = sp.limit(sp.expand(gap), X0, 0, "+")
    stated = (sp.log(ROOT / H) - (1 + H)) / (KAPPA * ROOT**2)
    factored = (constant - stated).replace(sp.log, lambda x: sp.log(sp.factor(x)))
    proven = sp.simplify(sp.expand_log(factored, force=True)) == 0
    u = uniforms(run.seed, 44)[:, :6]
    k = Commuting(1.0, 0.0, 0.0, between(0.3, 1.2, u[0]), between(1.3, 2.5, u[1]))
    p0 = np.array([1e-2, 1e-3, 1e-4, 1e-5])[:, None]
    fraction = between(0.3, 0.95, u[2])
    a, b = k.lambda_d, k.lambda_s
    limit = b / a**2 * (np.log(a * fraction / (b * (1 - fraction))) - 1 / fraction)
    wide = k._replace(lambda_d=a[None, :], lambda_s=b[None, :])
    difference = np.asarray(escape_time(p0, wide, fraction[None, :]) - escape_time_asymptotics(p0, wide))
    error = np.abs(difference - limit[None, :])
    # what is left is -(b/a²) ln(1 - p₀/p_+) = p₀ b²/a³ + …; its rounding grows like 1e-16/p₀
    return holds_if(
        bool(proven) and every(error < 2 * p0 * (b**2 / a**3)[None, :]),
        constant=str(constant),
        p0=p0[:, 0],
        largest_distance_from_the_constant=error.max(axis=1),
    )


@claim(
    "B34",
    title="Eq. 15: the target's ratio",
    statement="On the parabola, from τ(0) = 0, τ(t) = p⁻¹ β e^(-βt) ∫₀ᵗ p e^(βt') dt'.",
    source="Eq. 15 (dt' for the printed dt)",
    kind="numeric",
)
def target_follows(run: Run) -> Verdict:
    u = uniforms(run.seed, 34)[:, :8]
    k = Isotropic(between(0.3, 2.5, u[0]), between(0.1, 1, u[1]), between(0, 0.02, u[2]), between(0.1, 0.5, u[3]))
    p0 = between(0.1, 0.5, u[4])
    y0 = Amplitudes(w=p0 / np.sqrt(k.alpha_p), wp=p0, wa=0.0)
    ts = np.linspace(0.0, 40.0, 20001)
    ys = follow(amplitudes_flow, y0, k, ts).ys
    tau = amplitudes_to_modes(ys).tau
    error = largest(np.abs(np.asarray(target_ratio(jnp.asarray(ts), jnp.asarray(ys.wp), k)) - tau))
    # straight lines between samples 2e-3 apart: Δt² max|p̈|/(12 p) is 1e-7 at most
    return holds_if(error < 1e-7, samples=20001, largest_error=error, tau_at_the_end=tau[-1])
