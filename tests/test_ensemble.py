"""Ensembles against scipy, closed forms and themselves; events, bad lanes and doors."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from experiments.bench.workload import T1, dop853, relative_error, take, workload
from linbyol import exact
from linbyol.checks import InputError
from linbyol.ensemble import solve, solve_amplitudes, solve_modes, solve_parabola
from linbyol.ensemble.rosenbrock import METHODS, decompose, propagator, step
from linbyol.ensemble.rosenbrock import solve as solve_linear
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Isotropic,
    Modes,
    amplitudes_flow,
    decay,
    hold,
    mode_balance,
    modes_flow,
    simsiam,
)
from linbyol.integrate import integrate
from linbyol.integrate.events import Moment, collapse, crosses_parabola, escape

N = 48
Y, K = workload(N, seed=11)
SLOW_TARGET = Isotropic(1.0, 0.1, 0.05, 0.25)


@pytest.fixture(scope="module")
def reference():
    return dop853(Y, K)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-10])
def test_the_requested_error_is_met_and_the_estimate_is_honest(rtol, reference):
    found = solve_amplitudes(Y, K, T1, rtol=rtol, atol=0.0)
    error = relative_error(found.y, reference)
    assert found.ok.all()
    assert error.max() < rtol
    assert (np.asarray(found.error) > error / 5).all()  # local errors of opposite signs may cancel in the estimate
    assert np.mean(np.asarray(found.error) > error) > 0.9
    assert np.median(np.asarray(found.error) / error) < 100


def test_another_solver_agrees(reference):
    """diffrax, through `integrate`, on the same equations."""
    y, k = take(Y, slice(4)), take(K, slice(4))
    ys = jax.vmap(lambda y, k: integrate(amplitudes_flow, y, k, np.array([0, T1]), rtol=1e-9, atol=1e-13).ys)(y, k)
    assert relative_error([leaf[:, -1] for leaf in ys], reference[:4]).max() < 1e-6  # Tsit5 at 1e-9 keeps 3e-8
    found = solve_amplitudes(y, k, T1, rtol=1e-8, method="rodas4")
    assert relative_error(found.y, reference[:4]).max() < 1e-7


def test_the_parabola_meets_its_closed_form():
    rng = np.random.default_rng(1)
    k = Isotropic(rng.uniform(0.3, 3, N), 0.4, rng.uniform(0, 0.1, N), rng.uniform(0, 1, N))
    p0, ts = rng.uniform(0.01, 0.9, N), np.array([0, 3.0, 10, 60])
    found = solve_parabola(p0, k, 60.0, rtol=1e-9, atol=1e-15, ts=ts, events={"escape": escape(0.9)})
    assert found.y.shape == (4, N)
    closed = np.asarray(exact.parabola(p0, k, ts))
    assert np.abs(found.y / closed - 1).max() < 1e-8  # rtol, ten times for what falls below atol / rtol = 1e-6
    times = np.asarray(exact.escape_time(p0, k))
    times = np.where(times > 60, np.inf, times)
    assert np.array_equal(np.isfinite(found.events["escape"]), np.isfinite(times))
    came = np.isfinite(times)
    assert came.sum() > N / 2
    assert np.abs(np.asarray(found.events["escape"])[came] - times[came]).max() < 1e-6  # an error in p over a slow rate


def test_eq_14_is_kept():
    y = Modes(p=Y.wp, s=Y.w**2, tau=np.ones(N))
    found = solve_modes(y, K, T1, rtol=1e-8, atol=1e-12)
    kept = mode_balance(y, K) * np.exp(-2 * K.eta * T1)
    size = np.asarray(found.y.s + found.y.p**2 / K.alpha_p)
    assert (np.abs(mode_balance(found.y, K) - kept) / size).max() < 1e-6  # two fields of rtol that cancel


def test_amplitudes_are_the_modes(reference):
    found = solve_modes(Modes(p=Y.wp, s=Y.w**2, tau=np.ones(N)), K, T1, rtol=1e-8, atol=1e-14).y
    w, wp, wa = reference.T
    assert relative_error(found, np.stack([wp, w**2, wa / w], axis=-1)).max() < 1e-7


def test_commuting_data_and_ablations():
    k = Commuting(K.alpha_p, K.beta, K.eta, 1.0, 1 + K.sigma2)
    one, other = solve_amplitudes(Y, k, 10.0), solve_amplitudes(Y, K, 10.0)
    assert all(np.abs(a / b - 1).max() < 1e-9 for a, b in zip(one.y, other.y, strict=True))
    held = solve(hold(amplitudes_flow, "wa"), Y, K, 10.0)
    assert np.array_equal(held.y.wa, Y.wa)
    online = solve(simsiam(amplitudes_flow), Y, K, 10.0).y
    assert np.array_equal(online.w, online.wa)
    assert (
        np.abs(dop853(take(Y, [0]), take(K, [0]), 10.0, flow=simsiam(amplitudes_flow))[0, 0] / online.w[0] - 1) < 1e-6
    )


def test_crossing_the_parabola_needs_unequal_decays():
    """Under one decay Eq. 14 forbids it; an encoder that decays faster than its predictor crosses."""
    y = Amplitudes(np.array([0.9, 0.1, 0.5]), np.array([0.2, 0.6, 0.5]), np.array([0.9, 0.1, 0.5]))
    event = crosses_parabola()
    found = solve_amplitudes(y, SLOW_TARGET, 300.0, events={"cross": event})
    assert np.isinf(found.events["cross"]).all()
    uneven = decay(amplitudes_flow, Wp=0.0, W=0.2)
    t = solve(uneven, y, SLOW_TARGET, 30.0, rtol=1e-9, events={"cross": event}).events["cross"]
    assert 0 < t[0] < 30
    at = jax.tree.map(lambda x: x[0], solve(uneven, y, SLOW_TARGET, jnp.where(t < 30, t, 0), rtol=1e-10).y)
    now = Moment(t[0], at, None, SLOW_TARGET, jax.tree.map(lambda x: x[0], y))
    assert abs(event(now)) < 1e-8  # ten times rtol
    assert np.isinf(t[1])  # it starts below, and only falls


def test_the_time_of_collapse_is_that_of_the_trajectory():
    y, k = Amplitudes(0.9, 0.2, 0.9), SLOW_TARGET._replace(eta=0.3)  # above the threshold 0.2
    tol = 1e-3
    found = solve_amplitudes(y, k, 150.0, rtol=1e-9, events={"collapse": collapse(tol)})
    t = found.events["collapse"]
    assert 0 < t < 150
    at = solve_amplitudes(y, k, t, rtol=1e-10)
    assert abs(at.y.w**2 / tol - 1) < 1e-8  # ten times rtol
    assert solve_amplitudes(y, k, 150.0, events={"collapse": collapse(0.9)}).events["collapse"] == 0


def test_a_trajectory_that_blows_up_is_marked_and_no_other():
    """B18: with p < 0, c < 0 and a slow target tau = wa/w diverges at t = 17.6, and the amplitudes stay regular."""
    y = Modes(np.array([-0.1, 0.3]), np.array([0.005, 0.2]), np.ones(2))
    found = solve_modes(y, SLOW_TARGET, 30.0, events={"collapse": collapse(1e-9)})
    assert found.ok.tolist() == [False, True]
    assert np.isinf(found.error[0])
    assert np.isfinite(jax.tree.leaves(found.y)).all()  # the last good state
    assert np.isnan(found.events["collapse"][0])
    alone = solve_modes(Modes(0.3, 0.2, 1.0), SLOW_TARGET, 30.0, events={"collapse": collapse(1e-9)})
    assert alone.y.p == found.y.p[1]
    before = solve_modes(y, SLOW_TARGET, np.array([17.5, 30.0]), events={"collapse": collapse(1e-9)})
    assert before.ok.all()
    amplitudes = Amplitudes(np.sqrt(0.005), -0.1, np.sqrt(0.005))
    assert solve_amplitudes(amplitudes, SLOW_TARGET, 30.0).ok


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_constant_that_is_no_number_marks_its_own_lane(bad):
    eta = np.full(5, 0.05)
    eta[2] = bad
    found = solve_amplitudes(take(Y, slice(5)), take(K, slice(5))._replace(eta=eta), 10.0)
    assert found.ok.tolist() == [True, True, False, True, True]
    clean = solve_amplitudes(take(Y, slice(5)), take(K, slice(5))._replace(eta=np.full(5, 0.05)), 10.0)
    keep = np.array([0, 1, 3, 4])
    assert all(np.array_equal(a[keep], b[keep]) for a, b in zip(found.y, clean.y, strict=True))
    start = Amplitudes(np.array([0.1, bad]), 0.2, 0.1)
    assert solve_amplitudes(start, SLOW_TARGET, 10.0).ok.tolist() == [True, False]


def test_nothing_to_do():
    nobody = solve_amplitudes(Amplitudes(*[np.zeros(0)] * 3), K._replace(**dict.fromkeys(K._fields, 0.1)), 10.0)
    assert nobody.y.w.shape == nobody.ok.shape == nobody.error.shape == (0,)
    at_once = solve_amplitudes(Y, K, 0.0)
    assert at_once.ok.all()
    assert np.array_equal(at_once.y.w, Y.w)
    assert not at_once.steps.any()
    rest = solve_amplitudes(Amplitudes(np.zeros(3), 0.0, 0.0), SLOW_TARGET, 10.0)
    assert rest.ok.all()
    assert not np.asarray(rest.y.w).any()


def test_too_few_steps_are_told():
    found = solve_amplitudes(Y, K, T1, max_steps=10)
    assert not found.ok.any()
    assert np.isinf(found.error).all()
    assert (found.steps + found.rejected == 10).all()


def test_tolerances_near_rounding_end():
    found = solve_amplitudes(take(Y, slice(8)), take(K, slice(8)), 10.0, rtol=1e-14, atol=0.0)
    assert found.ok.all()
    assert relative_error(found.y, dop853(take(Y, slice(8)), take(K, slice(8)), 10.0)).max() < 1e-10  # that of DOP853


@pytest.mark.optimised
def test_chunks_threads_and_order_change_no_bit():
    """A lane does not depend on its neighbours, on the chunk it is in, or on who solves it."""
    y, k = workload(3000, seed=3)
    one = solve_amplitudes(y, k, 20.0, chunk=1024, workers=1)
    many = solve_amplitudes(y, k, 20.0, chunk=1024, workers=3)
    other = solve_amplitudes(
        take(y, slice(None, None, -1)), take(k, slice(None, None, -1)), 20.0, chunk=2048, workers=2
    )
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(many), strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(jax.tree.leaves(one.y), jax.tree.leaves(other.y), strict=True):
        assert np.abs(a / b[::-1] - 1).max() < 1e-13
    jax.config.update("jax_enable_x64", False)
    try:
        with jax.enable_x64(True):  # around the call alone: no thread may fall back to float32
            around = solve_amplitudes(y, k, 20.0, chunk=1024, workers=3)
    finally:
        jax.config.update("jax_enable_x64", True)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(around), strict=True):
        assert np.array_equal(a, b)


def test_more_than_memory_is_refused_before_it_is_touched():
    many = np.broadcast_to(0.3, 10**12)  # eight bytes
    with pytest.raises(
        InputError, match=r"`y0`: 1000000000000 trajectories need some .* GB.*`linbyol\.ensemble\.sweeps`"
    ):
        solve_amplitudes(Amplitudes(many, 0.2, 0.3), SLOW_TARGET, 10.0)
    with pytest.raises(InputError, match="100000 trajectories need some"):
        solve_amplitudes(Y._replace(w=np.ones(10**5), wp=0.2, wa=0.2), SLOW_TARGET, 10.0, ts=np.linspace(0, 10, 10**6))


def test_wide_ranges_signs_and_stiffness():
    """Constants over five decades, states of either sign, rates up to some 10⁴: against DOP853."""
    rng = np.random.default_rng(5)
    log = lambda low, high: 10 ** rng.uniform(np.log10(low), np.log10(high), 24)  # noqa: E731
    sign = lambda: rng.choice([-1.0, 1.0], 24)  # noqa: E731
    k = Isotropic(log(1e-2, 1e3), log(1e-3, 10), log(1e-4, 1), rng.uniform(0, 2, 24))
    k = k._replace(tau=np.ones(24))
    w = log(0.01, 2) * sign()
    y = Amplitudes(w, log(0.01, 2) * sign(), w.copy())
    found = solve_amplitudes(y, k, 10.0, rtol=1e-6, atol=1e-12)
    exact = dop853(y, k, 10.0)
    error = np.abs(np.stack(found.y, -1) - exact) / (np.abs(exact) + 1e-6)
    assert found.ok.all()
    assert error.max() < 1e-5  # ten times rtol
    assert (np.asarray(found.error) < 1e-6).all()
    assert np.mean(np.asarray(found.error) > error.max(-1)) > 0.9


def test_under_jit_and_vmap():
    found = solve_amplitudes(Y, K, 10.0)
    traced = jax.jit(lambda y, k: solve_amplitudes(y, k, 10.0))(Y, K)
    assert traced.ok.all()
    assert max(np.abs(a / b - 1).max() for a, b in zip(found.y, traced.y, strict=True)) < 1e-12
    swept = jax.vmap(lambda eta: solve_amplitudes(take(Y, 0), SLOW_TARGET._replace(eta=eta), 10.0).y.w)(K.eta)
    assert swept.shape == (N,)


def test_one_compilation_for_all_values():
    before = jax.jit(lambda x: x)._cache_size  # noqa: F841 - the counter exists
    from linbyol.ensemble.compiled import Engine

    _, jitted = Engine.of(amplitudes_flow, {}, "rodas5p").loops
    solve_amplitudes(Y, K, 5.0)
    compiled = jitted.relay._cache_size()
    for eta in (0.01, 0.02):
        solve_amplitudes(Y, K._replace(eta=eta), 7.0, rtol=1e-5)
    assert jitted.relay._cache_size() == compiled
    assert (
        Engine.of(hold(amplitudes_flow, "wa"), {}, "rodas5p").loops
        is not Engine.of(amplitudes_flow, {}, "rodas5p").loops
    )
    tight, loose = ({"c": collapse(tol)} for tol in (1e-3, 1e-4))
    assert Engine.of(modes_flow, tight, "rodas5p").loops is Engine.of(modes_flow, loose, "rodas5p").loops


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_has_its_order(name):
    """On a flow with a closed form, ẏ = y - y³, fixed steps: the error of the step and that of its estimate."""
    method = METHODS[name]
    closed = lambda y, t: y * np.exp(t) / np.sqrt(1 + y * y * (np.exp(2 * t) - 1))  # noqa: E731
    errors = []
    for steps in (8, 16, 32):
        y = jnp.asarray(0.2)
        for _ in range(steps):
            y, _, _ = step(method, lambda y, k: y - y * y * y, y, None, jnp.asarray(2.0 / steps))
        errors.append(abs(float(y) - closed(0.2, 2.0)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > method.order - 0.4).all()  # with room for the coarsest pair


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_stiff_decay_is_forgotten(name):
    """L-stable: one huge step of ẏ = -y ends at 0, and so does a carried error."""
    y, _, carried = step(METHODS[name], lambda y, k: -y, jnp.asarray(1.0), None, jnp.asarray(1e8), jnp.asarray(1.0))
    assert abs(float(y)) < 1e-6
    assert abs(float(carried)) < 1e-6
    z = 0.01
    s = 1 / (1 - METHODS[name].gamma * z)
    a, b, c = propagator(METHODS[name].gamma)
    assert abs(a * s + b * s**2 + c * s**3 - np.exp(z)) < 2 * z**3  # second order


def test_small_systems_are_solved():
    A, b = np.random.default_rng(0).normal(size=(3, 3)) + 4 * np.eye(3), np.array([1.0, 2, 3])
    found = solve_linear(decompose([list(row) for row in A]), list(b))
    assert np.abs(np.array(found) - scipy.linalg.solve(A, b)).max() < 1e-14


REFUSED = [
    ({"rtol": 1e-20}, "`rtol` must be at least 1e-15"),
    ({"rtol": 0.0}, "`rtol`"),
    ({"atol": -1.0}, "`atol` must be a finite number of at least 0"),
    ({"t1": -1.0}, "`t1` must be at least 0, but is -1"),
    ({"t1": np.nan}, "`t1` must be finite"),
    ({"t1": np.ones(3)}, "as many trajectories"),
    ({"k": K._replace(eta=-0.1)}, "`eta` must be at least 0"),
    ({"k": K._replace(eta=np.nan)}, "`k.eta` must be finite"),
    ({"k": K._replace(beta=np.ones(7))}, "`k.beta` must have as many trajectories as `y0.w`, 48, but has 7"),
    ({"k": K._replace(beta=np.ones((2, 2)))}, "`k.beta` must have shape () or (N,)"),
    ({"y0": Modes(0.1, 0.1, 1.0)}, "do not fit the flow"),
    ({"y0": Y._replace(w="wide")}, "`y0.w` must be a real number"),
    ({"ts": [3.0, 2.0]}, "`ts` must increase"),
    ({"ts": [200.0]}, "`ts` must end by t1 = 100"),
    ({"ts": [-1.0, 2.0]}, "`ts` must be at least 0, but is -1"),
    ({"ts": np.ones((2, 1))}, "`ts` must be a vector of at least one time, but has shape (2, 1)"),
    ({"method": "euler"}, "`method` must be one of"),
    ({"chunk": 0}, "`chunk` must be a positive whole number"),
    ({"max_steps": -5}, "`max_steps` must be a positive whole number"),
]


@pytest.mark.parametrize(
    ("change", "sentence"), REFUSED, ids=[f"{next(iter(change))}{i}" for i, (change, _) in enumerate(REFUSED)]
)
def test_the_door(change, sentence):
    arguments = {"y0": Y, "k": K, "t1": T1} | change
    with pytest.raises(InputError) as refused:
        solve(amplitudes_flow, **arguments)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_float32_without_the_switch():
    code = """
import numpy as np
from experiments.bench.workload import *
from linbyol.ensemble import solve_amplitudes
from linbyol.checks import InputError
y, k = workload(64, seed=5, dtype=np.float32)
found = solve_amplitudes(y, k, T1, rtol=1e-5)
assert found.y.w.dtype == np.float32 and found.ok.all()
wide = lambda tree: type(tree)(*(np.float64(x) for x in tree))
error = relative_error(found.y, dop853(wide(y), wide(k), rtol=1e-9))
assert error.max() < 1e-4, error.max()  # rounding, some hundred steps of 6e-8, grown along the flow
try:
    solve_amplitudes(y, k, T1, rtol=1e-7)
except InputError as refused:
    assert "float32" in str(refused)
else:
    raise SystemExit("1e-7 was taken")
"""
    environment = {name: value for name, value in os.environ.items() if name != "JAX_ENABLE_X64"}
    environment |= {"JAX_PLATFORMS": "cpu"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=240)
    assert found.returncode == 0, found.stderr
