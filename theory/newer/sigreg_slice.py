"""M11, M15, M19: one slice of SIGReg on Gaussian features, modes that are all alike, and samples."""

from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize
import sympy as sp

from linbyol.claims import Run, Verdict, claim
from linbyol.equations.regularised import Alike, Features
from linbyol.equations.sigreg import sigreg_alike_flow, slice_curvature, slice_distance, slice_slope
from linbyol.exact import TOTAL_COLLAPSE, sample_rest, slice_rest
from linbyol.extremes import every, largest, relative_gap
from linbyol.integrate import integrate
from theory.proving.prover import Equal, Space, proven

t, m = sp.symbols("t m", real=True)
nu, c = sp.symbols("nu c", positive=True)
n = sp.Symbol("n", integer=True, positive=True)
SLICE = Space(nu, m)
ALIKE = Alike(*sp.symbols("a mu d lambda_d lambda_s eta", positive=True))
GAUSSIAN = sp.integrate(sp.exp(-c * t * t / 2) * sp.cos(m * t), (t, -sp.oo, sp.oo)) / sp.sqrt(2 * sp.pi)


def gaussian(width: Any, mean: Any = 0) -> Any:
    """E_t cos(mean t) exp(-(width - 1) t²/2) for t ~ N(0, 1), as SymPy integrates it."""
    return GAUSSIAN.subs({c: width, m: mean})


def overlap(nu: Any, m: Any) -> Any:
    """exp(-m²/(2(2 + nu))), symbols."""
    return sp.exp(-m * m / (2 * (2 + nu)))


def bias(nu: Any, n: Any) -> Any:
    """(1 - (1 + 2nu)^(-1/2))/n: what pairs of a sample with itself add, symbols."""
    return (1 - 1 / sp.sqrt(1 + 2 * nu)) / n


def expected_pairs(nu: Any, n: Any) -> Any:
    """E of the pairs formula over n independent draws of N(0, nu): pairs of two, of one with itself, cross term.

    E exp(-x²/2) over x ~ N(0, v) is E cos(xt) over t ~ N(0, 1), that is (1 + v)^(-1/2).
    """
    pairs = (1 - 1 / n) * gaussian(1 + 2 * nu) + 1 / n
    return pairs - 2 * gaussian(1 + nu / 2) / sp.sqrt(2) + gaussian(3)


STATIONARY = (2 * c - 1) / (2 - c)  # nu_n for c = (1 - 1/n)^(2/3)
PROOFS = {
    "M11": (
        Equal(
            SLICE, lambda v, m: slice_distance(v, overlap(v, m)),
            lambda v, m: gaussian(1 + 2 * v) - 2 * gaussian(2 + v, m) + gaussian(3),
        ),
        Equal(SLICE, lambda v, m: slice_slope(v), lambda v, m: sp.diff(slice_distance(v), v)),
        Equal(SLICE, lambda v, m: slice_curvature(v), lambda v, m: sp.diff(slice_distance(v), v, 2)),
        Equal(
            SLICE, lambda v, m: sp.diff(slice_distance(v, overlap(v, m)), v).subs(v, 0),
            lambda v, m: sp.exp(-m * m / 4) * (1 - m * m / 2) / sp.sqrt(8) - 1,
        ),
        Equal(SLICE, lambda v, m: slice_slope(sp.Integer(0)), lambda v, m: 1 / sp.sqrt(8) - 1),
        Equal(SLICE, lambda v, m: slice_slope(sp.Integer(1)), lambda v, m: sp.Integer(0)),
        Equal(SLICE, lambda v, m: slice_curvature(sp.Integer(1)), lambda v, m: 1 / (6 * sp.sqrt(3))),
    ),
    "M15": (
        Equal(
            Space(nu, ALIKE), lambda v, k: sp.diff(sigreg_alike_flow(Features(v), k._replace(eta=0)).nu, v).subs(v, 0),
            lambda v, k: 4 * k.mu * k.lambda_s / k.d * (1 - 1 / sp.sqrt(8) - theta(k)),
        ),
        Equal(
            Space(nu, ALIKE), lambda v, k: sigreg_alike_flow(Features(v), k).nu,
            lambda v, k: -4 * k.mu * k.lambda_s / k.d * v * (theta(k) + slice_slope(v)) - 2 * k.eta * v,
        ),
        Equal(SLICE, lambda v, m: slice_curvature(sp.Integer(0)), lambda v, m: 3 - 3 / (2 * sp.sqrt(32))),
    ),
    "M19": (
        Equal(SLICE, lambda v, m: expected_pairs(v, n) - slice_distance(v), lambda v, m: bias(v, n)),
        Equal(
            SLICE, lambda v, m: ((1 + 2 * STATIONARY) / (2 + STATIONARY) - c).together(), lambda v, m: sp.Integer(0)
        ),
    ),
}  # fmt: skip


def theta(k: Alike) -> Any:
    """a σ² d/(mu λ_s)."""
    return k.a * (k.lambda_s - k.lambda_d) * k.d / (k.mu * k.lambda_s)


def epps_pulley(nu: float, m: float) -> float:
    """E_t |E exp(itz) - exp(-t²/2)|² for z ~ N(m, nu) by adaptive quadrature."""

    def gap(t: float) -> float:
        return abs(np.exp(1j * m * t - nu * t * t / 2) - np.exp(-t * t / 2)) ** 2 * np.exp(-t * t / 2)

    return scipy.integrate.quad(gap, -13, 13, epsabs=1e-13, epsrel=1e-13, limit=200)[0] / np.sqrt(2 * np.pi)


@claim(
    "M11",
    title="The distance of one slice, and the point of no variance",
    statement="For z ~ N(m, ν) and the weight N(0, 1), Epps and Pulley's distance is T = (1+2ν)^(-1/2) - 2 "
    "(2+ν)^(-1/2) exp(-m²/(2(2+ν))) + 3^(-1/2). At m = 0 its slope (2+ν)^(-3/2) - (1+2ν)^(-3/2) is negative below ν = "
    "1, zero there and positive above; it is convex for ν < (2r-1)/(2-r), r = 2^(2/5), and no further. Constant "
    "features are unstable for every m: ∂T/∂ν at ν = 0 is 2^(-3/2) exp(-m²/4)(1 - m²/2) - 1 < 0.",
    source="arXiv 2511.08544 (the statistic, in its code); derived",
    kind="symbolic",
)
def one_slice(run: Run) -> Verdict:
    """Proofs, the integral on random instances, and signs on grids that hold the turning points."""
    rng = np.random.default_rng([run.seed, 11])
    at = zip(rng.uniform(0, 4, 8), rng.normal(0, 2, 8), strict=True)
    gaps = [epps_pulley(v, m) - slice_distance(v, np.exp(-m * m / (2 * (2 + v)))) for v, m in at]
    below, above = np.linspace(0, 0.999, 1000), np.geomspace(1.001, 1e6, 1000)
    r = 2**0.4
    turn = (2 * r - 1) / (2 - r)
    means = np.linspace(-30, 30, 6001)
    constant = 2**-1.5 * np.exp(-means * means / 4) * (1 - means * means / 2) - 1
    signs = every(slice_slope(below) < 0, slice_slope(above) > 0, constant < 0)
    convex = every(slice_curvature(turn * below) > 0, slice_curvature(turn * above) < 0)
    return proven(
        run,
        PROOFS["M11"],
        largest(np.abs(gaps)) < 1e-11 and signs and convex and abs(slice_curvature(turn)) < 1e-14,
        gap_to_the_integral=largest(np.abs(gaps)),
        T_0=slice_distance(0.0),
        T_infinite=3**-0.5,
        slope_at_0=slice_slope(0.0),
        curvature_at_1=slice_curvature(1.0),
        convex_below=turn,
        least_instability_of_constants=-largest(constant),
    )


@claim(
    "M15",
    title="SIGReg's collapse is a continuous transition",
    statement="For modes that are all alike zero is unstable if and only if θ = a σ² d/(μ λ_s) < 1 - 2^(-3/2). Then "
    "ν* with -T'(ν*) = θ attracts every isotropic ν > 0; above, all collapse: no barrier, no bistability. ν* ≈ (θ_c - "
    "θ)/(3 - 1.5·2^(-5/2)) near θ_c, and the escape from ν₀ takes ln(1/ν₀)/(4μλ_s(θ_c - θ)/d).",
    source="derived",
    kind="symbolic",
)
def continuous_collapse(run: Run) -> Verdict:
    """The linearisation and the form of the flow are proven; ends and times of the flow are integrated."""
    thetas = np.array([0.05, 0.2, 0.4, 0.6])
    table = np.array([0.6706892331, 0.3102195328, 0.1201650953, 0.01779838749])
    rest = np.asarray(slice_rest(thetas))
    rng = np.random.default_rng([run.seed, 15])
    mu, d, lambda_s = rng.uniform(0.5, 2, 3)

    def end(theta: np.ndarray, start: float, time: float) -> np.ndarray:
        k = Alike(mu * theta * lambda_s / d, mu, d, lambda_s - 1, lambda_s)  # σ² = 1
        y0 = Features(np.full(len(theta), start))
        clock = [0.0, time * d / (4 * mu * lambda_s)]
        return np.asarray(integrate(sigreg_alike_flow, y0, k, clock, rtol=1e-11, atol=1e-20, solver="dop853").ys.nu[-1])

    ends = [end(thetas, start, 2000.0) for start in (1e-6, 0.5, 30.0)]
    above = [end(TOTAL_COLLAPSE + np.array([0.02, 0.4]), start, 4000.0) for start in (1e-2, 5.0)]
    close = np.array([1e-3, 1e-4])
    ratio = np.asarray(slice_rest(TOTAL_COLLAPSE - close)) * (3 - 1.5 * 2**-2.5) / close
    starts = np.array([1e-11, 1e-12])  # the escape's time is ln(1/ν₀) over this rate
    rates = np.log(np.array([end(np.array([0.3]), start, 20.0)[0] for start in starts]) / starts) / 20
    return proven(
        run,
        PROOFS["M15"],
        relative_gap(rest, table) < 1e-9
        and largest(np.abs(np.array(ends) - rest)) < 1e-6
        and largest(above) < 1e-6
        and every(np.abs(ratio - 1) < 5 * close)
        and every(np.abs(rates / (TOTAL_COLLAPSE - 0.3) - 1) < 1e-6),
        theta=thetas,
        nu_star=rest,
        gap_of_the_flow_ends=largest(np.abs(np.array(ends) - rest)),
        largest_end_above=largest(above),
        ratio_to_the_expansion=ratio,
        growth_rate_over_4mu_lambda_s_over_d=rates,
    )


@claim(
    "M19",
    title="The bias of a batch, and the variance that it prefers",
    statement="Of n samples the statistic is T_n = n⁻² Σ_ij exp(-(z_i-z_j)²/2) - (√2/n) Σ_i exp(-z_i²/4) + 3^(-1/2). "
    "For independent z ~ N(0, ν) its expectation exceeds T by (1 - (1+2ν)^(-1/2))/n, so it is least at ν_n = "
    "(2c-1)/(2-c), c = (1 - 1/n)^(2/3): 0.189718, 0.764535, 0.938459, 0.992203 for n = 2, 8, 32, 256.",
    source="derived",
    kind="symbolic",
)
def bias_of_a_batch(run: Run) -> Verdict:
    """The pairs against the integral of one sample; the bias against draws; the minimum against a search."""
    rng = np.random.default_rng([run.seed, 19])
    z = rng.normal(0.2, 1.3, 9)
    x, w = np.polynomial.hermite_e.hermegauss(120)
    integral = w @ np.abs(np.exp(1j * np.outer(x, z)).mean(axis=1) - np.exp(-x * x / 2)) ** 2 / np.sqrt(2 * np.pi)
    gap = abs(pairs(z[None])[0] - integral)
    scores = []
    for v, size in ((0.5, 4), (1.0, 16), (2.0, 7)):
        found = pairs(rng.normal(0, np.sqrt(v), (40000, size)))
        expected = slice_distance(v) + (1 - (1 + 2 * v) ** -0.5) / size
        scores.append((found.mean() - expected) / (found.std() / np.sqrt(len(found))))
    sizes = np.array([2, 8, 32, 256])
    mean = lambda v, size: slice_distance(v) + (1 - (1 + 2 * v) ** -0.5) / size  # noqa: E731
    found = [
        scipy.optimize.minimize_scalar(mean, bounds=(0, 2), args=(size,), method="bounded", options={"xatol": 1e-10}).x
        for size in sizes
    ]
    rests = np.asarray(sample_rest(sizes))
    return proven(
        run,
        PROOFS["M19"],
        gap < 1e-11
        and largest(np.abs(scores)) < 5
        and largest(np.abs(rests - [0.189718, 0.764535, 0.938459, 0.992203])) < 1e-6
        and largest(np.abs(rests - found)) < 1e-6,
        gap_of_the_pairs=gap,
        z_scores_of_the_bias=scores,
        sizes=sizes,
        nu_n=rests,
        nu_n_by_search=found,
    )


def pairs(z: np.ndarray) -> np.ndarray:
    """T_n of each row of z (…, n)."""
    each = np.exp(-((z[..., :, None] - z[..., None, :]) ** 2) / 2).mean(axis=(-2, -1))
    return each - np.sqrt(2) * np.exp(-(z**2) / 4).mean(axis=-1) + 3**-0.5
