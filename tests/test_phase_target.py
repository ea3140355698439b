"""Phase diagrams with a moving target: the ensemble engine against independent integrations."""

import jax
import numpy as np
from jax.tree_util import Partial

from linbyol.equations import Isotropic, Modes
from linbyol.phase import SLOW, SURVIVES, sweep, sweep_with_target, with_target

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
