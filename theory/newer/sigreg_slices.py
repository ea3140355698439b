"""M12, M13, M16, M17, M22: the mean over all slices of SIGReg, its gradient, and its critical points."""

from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize
import scipy.special
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.bhep import bhep_gradient
from linbyol.equations.sigreg import (
    mean_inverse_root,
    slice_curvature,
    slice_distance,
    slice_gradient,
    slice_gradient_matrix,
    slice_slope,
)
from linbyol.exact import TOTAL_COLLAPSE, isotropic_slice_mean, last_mode_pull, slice_mean
from linbyol.extremes import every, largest, least, relative_gap
from theory.newer.sphere import mean, slices, weighted_mean
from theory.proving.instances import moment
from theory.proving.prover import Equal, Space, proven, slope

ROUNDING = 1e-12  # cubatures of some thousand terms of order one
CURVATURE = float(slice_curvature(1.0))  # T″(1)


def _critical(size: int) -> Equal:
    """Σ (nu_i - 1) T'(s) u_i² = T'(s) (s - 1) at s = Σ nu_i u_i², for a unit u of explicit size; T' any function."""
    nu, free = sp.symbols(f"nu:{size}"), sp.symbols(f"v:{size - 1}")
    squares = (*free, 1 - sum(free))  # u_i²
    s, T = sum(a * b for a, b in zip(nu, squares, strict=True)), sp.Symbol("T")
    return Equal(
        Space(nu, T, dimensions="2, 3, 5 features"),
        lambda nu, T: sum((a - 1) * T * b for a, b in zip(nu, squares, strict=True)),
        lambda nu, T: T * (s - 1),
    )


def _linear(k: Any, v: Any) -> Any:
    """The share of mode v in g_k at I, to first order in the excess: T″(1) E[u_k² u_v²], by moments of the sphere."""
    d = sp.Symbol("d", positive=True)
    return sp.Symbol("T2") * (3 if k == v else 1) / (d * (d + 2))


d, T2 = sp.Symbol("d", positive=True), sp.Symbol("T2")
PROOFS = {
    "M13": tuple(_critical(size) for size in (2, 3, 5)),
    "M17": (
        # scale: all excesses alike, shape: an excess of one mode against another
        Equal(Space(d, None), lambda d, _: _linear(0, 0) + (d - 1) * _linear(0, 1), lambda d, _: T2 / d),
        Equal(Space(d, None), lambda d, _: _linear(0, 0) - _linear(0, 1), lambda d, _: 2 * T2 / (d * (d + 2))),
    ),
}


@claim(
    "M12",
    title="The mean over slices is Carlson's R-function",
    statement="R(Σ_z) = E_u T(uᵀΣ_z u) is R_{-1/2}(½, …, ½; 1+2ν) - 2 R_{-1/2}(½, …, ½; 2+ν) + 3^(-1/2): an "
    "arithmetic-geometric mean for d = 2, R_F for d = 3 with gradients in R_D, √(2/π) Γ(d/2)/Γ((d-1)/2) "
    "2∫Π(1+2x²z_i)^(-1/2) dx for any d ≥ 2; for Σ_z = νI and a mean m the exponential of T becomes ₁F₁(½; d/2; "
    "-|m|²/(2(2+ν))).",
    source="derived",
    kind="numeric",
)
def carlson(run: Run) -> Verdict:
    """Each form on random variances against a cubature of the sphere, or against SciPy."""
    rng = np.random.default_rng([run.seed, 12])
    gaps: dict[str, list] = {"agm": [], "R_F": [], "R_D": [], "integral": [], "1F1": []}
    for _ in range(4):
        two, three, many = (rng.uniform(0, 3, size) for size in (2, 3, int(rng.integers(4, 9))))
        gaps["agm"].append(float(slice_mean(two)) - mean(slice_distance, np.diag(two)))
        R_F = scipy.special.elliprf(*(1 + 2 * three)) - 2 * scipy.special.elliprf(*(2 + three)) + 3**-0.5
        gaps["R_F"] += [float(slice_mean(three)) - R_F, R_F - mean(slice_distance, np.diag(three))]
        g = [(_R_D(2 + three, i) - _R_D(1 + 2 * three, i)) / 3 for i in range(3)]
        of_slices = np.diag(weighted_mean(slice_slope, np.diag(three)))
        gaps["R_D"] += [np.abs(slice_gradient(three) - g).max(), np.abs(g - of_slices).max()]
        gaps["integral"].append(mean_inverse_root(1 + 2 * many) - _integral(1 + 2 * many))
        m, v = rng.standard_normal(3) * 2, rng.uniform(0, 2)
        u, w = slices(3)
        of_means = w @ slice_distance(v, np.exp(-((u @ m) ** 2) / (2 * (2 + v))))
        gaps["1F1"].append(float(isotropic_slice_mean(v, m)) - of_means)
    worst = {name: largest(np.abs(found)) for name, found in gaps.items()}
    example = float(slice_mean([0.3, 2.0])), float(slice_mean([0.2, 0.9, 2.5]))
    return holds_if(
        largest(worst) < 1e-9 and abs(example[0] - 0.01720900757) < 1e-11 and abs(example[1] - 0.0148090333) < 1e-10,
        largest_gaps=worst,
        examples_d_2_and_3=example,
    )


def _R_D(z: np.ndarray, last: int) -> float:
    return float(scipy.special.elliprd(*np.roll(z, -1 - last)))


def _integral(z: np.ndarray) -> float:
    """The integral over x by adaptive quadrature."""
    d, f = len(z), lambda x: float(np.prod(1 + 2 * x * x * z) ** -0.5)
    found = scipy.integrate.quad(f, 0, np.inf, epsabs=1e-13, epsrel=1e-13, limit=400)[0]
    return np.sqrt(2 / np.pi) * np.exp(scipy.special.gammaln(d / 2) - scipy.special.gammaln((d - 1) / 2)) * 2 * found


@claim(
    "M13",
    title="White features are SIGReg's only critical point of full rank",
    statement="Σ_i (ν_i - 1) g_i = E_u[T'(s)(s - 1)], s = uᵀΣ_z u, and this is positive unless Σ_z = I: so all g_i "
    "vanish at Σ_z = I alone, although R is not convex.",
    source="derived",
    kind="symbolic",
)
def only_white(run: Run) -> Verdict:
    """The identity on symbols; both sides on random covariances; the sign, on many of up to twelve features."""
    rng = np.random.default_rng([run.seed, 13])
    gaps = []
    for size in (2, 3) * 4:
        S = 3 * moment(rng, size)
        left = np.sum((S - np.eye(size)) * slice_gradient_matrix(S))
        gaps.append(left - mean(lambda s: slice_slope(s) * (s - 1), S))
    signs = []
    for _ in range(300):
        nu = rng.lognormal(0, rng.choice([0.01, 0.3, 2.0]), rng.integers(2, 13)) * rng.choice([0.1, 1, 10])
        signs.append(np.sum((nu - 1) * slice_gradient(nu)) / np.mean(np.minimum(1, (nu - 1) ** 2)))
    flat = np.array([10.0, 10.0, 10.0])  # where R is not convex: T″ < 0 along the scale
    return proven(
        run,
        PROOFS["M13"],
        largest(np.abs(gaps)) < 1e-9 and least(signs) > 0 and slice_curvature(flat[0]) < 0,
        gap_of_the_identity=largest(np.abs(gaps)),
        covariances=len(signs),
        least_over_squared_distance=least(signs),
    )


@claim(
    "M16",
    title="One collapsed mode is pulled far more weakly than all of them",
    statement="With one mode at 0 and the others at 1 SIGReg's pull -g is E[-T'(1-u²)u²] = 0.1711851862, "
    "0.07061749806, 0.007075744038, 0.001446730021, 7.525767535e-5, 1.821082080e-5 for d = 2, 3, 8, 16, 64, 128, "
    "asymptotically 3T''(1)/(d(d+2)); from total collapse it is (1 - 2^(-3/2))/d. BHEP's are 3^(-(d-1)/2)(1 - "
    "2^(-3/2)) and 1 - 2^(-d/2-1).",
    source="derived",
    kind="numeric",
)
def weak_pull(run: Run) -> Verdict:
    """The closed quadrature against a one-dimensional integral over u, u² being Beta(½, (d-1)/2)."""
    dims = np.array([2, 3, 8, 16, 64, 128])
    table = np.array([0.1711851862, 0.07061749806, 0.007075744038, 0.001446730021, 7.525767535e-5, 1.821082080e-5])
    pulls = np.array([last_mode_pull(int(d)) for d in dims])
    marginal = np.array([_over_one_slice(lambda x: -slice_slope(1 - x) * x, int(d)) for d in dims])
    ratio = pulls * dims * (dims + 2) / (3 * CURVATURE)
    total = np.array([-slice_gradient(np.zeros(d))[0] * d for d in dims])
    one, all_of_them = [], []
    for d in dims[:4]:
        nu = np.ones(d)
        nu[0] = 0
        one.append(-bhep_gradient(nu, 1)[0] / (3 ** (-(d - 1) / 2) * TOTAL_COLLAPSE))
        all_of_them.append(-bhep_gradient(np.zeros(d), 1)[0] / (1 - 2 ** (-d / 2 - 1)))
    return holds_if(
        relative_gap(pulls, table) < 1e-9
        and every(np.abs(pulls / marginal - 1) < 1e-9)
        and every(np.diff(np.abs(ratio - 1)[2:]) < 0)
        and abs(ratio[-1] - 1.0497) < 5e-5
        and every(np.abs(total / TOTAL_COLLAPSE - 1) < 1e-12)
        and every(np.abs(np.array([one, all_of_them]) - 1) < ROUNDING),
        d=dims,
        pulls=pulls,
        by_the_marginal=marginal,
        ratio_to_the_asymptote=ratio,
        total_pull_times_d=total,
    )


def _over_one_slice(f: Any, d: int) -> float:
    """E f(u²) of one coordinate of a unit vector, u = cos θ with density ~ sin^(d-2) θ."""
    density = lambda a: np.sin(a) ** (d - 2)  # noqa: E731
    integral = lambda g: scipy.integrate.quad(g, 0, np.pi / 2, epsabs=0, epsrel=1e-11, limit=400)[0]  # noqa: E731
    return integral(lambda a: f(np.cos(a) ** 2) * density(a)) / integral(density)


@claim(
    "M17",
    title="Near white features scale relaxes faster than shape",
    statement="Near I, g_i = T''(1)(2δ_i + Σ_k δ_k)/(d(d+2)) for ν = 1 + δ, so that (λ_s = 1, no invariance) scale "
    "relaxes at 4T''(1)μ/d, shape at 8T''(1)μ/(d(d+2)): (d+2)/2 times slower. BHEP's g is 3^(-d/2-2)(I + ½11ᵀ)δ.",
    source="derived",
    kind="symbolic",
)
def near_white(run: Run) -> Verdict:
    """The moments of the sphere give the law; the derivatives of the code at I, by imaginary steps, meet it."""
    gaps, rates, of_bhep = [], [], []
    for d in (2, 3, 8, 32):
        one, unit = np.ones(d), np.eye(d)
        jacobian = np.array([slope(slice_gradient, one, e) for e in unit])
        gaps.append(np.abs(jacobian - CURVATURE * (2 * unit + 1) / (d * (d + 2))).max())
        found = np.sort(np.linalg.eigvalsh(4 * jacobian))
        shape, scale = 8 * CURVATURE / (d * (d + 2)), 4 * CURVATURE / d
        rates += [np.abs(found[:-1] / shape - 1).max(), abs(found[-1] / scale - 1)]
        jacobian = np.array([slope(lambda nu: bhep_gradient(nu, 1), one, e) for e in unit])
        of_bhep.append(np.abs(jacobian * 3 ** (d / 2 + 2) - unit - 0.5).max())
    return proven(
        run,
        PROOFS["M17"],
        largest(gaps) < 1e-7 and largest(rates) < 1e-7 and largest(of_bhep) < 1e-7,
        gap_of_the_jacobian=largest(gaps),
        gap_of_the_rates=largest(rates),
        gap_of_bhep=largest(of_bhep),
    )


@claim(
    "M22",
    title="SIGReg's critical points of lower rank are saddles",
    statement="Where g_i = 0 on the range of Σ_z, Σ g_i over the rest is -E[T'(s)(s-1)] < 0: every critical point of "
    "lower rank is a strict saddle. Rank one: ν = 1.791751, 2.711543, 7.783627, 16.124227 and g = -0.131006, "
    "-0.0821118, -0.0275897, -0.0132666 on the rest, for d = 2, 3, 8, 16.",
    source="derived",
    kind="numeric",
)
def saddles(run: Run) -> Verdict:
    """Rank-one points by a root of the integral over one slice; points of every rank of d = 6, all alike, too."""
    table = {
        2: (1.791751, -0.131006),
        3: (2.711543, -0.0821118),
        8: (7.783627, -0.0275897),
        16: (16.124227, -0.0132666),
    }
    found, off = {}, []
    for d, expected in table.items():
        root = scipy.optimize.brentq(lambda v, d=d: _over_one_slice(lambda x: slice_slope(v * x) * x, d), 0.5, 60)
        g = slice_gradient(np.r_[root, np.zeros(d - 1)])
        found[d] = root, g[-1]
        off += [abs(root / expected[0] - 1), abs(g[-1] / expected[1] - 1)]
        off.append(abs(g[0]) / abs(g[-1]))
    rest, sums = [], []
    for rank in range(1, 6):
        at = lambda v, rank=rank: np.r_[np.full(rank, v), np.zeros(6 - rank)]  # noqa: E731
        root = scipy.optimize.brentq(lambda v: slice_gradient(at(v))[0], 0.5, 60, xtol=1e-13)  # noqa: B023
        g = slice_gradient(at(root))
        rest.append(g[-1])
        sums.append(g[rank:].sum() + np.sum((at(root) - 1) * g))
    return holds_if(
        largest(off) < 1e-5 and largest(rest) < 0 and largest(np.abs(sums)) < 1e-10,
        nu_and_g_of_rank_one={str(d): pair for d, pair in found.items()},
        g_on_the_rest_by_rank=rest,
        gap_of_the_sum=largest(np.abs(sums)),
    )
