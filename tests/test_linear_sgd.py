"""Descent on pairs of views: its mean step is the flow's, by automatic differentiation of the loss alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.linear import sgd
from experiments.linear.banks import slope, start
from experiments.linear.pairs import AllPairs, BankPairs, FreshPairs, NoisyPairs, isotropic_bank
from experiments.linear.sgd import byol, descend, distance, rates, step
from linbyol import equations
from linbyol.assumptions import to_symmetric
from linbyol.checks import InputError
from linbyol.equations import Isotropic, Weights, balance, symmetric_flow, weights_flow
from linbyol.equations.combinators import decay, settle
from linbyol.images.moments import moments_of_bank
from linbyol.images.views import Augmentation
from linbyol.integrate import euler
from theory.proving.instances import weights

ROUNDING = 1e-12
d, n, V = 3, 5, 4


@pytest.fixture
def bank(key):
    """Views around twelve images; correlated pixels, so that X and X_aug do not commute."""
    a, b, c = jax.random.split(key, 3)
    mix = jax.random.normal(c, (n, n)) / 2
    return jax.random.normal(a, (12, 1, n)) + 0.5 * jax.random.normal(b, (12, V, n)) @ mix


@pytest.fixture
def y(key):
    return weights(jax.random.fold_in(key, 1), d, n)


def assert_close(a, b, atol=ROUNDING):
    for x, z in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, z, atol=atol)


@pytest.mark.parametrize(
    ("loss", "flow"),
    [
        (byol, weights_flow),
        (sgd.simsiam, equations.simsiam(weights_flow)),
        (sgd.no_stop_gradient, equations.no_stop_gradient(weights_flow)),
        (sgd.no_predictor, equations.no_predictor(equations.simsiam(weights_flow))),
    ],
)
def test_the_step_on_all_pairs_is_the_flow_on_the_banks_moments(loss, flow, bank, y, key):
    """Lemma 1 and its ablations: one step of descent is one of explicit Euler, from the state that the flow sees."""
    k = moments_of_bank(bank).constants(alpha_p=1.7, beta=0.6, eta=0.04)
    y = settle(flow, y, k)
    there = step(loss, AllPairs(bank), y, rates(0.1, alpha_p=1.7, beta=0.6, eta=0.04), key)
    rate = flow(y, k)
    assert_close(there.W, y.W + 0.1 * rate.W)
    if loss is not sgd.no_predictor:  # there Wp is not used, and only decays
        assert_close(there.Wp, y.Wp + 0.1 * rate.Wp)
    if loss is byol:  # elsewhere Wa is not used
        assert_close(there.Wa, y.Wa + 0.1 * rate.Wa)


def test_a_symmetrised_predictor_has_the_symmetrised_gradient(key):
    """Where X = I and X_aug = sigma2 I the change of (Wp, F) in a small step is Eq. 7's."""
    rows = jax.random.normal(key, (40, n))
    rows = rows @ jnp.linalg.inv(jnp.linalg.cholesky(rows.T @ rows / 40)).T
    bank = isotropic_bank(key, rows, 0.3)
    m = moments_of_bank(bank)
    assert_close((m.X, m.X_aug), (jnp.eye(n), 0.3 * jnp.eye(n)))
    y0 = weights(key, d, n)
    y0 = y0._replace(Wp=y0.Wp + y0.Wp.T)
    k = m.constants(1.7, 0.0, 0.04)
    lr = 1e-6
    there = step(sgd.symmetric_simsiam, AllPairs(bank), y0, rates(lr, alpha_p=1.7, eta=0.04), key)
    before, after = to_symmetric(y0, k), to_symmetric(there, k)
    assert_close(there.Wp, there.Wp.T)
    rate = symmetric_flow(before, Isotropic(1.7, 0.0, 0.04, 0.3, 1.0))
    assert_close(jax.tree.map(lambda a, b: (b - a) / lr, before, after), rate, atol=1e-4)  # lr times |Ẇ|², of order 10


def test_the_mean_step_over_all_batches_is_that_of_the_full_batch(bank, y, key):
    """Pairs are drawn uniformly and independently, with replacement: the mean over many steps is the full step."""
    r = rates(0.1, alpha_p=1.7, beta=0.6, eta=0.04)
    full = step(byol, AllPairs(bank), y, r, key)
    one = jax.vmap(lambda key: step(byol, BankPairs(bank, 8), y, r, key))(jax.random.split(key, 1000))
    for mean, truth in zip(one, full, strict=True):
        error = np.asarray(mean.std(axis=0) / np.sqrt(len(mean)))
        assert (np.abs(np.asarray(mean.mean(axis=0) - truth)) <= 5 * error + ROUNDING).all()  # 39 entries, 5 errors


def test_pairs_cover_the_bank_and_share_their_image(bank, key):
    images = jnp.arange(12.0)[:, None, None] + jnp.arange(V)[None, :, None] / 10 + jnp.zeros((1, 1, n))
    x1, x2 = BankPairs(images, 3000)(key)
    assert (jnp.floor(x1 + 0.01) == jnp.floor(x2 + 0.01)).all()
    seen = {(round(float(a), 1), round(float(b), 1)) for a, b in zip(x1[:, 0], x2[:, 0], strict=True)}
    assert len(seen) == 12 * V * V  # each missed with probability e^-15.6


def test_gradients_stop_where_they_should(bank, y):
    x1, x2 = bank[:, 0], bank[:, 1]
    assert not jax.grad(byol)(y, x1, x2).Wa.any()
    assert jax.grad(distance)(y, x1, x2).Wa.any()
    through, stopped = (jax.grad(loss)(y, x1, x2).W for loss in (sgd.no_stop_gradient, sgd.simsiam))
    assert jnp.abs(through - stopped).max() > 0.01
    assert not jax.grad(sgd.no_predictor)(y, x1, x2).Wp.any()


def test_full_batch_descent_is_euler_on_the_exact_moments(bank, y, key):
    r = rates(0.05, alpha_p=0.6, beta=0.8, eta=0.02)
    full = descend(byol, AllPairs(bank), y, r, key, records=6, every=5)
    stepped = euler(weights_flow, y, moments_of_bank(bank).constants(0.6, 0.8, 0.02), lr=0.05, steps=30)
    assert_close(full.ys, jax.tree.map(lambda a: a[::5], stepped.ys))
    assert_close(full.ts, stepped.ts[::5])
    assert full.ok
    assert int(full.steps) == 30


def test_a_decay_of_the_predictor_is_the_flows_times_alpha_p(bank, y, key):
    """B137: an optimiser's weight decay η on Wp is α_p η in the flow."""
    r = rates(0.05, alpha_p=4.0, beta=0.8, eta=0.02, predictor_decay=0.02)
    there = descend(byol, AllPairs(bank), y, r, key, records=1, every=1)
    flow = decay(weights_flow, Wp=0.08)
    assert_close(there.ys, euler(flow, y, moments_of_bank(bank).constants(4.0, 0.8, 0.02), lr=0.05, steps=1).ys)


def test_a_single_step_moves_the_balance_by_the_square_of_the_learning_rate(bank, y, key):
    """Theorem 1 holds batch by batch: first order cancels for any pairs, not only on average."""
    k = moments_of_bank(bank).constants(1.7, 0.6, 0.04)
    moved = []
    for lr in (1e-2, 1e-3):
        there = step(byol, BankPairs(bank, 8), y, rates(lr, alpha_p=1.7, beta=0.6, eta=0.04), key)
        moved.append(jnp.linalg.norm(balance(there, k) - (1 - lr * 0.04) ** 2 * balance(y, k)))
    np.testing.assert_allclose(moved[0] / moved[1], 100, rtol=1e-6)  # exactly lr²; rounding 1e-16/1e-6


def test_runs_map_over_seeds_and_rates_without_a_loop(bank, y, key):
    keys = jax.random.split(key, 3)
    etas = jnp.array([0.0, 0.1])
    run = lambda key, eta: descend(  # noqa: E731
        byol, BankPairs(bank, 8), y, rates(0.05, eta=eta), key, records=4, every=3
    )
    grid = jax.vmap(jax.vmap(run, (0, None)), (None, 0))(keys, etas)
    assert grid.ys.W.shape == (2, 3, 5, d, n)
    assert_close(jax.tree.map(lambda a: a[1, 2], grid.ys), run(keys[2], 0.1).ys)
    assert jnp.abs(grid.ys.W[0, 0, -1] - grid.ys.W[0, 1, -1]).max() > 1e-4  # seeds differ


@pytest.mark.optimised
def test_the_same_key_gives_the_same_bits_and_records_do_not_change_the_run(bank, y, key):
    r = rates(0.05)
    fine = descend(byol, BankPairs(bank, 8), y, r, key, records=6, every=2)
    again = descend(byol, BankPairs(bank, 8), y, r, key, records=6, every=2)
    coarse = descend(byol, BankPairs(bank, 8), y, r, key, records=6, every=1)
    np.testing.assert_array_equal(fine.ys.W, again.ys.W)
    assert_close(jax.tree.map(lambda a: a[:4], fine.ys), jax.tree.map(lambda a: a[::2], coarse.ys))


def test_fresh_pairs_are_two_views_of_one_image(key):
    images = jnp.arange(7.0)[:, None, None, None] + jnp.zeros((1, 4, 4, 1))
    x1, x2 = FreshPairs(images, Augmentation(0.0, 0.0, 0.01), 9)(key)
    assert x1.shape == x2.shape == (9, 16)
    np.testing.assert_array_equal(jnp.round(x1), jnp.round(x2))  # the same image, 50 standard deviations away
    assert jnp.abs(x1 - x2).min() > 0


def test_noisy_pairs_share_their_row_and_not_their_noise(key):
    rows = 10 * jnp.arange(7.0)[:, None] + jnp.zeros((1, n))
    x1, x2 = NoisyPairs(rows, 0.25, 2000)(key)
    np.testing.assert_array_equal(jnp.round(x1 / 10), jnp.round(x2 / 10))  # the same row, 10 standard deviations away
    assert abs(float((x1 - x2).var()) / 0.5 - 1) < 4 * np.sqrt(2 / x1.size)  # 2 sigma2, 4 standard errors


def test_slopes_and_starts(key):
    x = np.array([0.1, 0.2, 0.4])
    np.testing.assert_allclose(slope(x, np.stack([x**2, 3 * x**0.5], axis=1)), [2, 0.5], atol=ROUNDING)
    y = start(key, 400, 20)
    assert isinstance(y, Weights)
    np.testing.assert_array_equal(y.W, y.Wa)
    assert abs(float(jnp.sum(y.W**2)) / 20 - 1) < 4 * np.sqrt(2 / 8000)  # 4 standard errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r": rates(-0.1)}, "`lr` must be at least 0, but is -0.1"),
        ({"r": rates(0.1, eta=jnp.nan)}, r"`r\.eta` must be finite"),
        ({"records": 0}, "`records` must be a positive whole number, but is 0"),
        ({"every": 1.5}, "`every` must be a positive whole number, but is 1.5"),
    ],
)
def test_bad_settings_get_their_sentence(bank, y, key, change, message):
    settings = {"r": rates(0.1), "records": 2, "every": 2} | change
    with pytest.raises(InputError, match=message):
        descend(byol, BankPairs(bank, 8), y, key=key, **settings)


def test_states_that_are_not_finite_get_their_sentence(bank, y, key):
    bad = y._replace(Wp=y.Wp.at[0, 1].set(jnp.inf))
    with pytest.raises(InputError, match=r"`y0\.Wp` must be finite, but y0\.Wp\[0, 1\] = inf"):
        descend(byol, BankPairs(bank, 8), bad, rates(0.1), key, records=1, every=1)
