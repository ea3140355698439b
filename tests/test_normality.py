"""Distances of Gaussian features from N(0, I): closed forms against SciPy's Carlson integrals and plain cubatures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special

from linbyol.checks import InputError
from linbyol.equations import sigreg as equations
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.exact import (
    TOTAL_COLLAPSE,
    bhep_distance,
    dropped_at,
    isotropic_slice_mean,
    last_mode_pull,
    sample_rest,
    slice_distance,
    slice_mean,
    slice_rest,
)
from linbyol.integrate import integrate

ROUNDING = 1e-13  # some ten operations on numbers of order one


def epps_pulley(nu, m):
    """E_t |E exp(itz) - exp(-t²/2)|² for z ~ N(m, nu), by adaptive quadrature."""
    gap = lambda t: abs(np.exp(1j * m * t - nu * t * t / 2) - np.exp(-t * t / 2)) ** 2  # noqa: E731
    weighted = lambda t: gap(t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    return scipy.integrate.quad(weighted, -12, 12, epsabs=1e-13, epsrel=1e-13, limit=200)[0]


def on_the_sphere(f, nu):
    """Means of f(u) over unit vectors of two or three dimensions, by a trapezoid and by Gauss and trapezoid."""
    angles = np.arange(400) * 2 * np.pi / 400
    if len(nu) == 2:
        return np.mean([f(np.array([np.cos(a), np.sin(a)])) for a in angles], axis=0)
    x, w = np.polynomial.legendre.leggauss(60)
    return sum(
        w_i / 2 * np.mean([f(np.array([r * np.cos(a), r * np.sin(a), x_i])) for a in angles[::4]], axis=0)
        for x_i, w_i in zip(x, w, strict=True)
        for r in [np.sqrt(1 - x_i * x_i)]
    )


def slope(nu):
    return (2 + nu) ** -1.5 - (1 + 2 * nu) ** -1.5


def distance(nu):
    return (1 + 2 * nu) ** -0.5 - 2 * (2 + nu) ** -0.5 + 3**-0.5


@pytest.mark.parametrize(("nu", "m"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.7), (2.7, -1.9), (0.0, 3.0)])
def test_one_slice_is_epps_and_pulleys_integral(nu, m):
    assert abs(float(slice_distance(nu, m)) - epps_pulley(nu, m)) < 1e-12  # of the quadrature


def test_the_mean_over_slices_is_carlsons_function():
    rng = np.random.default_rng(1)
    for nu in rng.uniform(0, 3, (4, 3)):
        truth = scipy.special.elliprf(*(1 + 2 * nu)) - 2 * scipy.special.elliprf(*(2 + nu)) + 3**-0.5
        assert abs(float(slice_mean(nu)) - truth) < ROUNDING
        a, b = (
            np.array([scipy.special.elliprd(*np.roll(z, -1 - i)) for i in range(3)]) / 3 for z in (2 + nu, 1 + 2 * nu)
        )
        np.testing.assert_allclose(equations.slice_gradient(nu), a - b, atol=ROUNDING)


@pytest.mark.parametrize("nu", [(0.3, 2.0), (0.0, 1.7), (0.9, 0.9), (0.2, 0.9, 2.5)])
def test_the_mean_over_slices_is_a_mean_over_slices(nu):
    nu = np.array(nu)
    assert abs(float(slice_mean(nu)) - on_the_sphere(lambda u: distance(nu @ (u * u)), nu)) < ROUNDING
    truth = on_the_sphere(lambda u: slope(nu @ (u * u)) * u * u, nu)
    np.testing.assert_allclose(equations.slice_gradient(nu), truth, atol=ROUNDING)
    np.testing.assert_allclose(jax.grad(slice_mean)(jnp.array(nu)), truth, atol=ROUNDING)


@pytest.mark.parametrize("d", [1, 2, 3, 8, 64])
def test_equal_variances_share_the_slope_of_one_slice(d):
    """Where Σ_z = nu I every slice has the variance nu: R = T(nu), and its gradient is T'(nu)/d, finite and right."""
    nu = np.full(d, 0.37)
    assert abs(float(slice_mean(nu)) - distance(0.37)) < ROUNDING
    for found in (jax.grad(slice_mean)(jnp.array(nu)), equations.slice_gradient(nu)):
        np.testing.assert_allclose(found, slope(nu) / d, rtol=1e-11, atol=ROUNDING)
    matrix = equations.slice_gradient_matrix(np.diag(nu))
    np.testing.assert_allclose(matrix, np.eye(d) * slope(0.37) / d, atol=ROUNDING)


def test_the_matrix_gradient_turns_with_the_features():
    rng = np.random.default_rng(2)
    Q, nu = np.linalg.qr(rng.standard_normal((5, 5)))[0], rng.uniform(0, 3, 5)
    found = equations.slice_gradient_matrix((Q * nu) @ Q.T)
    np.testing.assert_allclose(Q.T @ found @ Q, np.diag(equations.slice_gradient(nu)), atol=ROUNDING)


@pytest.mark.parametrize("ratio", [1e2, 1e4])
def test_the_quadrature_holds_far_from_equal_variances(ratio):
    """Against the arithmetic-geometric mean, which knows no grid."""
    z = np.array([1.0, ratio])
    a, b = np.sqrt(z)
    for _ in range(20):
        a, b = (a + b) / 2, np.sqrt(a * b)
    assert abs(equations.mean_inverse_root(z) * a - 1) < 1e-12


@pytest.mark.parametrize(("d", "size"), [(2, 0.5), (3, 4.0), (7, 25.0)])
def test_a_mean_of_equal_variances_is_kummers_function(d, size):
    m = np.zeros(d)
    m[0] = size
    x = size**2 / (2 * 2.6)
    truth = 2.2**-0.5 - 2 * 2.6**-0.5 * scipy.special.hyp1f1(0.5, d / 2, -x) + 3**-0.5
    assert abs(float(isotropic_slice_mean(0.6, m)) - truth) < ROUNDING


def test_bhep_is_its_integral_and_the_slices_where_there_is_one():
    """d = 1, beta = 1 is T; d = 2 by a product of Gauss and Hermite."""
    assert abs(float(bhep_distance([0.4], 0.7)) - float(slice_distance(0.4, 0.7))) < ROUNDING
    S, m, beta = np.array([[1.3, 0.4], [0.4, 0.6]]), np.array([0.3, -0.8]), 0.7
    x, w = np.polynomial.hermite_e.hermegauss(60)
    t = beta * np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)
    quadratic = np.einsum("abi,ij,abj->ab", t, S, t)
    gap = np.abs(np.exp(1j * t @ m - quadratic / 2) - np.exp(-np.sum(t * t, axis=-1) / 2)) ** 2
    truth = np.einsum("a,b,ab->", w, w, gap) / (2 * np.pi)
    assert abs(float(bhep_distance(S, m, beta=beta)) - truth) < ROUNDING


def test_rests_solve_their_equations():
    theta = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.64])
    nu = np.asarray(slice_rest(theta))
    np.testing.assert_allclose(-slope(nu), theta, atol=ROUNDING)
    assert float(slice_rest(TOTAL_COLLAPSE)) == float(slice_rest(0.7)) == 0
    step = 1e-5
    ahead, behind = (
        scipy.optimize.brentq(lambda x, t=t: slope(x) + t, 0, 1, xtol=1e-15) for t in (0.3 + step, 0.3 - step)
    )
    assert abs(float(jax.grad(slice_rest)(0.3)) - (ahead - behind) / (2 * step)) < 1e-8  # step² times third derivatives
    n = np.array([2, 8, 32, 256])
    found = np.asarray(sample_rest(n))
    expected_slope = (1 + 2 * found) ** -1.5 / n  # of the bias (1 - (1 + 2 nu)^(-1/2))/n
    np.testing.assert_allclose(slope(found) + expected_slope, 0, atol=ROUNDING)
    assert float(sample_rest(1)) == 0


def test_the_released_constants_drop_modes_long_before_they_collapse():
    for d, last in ((16, 0.4042), (128, 0.0407)):
        found = dropped_at(d)
        assert abs(found.last_mode - last) < 1e-4
        assert abs(found.all_modes - 11.29) < 1e-2
        nu = np.ones(d)
        nu[0] = 0
        assert last_mode_pull(d) == -equations.slice_gradient(nu)[0]


NEGATIVE = RegularisedModes(1.0, -2.0, 1.0, 2.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: slice_mean([-1.0, 2.0]), "Argument `nu` must be at least 0, but is -1."),
        (lambda: slice_mean([[1.0]]), r"Argument `nu` must be a vector \(d,\) of variances, but has shape \(1, 1\)."),
        (lambda: slice_distance(-0.5), "Argument `nu` must be at least 0, but is -0.5."),
        (
            lambda: bhep_distance([[1.0, 2.0], [2.0, 1.0]]),
            "Argument `Sigma` must be positive semidefinite, but has the eigenvalue -1.",
        ),
        (lambda: bhep_distance([1.0, -2.0]), "Argument `Sigma` must be at least 0, but is -2."),
        (lambda: bhep_distance([1.0, 2.0], beta=0.0), "Argument `beta` must be positive, but is 0."),
        (
            lambda: integrate(equations.sigreg_modes_flow, Features(np.ones(2)), NEGATIVE, [0.0, 1.0]),
            "Argument `mu` must be at least 0, but is -2.",
        ),
        (lambda: slice_rest(-0.1), "Argument `theta` must be at least 0, but is -0.1."),
        (lambda: sample_rest(0), "Argument `n` must be at least 1, but is 0."),
        (lambda: dropped_at(0), "Argument `d` must be a positive whole number, but is 0."),
        (lambda: dropped_at(4, lamb=1.0), "Argument `lamb` must lie between 0 and 1, but is 1.0."),
    ],
)
def test_what_no_covariance_can_be_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
