"""Tsit5 written out against diffrax's own: the same steps, states, interpolation and gradients."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.integrate.tsit5 import Interpolation, Tsit5

K = Isotropic(1.0, 0.4, 0.05, 0.25)
Y = Modes(*(jnp.array(x) for x in ([0.5, 0.9], [0.2, 0.4], [1.0, 0.7])))


def solve(solver, y0, k, ts=(0.0, 0.37, 3.0, 3.0001, 20.0)):
    ts = jnp.asarray(ts, y0.p.dtype)
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, k: modes_flow(y, k)),
        solver,
        ts[0],
        ts[-1],
        None,
        y0,
        k,
        saveat=diffrax.SaveAt(ts=ts, dense=True),
        stepsize_controller=diffrax.PIDController(rtol=1e-5, atol=1e-8),
        max_steps=1000,
    )


@pytest.fixture(scope="module")
def both():
    return [jax.jit(lambda y, k, s=s: solve(s, y, k))(Y, K) for s in (diffrax.Tsit5(), Tsit5())]


def test_steps_and_states_are_diffrax_s(both):
    theirs, ours = both
    assert ours.stats["num_steps"] == theirs.stats["num_steps"] > 5
    for a, b in zip(ours.ys, theirs.ys, strict=True):
        assert np.abs(a - b).max() < 1e-13  # rounding, some tens of steps


def test_between_steps_too(both):
    theirs, ours = both
    for t in (0.011, 1.7, 19.0):
        for a, b in zip(ours.evaluate(t), theirs.evaluate(t), strict=True):
            assert np.abs(a - b).max() < 1e-13
    local = Interpolation(
        t0=1.0, t1=3.0, y0=Y, y1=None, k=tuple(jax.tree.map(lambda x, i=i: x + i, Y) for i in range(7))
    )
    change = jax.tree.map(lambda a, b: b - a, local.evaluate(1.5), local.evaluate(2.0))
    assert np.abs(local.evaluate(1.5, 2.0).p - change.p).max() < 1e-14


def test_gradients_are_diffrax_s():
    loss = lambda eta, s: jnp.sum(solve(s, Y, K._replace(eta=eta), (0.0, 1.3, 5.0)).ys.p)  # noqa: E731
    theirs, ours = (jax.jit(jax.grad(lambda eta, s=s: loss(eta, s)))(0.05) for s in (diffrax.Tsit5(), Tsit5()))
    assert abs(ours - theirs) < 1e-11  # rounding in sums over steps and stages
    assert abs(ours) > 0.1


def test_a_flow_that_knows_the_time_is_met_at_each_stage():
    """One step of ẏ = cos t - y from y(1) = 0.3: state, error and the rate at its end are diffrax's own."""
    term = diffrax.ODETerm(lambda t, y, _: jnp.cos(t) - y)
    found = []
    for solver in (diffrax.Tsit5(), Tsit5()):
        state = solver.init(term, 1.0, 1.4, jnp.array([0.3]), None)
        y, error, _, state, _ = solver.step(term, 1.0, 1.4, jnp.array([0.3]), None, state, False)
        found.append((y, error, solver.step(term, 1.4, 1.6, y, None, state, False)[0]))
    for theirs, ours in zip(*found, strict=True):
        assert np.abs(ours - theirs).max() < 1e-15


def test_float32_stays_float32():
    y0 = jax.tree.map(lambda x: x.astype(jnp.float32), Y)
    ys = solve(Tsit5(), y0, jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), K)).ys
    assert all(leaf.dtype == jnp.float32 for leaf in ys)
