"""Phase diagrams with a moving target: the ensemble engine against independent integrations."""

import jax
import numpy as np
from jax.tree_util import Partial

from linbyol.equations import Commuting, Held, Isotropic, Modes
from linbyol.moving_target import fate
from linbyol.phase import COLLAPSES, SLOW, SURVIVES, sweep, sweep_with_target, with_target

K = Isotropic(1.0, 0.4, 0.04, 0.25)
Y0 = Modes(0.1, 0.01, 0.0)
AXES = {"eta": np.linspace(0.001, 0.15, 20), "beta": np.geomspace(0.02, 2.0, 10)}


def test_the_engine_agrees_with_200_integrations():
    found = sweep_with_target(K, Y0, 5000.0, **AXES)
    expected = sweep(Partial(with_target, y0=Y0, t1=5000.0), K, **AXES)
    assert found.verdict.shape == (20, 10)
    assert (found.verdict == expected.verdict).all()
    alive = np.asarray(found.verdict == SURVIVES)
    assert 0 < alive.sum() < alive.size
    assert np.allclose(found.p, expected.p, atol=1e-5)  # the engine's rtol, and that some are within tol of rest
    assert np.allclose(found.escape_time[alive], expected.escape_time[alive], rtol=1e-4)
    assert np.isinf(found.escape_time[~alive]).all()


def test_what_has_not_settled_is_slow():
    assert (sweep_with_target(K, Y0, 1.0, **AXES).verdict == SLOW).all()


def test_axes_stand_in_the_order_of_their_keywords():
    """Keywords that are not in the order of the alphabet, or of the fields."""
    one = sweep(lambda k: (k.sigma2, k.eta), K, sigma2=np.arange(3.0), eta=np.arange(2.0))
    assert np.array_equal(one[0], [[0, 0], [1, 1], [2, 2]])
    assert np.array_equal(one[1], [[0, 1], [0, 1], [0, 1]])
    two = sweep_with_target(K, Y0, 3000.0, eta=np.array([0.01, 0.3]), alpha_p=np.array([0.5, 1.0, 2.0]))
    assert two.verdict.shape == (2, 3)
    assert jax.tree.leaves(two)[0][0].all()
    assert not two.verdict[1].any()


def test_an_axis_tau_is_that_of_the_start():
    """Isotropic or commuting, by the engine or by single integrations: what `fate` says of each start."""
    taus, y0 = np.array([-3.0, 0.0, 0.2, 0.6, 1.0]), Modes(0.07, 0.0049, 1.0)
    k = K._replace(beta=0.05)
    expected = fate(y0._replace(tau=taus), k).code
    assert len(np.unique(expected)) == 2
    for data in (k, Held(1.0, 0.05, 0.04, 1.0, 1.25)):
        np.testing.assert_array_equal(sweep_with_target(data, y0, 5000.0, tau=taus).verdict, expected)
    found = sweep(Partial(with_target, y0=y0, t1=5000.0), k, tau=taus)
    np.testing.assert_array_equal(found.verdict, expected)


def test_a_start_on_the_parabola_follows_alpha_p():
    """There alpha_p is the unit of s: it changes nothing."""
    found = sweep_with_target(K, Modes(0.1, None, 0.0), 5000.0, alpha_p=np.array([1.0, 100.0]), eta=AXES["eta"])
    np.testing.assert_array_equal(found.verdict[0], found.verdict[1])
    assert {COLLAPSES, SURVIVES} == set(np.unique(found.verdict))


def test_small_modes_are_not_taken_for_collapsed_ones():
    """w² = 6e-10 at rest where alpha_p is large, 1e-8 where the noise is, at rates of 1e-12 there."""
    y0 = Modes(0.1, 1e-11, 1.0)
    assert sweep_with_target(K, y0, 5000.0, alpha_p=np.array([1e9])).verdict[0] == SURVIVES
    assert with_target(K._replace(alpha_p=1e9), y0, 5000.0).verdict == SURVIVES
    k, y0 = Commuting(1.0, 0.4, 1e-5, 1.0, 1e4), Modes(6e-5, 3.6e-9, 1.0)
    assert sweep_with_target(k, y0, 1.0, alpha_p=np.array([1.0])).verdict[0] == SLOW
    found = sweep_with_target(k, y0, 1e8, alpha_p=np.array([1.0]))
    assert found.verdict[0] == SURVIVES
    assert np.isclose(found.p[0], (1 + np.sqrt(1 - 0.4)) / 2e4, rtol=1e-5)
    assert sweep_with_target(K, Modes(1e-4, 1e-8, 1.0), 100.0, eta=np.array([1e-6, 0.04])).verdict.tolist() == [2, 0]
