"""Taylor steps of an ensemble: against DOP853 and Radau, beside the other method, and where they must not be used."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

from experiments.bench.workload import T1, dop853, relative_error, take, workload
from linbyol.ensemble import lanes, solve, solve_amplitudes, taylor
from linbyol.ensemble.lanes import Tolerance
from linbyol.equations import Amplitudes, Isotropic, amplitudes_flow
from linbyol.integrate.events import collapse

N = 40
Y, K = workload(N, seed=23)
TIGHT = 1e-10


@pytest.fixture(scope="module")
def reference():
    return dop853(Y, K, rtol=1e-13, atol=1e-22)


@pytest.mark.parametrize("rtol", [TIGHT, 1e-12])
def test_tight_errors_are_met_and_the_estimate_is_honest(rtol, reference):
    found = solve_amplitudes(Y, K, T1, rtol=rtol, atol=0.0, method="taylor")
    error = relative_error(found.y, reference) - 3e-12  # DOP853's own, some hundred steps at its tolerance
    assert found.ok.all()
    assert found.method == f"taylor{taylor.order_of(taylor.TIGHTER * rtol)}+rodas5p"
    assert error.max() < rtol
    assert (np.asarray(found.error) > error / 5).all()
    assert np.mean(np.asarray(found.error) > error) > 0.9
    assert (np.asarray(found.error) < rtol).all()
    assert found.steps.mean() < 100  # the other method takes 300 at 1e-10, and 900 at 1e-12


def test_stiff_lanes_are_left_to_the_other_method():
    """alpha_p to 1e4: Taylor steps alone would be up to 10⁴."""
    n = 12
    rng = np.random.default_rng(8)
    k = Isotropic(10 ** rng.uniform(3, 4, n), 0.3, 0.02, rng.uniform(0, 1, n), np.ones(n))
    k = Isotropic(*(np.broadcast_to(x, n) for x in k))
    y = Amplitudes(*(rng.uniform(0.3, 1, n) for _ in range(3)))
    found = solve_amplitudes(y, k, 20.0, rtol=TIGHT, atol=0.0, max_steps=2000, method="taylor")
    assert found.ok.all()
    assert np.asarray(found.rejected).any()  # as no Taylor step is
    exact = dop853(take(y, slice(3)), take(k, slice(3)), 20.0, method="Radau", rtol=1e-12, atol=1e-20)
    assert relative_error(take(found.y, slice(3)), exact).max() < 10 * TIGHT
    assert (np.asarray(found.error) < TIGHT).all()


def test_saved_times_and_events_are_those_of_the_trajectory(reference):
    ts, events = np.array([0.0, 7.0, 40.0]), {"collapse": collapse(1e-3)}
    k = take(K, slice(8))._replace(eta=np.full(8, 0.3))
    y = take(Y, slice(8))
    found = solve_amplitudes(y, k, 60.0, rtol=TIGHT, atol=1e-20, ts=ts, events=events, method="taylor")
    assert found.y.w.shape == (3, 8)
    assert np.array_equal(found.y.w[0], y.w)
    for i in (1, 2):
        exact = dop853(y, k, ts[i], rtol=1e-13, atol=1e-22)
        assert relative_error(jax.tree.map(lambda x, i=i: x[i], found.y), exact).max() < TIGHT
    times = np.asarray(found.events["collapse"])
    assert np.isfinite(times).sum() >= 4
    for i in np.flatnonzero(np.isfinite(times))[:3]:
        fall = lambda t, w, i=i: amplitudes_flow(Amplitudes(*w), take(k, i))  # noqa: E731
        at = scipy.integrate.solve_ivp(fall, (0, times[i]), take(y, i), "DOP853", rtol=1e-13, atol=1e-18)
        assert abs(at.y[0, -1] ** 2 / 1e-3 - 1) < 1e-9  # ten times rtol


def test_chunks_threads_and_order_change_no_bit():
    y, k = workload(1300, seed=3)
    backwards = slice(None, None, -1)
    one = solve_amplitudes(y, k, 20.0, rtol=TIGHT, chunk=512, workers=1)
    many = solve_amplitudes(y, k, 20.0, rtol=TIGHT, chunk=512, workers=3)
    other = solve_amplitudes(take(y, backwards), take(k, backwards), 20.0, rtol=TIGHT, chunk=512, workers=2)
    assert one.method == f"taylor{taylor.order_of(taylor.TIGHTER * TIGHT)}+rodas5p"
    for a, b, c in zip(*map(jax.tree.leaves, (one, many, other)), strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c[::-1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_constant_that_is_no_number_marks_its_own_lane(bad):
    beta = np.full(5, 0.3)
    clean = solve_amplitudes(take(Y, slice(5)), take(K, slice(5))._replace(beta=beta), T1, rtol=TIGHT, method="taylor")
    beta = np.where(np.arange(5) == 2, bad, beta)
    found = solve_amplitudes(take(Y, slice(5)), take(K, slice(5))._replace(beta=beta), T1, rtol=TIGHT, method="taylor")
    assert found.ok.tolist() == [True, True, False, True, True]
    assert np.isinf(found.error[2])
    keep = np.array([0, 1, 3, 4])
    assert all(np.array_equal(a[keep], b[keep]) for a, b in zip(found.y, clean.y, strict=True))


def test_rest_too_few_steps_and_rounding():
    rest = solve_amplitudes(Amplitudes(np.zeros(3), 0.0, 0.0), take(K, slice(3)), T1, rtol=TIGHT, method="taylor")
    assert rest.ok.all()
    assert not np.asarray(rest.y.w).any()
    few = solve_amplitudes(Y, K, T1, rtol=TIGHT, max_steps=5, method="taylor")
    assert not few.ok.any()
    assert np.isinf(few.error).all()
    assert (few.steps + few.rejected == 5).all()


def test_which_method_is_taken():
    """The loose, the few, the traced, and flows without a series take the other, and the result says so."""
    bend = lambda y, k: amplitudes_flow(y._replace(w=jnp.where(y.w > 0, y.w, -y.w)), k)  # noqa: E731
    y, k = take(Y, slice(4)), take(K, slice(4))
    for method in ("auto", "taylor"):
        found = solve(bend, y, k, 5.0, rtol=TIGHT, method=method)
        assert found.method == "rodas5p"
        assert relative_error(found.y, dop853(y, k, 5.0, rtol=1e-13)).max() < TIGHT  # w stays above 0
    assert solve_amplitudes(y, k, 5.0).method == "rodas5p"
    assert solve_amplitudes(y, k, 5.0, rtol=TIGHT).method == "rodas5p"  # for so few compilation is the time
    assert solve_amplitudes(y, k, 5.0, rtol=TIGHT, method="rodas4", max_steps=3).method == "rodas4"
    assert jax.eval_shape(lambda y: solve_amplitudes(y, k, 5.0, rtol=TIGHT), y).method == "rodas5p"


def test_a_step_is_of_its_order_and_as_long_as_the_tolerance_allows():
    """ẏ = y - y³, which has a closed form."""
    cubic = lambda y, k: y - y * y * y  # noqa: E731
    closed = lambda y, t: y * np.exp(t) / np.sqrt(1 + y * y * (np.exp(2 * t) - 1))  # noqa: E731
    advance = jax.jit(lambda lane, tol: taylor.advance(8, cubic, {}, lane, lane.y, tol, 10))
    errors, lengths = [], []
    for rtol in (1e-6, 1e-9):
        tol = Tolerance(jnp.asarray(rtol), jnp.asarray(0.0))
        lane = lanes.start(cubic, {}, jnp.asarray(0.4), None, jnp.asarray(50.0), tol)
        after = advance(lane, tol)
        errors.append(abs(float(after.y) / closed(0.4, float(after.t)) - 1))
        lengths.append(float(after.t))
        assert errors[-1] < rtol
        assert float(after.error) > errors[-1] * closed(0.4, lengths[-1])
        short = advance(lane._replace(t1=jnp.asarray(0.01)), tol)
        assert float(short.t) == 0.01
        assert abs(float(short.y) / closed(0.4, 0.01) - 1) < 1e-15 * 10  # rounding
    assert abs(np.log(errors[0] / errors[1]) / np.log(lengths[0] / lengths[1]) - 9) < 1  # order 8: an error of h⁹
    assert (
        1000 ** (1 / 8) < 1.01 * lengths[0] / lengths[1] < 1.02 * 1000 ** (1 / 7)
    )  # as the last term has it, or the other
