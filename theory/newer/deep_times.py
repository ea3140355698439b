"""How long deep JEPA and MAE take: closed forms (M5), and their expansions for small starts (M6, M7, M8)."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from scipy.integrate import quad
from scipy.special import hyp2f1

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import DeepMode, Layer, jepa_flow, mae_flow
from linbyol.exact import jepa_time, jepa_time_asymptotics, mae_time, mae_time_asymptotics
from linbyol.extremes import every, largest
from theory.proving.words import residual

TIMES = {"JEPA": jepa_time, "MAE": mae_time}
FLOWS = {"JEPA": jepa_flow, "MAE": mae_flow}
DIGITS = 5e-9  # of nine
TABLE = {  # (λ_d, ρ, w̄0): half-rise times of JEPA and of MAE at L = 1, 2, 3
    (1.0, 0.5, 1e-2): ((103.783641, 464.618496, 881.235371), (3.70919044, 8.58109075, 10.1274428)),
    (1.0, 0.9, 1e-2): ((102.765152, 400.691073, 620.314011), (4.00312823, 8.83622556, 10.3004585)),
    (0.5, 0.9, 1e-3): ((2010.66952, 22273.3397, 46544.3669), (12.6115366, 60.9280092, 99.0970731)),
}
CONSTANTS = (-1.1182457, -0.4230252, -0.1495229, -0.0000952, 0.0943161)  # of MAE at half rise, L = 2 … 6
GAPS = (0.2939, 0.2507, 0.1523)  # MAE's, ρ = 0.9 later than 0.5 at λ_d = 1, L = 1, 2, 3
LANES = 9


def rest_of(name: str, k: DeepMode) -> Any:
    """The layer at rest."""
    return k.rho if name == "JEPA" else k.rho ** (1 / (k.depth + 1))


def times(name: str, w: Any, w0: Any, k: DeepMode) -> np.ndarray:
    """The closed form in lanes of one number for all claims, so that it is compiled once for each loss and depth."""
    lanes = np.broadcast_arrays(w, w0, k.lambda_d, k.lambda_s)
    w, w0, lambda_d, lambda_s = (np.resize(a, LANES) for a in lanes)
    found = np.asarray(TIMES[name](w, w0, DeepMode(lambda_d, lambda_s, k.depth)))
    return found[: lanes[0].size].reshape(lanes[0].shape)


def half_rise(name: str, w0: Any, k: DeepMode) -> np.ndarray:
    """Time from a layer w0 until the encoder's mode w^L is half of its limit."""
    return times(name, rest_of(name, k) * 0.5 ** (1 / k.depth), w0, k)


@cache
def proofs() -> dict[str, str]:
    """What SymPy leaves of dT/dz ẇ = 1: the printed closed forms differentiated along the code that runs."""
    w, lam, r = sp.symbols("w lambda r", positive=True)
    left = {}
    for L in (1, 2, 3, 4):
        z = w / r
        T = sp.log(z / (1 - z)) - sum(z**-k / k for k in range(1, 2 * L))
        rate = jepa_flow(Layer(w), DeepMode(lam, lam / r, L)).w  # ρ = r
        left[f"JEPA, L = {L}"] = residual(sp.simplify(sp.diff(T, w) * rate / (lam * r ** (2 * L - 1)) - 1))
    z, root3 = w / r, sp.sqrt(3)
    second = {
        1: sp.log(z) - sp.log(1 - z**2) / 2,
        2: -1 / z + sp.log((z**2 + z + 1) / (1 - z) ** 2) / 6 - sp.atan((2 * z + 1) / root3) / root3,
        3: -(z**-2) / 2 + sp.log((1 + z**2) / (1 - z**2)) / 4,
    }
    for L, T in second.items():
        rate = mae_flow(Layer(w), DeepMode(lam, lam / r ** (L + 1), L)).w  # ρ = r^(L + 1)
        left[f"MAE, L = {L}"] = residual(sp.simplify(sp.diff(T, w) * rate / (lam * r ** (L - 1)) - 1))
    return left


def mae_bracket(z: float, L: int) -> float:
    """-z^(1-L)/(L-1) + ½ z² ₂F₁(1, b; 1+b; z^(L+1)), b = 2/(L+1), L ≥ 2, by SciPy."""
    b = 2 / (L + 1)
    return -(z ** (1 - L)) / (L - 1) + z * z / 2 * hyp2f1(1, b, 1 + b, z ** (L + 1))


@claim(
    "M5",
    title="Closed-form times of deep JEPA and MAE",
    statement="λ_d ρ^(2L-1) t = ln(z/(1-z)) - Σ_{k<2L} z^-k/k with z = w/ρ (JEPA), "
    "λ_d ρ^((L-1)/(L+1)) t = -z^(1-L)/(L-1) + ½ z² ₂F₁(1, b; 1+b; z^(L+1)) with z = w ρ^(-1/(L+1)), b = 2/(L+1) (MAE); "
    "half-rise times to nine digits.",
    source="arXiv 2407.03475, derived",
    kind="numeric",
)
def closed_forms(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1005])
    lambda_d, rho, start = np.transpose(list(TABLE))
    table, quadrature, brackets = {}, {}, []
    for i, name in enumerate(TIMES):
        for L in (1, 2, 3):
            expected = np.array([columns[i][L - 1] for columns in TABLE.values()])
            found = half_rise(name, start ** (1 / L), DeepMode(lambda_d, lambda_d / rho, L))
            table[f"{name}, L = {L}"] = largest(np.abs(found / expected - 1))
            k = DeepMode(lambda_d, lambda_d / rng.uniform(0.3, 1.0, 3), L)
            w0, w = np.sort(rng.uniform(0.1, 0.95, (2, 3)), axis=0) * rest_of(name, k)
            t = times(name, w, w0, k)
            for j in range(3):
                one = DeepMode(k.lambda_d[j], k.lambda_s[j], L)
                area = quad(lambda x, n=name, one=one: 1 / FLOWS[n](Layer(x), one).w, w0[j], w[j], epsrel=1e-12)[0]
                quadrature[f"{name}, L = {L}, {j}"] = abs(t[j] / area - 1)
                if name == "MAE" and L > 1:
                    ends = [mae_bracket(x[j] / rest_of(name, one), L) for x in (w, w0)]
                    unit = one.lambda_d * one.rho ** ((L - 1) / (L + 1))
                    brackets.append(abs((ends[0] - ends[1]) / unit / t[j] - 1))
    left = {name: rest for name, rest in proofs().items() if rest}
    return holds_if(
        largest(table) < DIGITS and largest(quadrature) < 1e-10 and largest(brackets) < 1e-8 and not left,
        seeds=[run.seed],
        proofs=len(proofs()),
        residual=left,
        largest_error_of_the_table=largest(table),
        against_quadrature=largest(quadrature),
        against_scipys_hypergeometric_function=largest(brackets),
    )


def _slope(x: Any, y: Any) -> float:
    """The slope of ln|y| against ln x, between neighbours."""
    return float(np.polyfit(np.log(x), np.log(np.abs(y)), 1)[0])


@claim(
    "M6",
    title="The leading time of JEPA knows nothing of ρ",
    statement="As w₀ → 0, λ_d t = Σ_{k=1}^{2L-1} ρ^(k+1-2L) w₀^-k/k + ρ^(1-2L) ln(1/w₀) + constant + O(w₀), at half "
    "rise: the leading term 1/((2L-1) w₀^(2L-1)) does not contain ρ.",
    source="arXiv 2407.03475, derived",
    kind="numeric",
)
def jepa_expansion(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1006])
    slopes, leading, spread = {}, {}, {}
    for L, w0 in ((2, np.geomspace(1e-3, 1e-2, 5)), (3, np.geomspace(4e-3, 2e-2, 5))):
        for rho in rng.uniform(0.5, 1.0, 2):
            k = DeepMode(1.0, 1 / rho, L)
            rest = half_rise("JEPA", w0, k) - np.asarray(jepa_time_asymptotics(w0, k))
            z = 0.5 ** (1 / L)
            limit = (np.log(z / (1 - z)) - sum(z**-j / j for j in range(1, 2 * L)) + np.log(rho)) * rho ** (1 - 2 * L)
            slopes[f"L = {L}, ρ = {rho:.3f}"] = _slope(w0, rest - limit)
        small = 1e-5
        two = [half_rise("JEPA", np.array([small]), DeepMode(1.0, 1 / rho, L)).item() for rho in (0.5, 0.9)]
        leading[L] = largest(np.abs(np.array(two) * (2 * L - 1) * small ** (2 * L - 1) - 1))
        spread[L] = abs(two[0] / two[1] - 1) / small  # ρ enters at relative order w₀/ρ
    return holds_if(
        every(np.abs(np.array(list(slopes.values())) - 1) < 0.05) and largest(leading) < 1e-4,
        seeds=[run.seed],
        orders_of_the_rest=slopes,
        leading_term_off_by=leading,
        relative_spread_over_w0=spread,
    )


@claim(
    "M7",
    title="MAE's time from a small start",
    statement="For L ≥ 2, λ_d t = w₀^(1-L)/(L-1) + ρ^(-(L-1)/(L+1)) c_L + o(1) at half rise, c_2 … c_6 = -1.1182457, "
    "-0.4230252, -0.1495229, -0.0000952, 0.0943161; at L = 1, 2 λ_d t = ln(ρ/w₀² - 1) - ln 3 exactly.",
    source="arXiv 2407.03475, derived",
    kind="numeric",
)
def mae_expansion(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 1007])
    found = {}
    rho = float(rng.uniform(0.5, 1.0))
    for L, c in zip(range(2, 7), CONSTANTS, strict=True):
        k, w0 = DeepMode(1.0, 1 / rho, L), np.array([0.02])
        rest = (half_rise("MAE", w0, k) - np.asarray(mae_time_asymptotics(w0, k))).item()
        vanishing = (0.02 / rest_of("MAE", k)) ** 2 / 2  # the o(1), which a smaller w₀ would leave to rounding
        found[L] = abs(rest * rho ** ((L - 1) / (L + 1)) + vanishing - c), abs(mae_bracket(0.5 ** (1 / L), L) - c)
    lambda_d, w0 = rng.uniform(0.4, 1.2, 1), rng.uniform(0.01, 0.3, 1)
    exact = (np.log(rho / w0**2 - 1) - np.log(3)) / (2 * lambda_d)
    one = largest(np.abs(half_rise("MAE", w0, DeepMode(lambda_d, lambda_d / rho, 1)) / exact - 1))
    return holds_if(
        largest(*found.values()) < 1e-5 and one < 1e-12,
        seeds=[run.seed],
        errors_of_the_constants={L: errors[0] for L, errors in found.items()},
        error_at_one_layer=one,
    )


@claim(
    "M8",
    title="Equal covariance: JEPA's lead diverges, MAE's gap does not",
    statement="At equal λ_d JEPA learns the larger ρ first by (1/ρ_2 - 1/ρ_1) w₀^(2-2L)/((2L-2) λ_d), at L = 1 by "
    "(1/ρ_2 - 1/ρ_1) ln(1/w₀)/λ_d; MAE's gap stays bounded and has the other sign for L ≤ 3: 0.2939, 0.2507, 0.1523 "
    "for ρ = 0.9 against 0.5.",
    source="arXiv 2407.03475, derived",
    kind="numeric",
)
def equal_covariance(run: Run) -> Verdict:
    rho_1, rho_2 = 0.9, 0.5
    lead = lambda name, w0, L: np.subtract(*(half_rise(name, w0, DeepMode(1.0, 1 / r, L)) for r in (rho_2, rho_1)))  # noqa: E731
    limit, ratios = 1 / rho_2 - 1 / rho_1, {}
    for L in (2, 3):
        w0 = np.array([1e-3, 1e-4])
        ratios[L] = lead("JEPA", w0, L) * w0 ** (2 * L - 2) * (2 * L - 2) / limit
    w0 = np.geomspace(1e-6, 1e-3, 7)
    logarithm = np.polyfit(np.log(1 / w0), lead("JEPA", w0, 1), 1)[0] / limit
    gaps = {L: float(-lead("MAE", np.array([1e-4]), L)[0]) for L in (1, 2, 3)}
    close = every(np.abs(np.array(list(gaps.values())) - GAPS) < 1e-3)  # GAPS are of w₀ → 0, in four digits
    return holds_if(
        every(np.abs(np.array([ratios[L][1] for L in ratios]) - 1) < 0.02) and abs(logarithm - 1) < 0.02 and close,
        seeds=[],
        lead_over_its_limit=ratios,
        coefficient_of_the_logarithm_over_its_limit=logarithm,
        larger_rho_later_in_MAE_by=gaps,
    )
