"""Closed forms against quadrature, against the flow itself, and against themselves where two forms meet."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from linbyol.checks import InputError
from linbyol.equations import Commuting, Isotropic, parabola_flow
from linbyol.exact import escape_time, escape_time_asymptotics, parabola, parabola_time, target_ratio
from linbyol.fixed_points import critical_eta, predictor_roots
from linbyol.integrate import integrate

TIMES = 1e-10  # of closed-form times
EDGE = 1e-6  # and of basin edges
SHARES = [0, 1e-12, 1e-6, 0.1, 0.499, 0.501, 0.9, 1 - 1e-6, 1 - 1e-10, 1, 1 + 1e-10, 1 + 1e-6, 1.1, 3]  # eta/eta_c


def transits(seed, shares=SHARES, each=6):
    """Random constants and pairs (p0, p) on one orbit: left of 0, below p_minus, between the roots, above p_plus."""
    rng = np.random.default_rng(seed)
    share = np.repeat(shares, each)
    lambda_d = rng.uniform(0.2, 1.5, share.size)
    lambda_s = lambda_d * rng.uniform(1, 2, share.size)
    k = Commuting(1.0, 0.0, share * lambda_d**2 / (4 * lambda_s), lambda_d, lambda_s)
    _, low, high = (np.nan_to_num(np.asarray(p)) for p in predictor_roots(k))
    kind = rng.integers(0, 4, share.size)
    kind = np.where((high == 0) & (kind > 0), 3, kind)
    kind = np.where((kind == 1) & (low < 1e-3 * high), 0, kind)
    kind = np.where((kind == 2) & (high - low < 1e-3 * high), 3, kind)
    # where the orbit ends, and where the interval of its starts does
    end = np.choose(kind, [0 * low, 0 * low, high, high])
    other = np.choose(kind, [-2 + 0 * low, low, low, high + 2])
    p0 = end + (other - end) * rng.uniform(0.3, 0.97, share.size)
    p = end + (p0 - end) * rng.uniform(0.01, 0.95, share.size)
    return k, p0, p


def lane(k, i):
    return Commuting(*(x if np.ndim(x) == 0 else x[i] for x in k))


def quadrature(k, p0, p):
    a, b, eta = float(k.lambda_d), float(k.lambda_s), float(k.eta)
    return quad(lambda x: 1 / (x * x * (a - b * x) - eta * x), p0, p, epsabs=0, epsrel=1e-11, limit=200)[0]


def sixty_digits(k, p0, p):
    """The time by partial fractions over the roots, real or not, in the same floating-point constants."""
    with mpmath.workdps(60):
        a, b, eta, p0, p = (mpmath.mpf(float(x)) for x in (k.lambda_d, k.lambda_s, k.eta, p0, p))
        root = mpmath.sqrt(mpmath.mpc(a * a - 4 * b * max(eta, mpmath.mpf("1e-30"))))
        root = root if abs(root) > 1e-25 else mpmath.mpf("1e-25")
        low, high = (a - root) / (2 * b), (a + root) / (2 * b)
        # for complex roots the logarithms of p/root - 1 share a branch only if both arguments lie in one half plane
        l_0, l_minus, l_plus = mpmath.log(p / p0), *(mpmath.log(p - x) - mpmath.log(p0 - x) for x in (low, high))
        return float(mpmath.re(((l_0 - l_plus) / high + (l_minus - l_0) / low) / root))


@pytest.mark.parametrize("seed", range(3))
def test_times_are_those_of_quadrature(seed):
    k, p0, p = transits(seed, shares=[0, 0.1, 0.499, 0.501, 0.9, 1.1, 3])
    t = np.asarray(parabola_time(p, p0, k))
    for i in range(p.size):
        expected = quadrature(lane(k, i), p0[i], p[i])
        assert abs(t[i] - expected) < TIMES * max(1, abs(expected))


@pytest.mark.parametrize("seed", range(3))
def test_times_near_every_switch(seed):
    """eta/eta_c from 0 to 1 ± 1e-10 and beyond, where quadrature itself has trouble, against 60 digits."""
    k, p0, p = transits(seed)
    t = np.asarray(parabola_time(p, p0, k))
    for i in range(p.size):
        expected = sixty_digits(lane(k, i), p0[i], p[i])
        assert abs(t[i] - expected) < TIMES * max(1, abs(expected))


@pytest.mark.parametrize("p0", [1e-9, 1e-3, 0.7, 5.0, -1e-6, -3.0])
def test_times_keep_their_digits_without_decay_and_near_it(p0):
    """Against 60 digits, from eta = 0 up to eta_c/2, where 1/eta would cancel."""
    lambda_d, lambda_s = 0.9, 1.3
    for eta in (0.0, 1e-300, 1e-17, 1e-12, 1e-8, 1e-3):
        k = Commuting(1.0, 0.0, eta, lambda_d, lambda_s)
        _, p_minus, p_plus = map(float, predictor_roots(k))
        if 0 < p0 <= 2 * p_minus:
            continue
        p = 0.6 * p_plus + 0.4 * p0 if p0 > 0 else p0 / 3
        assert abs(parabola_time(p, p0, k) / sixty_digits(k, p0, p) - 1) < 1e-12  # rounding


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_times_are_continuous_where_the_form_changes(share):
    k = Isotropic(1.0, 0.0, 0.0, 0.3)
    etas = critical_eta(k) * share * (1 + jnp.array([-1e-13, -1e-15, 0, 1e-15, 1e-13]))
    for p0, p in ((-0.5, -0.1), (2.0, 0.9), (0.11, 0.02), (0.5, 0.55) if share == 0.5 else (0.7, 0.5)):
        t = parabola_time(p, p0, k._replace(eta=etas))
        assert np.ptp(t) < 1e-11 * np.abs(t).max()  # 1e-13 of eta, times a condition of order 10


def test_time_is_antisymmetric_and_additive():
    k, p0, p = transits(7)
    there, back = parabola_time(p, p0, k), parabola_time(p0, p, k)
    np.testing.assert_allclose(there, -np.asarray(back), rtol=1e-10)
    middle = (p + p0) / 2
    parts = parabola_time(middle, p0, k) + parabola_time(p, middle, k)
    np.testing.assert_allclose(parts, there, rtol=1e-10)
    assert (np.asarray(there) > 0).all()


def test_times_to_and_across_fixed_points():
    k = Isotropic(1.0, 0.0, 0.05, 0.5)
    _, p_minus, p_plus = map(float, predictor_roots(k))
    assert parabola_time(p_plus, 0.3, k) == np.inf
    assert parabola_time(p_minus, 0.3, k) == -np.inf
    assert parabola_time(0.0, 0.04, k) == np.inf
    assert parabola_time(p_minus, 0.04, k) == -np.inf
    assert parabola_time(0.3, 0.3, k) == parabola_time(p_plus, p_plus, k) == 0
    for p, p0 in (
        (0.7, 0.3),
        (0.04, 0.3),
        (-0.1, 0.04),
        (-0.1, 0.7),
        (0.3, -0.1),
        (0.3, p_minus),
        (0.1, 0.0),
        (0.7, p_plus),
    ):
        assert np.isnan(parabola_time(p, p0, k))
    above = k._replace(eta=0.2)
    assert np.isfinite(parabola_time(0.01, 2.0, above))
    assert parabola_time(0.0, 2.0, above) == np.inf
    assert parabola_time(p_plus, 0.3, k._replace(eta=0.0)) < np.inf  # no longer a root
    assert parabola_time(0.0, 0.3, k._replace(eta=0.0)) == -np.inf


@pytest.mark.parametrize("seed", range(4))
def test_trajectory_inverts_time(seed):
    k, p0, p = transits(seed)
    t = parabola_time(p, p0, k)
    back = np.asarray(jax.vmap(lambda t, p0, eta, d, s: parabola(p0, Commuting(1.0, 0.0, eta, d, s), t))(t, p0, *k[2:]))
    # p moves by |ṗ| t relative rounding of t; long waits at a bottleneck cost digits
    allowed = 1e-13 * np.abs(p) + 1e-14 * np.abs(np.asarray(parabola_flow(p, k)) * np.asarray(t))
    long = np.abs(SHARES_OF(k) - 1) < 1e-5  # and near a double root the time itself is known to eps/√|1 - eta/eta_c|
    np.testing.assert_array_less(np.abs(back - p)[~long], 10 * allowed[~long] + 1e-300)
    np.testing.assert_allclose(back[long], p[long], rtol=1e-9)


def SHARES_OF(k):
    return np.asarray(k.eta / critical_eta(k))


def test_trajectory_is_that_of_the_flow():
    ts = jnp.linspace(0, 60, 31)
    for eta in (0.0, 0.03, 0.1, 0.3):
        k = Commuting(1.0, 0.0, eta, jnp.array([0.9, 0.6, 1.0]), jnp.array([1.2, 0.7, 2.0]))
        p0 = jnp.array([0.1, 1.5, -0.4])
        solved = integrate(parabola_flow, p0, k, ts, rtol=1e-10, atol=1e-12).ys
        np.testing.assert_allclose(parabola(p0, k, ts), solved, atol=1e-9)  # 10 x rtol


def test_trajectory_shapes_and_ends():
    k = Commuting(1.0, 0.0, jnp.array([0.05, 0.0]), 1.0, 1.5)
    zero, p_minus, p_plus = predictor_roots(k)
    start = jnp.stack([zero, p_minus, p_plus, jnp.full(2, 0.3), jnp.full(2, -0.3)])
    p = np.asarray(parabola(start, k, jnp.array([0.0, 10.0, 1e7, jnp.inf, -1.0])))
    assert p.shape == (5, 5, 2)  # times first
    np.testing.assert_array_equal(p[0], start)
    np.testing.assert_allclose(p[1, :3], start[:3], rtol=1e-14)  # a fixed point stays, the saddle up to e^(rate t)
    np.testing.assert_array_equal(p[2:4, 3], [p_plus] * 2)
    np.testing.assert_array_equal(p[3, 4], [0, 0])
    np.testing.assert_allclose(p[2, 4, 1], -1e-7, rtol=1e-5)  # -1/(λ_d t) without decay
    assert np.isnan(p[4]).all()  # before the start


def test_approach_to_the_double_root_is_algebraic():
    """At eta_c: d(p - p_c)/dt = -κ p (p - p_c)², so p - p_c tends to 1/(κ p_c t)."""
    k = Isotropic(1.0, 0.0, 0.0, 0.5)
    at = k._replace(eta=critical_eta(k))
    t = jnp.array([1e5, 1e7, 1e9])
    np.testing.assert_allclose((parabola(0.5, at, t) - 1 / 3) * t / 2, 1, atol=2e-3)  # corrections like ln t/t
    assert (np.asarray(parabola(0.33, at, t)) < 1e-9).all()


def test_escape_time():
    k = Commuting(1.0, 0.0, 0.05, 1.0, 1.5)
    _, p_minus, p_plus = map(float, predictor_roots(k))
    starts = jnp.array([-0.1, 0.0, p_minus / 2, p_minus, 0.95 * p_plus, 3.0, 0.3, 0.3])
    t = escape_time(starts, k._replace(eta=jnp.array([0.05] * 7 + [0.2])), 0.7)
    np.testing.assert_array_equal(t[:6], [np.inf, np.inf, np.inf, np.inf, 0, 0])
    assert t[6] == parabola_time(0.7 * p_plus, 0.3, k)
    assert t[7] == np.inf  # above the threshold
    with pytest.raises(InputError, match="Argument `fraction` must lie between 0 and 1"):
        escape_time(0.3, k, 1.0)


def test_escape_time_of_small_starts():
    """The difference to the asymptotics settles: (λ_s/λ_d²)(ln(λ_d f/(λ_s (1 - f))) - 1/f)."""
    k = Commuting(1.0, 0.0, 0.0, 0.8, 1.4)
    p0 = jnp.array([1e-2, 1e-4, 1e-6])
    gap = escape_time(p0, k, 0.6) - escape_time_asymptotics(p0, k)
    limit = 1.4 / 0.64 * (np.log(0.8 * 0.6 / (1.4 * 0.4)) - 1 / 0.6)
    np.testing.assert_array_less(np.abs(gap - limit), 6 * p0)  # b²/a³ = 3.8


def test_target_ratio_of_a_resting_mode():
    """p constant: tau = 1 - (1 - tau0) e^(-beta t), exactly."""
    ts = jnp.array([0.0, 0.5, 3.0, 40.0, 900.0])
    k = Isotropic(1.0, 0.3, 0.0, 0.2)
    for tau0 in (0.0, 0.4):
        np.testing.assert_allclose(
            target_ratio(ts, jnp.full(5, 0.7), k, tau0), 1 - (1 - tau0) * jnp.exp(-0.3 * ts), rtol=1e-14
        )


def test_target_ratio_is_of_second_order():
    k = Isotropic(1.0, 0.4, 0.0, 0.2)

    def error(points):
        ts = jnp.linspace(0, 10, points)
        p = jnp.stack([jnp.exp(0.2 * ts), 1 + ts], axis=1)
        exact = 0.4 / 0.6 * (1 - jnp.exp(-0.6 * ts))  # of the first; the second is linear, so exact
        found = target_ratio(ts, p, k)
        linear = ((1 + ts) - jnp.exp(-0.4 * ts) - (1 - jnp.exp(-0.4 * ts)) / 0.4) / (1 + ts)
        np.testing.assert_allclose(found[:, 1], linear, atol=1e-13)
        return float(jnp.abs(found[:, 0] - exact).max())

    assert 3.5 < error(101) / error(201) < 4.5


@pytest.mark.parametrize("p0", [0.3, -2.0, 1e3, 1e-3])
def test_weak_signals_and_starts_from_afar(p0):
    """Down to tau = eta = 0, where p = p0/√(1 + 2 κ p0² t), the times keep their digits: against 60."""
    tau, eta = (x.reshape(-1) for x in np.meshgrid([0.0, 1e-9, 1e-4, 1e-2, 1.0], [0.0, 1e-12, 1e-6, 1e-3, 0.3]))
    k = Isotropic(1.0, 0.0, eta, 0.25, tau)
    p = np.where((p0 > 0) & (np.nan_to_num(predictor_roots(k)[1]) < p0) & (predictor_roots(k)[2] > p0), 1.1, 0.7) * p0
    t = np.asarray(parabola_time(p, p0, k))
    with mpmath.workdps(60):
        for i in range(tau.size):
            a, b, e = (mpmath.mpf(float(x)) for x in (tau[i], 1.25, eta[i]))
            expected = mpmath.quad(lambda x: 1 / (x * x * (a - b * x) - e * x), [p0, float(p[i])])  # noqa: B023
            assert abs(t[i] / expected - 1) < 1e-13
    np.testing.assert_allclose(jnp.diagonal(parabola(p0, k, t)), p, rtol=1e-12)


def test_trajectories_without_signal():
    """tau = 0: ṗ = -κ p³ - eta p is Bernoulli's, so 1/p² = (1/p0² + κ/eta) e^(2 eta t) - κ/eta."""
    p0, t = np.array([0.3, -2.0]), np.array([0.0, 1.0, 50.0])
    k = Isotropic(1.0, 0.4, 0.1, 0.25, 0.0)
    square = (1 / p0**2 + 12.5) * np.exp(0.2 * t[:, None]) - 12.5
    np.testing.assert_allclose(parabola(p0, k, t), np.sign(p0) / np.sqrt(square), rtol=1e-12)
    square = 1 / p0**2 + 2.5 * t[:, None]
    np.testing.assert_allclose(parabola(p0, k._replace(eta=0.0), t), np.sign(p0) / np.sqrt(square), rtol=1e-12)
    assert (escape_time(p0, k._replace(eta=[0.0, 0.1])) == np.inf).all()


def test_target_ratio_has_derivatives_in_a_slow_target():
    """At beta = 0 the ratio of p = 1 + t grows by ∫ p dt/p for beta: exact for straight lines."""
    ts = jnp.array([0.0, 1.0, 3.0])
    slope = jax.jacfwd(lambda beta: target_ratio(ts, 1 + ts, Isotropic(1.0, beta, 0.0, 0.2)))(0.0)
    np.testing.assert_allclose(slope, (ts + ts**2 / 2) / (1 + ts), rtol=1e-14)
