"""Derivatives of the closed forms, p(t) through the implicit function theorem: in every constant, at every place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.equations import Commuting, Isotropic
from linbyol.exact import escape_time, parabola, parabola_time, separatrix
from linbyol.fixed_points import predictor_roots


def test_gradients_where_p_has_arrived():
    """Long after, p is p_plus: its derivatives are those of p_plus, and 0 in p0 and t."""

    def arrived(p0, eta, sigma2, t):
        return parabola(p0, Isotropic(1.0, 0.0, eta, sigma2), t)

    found = jax.grad(arrived, argnums=(0, 1, 2, 3))(0.2, 0.05, 0.5, 1e5)
    expected = jax.grad(lambda eta, sigma2: predictor_roots(Isotropic(1.0, 0.0, eta, sigma2))[2], argnums=(0, 1))(
        0.05, 0.5
    )
    np.testing.assert_allclose(found[1:3], expected, rtol=1e-12)
    assert found[0] == found[3] == 0


def test_gradients_at_the_fixed_points():
    """The start is forgotten or, at the saddle, amplified: dp/dp0 = exp(rate t) with the rates of the fixed points."""
    k = Isotropic(1.0, 0.0, 0.05, 0.5)
    points = jnp.stack(predictor_roots(k))
    slopes = jax.vmap(jax.grad(lambda p0: parabola(p0, k, 4.0)))(points)
    np.testing.assert_allclose(slopes, jnp.exp(4 * jnp.where(points == 0, -0.05, 0.1 - points)), rtol=1e-12)


def test_second_derivatives():
    def p(p0):
        return parabola(p0, Isotropic(1.0, 0.0, 0.05, 0.3), 3.0)

    low, middle, high = p(jnp.array([0.199, 0.2, 0.201]))
    # central differences at h = 1e-3 err by h²/12 times the fourth derivative (scale of p: 0.1), and by 1e-16/h²
    np.testing.assert_allclose(jax.jacfwd(jax.jacfwd(p))(0.2), (high - 2 * middle + low) / 1e-6, rtol=1e-4)


def at(eta, sigma2, tau, alpha_p=1.0):
    return Isotropic(alpha_p, 0.0, eta, sigma2, tau)


_, LOW, HIGH = map(float, predictor_roots(at(0.05, 0.25, 1.0)))
SHARES = (0.0, 1e-4, 0.3, 0.6, 1 - 1e-7, 1.0, 1 + 1e-7, 1.5)  # of eta_c
# name -> f(x), and points x = (p0, eta, and what else f depends on)
PLACES = {
    "parabola of commuting data": (
        lambda x: parabola(x[0], Commuting(1.0, 0.0, *x[1:4]), x[4]),
        [(p0, share * 0.9**2 / 5.2, 0.9, 1.3, 4) for share in SHARES for p0 in (-0.4, 0.03, 0.2, 0.6, 2.0)],
    ),
    "parabola": (
        lambda x: parabola(x[0], at(*x[1:4]), x[4]),
        [
            (0, 0.3, 0.25, 1, 3), (0, 0.05, 0.25, 1, 3), (0, 0, 0.25, 1, 3), (LOW, 0.05, 0.25, 1, 3),
            (HIGH, 0.05, 0.25, 1, 3), (0.4, 0.2, 0.25, 1, 3), (0.8, 0, 0.25, 1, 3), (0.2, 0.05, 0.25, 1, 0),
            (-LOW, 0.05, 0.25, -1, 3), (-0.3, 0.05, 0.25, -1, 3), (0.3, 0, 0.25, 0, 3), (0.3, 0.1, 0.25, 0, 3),
            (0.3, 1e-12, 0.25, 1e-9, 3), (200, 0.05, 0.25, 1, 3),
        ],
    ),
    "parabola_time": (
        lambda x: parabola_time(x[4], x[0], at(*x[1:4])),
        [
            (0.2, 0.05, 0.25, 1, 0.2), (0.2, 0.05, 0.25, 1, 0.5), (0.2, 0, 0.25, 1, 0.5), (0.9, 0.2, 0.25, 1, 0.6),
            (0.9, 0.3, 0.25, 1, 0.6), (-0.3, 0.05, 0.25, -1, -0.5), (0.3, 0, 0.25, 0, 0.1), (9.0, 0, 0.25, 1, 8.0),
        ],
    ),
    "escape_time": (
        lambda x: escape_time(x[0], at(*x[1:4]), x[4]),
        [
            (0.2, 0.05, 0.25, 1, 0.7), (0.2, 0, 0.25, 1, 0.7), (-0.2, 0.05, 0.25, -1, 0.7), (0.9, 0.05, 0.25, 1, 0.7),
            (0.01, 0.05, 0.25, 1, 0.7), (HIGH, 0.05, 0.25, 1, 0.7), (0, 0.05, 0.25, 1, 0.7),
        ],
    ),
    "separatrix": (
        lambda x: separatrix(at(*x[1:4], x[4]), x[0]),
        [
            (LOW, 0.05, 0.25, 1, 1.3), (-LOW, 0.05, 0.25, -1, 1.3), (0.2, 0.05, 0.25, 1, 1.3), (0, 0.05, 0.25, 1, 1.3),
            (-0.3, 0.05, 0.25, 1, 1.3), (1.1, 0.15, 0.25, 1, 1.3), (-0.5, 0, 0.25, 1, 1.3), (0.3, 0, 0.25, 1, 1.3),
        ],
    ),
    "predictor_roots": (
        lambda x: jnp.stack(predictor_roots(at(*x[1:4]))),
        [(0, 0, 0.25, 1, 0), (0, 0.05, 0.25, 1, 0), (0, 0.05, 0.25, -1, 0), (0, 0.195, 0.25, 1, 0)],
    ),
}  # fmt: skip


def differences(f, x, h=1e-5):
    """Slopes of f, from three points: about x, or from x on where x = 0 has no neighbour (eta < 0, t < 0)."""
    eye = np.eye(x.shape[1])
    bounded = (x == 0) & np.array([False, True, False, False, True])
    offsets = np.where(bounded, 1.0, 0.0)[:, :, None] + np.array([-1, 0, 1])  # (points, variables, 3)
    weights = np.where(bounded[:, :, None], [-3.0, 4, -1], [-1.0, 0, 1]) / (2 * h)
    values = f((x[:, None, None, :] + h * offsets[..., None] * eye[:, None, :]).reshape(-1, x.shape[1]))
    values = np.asarray(values).reshape(*offsets.shape, *values.shape[1:])
    return np.einsum("mvj,mvj...->m...v", weights, np.where(np.isfinite(values), values, 0))


@pytest.mark.parametrize("name", PLACES)
def test_derivatives_where_formulas_meet(name):
    """At fixed points, at thresholds, without decay or signal: those of differences, in either mode, mapped."""
    f, points = PLACES[name]
    x = np.array(points, float)
    slopes = differences(jax.jit(jax.vmap(f)), x)
    for jacobian in (jax.jacfwd, jax.jacrev):
        found = jax.jit(jax.vmap(jacobian(f)))(x)
        # differences err by h² = 1e-10 times third derivatives, and by 1e-16/h
        np.testing.assert_allclose(found, slopes, rtol=1e-5, atol=1e-6)


def test_derivatives_at_the_double_root_in_closed_form():
    """There ṗ and its slope vanish, so p(t) moves by δp0 - p δeta t."""
    p = lambda p0, eta: parabola(p0, at(eta, 0.25, 1.0), 3.0)  # noqa: E731
    np.testing.assert_allclose(jax.jacfwd(p, (0, 1))(0.4, 0.2), (1, -1.2), rtol=1e-12)


def test_p_plus_grows_with_tau_where_there_is_no_signal():
    """p_plus = tau/κ without decay, of either sign."""
    slope = jax.jacfwd(lambda tau: predictor_roots(at(0.0, 0.25, tau))[2])(0.0)
    np.testing.assert_allclose(slope, 0.8, rtol=1e-12)
