"""The random numbers of the views: Threefry as published and as in JAX, and the laws of what is made of it."""

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from experiments.augment import chance

WORD = np.uint32


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [  # the known answers of Random123 for threefry2x32 with 20 rounds
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_has_the_published_answers(key, counter, words):
    found = chance.threefry(tuple(map(WORD, key)), *(jnp.asarray(c, jnp.uint32) for c in counter))
    assert tuple(map(int, found)) == words


def test_a_block_is_that_of_jax(key):
    first, second = np.random.default_rng(0).integers(0, 2**32, (2, 50), dtype=WORD)
    ours = chance.threefry(jax.random.key_data(key), jnp.asarray(first), jnp.asarray(second))
    theirs = jax.extend.random.threefry_2x32(jax.random.key_data(key), jnp.concatenate([first, second]))
    np.testing.assert_array_equal(jnp.concatenate(ours), theirs)


def test_columns_depend_on_key_index_and_number_alone(key):
    index = jnp.arange(20)
    whole = np.asarray(chance.bits(key, index, 0, 31))
    np.testing.assert_array_equal(chance.bits(key, index[::-3], 6, 7), whole[::-3, 6:13])
    assert len(np.unique(whole)) == whole.size
    other = np.asarray(chance.bits(jax.random.fold_in(key, 1), index, 0, 31))
    assert not np.isin(whole, other).any()


def test_numbers_are_uniform_gaussian_and_apart(key):
    index, columns = jnp.arange(20000), 6
    for draw, law in ((chance.uniform, "uniform"), (chance.normal, "norm")):
        x = np.asarray(draw(key, index, 2, columns), np.float64)
        bound = 2.2 / np.sqrt(len(index))  # Kolmogorov's law: passed with probability 1e-4 each
        assert max(scipy.stats.kstest(column, law).statistic for column in x.T) < bound
        correlation = np.corrcoef(np.concatenate([x.T, x.T**2])) - np.eye(2 * columns)
        correlation[:columns, columns:] *= 1 - np.eye(columns)  # a number and its own square
        correlation[columns:, :columns] *= 1 - np.eye(columns)
        assert np.abs(correlation).max() < 5 / np.sqrt(len(index))
        assert np.abs(np.corrcoef(x[:-1, 0], x[1:, 0])[0, 1]) < 5 / np.sqrt(len(index))  # one image and the next


def test_the_ends_of_the_ranges_are_what_they_say(monkeypatch, key):
    for word, least, normal in ((0, 0.0, -1), (2**32 - 1, 1 - 2.0**-23, 1)):
        monkeypatch.setattr(chance, "bits", lambda *_, word=word: jnp.full((1, 1), word, jnp.uint32))
        assert float(chance.uniform(key, jnp.arange(1), 0, 1)[0, 0]) == least
        z = float(chance.normal(key, jnp.arange(1), 0, 1)[0, 0])
        assert z == pytest.approx(normal * scipy.stats.norm.isf(2.0**-24), rel=1e-4)
