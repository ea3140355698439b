"""Alignment: zero where it should be, its greatest value where it can be, and no scale."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.alignment import alignment, asymmetry, cosines, negativity, proportionality, relative_commutator
from linbyol.equations import Weights
from theory.proving.instances import moment, orthogonal

ROUNDING = 1e-12


@pytest.fixture
def pair(key):
    a, b = jax.random.split(key)
    return jax.random.normal(a, (5, 5)), moment(b, 5)


def test_a_predictor_in_the_eigenbasis_of_F_is_aligned(key):
    U = orthogonal(key, 5)
    p, s = jnp.array([0.9, -0.4, 0.3, 0.1, 0.7]), jnp.array([0.1, 0.2, 0.4, 0.7, 1.1])
    found = alignment(U @ jnp.diag(p) @ U.T, U @ jnp.diag(s) @ U.T)
    np.testing.assert_allclose(found.F, s, atol=ROUNDING)
    np.testing.assert_allclose(found.Wp, jnp.sort(p), atol=ROUNDING)
    np.testing.assert_allclose(found.cosines, jnp.sign(p), atol=ROUNDING)
    np.testing.assert_allclose([found.commutator, found.asymmetry], 0, atol=ROUNDING)
    np.testing.assert_allclose(found.negativity, 0.4 / 0.9, atol=ROUNDING)


def test_measures_have_no_scale_and_no_preferred_basis(pair, key):
    Wp, F = pair
    U = orthogonal(key, 5)
    there, here = alignment(2 * U @ Wp @ U.T, 3 * U @ F @ U.T), alignment(Wp, F)
    for name in ("commutator", "asymmetry", "negativity", "cosines"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), atol=ROUNDING)


def test_the_extremes():
    skew = jnp.array([[0.0, 1.0], [-1.0, 0.0]])
    F = jnp.diag(jnp.array([1.0, 0.0]))
    assert asymmetry(skew) == 2
    assert asymmetry(jnp.eye(2)) == 0
    assert negativity(jnp.diag(jnp.array([0.5, -1.0]))) == 1
    np.testing.assert_allclose(relative_commutator(skew, F), 1, atol=ROUNDING)  # ‖[F, skew]‖² = 2, ‖skew‖² = 2
    np.testing.assert_allclose(cosines(skew, F), 0, atol=ROUNDING)


def test_a_predictor_that_is_not_aligned_has_the_values_of_the_definitions():
    """By hand, for a predictor that is neither symmetric nor positive; the eigenvectors of F are the axes."""
    Wp, F = jnp.array([[1.0, 2.0], [3.0, -4.0]]), jnp.diag(jnp.array([1.0, 3.0]))
    found = alignment(Wp, F)
    np.testing.assert_allclose(found.cosines, [1 / np.sqrt(10), -4 / np.sqrt(20)], atol=ROUNDING)  # its columns
    np.testing.assert_allclose(found.asymmetry, np.sqrt(2 / 30), atol=ROUNDING)
    np.testing.assert_allclose(found.commutator, np.sqrt(16 + 36) / np.sqrt(10 * 30), atol=ROUNDING)  # (s_i - s_j) p_ij
    half = np.sqrt(2.5**2 + 2.5**2)  # of [[1, 2.5], [2.5, -4]]: eigenvalues -1.5 ± √(2.5² + 2.5²)
    np.testing.assert_allclose(found.Wp, [-1.5 - half, -1.5 + half], atol=ROUNDING)
    assert found.negativity == 1
    shifted = negativity(Wp + 4 * jnp.eye(2))
    np.testing.assert_allclose(shifted, (half - 2.5) / (half + 2.5), atol=ROUNDING)


def test_collapsed_networks_give_zero_not_nan():
    zero = jnp.zeros((3, 3))
    for value in jax.tree.leaves(alignment(zero, zero)):
        np.testing.assert_array_equal(value, jnp.zeros_like(value))
    assert proportionality(Weights(zero, zero, zero)) == 0


def test_proportionality_is_one_for_any_positive_ratio(key):
    W = jax.random.normal(key, (3, 6))
    np.testing.assert_allclose(proportionality(Weights(W, W, 0.2 * W)), 1, atol=ROUNDING)
    np.testing.assert_allclose(proportionality(Weights(W, W, -W)), -1, atol=ROUNDING)
    askew = Weights(jnp.array([[3.0, 4.0]]), jnp.eye(1), jnp.array([[12.0, 5.0]]))
    np.testing.assert_allclose(proportionality(askew), 56 / 65, atol=ROUNDING)


def test_measures_map_over_trajectories(pair):
    Wp, F = pair
    both = jax.vmap(alignment)(jnp.stack([Wp, Wp.T]), jnp.stack([F, F]))
    assert both.cosines.shape == (2, 5)
    np.testing.assert_allclose(both.asymmetry[0], both.asymmetry[1], atol=ROUNDING)
