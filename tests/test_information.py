"""Estimates of mutual information against closed forms and quadrature, their controls and ceilings, and bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from linbyol.checks import InputError
from linbyol.representation import gaussian_channel, gaussian_information, infonce, ksg, mine
from linbyol.representation.bounds import (
    donsker_varadhan,
    donsker_varadhan_all,
    mine_loss,
    moving_log_mean,
)
from linbyol.representation.bounds import infonce as infonce_of
from linbyol.representation.bounds import nwj as nwj_of
from linbyol.representation.seed_parts import prepared

N, WIDE = 4000, 16
QUICK = {"steps": 50, "hidden": 16}  # one program for all that has these shapes


def channel(rng, informative, nats, noise=0.5):
    """x (N, 16) of any scales and offsets and z = WX + N(0, noise I), W of the given rank, and I(X; Z) in nats."""
    scale, offset = np.exp(rng.uniform(-4, 4, WIDE)), rng.uniform(-100, 100, WIDE)
    rotations = [np.linalg.qr(rng.standard_normal((WIDE, WIDE)))[0] for _ in range(2)]
    gains = np.zeros(WIDE)
    gains[:informative] = np.sqrt(noise * np.expm1(2 * nats / informative))
    u = rng.standard_normal((N, WIDE))
    clean = u @ rotations[0] * gains @ rotations[1]
    return u * scale + offset, clean, noise, 0.5 * np.sum(np.log1p(gains**2 / noise))


@pytest.mark.parametrize(("informative", "nats"), [(1, 4.0), (4, 2.0), (16, 4.0)])
def test_mine_is_within_five_percent_of_a_gaussian_channel(rng, informative, nats):
    x, clean, noise, truth = channel(rng, informative, nats)
    found = mine(x, clean, noise=noise, key=jax.random.key(1), **QUICK)
    assert truth == pytest.approx(nats, rel=1e-12)
    assert abs(found.value / truth - 1) < 0.05
    assert 0 < found.spread < 0.25  # held-out fifths of 800 rows: T varies by at most √(2 · 4) = 2.8 a row, so 0.1
    assert found.values.shape == (5,)
    assert found.value == pytest.approx(found.values.mean())
    assert found.ceiling == pytest.approx(np.log(800))
    assert abs(found.shuffled) < 0.05  # truth 0
    assert found.channel == pytest.approx(truth, abs=4 * np.sqrt(informative / 2 / N))  # sample covariance for the true
    assert found.notes == ()


def test_infonce_reads_the_same_channel_and_a_key_repeats_its_number(rng):
    x, clean, noise, truth = channel(rng, 4, 2.0)
    found, again, other = (infonce(x, clean, noise=noise, key=jax.random.key(k), **QUICK) for k in (1, 1, 2))
    assert abs(found.value / truth - 1) < 0.05
    assert "InfoNCE" in found.convention
    assert found.value == again.value != other.value


@pytest.mark.optimised
def test_what_no_gaussian_sees_is_learnt(rng):
    """z = |x| + noise: uncorrelated with x, so that all comes from the network; the truth by quadrature."""
    x = rng.standard_normal((N, 1))
    z = np.abs(x) + 0.3 * rng.standard_normal((N, 1))
    density = lambda z: stats.norm.pdf(z, 0, np.sqrt(1.09)) * 2 * stats.norm.cdf(z / 0.3 / np.sqrt(1.09))  # noqa: E731
    entropy = integrate.quad(lambda z: -density(z) * np.log(density(z)), -1.5, 8)[0]
    truth = entropy - 0.5 * np.log(2 * np.pi * np.e * 0.09)
    found = mine(x, z, key=jax.random.key(0), steps=200, seeds=2)
    assert found.untrained < 0.1 * truth
    assert 0.8 * truth < found.value < truth + 3 * found.spread + 0.05
    assert min(found.steps) > 0
    assert ksg(x, z).value == pytest.approx(truth, abs=4 * ksg(x, z).spread)


def test_a_function_of_x_without_noise_is_at_the_ceiling_and_says_so(rng):
    x, clean, _, _ = channel(rng, 16, 4.0)
    found = mine(x, clean, key=jax.random.key(1), control=rng.standard_normal((N, WIDE)), **QUICK)
    assert found.at_ceiling
    assert found.values.max() <= found.ceiling
    assert "infinite" in found.notes[0]
    assert any("ceiling" in note for note in found.notes)
    assert abs(found.control) < 0.05  # features that know nothing of x
    assert found.channel is None


@pytest.mark.parametrize("estimate", [lambda *a, **k: mine(*a, key=jax.random.key(0), **k), ksg])
def test_a_constant_side_has_nothing_to_tell(rng, estimate):
    h = rng.standard_normal((60, 3))
    for pair in ((h, np.full((60, 2), 7.0)), (np.full((60, 2), 7.0), h)):
        found = estimate(*pair, noise=0.1)
        assert found.value == 0
        assert "is the same in all rows" in found.notes[-1]


def test_the_bounds_are_their_formulas_and_the_all_pairs_form_never_passes_log_n(rng):
    T = rng.standard_normal((7, 7))
    off = np.exp(T)[~np.eye(7, dtype=bool)]
    joint = np.mean(np.diag(T))
    assert donsker_varadhan(jnp.asarray(T)) == pytest.approx(joint - np.log(off.mean()), rel=1e-12)
    assert nwj_of(jnp.asarray(T)) == pytest.approx(joint + 1 - off.mean(), rel=1e-12)
    rows = np.diag(T) - np.log(np.exp(T).mean(axis=1))
    assert infonce_of(jnp.asarray(T)) == pytest.approx(rows.mean(), rel=1e-12)
    for size in (1.0, 30.0, 1000.0):
        sharp = jnp.asarray(T + size * np.eye(7))
        assert donsker_varadhan_all(sharp) <= np.log(7) + 1e-12
        assert infonce_of(sharp) <= np.log(7) + 1e-12


def test_mines_gradient_is_that_of_the_bound_and_then_of_a_slower_mean(rng):
    T = jnp.asarray(rng.standard_normal((6, 6)))
    exact = -jax.grad(donsker_varadhan)(T)
    grad, first = jax.grad(mine_loss, has_aux=True)(T, jnp.asarray(jnp.nan), jnp.asarray(0.9))
    np.testing.assert_allclose(grad, exact, rtol=0, atol=1e-14)  # the first table sets the mean
    later = jax.grad(mine_loss, has_aux=True)(T, first + np.log(3.0), jnp.asarray(0.9))
    ratio = np.exp(first - later[1])
    assert ratio == pytest.approx(1 / (0.9 * 3 + 0.1), rel=1e-12)
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(later[0][off], exact[off] * ratio, rtol=0, atol=1e-14)
    assert np.exp(moving_log_mean(np.log(2.0), np.log(5.0), 0.75)) == pytest.approx(2.75, rel=1e-14)
    assert moving_log_mean(1000.0, 1001.0, 0.0) == pytest.approx(1001)  # keeps nothing, overflows nowhere


def test_gaussian_information_is_that_of_correlations_channels_and_singular_ones(rng):
    k, rho = 4, 0.7
    cov = np.block([[np.eye(k), rho * np.eye(k)], [rho * np.eye(k), np.eye(k)]])
    assert gaussian_information(cov, k) == pytest.approx(-k / 2 * np.log(1 - rho**2), rel=1e-12)
    M = np.zeros((8, 8))
    M[:4, :4], M[4:, 4:] = rng.standard_normal((2, 4, 4)) * 1e3
    assert gaussian_information(M @ cov @ M.T, k) == pytest.approx(1.346689, abs=5e-7)
    W, A = rng.standard_normal((3, 5)), rng.standard_normal((5, 5))
    S, v = A @ A.T, 0.3
    joint = np.block([[S, S @ W.T], [W @ S, W @ S @ W.T + v * np.eye(3)]])
    assert gaussian_channel(W, S, v) == pytest.approx(gaussian_information(joint, 5), rel=1e-9)  # condition of A Aᵀ
    assert gaussian_information(np.ones((2, 2)), 1) == np.inf


def test_ksg_is_right_in_few_dimensions_and_warns_in_many(rng):
    x = rng.standard_normal((1000, 1))
    z = 0.9 * x + np.sqrt(0.19) * rng.standard_normal((1000, 1))
    found = ksg(x * 1e-3, z * 1e4 - 7)
    assert found.value == pytest.approx(-0.5 * np.log(0.19), abs=4 * found.spread)
    assert found.value < found.ceiling
    wide, clean, noise, truth = channel(rng, 16, 4.0)
    with pytest.warns(RuntimeWarning, match="KSG falls short in many dimensions, and these are 32"):
        found = ksg(wide[:500], clean[:500], noise=noise)
    assert found.value < 0.7 * truth
    assert "many dimensions" in found.notes[-1]


@pytest.mark.parametrize(
    ("x", "z", "settings", "message"),
    [
        (np.full((60, 2), np.nan), np.ones((60, 2)), {}, r"`x` must be finite, but x\[0, 0\] = nan"),
        (np.ones((60, 2)), np.ones((59, 2)), {}, "`z` must have one row for each of the 60 of `x`, but has 59"),
        (np.ones((49, 2)), np.ones((49, 2)), {}, "`x` must have at least 50 rows, but has 49"),
        (np.ones((60, 2)), np.full((60, 2), "a"), {}, "`z` must be real numbers"),
        (np.ones((60, 2)), np.ones((60, 0)), {}, r"`z` must have shape \(N, d\)"),
        (np.ones((60, 2)), np.ones((60, 2)), {"noise": -0.1}, "`noise` must be at least 0, but is -0.1"),
        (np.ones((60, 2)), np.ones((60, 2)), {"seeds": 0}, "`seeds` must be a positive whole number, but is 0"),
        (np.ones((60, 2)), np.ones((60, 2)), {"batch": 1}, "`batch` must be at least 2, but is 1"),
        (np.ones((60, 2)), np.ones((60, 2)), {"decay": 1.0}, "`decay` must be at least 0 and below 1, but is 1.0"),
        (np.ones((60, 2)), np.ones((60, 2)), {"key": 3}, "`key` must be a jax.random.key, but is 3"),
        (np.ones((60, 2)), np.ones((60, 2)), {"control": np.ones((9, 1))}, "`control` must have at least 50 rows"),
    ],
)
def test_bad_input_gets_its_sentence(x, z, settings, message):
    with pytest.raises(InputError, match=message):
        mine(x, z, **{"key": jax.random.key(0)} | settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_information(np.eye(3), 3), "`n` must be a whole number between 1 and 2, but is 3"),
        (lambda: gaussian_information(np.diag([1.0, 0.0]), 1), r"positive variances, but cov\[1, 1\] = 0"),
        (lambda: gaussian_channel(np.eye(2), np.eye(3), 1.0), r"`W` must have shape \(d, 3\)"),
        (lambda: gaussian_channel(np.eye(2), np.eye(2), 0.0), "`noise` must be a positive number, but is 0"),
        (lambda: ksg(np.ones((5, 1)), np.ones((5, 1)), k=5), "`k` must be below the 5 rows, but is 5"),
    ],
)
def test_bad_arguments_of_closed_forms_get_their_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_rows_that_stand_alone_do_not_carry_the_bound_away():
    """Pixels that a few images have: a direction that some parts of the rows lack, and rows far from all others."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 12))
    x[:, 6:] = (rng.random((600, 6)) < 0.004) * 5.0
    z = x @ rng.normal(size=(12, 4)) + 0.1 * rng.normal(size=(600, 4))
    parts = prepared(x, z, 5, 128, rng)
    for lane in parts.lanes[:-1]:
        rows = lane.held_out
        assert np.isfinite(lane.fit.A).all()
        assert lane.fit.bound(parts.x[rows], parts.z[lane.partners[rows]]) > 0.5
