"""Equilibria of weights_flow for general data: exact where X and X_aug commute, at rest where they do not."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.equations import Commuting, Constants, Weights, balance, weights_flow
from linbyol.equilibria import collapse_bound, critical_decay, critical_direction, equilibria, rank_one
from linbyol.fixed_points import critical_eta, predictor_roots
from theory.proving import instances

LAMBDA_D, LAMBDA_S = np.array([0.9, 0.6]), np.array([1.2, 0.8])


@pytest.fixture(scope="module")
def commuting():
    turn = np.asarray(instances.orthogonal(jax.random.key(2), 2))
    X, X_aug = (turn @ np.diag(values) @ turn.T for values in (LAMBDA_D, LAMBDA_S - LAMBDA_D))
    return Constants(1.4, 0.3, 0.05, jnp.asarray(X), jnp.asarray(X_aug))


@pytest.mark.parametrize("d", [1, 2])
def test_commuting_data_have_the_equilibria_of_their_modes(commuting, d):
    """Each mode at 0, p_minus or p_plus, at most d of them alive; stable if p_plus where none other would grow."""
    found = equilibria(commuting, d, key=jax.random.key(0), starts=32)
    modes = Commuting(1.4, 0.3, 0.05, LAMBDA_D, LAMBDA_S)
    roots = np.stack(predictor_roots(modes))
    expected = [sorted(row) for row in itertools.product(*roots.T) if np.count_nonzero(row) <= d]
    sizes = np.linalg.svd(found.y.W, compute_uv=False) * np.sqrt(1.4)
    seen = [sorted(np.pad(row, (0, 2 - d))) for row in sizes]
    assert len(seen) == len(expected) == (9 if d == 2 else 5)
    for row in expected:
        assert min(np.abs(np.subtract(row, other)).max() for other in seen) < 1e-9
    assert found.residual.max() < 1e-12
    for y, stable in zip(sizes, found.stable, strict=True):
        alive = [j for j in range(2) if np.abs(y - roots[2, j]).min() < 1e-9]
        saddle = any(np.abs(y - p).min() < 1e-9 for p in roots[1])
        # in the same feature another input direction grows at the rate p λ_d - p² λ_s - eta
        grows = any(
            roots[2, i] * LAMBDA_D[j] - roots[2, i] ** 2 * LAMBDA_S[j] > 0.05 + 1e-9
            for i in alive for j in range(2) if j not in alive
        )  # fmt: skip
        assert stable == (not saddle and not grows)


def test_general_equilibria_rest_and_are_balanced(key):
    k = instances.constants(key, n=4)
    k = k._replace(eta=0.3 * critical_decay(k))
    found = equilibria(k, 2, key=key, starts=32)
    rate = jax.vmap(lambda y: weights_flow(y, k))(found.y)
    assert max(float(jnp.abs(leaf).max()) for leaf in rate) < 1e-10  # Levenberg-Marquardt's acceptance
    assert float(jnp.abs(jax.vmap(lambda y: balance(y, k))(found.y)).max()) < 1e-9  # Theorem 1 at rest, 1e-10/eta
    assert found.rank[0] == 0
    assert found.stable[0]
    ps, vs = rank_one(k)
    for p, v in zip(ps, vs, strict=True):
        u = np.array([0.6, 0.8])
        w = p / np.sqrt(k.alpha_p) * v
        y = Weights(np.outer(u, w), p * np.outer(u, u), np.outer(u, w))
        assert max(float(jnp.abs(leaf).max()) for leaf in weights_flow(y, k)) < 1e-13
    assert (found.rank == 1).sum() == len(ps)


@pytest.mark.parametrize("seed", range(3))
def test_critical_decay_lies_between_its_bounds(seed):
    k = instances.constants(jax.random.key(seed), n=6)
    Sigma = k.X + k.X_aug
    V = jax.random.normal(jax.random.key(seed), (5000, 6))
    height = jnp.einsum("ij,jk,ik->i", V, k.X, V) ** 2
    height = height / (4 * jnp.einsum("ij,jk,ik->i", V, Sigma, V) * jnp.sum(V * V, axis=1))
    eta_c = critical_decay(k)
    assert height.max() <= eta_c * (1 + 1e-12) <= collapse_bound(k)
    p, v = critical_direction(k)
    assert abs(p * v @ k.X @ v - p * p * v @ Sigma @ v - eta_c) < 1e-12
    assert len(rank_one(k._replace(eta=eta_c * 0.9999))[0]) >= 2
    assert len(rank_one(k._replace(eta=eta_c * 1.0001))[0]) == 0


def test_critical_decay_of_commuting_data_is_that_of_the_best_mode(commuting):
    best = critical_eta(Commuting(1.0, 0.0, 0.0, LAMBDA_D, LAMBDA_S)).max()
    np.testing.assert_allclose([critical_decay(commuting), collapse_bound(commuting)], best, rtol=1e-12)


def test_no_decay_is_refused(commuting):
    with pytest.raises(InputError, match="Argument `eta` must be positive"):
        equilibria(commuting._replace(eta=0.0), 2, key=jax.random.key(0))


def summary(found):
    """(rank, dimension, stable, singular values) of each, rounded."""
    sizes = np.round(np.linalg.svd(found.y.W, compute_uv=False), 6)
    return sorted(
        (int(r), int(m), bool(s), tuple(map(float, size)))
        for r, m, s, size in zip(found.rank, found.dimension, found.stable, sizes, strict=True)
    )


def test_isotropic_data_have_one_family_for_each_choice_of_roots():
    """Any two orthonormal v: p_+ or p_- in each feature. n = 3, d = 2: S² for one, Gr(2, 3) for two equal ones; two
    different ones also turn against the features, which adds 1. Stable unless p_- is among them."""
    k = Constants(1.0, 0.4, 0.05, jnp.eye(3), 0.25 * jnp.eye(3))
    low, high = (1 + np.array([-1, 1]) * np.sqrt(1 - 4 * 0.05 * 1.25)) / 2.5
    found = equilibria(k, 2, key=jax.random.key(0), starts=32)
    expected = [
        (0, 0, True, (0.0, 0.0)),
        (1, 2, False, (low, 0.0)),
        (1, 2, True, (high, 0.0)),
        (2, 2, False, (low, low)),
        (2, 2, True, (high, high)),
        (2, 3, False, (high, low)),
    ]
    seen = summary(found)
    assert [row[:3] for row in seen] == [row[:3] for row in sorted(expected)]
    np.testing.assert_allclose([row[3] for row in seen], [row[3] for row in sorted(expected)], atol=1e-6)
    by_rank = {0: 0, 1: 2 + 1, 2: 2 + 1}  # and the orbit under Q: one turn of the two features
    zeros = np.isnan(found.eigenvalues).sum(axis=1)
    for row, count in zip(zip(found.rank, found.dimension, strict=True), zeros, strict=True):
        assert count == by_rank[int(row[0])] + (int(row[1]) == 3)


def test_only_what_the_data_leave_free_is_a_family():
    """X = diag(1, 1, 0.7): a circle of directions in the first plane, one direction beside it."""
    k = Constants(1.0, 0.4, 0.05, jnp.diag(jnp.array([1.0, 1.0, 0.7])), 0.25 * jnp.eye(3))
    found = equilibria(k, 1, key=jax.random.key(0), starts=16)
    assert [row[:2] for row in summary(found)] == [(0, 0), (1, 0), (1, 0), (1, 1), (1, 1)]
    turned = k._replace(X_aug=k.X_aug + 0.01 * jnp.outer(jnp.array([1.0, 0.0, 0.0]), jnp.array([1.0, 0.0, 0.0])))
    assert not equilibria(turned, 1, key=jax.random.key(0), starts=16).dimension.any()


def test_float32_is_refused(commuting):
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(InputError, match="needs float64: enable it"):
            equilibria(commuting, 2, key=jax.random.key(0))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_what_is_no_search_is_refused(commuting):
    with pytest.raises(InputError, match="Argument `d` must be a positive whole number, but is 0"):
        equilibria(commuting, 0, key=jax.random.key(0))
    with pytest.raises(InputError, match="Argument `eta` must be positive"):
        rank_one(commuting._replace(eta=0.0))
