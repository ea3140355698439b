"""Closed forms of deep JEPA and MAE against arbitrary precision, quadrature, integration; gradients; bad input."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

from linbyol.checks import InputError
from linbyol.equations import DeepMode, Layer, jepa_flow, mae_flow
from linbyol.exact import jepa, jepa_time, jepa_time_asymptotics, mae, mae_time, mae_time_asymptotics
from linbyol.exact import parabola_time as parabola_time_of
from linbyol.integrate import integrate

TIMES = {"JEPA": jepa_time, "MAE": mae_time}
COURSES = {"JEPA": jepa, "MAE": mae}
DEPTHS = (1, 2, 6)
LAMBDA_D, LAMBDA_S = 0.7, 1.1
WAYS = [  # ends and starts relative to the fixed point: small starts, near it, far above it, over no way at all
    (0.5, 1e-3), (0.5, 1e-6), (1 - 1e-9, 0.1), (0.3, 0.3 * (1 + 1e-9)), (1 + 1e-8, 3.0), (1.05, 50.0),
    (1.001, 1.0011), (20.0, 1.1), (0.999, 0.99900001), (30.0, 31.0), (1.2, 2.0), (0.2, 0.9), (1e-8, 1.00001e-8),
]  # fmt: skip


def rest(name, depth):
    return (LAMBDA_D / LAMBDA_S) ** (1 if name == "JEPA" else 1 / (depth + 1))


def bracket(name, z, depth):
    """The antiderivative of 1/(z^m (1 - z^q)) in closed form, with as many digits as mpmath has."""
    if name == "JEPA":
        return mp.log(z / abs(1 - z)) - sum(z**-k / k for k in range(1, 2 * depth))
    if z > 1:
        b = mp.mpf(2 * depth) / (depth + 1)
        return z ** (-2 * depth) / (2 * depth) * mp.hyp2f1(1, b, 1 + b, z ** (-depth - 1))
    b = mp.mpf(2) / (depth + 1)
    first = mp.log(z) if depth == 1 else -(z ** (1 - depth)) / (depth - 1)
    return first + z * z / 2 * mp.hyp2f1(1, b, 1 + b, z ** (depth + 1))


def exact_time(name, w, w0, lambda_d, lambda_s, depth):
    with mp.workdps(60):
        w, w0, lambda_d, lambda_s = (mp.mpf(float(x)) for x in (w, w0, lambda_d, lambda_s))
        m, q = (2 * depth, 1) if name == "JEPA" else (depth, depth + 1)
        at = (lambda_d / lambda_s) ** (mp.mpf(1) / q)
        return (bracket(name, w / at, depth) - bracket(name, w0 / at, depth)) / (lambda_d * at ** (m - 1))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_times_to_machine_precision(name, depth):
    """Sixty-four roundings, whatever the way."""
    at = rest(name, depth)
    w, w0 = np.transpose(WAYS) * at
    found = np.asarray(TIMES[name](w, w0, DeepMode(LAMBDA_D, LAMBDA_S, depth)))
    for t, *way in zip(found, w, w0, strict=True):
        assert abs(float(mp.mpf(float(t)) / exact_time(name, *way, LAMBDA_D, LAMBDA_S, depth) - 1)) < 64 * 2.2e-16


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_times_against_quadrature(name, depth, rng):
    lambda_d, rho = rng.uniform(0.4, 1.2), rng.uniform(0.3, 1.0)
    k = DeepMode(lambda_d, lambda_d / rho, depth)
    flow, at = {"JEPA": (jepa_flow, rho), "MAE": (mae_flow, rho ** (1 / (depth + 1)))}[name]
    w0, w = np.sort(rng.uniform(0.1, 0.95, (2, len(WAYS))), axis=0) * at
    found = TIMES[name](w, w0, k)
    for t, a, b in zip(found, w0, w, strict=True):
        expected = quad(lambda x: 1 / flow(Layer(x), k).w, a, b, epsrel=1e-13, epsabs=0)[0]
        assert abs(float(t) / expected - 1) < 1e-11


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("depth", [1, 2])
def test_courses_invert_times(name, depth):
    """w(t) is as right as t makes it: the time to it misses t by roundings of w and of t."""
    at, flow = rest(name, depth), {"JEPA": jepa_flow, "MAE": mae_flow}[name]
    k = DeepMode(LAMBDA_D, LAMBDA_S, depth)
    w0 = at * np.array([1e-4, 0.05, 0.7, 0.999, 1 - 1e-7, 1 + 1e-7, 1.3, 40.0])
    goal = at + (w0 - at) * 1e-3
    whole = np.array([float(exact_time(name, *way, LAMBDA_D, LAMBDA_S, depth)) for way in zip(goal, w0, strict=True)])
    ts = np.array([1e-6, 0.3, 0.9, 1.0])[:, None, None] * whole
    ws = np.asarray(COURSES[name](w0, k, ts[:, 0]))  # (shares, whole, starts)
    for i, start in enumerate(w0):
        for found, t in zip(ws[:, i, i], ts[:, 0, i], strict=True):
            missed = float(exact_time(name, found, start, LAMBDA_D, LAMBDA_S, depth) - mp.mpf(float(t)))
            speed = float(flow(Layer(found), k).w)
            assert abs(missed * speed) < 32 * 2.2e-16 * (abs(found) + abs(t * speed)), start


def test_courses_agree_with_integration_and_have_their_axes():
    k = DeepMode(np.array([0.7, 1.0, 0.8]), np.array([1.1, 1.2, 1.0]), 2)
    w0, ts = np.array([0.2, 0.3, 1.4]), np.array([0.0, 3.0, 9.0, 30.0])
    for flow, course in ((jepa_flow, jepa), (mae_flow, mae)):
        found = integrate(flow, Layer(w0), k, ts, rtol=1e-12, atol=1e-14, solver="dop853").ys.w
        ws = course(w0, k, np.append(ts, [np.inf, -1.0]))
        np.testing.assert_allclose(ws[:4], found, rtol=1e-10)
        np.testing.assert_allclose(ws[4], rest_of(course, k), rtol=1e-15)
        assert np.isnan(ws[5]).all()


def rest_of(course, k):
    rho = k.lambda_d / k.lambda_s
    return rho if course is jepa else rho ** (1 / 3)


def test_one_layer_of_jepa_is_the_parabola():
    from linbyol.equations import Commuting

    w, w0 = np.array([0.4, 0.62]), np.array([0.05, 0.3])
    simsiam = Commuting(1.0, 0.0, 0.0, LAMBDA_D, LAMBDA_S)
    t = parabola_time_of(w, w0, simsiam)
    np.testing.assert_allclose(jepa_time(w, w0, DeepMode(LAMBDA_D, LAMBDA_S, 1)), t, rtol=1e-13)


@pytest.mark.parametrize("name", COURSES)
def test_gradients(name):
    """Right from small starts, at the fixed point and long after: by dw/dw0 = ẇ(t)/ẇ(0) and the scaling of t and w."""
    depth = 2
    flow, at = {"JEPA": jepa_flow, "MAE": mae_flow}[name], rest(name, depth)
    m, q = (2 * depth, 1) if name == "JEPA" else (depth, depth + 1)
    starts, ts = at * np.array([0.02, 0.4, 1.0, 1.0 + 1e-9, 2.5]), np.array([10.0, 8.0, 5.0, 3.0, 1e9])

    def course(w0, lambda_d, lambda_s, t):
        return COURSES[name](w0, DeepMode(lambda_d, lambda_s, depth), t)

    arguments = starts, np.full(5, LAMBDA_D), np.full(5, LAMBDA_S), ts
    ws, found = jax.vmap(jax.value_and_grad(course, argnums=(0, 1, 2, 3)))(*arguments)
    k = DeepMode(LAMBDA_D, LAMBDA_S, depth)
    speed, first = (np.asarray(flow(Layer(w), k).w) for w in (ws, starts))
    by_start, by_signal, by_size, by_time = (np.asarray(g) for g in found)
    np.testing.assert_allclose(by_time, speed, rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(by_start[[0, 1, 4]], speed[[0, 1, 4]] / first[[0, 1, 4]], rtol=1e-8, atol=1e-14)
    decayed = np.exp(-q * LAMBDA_D * at ** (m - 1) * ts)  # at rest a disturbance falls at this rate
    np.testing.assert_allclose(by_start[[2, 3]], decayed[[2, 3]], rtol=1e-7)
    moving, still = ts[:4], (LAMBDA_D * by_signal + LAMBDA_S * by_size)[:4]
    np.testing.assert_allclose(still, moving * by_time[:4], rtol=1e-8, atol=1e-12)
    scaled = starts * by_start + (1 - m) * LAMBDA_D * by_signal + (1 - m - q) * LAMBDA_S * by_size
    np.testing.assert_allclose(scaled, ws, rtol=1e-8)


def test_expansions_for_small_starts():
    """The rest of an expansion tends to a constant: it moves by O(w0) from one small start to the next."""
    for depth in (1, 2, 3):
        k, w0 = DeepMode(1.0, 1.25, depth), np.array([1e-2, 1e-3])
        for time, expansion in ((jepa_time, jepa_time_asymptotics), (mae_time, mae_time_asymptotics)):
            left = np.asarray(time(0.4, w0, k) - expansion(w0, k))
            assert abs(left[1] - left[0]) < 20 * 1e-2


def test_what_no_orbit_joins():
    k = DeepMode(LAMBDA_D, LAMBDA_S, 2)
    assert np.isnan(jepa_time(1.0, 0.1, k))  # beyond the fixed point
    assert jepa_time(0.1, 0.1, k) == 0
    assert jepa_time(0.05, 0.1, k) < 0
    half = DeepMode(1.0, 2.0, 2)
    assert jepa_time(0.5, 0.1, half) == np.inf
    assert jepa_time(0.5, 0.5, half) == 0
    assert np.isnan(jepa_time(0.3, 0.5, half))


@pytest.mark.parametrize("function", [jepa_time, mae_time, jepa, mae])
def test_bad_input_gets_one_sentence(function):
    arguments = (0.2, 0.1) if function in (jepa_time, mae_time) else (0.1,)
    more = () if len(arguments) == 2 else ([1.0],)
    refused = [
        (arguments, DeepMode(1.0, 1.25, 2, 0.01), "Argument `eta` must be 0 for times in closed form, but is 0.01."),
        (arguments, DeepMode(0.0, 1.25, 2), "Argument `lambda_d` must be positive, but is 0."),
        (arguments, DeepMode(1.0, -1.25, 2), "Argument `lambda_s` must be at least 0, but is -1.25."),
        ((*arguments[:-1], -0.1), DeepMode(1.0, 1.25, 2), "Argument `w0` must be positive, but is -0.1."),
        ((*arguments[:-1], np.nan), DeepMode(1.0, 1.25, 2), "Argument `w0` must be finite, but it is nan."),
    ]
    for given, k, sentence in refused:
        with pytest.raises(InputError) as error:
            function(*given, k, *more)
        assert str(error.value) == sentence
    assert jnp.isnan(jax.jit(lambda w: function(*arguments[:-1], w, DeepMode(1.0, 1.25, 2), *more))(-0.1)).all()
