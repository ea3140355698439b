"""One step of a lane, and who is told to solve which of many: by hand and with stand-ins, no trajectory is solved."""

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from linbyol.ensemble import lanes, solve_parabola
from linbyol.ensemble.compiled import Engine, EnsembleResult, Job
from linbyol.ensemble.lanes import Lane, Mark, Tolerance
from linbyol.ensemble.queue import TILE
from linbyol.ensemble.rosenbrock import METHODS, RODAS5P, jacobian, step
from linbyol.ensemble.solver import FINER, TIGHTER, Accuracy, Task, _solve
from linbyol.ensemble.workers import Crew, whole_tiles
from linbyol.equations import Isotropic, Modes

EMPTY = Engine.of(lambda y, k: y, {}, "rodas5p")
QUARTER = Tolerance(0.25, 0.0)


def fall(y, k):
    """The flow ẏ = -k y, of a scalar."""
    return -k * y


def cubic(y, k):
    """The flow ẏ = y - y³."""
    return y - y * y * y


@pytest.mark.parametrize("name", METHODS)
def test_the_local_error_is_of_the_method_s_order(name):
    estimates = [float(step(METHODS[name], cubic, jnp.asarray(0.4), None, jnp.asarray(h))[1]) for h in (0.2, 0.1, 0.05)]
    orders = np.log2(np.abs(np.array(estimates[:-1]) / estimates[1:]))
    assert (np.abs(orders - METHODS[name].order) < 0.4).all()  # and the next order, in steps that are not yet small


def test_a_jacobian_has_a_row_a_rate_and_a_column_a_variable():
    J = jacobian(lambda x: [x[0] * x[0] * x[1], 3 * x[1]], [jnp.asarray(2.0), jnp.asarray(5.0)])
    assert np.array_equal(np.array(J), [[20, 4], [0, 3]])


def test_an_error_is_carried_as_the_flow_carries_neighbours():
    A, e = np.array([[0.3, 2.0], [-0.7, -0.4]]), np.array([1.0, -2.0])
    flow = lambda y, k: [A[i, 0] * y[0] + A[i, 1] * y[1] for i in range(2)]  # noqa: E731
    y, h = [jnp.asarray(0.2), jnp.asarray(0.1)], 0.02
    after, _, moved = step(RODAS5P, flow, y, None, jnp.asarray(h), [jnp.asarray(x) for x in e])
    assert np.abs(np.array(after) - scipy.linalg.expm(h * A) @ y).max() < 1e-10  # h⁶
    assert np.abs(np.array(moved) - scipy.linalg.expm(h * A) @ e).max() < 5 * (h * np.linalg.norm(A)) ** 3
    assert np.abs(np.array(moved) - e).max() > 0.05


def lane(y, k, t1, tol, **given):
    began = lanes.start(fall, {}, jnp.asarray(y), jnp.asarray(k), jnp.asarray(t1), tol)
    return began._replace(**{name: jnp.asarray(x, getattr(began, name).dtype) for name, x in given.items()})


@jax.jit
def advanced(lane, tol, most=100):
    return lanes.advance(RODAS5P, fall, {}, lane, lane.y, tol, most)


def test_the_first_step_is_a_part_of_the_way_that_the_tolerance_allows():
    tol = Tolerance(1e-5, 0.0)
    assert np.isclose(lane(2.0, 3.0, 100.0, tol).h * 6.0, 1e-5**0.2 / 2 * 2.0)  # h |ẏ| = rtol^0.2/2 |y|
    assert lane(2.0, 3.0, 1e-3, tol).h == 1e-3
    assert np.isclose(lane(2.0, 3.0, 100.0, Tolerance(1e-5, 3e-5)).h * 6.0, 1e-5**0.2 / 2 * 5.0)  # in tolerances
    assert not lane(2.0, 3.0, 100.0, tol).failed
    assert lane(np.inf, 3.0, 100.0, tol).failed
    assert not lane(np.nan, 3.0, 0.0, tol).failed  # it has nowhere to go


def test_steps_grow_shrink_and_end_where_they_should():
    tol = Tolerance(1e-6, 0.0)
    easy = advanced(lane(2.0, 3.0, 100.0, tol, h=1e-4), tol)
    assert np.isclose(easy.y, 2 * np.exp(-3e-4), rtol=1e-12)
    assert (float(easy.t), int(easy.steps), int(easy.rejected)) == (1e-4, 1, 0)
    assert np.isclose(easy.h, 6e-4)  # at most six times as long
    hard = advanced(lane(2.0, 3.0, 100.0, tol, h=50.0), tol)
    assert (float(hard.y), float(hard.t), int(hard.steps), int(hard.rejected)) == (2.0, 0.0, 0, 1)
    assert 10 <= hard.h < 50  # at least a fifth
    last = advanced(lane(2.0, 3.0, 1e-4, tol, h=0.1), tol)
    assert (float(last.t), float(last.h)) == (1e-4, 0.1)  # what is left, and the step that was meant
    assert not last.failed
    done = advanced(last, tol)
    assert (float(done.t), int(done.steps), int(done.rejected)) == (1e-4, 1, 0)
    near = advanced(lane(2.0, 3.0, 100.0, tol, h=0.05), tol)  # the next step would meet 0.9^5 of the tolerance
    size = abs(float(step(RODAS5P, fall, jnp.asarray(2.0), 3.0, jnp.asarray(0.05))[1])) / 2e-6
    assert 0.001 < size < 1
    assert np.isclose(near.h, 0.05 * 0.9 * size**-0.2, rtol=1e-9)
    assert advanced(lane(2.0, 3.0, 100.0, tol, h=1e-4, steps=7, rejected=2), tol, most=10).failed
    assert not advanced(lane(2.0, 3.0, 100.0, tol, h=1e-4, steps=7, rejected=2), tol, most=11).failed


def test_the_time_of_an_event_is_found_within_its_step():
    line = lambda y, k: jnp.ones_like(y)  # noqa: E731
    curve = lambda now: 0.09 - now.y * now.y  # noqa: E731
    find = jax.jit(lambda mark: lanes.locate(RODAS5P, line, curve, mark, None, None))
    number = lambda *x: Mark(*(jnp.asarray(v) for v in x))  # noqa: E731
    assert np.isclose(find(number(True, 2.0, 1.0, 0.0)), 2.3, rtol=1e-12)
    assert find(number(True, 0.0, 0.0, 7.0)) == 0
    assert find(number(False, 2.0, 1.0, 0.0)) == np.inf


def test_the_error_of_a_result_is_that_of_its_worst_field():
    """Relative to the field and the floor; where t1 was not reached there is none."""
    a = lambda *x: jnp.asarray(x)  # noqa: E731
    y, one, count = Modes(a(2.0, -4.0, 1.0), a(0.5, 0.0, 1.0), a(1.0, 1.0, 1.0)), a(1.0, 1.0, 1.0), a(3, 4, 5)
    error = Modes(a(-0.1, 0.2, 0.1), a(0.1, 0.3, 0.0), 0 * one)
    line = Lane(y, y, a(9.0, 9.0, 8.0), 9 * one, one, error, count, 2 * count, one < 0, {})
    found = EMPTY.loops[0].finish((), line, y, 0.5)
    np.testing.assert_allclose(found.error, [0.1, 0.6, np.inf])  # 0.1/(0.5 + 0.5), 0.3/(0 + 0.5)
    assert found.ok.tolist() == [True, True, False]
    assert (found.steps.tolist(), found.rejected.tolist()) == ([3, 4, 5], [6, 8, 10])
    found = EMPTY.loops[0].finish((), line._replace(failed=a(True, False, False)), y, 0.5)
    assert found.ok.tolist() == [False, True, False]


def result(y, error, ok=True):
    y, error = np.asarray(y, float), np.broadcast_to(np.asarray(error, float), np.shape(y))
    count = np.arange(len(y))
    arrays = (y, np.broadcast_to(ok, y.shape), count, count, error, {})
    made = EnsembleResult(*jax.tree.map(jnp.asarray, arrays))
    return jax.tree.map(lambda x: np.array(x), made)


def test_a_crew_shares_the_work_evenly_and_in_order(monkeypatch):
    sizes, lock = [], threading.Lock()

    def chunk(job, y0, k, t1, tol, capacity, device):
        with lock:
            sizes.append((len(t1), capacity, device))
        time.sleep(0.01 * (1 - t1[0] / 9000))  # the first take longest
        return result(t1 + y0 + k, tol.rtol)

    monkeypatch.setattr(Job, "chunk", chunk)
    job, t1, crew = Job(EMPTY, 0.0, None, 10), np.arange(9000.0), Crew(1024, ["a", "b"], 3, False)
    found = crew.share(job, 10 * t1, 0 * t1, t1, QUARTER)
    assert np.array_equal(found.y, 11 * t1)
    assert (found.error == 0.25).all()
    assert sorted(size for size, _, _ in sizes) == [9000 - 8 * 1024, *[1024] * 8]  # three rounds of three hands
    assert {(capacity, device) for _, capacity, device in sizes} == {(1024, "a"), (1024, "b")}
    sizes.clear()
    crew.share(job, t1[:3500], t1[:3500], t1[:3500], QUARTER)
    assert sorted(size for size, _, _ in sizes) == [3500 - 4 * 3 * TILE, *[3 * TILE] * 4]  # 584 rounded up
    assert np.array_equal(crew.share(job, t1[:100], t1[:100], t1[:100], QUARTER).y, 3 * t1[:100])
    assert [whole_tiles(n) // TILE for n in (0, 1, TILE, TILE + 1)] == [1, 1, 1, 2]


SIZES = [(3, 5000, TILE), (300, 5000, 1024), (3, 100, TILE), (1025, 5000, 5120)]


@pytest.mark.parametrize(("number", "chunk", "size"), SIZES)
def test_a_solve_asks_its_crew_for_what_was_asked(monkeypatch, number, chunk, size):
    """Few trajectories take a small array; numbers stand for all trajectories, and a tau that is None for 1."""
    asked = []
    monkeypatch.setattr(Crew, "share", lambda *a: asked.append(a) or result(np.arange(float(number)), 1e-4))
    p, k = np.linspace(0.1, 0.5, number), Isotropic(2.0, 0.4, 0.05, 0.25, None)
    settings = {"chunk": chunk, "devices": ["a", "b"], "workers": 5, "progress": True}
    found = solve_parabola(p, k, 7.0, rtol=1e-3, atol=1e-4, max_steps=9, ts=[1.0, 2.0], **settings)
    assert found.y.tolist() == list(range(number))
    [(crew, job, y0, c, t1, tol)] = asked
    assert (crew.chunk, crew.devices, crew.workers, crew.progress) == (size, ["a", "b"], 5, True)
    assert (job.floor, job.max_steps, job.ts.tolist()) == (0.1, 9, [1.0, 2.0])
    np.testing.assert_allclose(tol, (TIGHTER * 1e-3, FINER * TIGHTER * 1e-4))
    assert np.array_equal(y0, p)
    for leaf, expected in zip((*c, t1), (2.0, 0.4, 0.05, 0.25, 1.0, 7.0), strict=True):
        assert np.array_equal(leaf, np.full(number, expected))


def test_those_whose_error_is_above_the_tolerance_are_solved_again_ten_times_tighter(monkeypatch):
    asked, t1 = [], np.arange(5.0)
    answers = [
        result(t1, [0.5, 2, 3, 4, 9], [True, True, True, True, False]),
        result([10, 20, 30], [0.9, 1.1, 0.1], [True, True, False]),
        result([200.0, 300.0], [0.2, 0.3]),
    ]

    def share(crew, job, y0, k, t1, tol):
        asked.append((y0.tolist(), k.tolist(), t1.tolist(), tol.rtol))
        return answers[len(asked) - 1]

    monkeypatch.setattr(Crew, "share", share)
    job, task = Job(EMPTY, 0.0, None, 10), Task(t1 + 0.5, t1 + 0.25, t1, None, (5,), False)
    found = _solve(Crew(TILE, [], 1, False), job, task, Accuracy(1.0, 0.0))
    assert [numbers for *_, numbers, _ in asked] == [[0, 1, 2, 3, 4], [1, 2, 3], [2, 3]]
    assert asked[1][:2] == ([1.5, 2.5, 3.5], [1.25, 2.25, 3.25])
    np.testing.assert_allclose([rtol for *_, rtol in asked], [TIGHTER, TIGHTER / 10, TIGHTER / 100])
    assert found.y.tolist() == [0, 10, 200, 300, 4]  # the last was lost at once, and is not tried again
    np.testing.assert_allclose(found.error, [0.5, 0.9, 0.2, 0.3, 9])
