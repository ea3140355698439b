"""The separatrix is an orbit of the flow, and the edge of what collapses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linbyol.equations import Commuting, Isotropic, Modes, modes_flow
from linbyol.exact import collapses, separatrix
from linbyol.fixed_points import critical_eta, predictor_roots

EDGE = 1e-6  # of the edges of basins


@pytest.mark.parametrize("share", [0.02, 0.2, 0.99, 1.0])
def test_separatrix_is_an_orbit_through_the_saddle(share):
    """ds/dp along it is ṡ/ṗ, on either side, and it meets the parabola at p_minus."""
    k = Isotropic(1.7, 0.0, 0.0, 0.4, 0.8)
    k = k._replace(eta=share * critical_eta(k))
    _, p_minus, _ = predictor_roots(k)
    unit = 0.8 / 1.4
    np.testing.assert_allclose(separatrix(k, p_minus), p_minus**2 / 1.7, rtol=1e-13)
    p = jnp.concatenate([jnp.array([-30, -1, -0.1, 0, 0.5, 0.97, 0.999]), jnp.array([1.0001, 1.1, 1.5])]) * p_minus
    p = jnp.concatenate([p, jnp.array([0.7, 1.0, 1.4, 2.0, 3.5]) * unit])
    h = 1e-4 * jnp.maximum(jnp.abs(p), p_minus)
    s = separatrix(k, p)
    log_slope = (jnp.log(separatrix(k, p + h)) - jnp.log(separatrix(k, p - h))) / (2 * h)
    rate = modes_flow(Modes(p, s, 0.8), k)
    # central differences: h² times the third derivative, whose scale is p_minus³ or, past it, (eta/tau)³
    np.testing.assert_allclose(log_slope, rate.s / rate.p / s, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_separatrix_against_an_independent_solution(seed):
    """Backwards in time from next to the saddle by DOP853 at 1e-13, in (p, ln s) right of it and in (p, c) left."""
    rng = np.random.default_rng(seed)
    for _ in range(8):
        mu = rng.uniform(0.05, 0.49)  # p_minus in units of a/b
        e = mu * (1 - mu)
        k = Commuting(1.0, 0.0, e, 1.0, 1.0)
        slope = -mu * (3 - 4 * mu) / (1 - mu)  # of c = s - p² along it, at the saddle
        left = rng.uniform() < 0.5
        goal = rng.uniform(-2, 0.9 * mu) if left else rng.uniform(1.2 * mu, 2.5)
        x = mu * (1 + (-1e-7 if left else 1e-7))
        arrived = lambda t, y: y[0] - goal  # noqa: B023, E731
        arrived.terminal = True

        def rate(t, y):
            s = y[0] ** 2 + y[1] if left else np.exp(y[1])  # noqa: B023
            p = y[0]
            second = -2 * e * y[1] if left else 2 * (p * (1 - p) - e)  # noqa: B023
            return [-(s * (1 - p) - e * p), -second]  # noqa: B023

        c = slope * (x - mu)
        y0 = [x, c] if left else [x, np.log(x * x + c)]
        solved = solve_ivp(rate, (0, 1e5), y0, method="DOP853", rtol=1e-13, atol=1e-18, events=arrived)
        p, second = solved.y_events[0][0]
        expected = p * p + second if left else np.exp(second)
        assert abs(separatrix(k, goal) / expected - 1) < 1e-8  # the issue's; its start errs by 1e-14


def test_separatrix_without_decay_at_the_threshold_and_above():
    k = Isotropic(2.0, 0.0, 0.0, 0.25)
    p = jnp.array([-1.0, 0.0, 0.5, 0.8, 1.0])
    np.testing.assert_allclose(separatrix(k, p), [0.5, 0, 0, 0, (1 - 0.64) / 2], atol=1e-16)
    at = separatrix(k._replace(eta=critical_eta(k)), p)
    assert np.isfinite(at).all()
    np.testing.assert_allclose(at, separatrix(k._replace(eta=critical_eta(k) * (1 - 1e-12)), p), rtol=1e-5)
    assert np.isnan(separatrix(k._replace(eta=0.21), p)).all()


def test_the_basin_jumps_at_no_decay():
    """As eta → 0 the edge is alpha_p s = p² - (2 tau/κ)², at eta = 0 it is p² - (tau/κ)²."""
    k = Isotropic(1.0, 0.0, jnp.array([0.0, 1e-8, 1e-6]), 0.25)
    np.testing.assert_allclose(separatrix(k, 2.0), [4 - 0.64, 4 - 4 * 0.64, 4 - 4 * 0.64], rtol=1e-5)  # + eta/eta_c


def ends_at_zero(p0, s0, k, t1):
    """By LSODA in (p, ln s), which resolves any s > 0."""
    alpha_p, a, b, eta = (float(x) for x in (k.alpha_p, k.lambda_d * getattr(k, "tau", 1), k.lambda_s, k.eta))

    def rate(t, y):
        return [alpha_p * np.exp(y[1]) * (a - b * y[0]) - eta * y[0], 2 * (y[0] * (a - b * y[0]) - eta)]

    y = solve_ivp(rate, (0, t1), [p0, np.log(s0)], method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    return y[1] < np.log(1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_collapse_is_what_happens(seed):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        k = Isotropic(rng.uniform(0.3, 3), 0.0, 0.0, rng.uniform(0, 1), rng.uniform(0.4, 1))
        k = k._replace(eta=float(critical_eta(k)) * rng.choice([0, rng.uniform(0.1, 1.5)]))
        p0, s0 = rng.uniform(-1.5, 3) * k.tau / k.kappa, 10 ** rng.uniform(-3, 0.5)
        edge = float(separatrix(k, p0))
        if abs(s0 - edge) < 1e-2 * s0:
            continue  # lingers at the saddle
        t1 = 400 / float(critical_eta(k)) if k.eta == 0 else 300 / k.eta
        assert bool(collapses(p0, s0, k)) == ends_at_zero(p0, s0, k, t1)


@pytest.mark.parametrize("p0", [-0.7, 0.01, 0.3, 1.1, 1.7])
def test_edge_of_collapse_off_the_parabola(p0):
    k = Isotropic(1.3, 0.0, 0.09, 0.25)
    s = float(separatrix(k, p0))
    for side in (-1, 1):
        start = s * (1 + side * EDGE)
        assert bool(collapses(p0, start, k)) == (side < 0) == ends_at_zero(p0, start, k, 1500.0)


def test_collapse_on_the_edges():
    k = Isotropic(1.0, 0.0, 0.0, 0.25)
    p = jnp.array([0.3, -0.3, 0.0, 0.9, 0.7, 0.7])
    s = jnp.array([0.2, 0.09, 0.0, 0.16, 0.0, 0.01])
    np.testing.assert_array_equal(collapses(p, s, k), [False, True, True, True, True, False])
    decayed = k._replace(eta=0.05)
    _, p_minus, _ = predictor_roots(decayed)
    on = p_minus * jnp.array([1 - EDGE, 1 + EDGE])
    np.testing.assert_array_equal(collapses(on, on**2, decayed), [True, False])
    np.testing.assert_array_equal(collapses(p_minus, p_minus**2 * jnp.array([0.9, 1.1]), decayed), [True, False])
    assert collapses(0.5, 0.0, decayed)
    assert collapses(0.6, 5.0, k._replace(eta=0.2 * (1 + 1e-9)))
    assert not collapses(0.6, 5.0, k._replace(eta=0.2))  # half-stable from above
    assert collapses(-0.5, 0.2, decayed)  # c < 0, p < 0


def test_collapse_and_separatrix_broadcast_and_map():
    k = Isotropic(1.0, 0.0, jnp.linspace(0.02, 0.25, 5), 0.25)
    p = jnp.linspace(-0.5, 2, 5)
    np.testing.assert_allclose(
        jax.vmap(lambda eta, p: separatrix(Isotropic(1.0, 0.0, eta, 0.25), p))(k.eta, p), separatrix(k, p), rtol=1e-10
    )
    wide = Isotropic(1.0, 0.0, k.eta[:, None], 0.25)
    assert collapses(p[None, :], 0.1, wide).shape == (5, 5)


def test_collapse_without_signal():
    """At tau = 0 (or lambda_d = 0) any decay kills; without it p falls to 0, so c > 0 stays as s, c ≤ 0 is lost."""
    k = Isotropic(1.3, 0.4, np.array([0, 0, 0, 0, 0, 0.01]), 0.25, 0.0)
    p, s = np.array([0.1, -0.3, 0.5, -0.5, 0.0, 0.1]), np.array([1.0, 0.2, 0.19, 0.1, 0.3, 1.0])
    expected = [False, False, True, True, False, True]
    np.testing.assert_array_equal(collapses(p, s, k), expected)
    flat = Commuting(1.3, 0.4, k.eta, 0.0, 1.25)
    np.testing.assert_array_equal(collapses(p, s, flat), expected)
    assert [ends_at_zero(p[i], s[i], k._replace(eta=k.eta[i]), 3000.0) for i in range(6)] == expected
    none = Commuting(1.3, 0.4, np.array([0.0, 0.0, 0.1]), 0.0, 0.0)  # no data: nothing but decay moves
    np.testing.assert_array_equal(collapses(-0.3, np.array([0.01, 0.0, 0.01]), none), [False, True, True])
    np.testing.assert_allclose(separatrix(k, p)[:5], p[:5] ** 2 / 1.3, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_edge_is_found_at_any_scale(dtype):
    """No lane of the integration gives up: from p next to the saddle to a million times beyond, in either precision."""
    rng = np.random.default_rng(0)
    share = 1 - 10.0 ** rng.uniform(-15, 0, 512)
    share = np.where(rng.uniform(size=512) < 0.5, 1 - share, share)  # eta/eta_c, near 0 and near 1
    k = Isotropic(1.0, 0.0, share / 5, 0.25)
    _, p_minus, _ = predictor_roots(k)
    away = rng.choice([-1, 1], 512) * 10.0 ** rng.uniform(-12, 6, 512)
    edge = separatrix(jax.tree.map(lambda x: np.asarray(x, dtype), k), np.asarray(p_minus + away, dtype))
    assert edge.dtype == dtype
    assert np.isfinite(edge).all()
