"""A trajectory's files and times, and the events that stop one: made by hand, nothing is solved."""

import sys
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from linbyol.checks import InputError
from linbyol.equations import Amplitudes, Commuting, Isotropic, Modes, Symmetric, Weights
from linbyol.integrate import collapse, steady
from linbyol.integrate.events import Moment, crosses_parabola, escape, mode
from linbyol.integrate.trajectory import Trajectory

K = Isotropic(2.0, 0.4, 0.05, 0.25)  # kappa = 1.25: p_± = (1 ± √0.75)/2.5
OUTCOME = {"ok": jnp.asarray(False), "steps": jnp.asarray(7), "stopped": jnp.asarray(2.5)}
LANES = {name: jnp.broadcast_to(value, 4) for name, value in OUTCOME.items()}


class Pair(NamedTuple):
    left: Any
    right: Any


def test_every_state_comes_back_from_its_file(tmp_path):
    ts, a = jnp.array([0.0, 1.0, 3.0]), jnp.asarray(np.arange(6.0).reshape(3, 2))
    for ys in (Modes(a, 2 * a, 3 * a), Amplitudes(a, 2 * a, 3 * a), Pair(a, 2 * a), a):
        Trajectory(ts=ts, ys=ys, **OUTCOME).save(tmp_path / "a.npz", {"eta": 0.1})
        found = Trajectory.load(tmp_path / "a.npz")
        assert type(found.ys).__name__ == (type(ys).__name__ if ys is not a else type(a).__name__)
        np.testing.assert_array_equal(np.stack(found.ys), np.stack(ys))
        assert getattr(found.ys, "_fields", None) == getattr(ys, "_fields", None)
        assert (bool(found.ok), int(found.steps), float(found.stopped)) == (False, 7, 2.5)
        np.testing.assert_array_equal(found.ts, ts)
        with np.load(tmp_path / "a.npz") as arrays:
            assert '"eta": 0.1' in str(arrays["config"])


def test_times_between_are_asked_of_the_interpolation_until_the_stop():
    class Line:
        def evaluate(self, t):
            return Modes(10 * t, 20 * t, 30 * t)

    settle = lambda y, k: y._replace(tau=y.tau + k)  # noqa: E731
    ts = jnp.array([0.0, 1.0, 3.0])
    found = Trajectory(ts=ts, ys=jnp.zeros((3, 1)), interpolation=(settle, Line(), 0.5), **OUTCOME)
    np.testing.assert_allclose(found.at(2), (20, 40, 60.5))
    np.testing.assert_allclose(found.at(2.75).p, 25)  # it stopped at 2.5
    np.testing.assert_allclose(found.at(np.array([[0.0, 1.0], [2.0, 3.0]])).s, [0, 20, 40, 50])
    for t in (-0.1, np.array([1.0, 3.1])):
        with pytest.raises(InputError, match=r"Argument `t` must lie between 0.0 and 3.0, but is"):
            found.at(t)


def test_events_of_an_integration_are_the_sizes_that_they_name():
    W, F = jnp.array([[3.0, -4.0]]), jnp.array([[1.0, 5.0], [5.0, 2.0]])
    a, b = jnp.array([0.1, 0.7]), jnp.array([-3.0, 0.2])
    states = {25.0: Weights(W, W @ W.T, W), 3.0: Symmetric(F, F), 0.7: Modes(b, a, b), 9.0: Amplitudes(b, a, a)}
    for size, y in states.items():
        assert np.isclose(collapse(0.5)(Moment(0.0, y, None, K, y)), size - 0.5, rtol=1e-14)
    rest = steady(0.01)(Moment(0.0, Modes(b, a, a), Modes(a, -b / 100, a), K, None))
    assert np.isclose(rest, 0.7 - 0.01 * (1 + 3), rtol=1e-14)


def test_a_mode_is_read_from_each_state():
    np.testing.assert_allclose(mode(Amplitudes(jnp.array(-0.4), 0.3, 0.1), K), (0.3, 0.16, -0.25), rtol=1e-14)
    np.testing.assert_allclose(mode(Amplitudes(jnp.array(0.0), 0.3, 0.0), K), (0.3, 0, 0))  # tau has no value there
    np.testing.assert_allclose(mode(jnp.array(0.3), K), (0.3, 0.045, 1), rtol=1e-14)
    assert mode(Modes(1, 2, 3), K) == (1, 2, 3)


def test_events_of_an_ensemble_have_the_value_of_their_formula():
    y = Modes(jnp.array(0.3), jnp.array(0.5), jnp.array(0.7))
    at = lambda y, k=K, y0=y: Moment(0.0, y, None, k, y0)  # noqa: E731
    assert np.isclose(collapse(0.2)(at(y)), 0.3, rtol=1e-14)
    assert np.isclose(collapse(0.2)(at(jnp.array(0.6))), 0.36 / 2 - 0.2, rtol=1e-14)
    assert np.isclose(escape(0.8)(at(y)), 0.8 * (1 + 0.75**0.5) / 2.5 - 0.3, rtol=1e-14)
    assert np.isclose(escape(0.5)(at(y, K._replace(tau=0.8))), 0.5 * (0.8 + 0.39**0.5) / 2.5 - 0.3, rtol=1e-14)
    assert np.isclose(escape(0.8)(at(y, Commuting(2.0, 0.4, 0.05, 1.0, 1.25))), 0.8 * (1 + 0.75**0.5) / 2.5 - 0.3)
    assert not escape(0.8)(at(y, K._replace(eta=0.3))) <= 0  # above eta_c = 0.2 there is nowhere to escape to
    above, below = 0.5 - 0.09 / 2, 0.02 - 0.09 / 2
    margin = 0.1 * (0.5 + 0.09 / 2)
    cross = crosses_parabola(0.1)
    assert np.isclose(cross(at(y)), above + margin, rtol=1e-14)
    under = y._replace(s=jnp.array(0.02))
    assert np.isclose(cross(at(y, y0=under)), -above + margin, rtol=1e-14)
    assert np.isclose(cross(at(under, y0=under)), -below + 0.1 * (0.02 + 0.09 / 2), rtol=1e-14)


def test_a_trajectory_is_drawn_on_axes_of_ones_own():
    ts, p, W = jnp.array([0.0, 1.0, 3.0]), jnp.asarray(np.arange(6.0).reshape(3, 2)), jnp.ones((3, 2, 2))
    own = Figure().subplots(3, 1)
    axes = Trajectory(ts=ts, ys=Modes(p, 2 * p, 3 * p), **OUTCOME).plot(own)
    assert list(axes) == list(own)
    for ax, factor in zip(axes, (1, 2, 3), strict=True):
        np.testing.assert_array_equal([line.get_xdata() for line in ax.lines], [ts, ts])
        np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], factor * p.T)
    for ys, number in ((Weights(W, W, W), 3), (p, 1)):
        axes = Trajectory(ts=ts, ys=ys, **OUTCOME).plot()
        assert len(axes) == number
        assert all(ax.lines for ax in axes)
        pyplot.close(axes[0].figure)
    with pytest.raises(InputError, match=r"Argument `axes` must hold one for each of p, s, tau, but holds 2"):
        Trajectory(ts=ts, ys=Modes(p, p, p), **OUTCOME).plot(own[:2])
    with pytest.raises(InputError, match=r"draws one trajectory, but this one has shape \(4,\)"):
        Trajectory(ts=jnp.zeros((4, 3)), ys=p, **LANES).plot()


def test_a_trajectory_is_a_table_of_pandas(monkeypatch):
    ts, a = jnp.array([0.0, 1.0, 3.0]), jnp.asarray(np.arange(6.0).reshape(3, 2))
    table = Trajectory(ts=ts, ys=Pair(a, jnp.ones((3, 1, 2))), **OUTCOME).to_dataframe()
    assert list(table) == ["left[0]", "left[1]", "right[0,0]", "right[0,1]"]
    assert (table.index.name, list(table.index)) == ("t", [0.0, 1.0, 3.0])
    assert table["left[1]"].tolist() == [1.0, 3.0, 5.0]
    assert list(Trajectory(ts=ts, ys=ts, **OUTCOME).to_dataframe()) == ["y"]
    with pytest.raises(InputError, match=r"takes one trajectory, but this one has shape \(4,\)"):
        Trajectory(ts=jnp.zeros((4, 3)), ys=a, **LANES).to_dataframe()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="needs pandas, which is not installed"):
        Trajectory(ts=ts, ys=ts, **OUTCOME).to_dataframe()
