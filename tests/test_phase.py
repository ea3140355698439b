"""Sweeps are loops over the grid, and outcomes are what the flows do."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from scipy.integrate import solve_ivp

from linbyol.checks import InputError
from linbyol.equations import Commuting, Held, Isotropic, Modes, amplitudes_flow, mode_alignment_rate, simsiam
from linbyol.exact import escape_time, parabola
from linbyol.fixed_points import critical_eta, predictor_roots
from linbyol.phase import COLLAPSES, SLOW, SURVIVES, in_plane, on_parabola, sweep, with_target

K = Isotropic(1.0, 0.3, 0.05, 0.25)


def test_a_sweep_is_a_loop_in_the_order_of_its_keywords():
    etas, sigma2s = [0.01, 0.05, 0.3], [0.0, 0.5]
    found = sweep(lambda k: {"roots": predictor_roots(k), "eta_c": critical_eta(k)}, K, eta=etas, sigma2=sigma2s)
    assert found["eta_c"].shape == (3, 2)
    for i, eta in enumerate(etas):
        for j, sigma2 in enumerate(sigma2s):
            k = K._replace(eta=eta, sigma2=sigma2)
            np.testing.assert_allclose([x[i, j] for x in found["roots"]], predictor_roots(k), rtol=1e-14)
    turned = sweep(critical_eta, K, sigma2=sigma2s, eta=etas)
    np.testing.assert_array_equal(turned, found["eta_c"].T)


@pytest.mark.optimised
@pytest.mark.parametrize("chunk", [1, 4, 7, 1000])
def test_chunks_change_nothing(chunk):
    axes = {"eta": np.linspace(0, 0.3, 5), "sigma2": np.linspace(0, 1, 3)}
    np.testing.assert_array_equal(sweep(critical_eta, K, chunk=chunk, **axes), sweep(critical_eta, K, **axes))


def test_axes_of_vectors_and_results_with_shapes():
    k = Commuting(1.0, 0.3, 0.01, jnp.ones(3), jnp.ones(3))
    lambda_d = np.arange(1.0, 13).reshape(4, 3) / 12
    found = sweep(lambda k: k.lambda_d * k.eta, k, lambda_d=lambda_d, eta=[1.0, 2.0])
    np.testing.assert_allclose(found, lambda_d[:, None, :] * np.array([1.0, 2.0])[None, :, None], rtol=1e-15)


def test_one_compilation_for_all_values():
    traces = []

    def f(k):
        traces.append(1)
        return k.eta * k.sigma2

    for shift in range(3):
        sweep(
            f, K._replace(beta=0.1 * shift), eta=np.linspace(0, 0.1, 50) + shift, sigma2=np.linspace(0, 1, 11) + shift
        )
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"lr": [1.0]}, "Argument `lr` of sweep is not one of alpha_p, beta, eta, sigma2, tau."),
        ({"eta": []}, "Argument `eta` must hold at least one value along its first axis, but has shape (0,)."),
        ({"eta": 0.1}, "Argument `eta` must hold at least one value along its first axis, but has shape ()."),
        ({"eta": [0.1, np.nan]}, "Argument `eta` must be finite, but eta[1] = nan."),
        ({"eta": [0.1, -0.2]}, "Argument `eta` must be at least 0, but is -0.2."),
        ({"alpha_p": [0.0]}, "Argument `alpha_p` must be positive, but is 0."),
        ({}, "Arguments of sweep must name at least one axis of alpha_p, beta, eta, sigma2, tau."),
        ({"eta": [0.1], "chunk": 0}, "Argument `chunk` must be a positive whole number, but is 0."),
    ],
)
def test_bad_axes_are_refused_in_one_sentence(axes, sentence):
    with pytest.raises(InputError) as refused:
        sweep(critical_eta, K, **axes)
    assert str(refused.value) == sentence


def test_outcomes_on_the_parabola_are_those_of_the_trajectory():
    etas = np.linspace(0, 0.25, 11)  # eta_c = 0.2 at κ = 1.25
    p0 = np.array([-0.2, 0.0, 0.05, 0.3, 1.0])
    found = sweep(Partial(on_parabola, p0=p0, horizon=30.0), K, eta=etas)
    end = np.asarray(jax.vmap(lambda eta: parabola(p0, K._replace(eta=eta), 1e9))(etas))
    at_threshold = np.isclose(etas, 0.2)
    np.testing.assert_allclose(found.p[~at_threshold], end[~at_threshold], atol=2e-9)  # -1/(τ t) is left at eta = 0
    np.testing.assert_array_equal(found.verdict == COLLAPSES, np.asarray(found.p) == 0)
    slow = np.asarray(found.escape_time) > 30
    np.testing.assert_array_equal(found.verdict == SLOW, slow & (np.asarray(found.p) > 0))
    assert {COLLAPSES, SURVIVES, SLOW} == set(np.unique(found.verdict))
    np.testing.assert_allclose(found.escape_time[2], escape_time(p0, K._replace(eta=etas[2])), rtol=1e-12)


def test_alignment_is_the_least_rate_on_the_way():
    k = Isotropic(1.7, 0.3, 0.03, 0.25, 0.9)
    for p0 in (0.1, 0.5, 1.5):
        ts = jnp.linspace(0, 400, 20001)
        p = parabola(p0, k, ts)
        seen = jnp.min(mode_alignment_rate(Modes(p, p * p / 1.7, 0.9), k))
        assert abs(on_parabola(k, p0).alignment - seen) < 1e-6  # samples 0.02 apart, squared
    assert np.isnan(on_parabola(Commuting(1.0, 0.3, 0.03, 1.0, 1.2), 0.1).alignment)  # Theorem 3 is isotropic


def test_a_million_points_take_seconds():
    f = Partial(on_parabola, p0=0.05, horizon=100.0)
    start = time.perf_counter()
    found = sweep(f, K, eta=np.linspace(0, 0.25, 1000), sigma2=np.linspace(0, 2, 1000))
    jax.block_until_ready(found)
    assert time.perf_counter() - start < 20  # the issue's, compilation included; 3 s on two idle cores
    assert found.p.shape == (1000, 1000)
    assert np.isfinite(found.p).all()


def test_outcomes_in_the_plane():
    found = sweep(Partial(in_plane, p0=np.array([-0.3, 0.3, 1.2]), s0=0.2), K, eta=[0.0, 0.05, 0.3])
    np.testing.assert_array_equal(found.verdict, [[1, 1, 0], [1, 1, 1], [0, 0, 0]])
    p_plus = float(predictor_roots(K)[2])
    # at eta = 0 and s = 0 it rests where p² - alpha_p s has always been
    np.testing.assert_allclose(found.p, [[0.8, 0.8, np.sqrt(1.44 - 0.2)], [p_plus] * 3, [0, 0, 0]], rtol=1e-14)
    assert np.isinf(found.escape_time[0, 2])
    assert np.isnan(found.escape_time[0, 0])


def test_a_target_that_is_the_encoder_gives_the_plane():
    y0 = Modes(p=0.02, s=0.05, tau=1.0)
    axes = {"eta": np.array([0.02, 0.1, 0.15, 0.21]), "sigma2": np.array([0.25, 0.6])}
    moving = sweep(Partial(with_target, y0=y0, t1=2000.0, flow=simsiam(amplitudes_flow)), K, **axes)
    plane = sweep(Partial(in_plane, p0=0.02, s0=0.05), K, **axes)
    np.testing.assert_array_equal(moving.verdict, plane.verdict)
    assert {0, 1} == set(np.unique(plane.verdict))
    np.testing.assert_allclose(moving.p, plane.p, atol=1e-6)  # steady(1e-8) over rates of order 0.01


@pytest.fixture(scope="module")
def diagram():
    etas, betas = np.linspace(0.005, 0.22, 40), np.geomspace(0.02, 2, 40)
    return etas, betas, sweep(Partial(with_target, y0=Modes(0.1, 0.01, 0.0), t1=5000.0), K, eta=etas, beta=betas)


def test_diagram_with_moving_average_agrees_with_single_integrations(diagram):
    """200 points by LSODA: the verdict, the end, and the escape time."""
    etas, betas, found = diagram
    assert {COLLAPSES, SURVIVES} == set(np.unique(found.verdict))
    rng = np.random.default_rng(5)
    for i, j in zip(rng.integers(40, size=200), rng.integers(40, size=200), strict=True):
        eta, beta, goal = etas[i], betas[j], 0.9 * float(found.p[i, j])

        def rate(t, y):
            w, wp, wa = y
            e = wa - 1.25 * wp * w
            return [wp * e - eta * w, e * w - eta * wp, beta * (w - wa)]  # noqa: B023

        passes = lambda t, y: y[1] - goal  # noqa: B023, E731
        passes.direction = 1
        solved = solve_ivp(rate, (0, 2500), [0.1, 0.1, 0.0], method="LSODA", rtol=1e-9, atol=1e-12, events=passes)
        alive = solved.y[1, -1] > 0.2
        assert found.verdict[i, j] == (SURVIVES if alive else COLLAPSES)
        if alive:
            assert abs(found.p[i, j] - solved.y[1, -1]) < 1e-5  # steady(1e-8) against rates of 1e-3 near the threshold
            first = solved.t_events[0][0]
            assert abs(found.escape_time[i, j] - first) < 1e-2 + 1e-4 * first  # where p rises at 1e-3 a unit of time
        else:
            assert np.isinf(found.escape_time[i, j])


def test_unsettled_points_are_slow():
    found = with_target(K._replace(eta=0.01), Modes(0.1, 0.01, 0.0), 5.0)
    assert found.verdict == SLOW


def test_commuting_data_with_a_held_target_are_isotropic_ones_in_other_units():
    """λ_d = 1, λ_s = 1 + σ² is the isotropic case itself; λ_d = 2 runs twice as fast, with eta twice as large."""
    taus, p0 = np.array([-0.8, 0.0, 0.5, 1.0, 1.3]), np.array([-0.3, 0.1, 0.3])
    start = {"p0": p0, "horizon": 30.0}
    found = sweep(Partial(on_parabola, **start), K, tau=taus)
    for factor in (1.0, 2.0):
        k = Held(1.0, 0.3, 0.05 * factor, factor, 1.25 * factor)
        same = sweep(Partial(on_parabola, p0=p0, horizon=30.0 / factor), k, tau=taus)
        np.testing.assert_array_equal(same.verdict, found.verdict)
        np.testing.assert_allclose(same.p, found.p, rtol=1e-13)
        np.testing.assert_allclose(factor * same.escape_time, found.escape_time, rtol=1e-10)
    assert len(np.unique(found.verdict[2])) == len(np.unique(found.verdict[:, 2])) == 2


@pytest.mark.optimised
def test_a_negative_tau_is_the_mirror_image():
    p0 = np.array([-0.5, -0.05, 0.0, 0.05, 0.1, 0.5])
    for eta in (0.0, 0.05):
        k = K._replace(eta=eta, tau=0.9)
        for f, start in ((on_parabola, {}), (in_plane, {"s0": np.array([0.3, 0.01, 0.0, 0.001, 0.01, 0.2])})):
            one, other = f(k, p0, **start), f(k._replace(tau=-0.9), -p0, **start)
            np.testing.assert_array_equal(one.verdict, other.verdict)
            np.testing.assert_array_equal(one.p, -other.p)
            np.testing.assert_array_equal(one.escape_time, other.escape_time)
            np.testing.assert_array_equal(one.alignment, other.alignment)
    assert on_parabola(K._replace(tau=-1.0), -0.3).verdict == SURVIVES
    assert np.isclose(on_parabola(K._replace(tau=-1.0), -0.3).p, -(1 + np.sqrt(0.75)) / 2.5, rtol=1e-14)
    assert on_parabola(K._replace(tau=-1.0), 0.3).verdict == COLLAPSES


def test_without_target_and_decay_the_parabola_ends_at_zero():
    """ṗ = -κ p³: p = p0/√(1 + 2 κ p0² t) → 0."""
    found = on_parabola(K._replace(tau=0.0, eta=0.0), np.array([-0.3, 0.3]))
    assert (found.verdict == COLLAPSES).all()
    assert (found.p == 0).all()
    assert np.isinf(found.escape_time).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: on_parabola(K, np.nan), "Argument `p0` must be finite, but it is nan."),
        (lambda: in_plane(K, 0.1, -1.0), "Argument `s0` must be at least 0, but is -1."),
        (lambda: with_target(K, Modes(0.1, -1.0, 1.0), 10.0), "Argument `y0.s` must be at least 0, but is -1."),
        (
            lambda: sweep(critical_eta, Commuting(1.0, 0.3, 0.05, 1.0, 1.2), lambda_d=[0.5, 1.5]),
            "Argument `lambda_s` (of X + X_aug) must be at least lambda_d (of X), but is 1.2 where lambda_d is 1.5.",
        ),
        (
            lambda: sweep(critical_eta, Held(1.0, 0.3, 0.05, 1.0, 1.2), lambda_d=[0.5, 1.1], lambda_s=[1.0, 2.0]),
            "Argument `lambda_s` (of X + X_aug) must be at least lambda_d (of X), but is 1 where lambda_d is 1.1.",
        ),
    ],
)
def test_starts_and_data_that_no_mode_has_are_refused(call, sentence):
    with pytest.raises(InputError) as refused:
        call()
    assert str(refused.value) == sentence
