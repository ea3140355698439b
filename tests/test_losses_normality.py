"""SIGReg and BHEP of samples against programs of loops, and their expectations against the closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.exact import bhep_distance, slice_distance
from linbyol.losses import bhep, lejepa, sigreg

ROUNDING = 1e-12  # float64, sums of some thousand numbers of order one


def oracle_sigreg(z, u, points, t_max, clip):
    """Per slice and time, as the released code does: t on [0, t_max], trapezoid weights doubled, times N."""
    found = []
    for column in u.T:
        x = z @ column / np.linalg.norm(column)
        even = odd = 0.0
        for i, t in enumerate(np.linspace(0, t_max, points)):
            w = t_max / (points - 1) * (1 if i in (0, points - 1) else 2) * np.exp(-(t**2) / 2) * len(z)
            even += w * (np.mean(np.cos(t * x)) - np.exp(-(t**2) / 2)) ** 2
            odd += w * np.mean(np.sin(t * x)) ** 2
        found.append((0, 0) if clip is not None and even + odd < clip else (even, odd))
    return np.mean(found, axis=0)


@pytest.fixture(scope="module")
def z():
    return np.random.default_rng(3).standard_normal((13, 4)) * [1, 0.4, 2, 1] + [0, 0.5, 0, 0]


@pytest.mark.parametrize(("points", "t_max", "clip"), [(17, 3.0, None), (5, 4.5, None), (17, 3.0, 1.5)])
def test_sigreg_is_its_oracle(z, key, points, t_max, clip):
    given = {"slices": 6, "points": points, "t_max": t_max}
    found, theory, unclipped = jax.jit(
        lambda z: (
            sigreg(z, key, **given, clip=clip),
            sigreg(z, key, **given, convention="theory"),
            sigreg(z, key, **given),
        )
    )(z)
    u = np.asarray(jax.random.normal(key, (4, 6)))
    even, odd = oracle_sigreg(z, u, points, t_max, clip)
    np.testing.assert_allclose(found, [even + odd, even, odd], rtol=ROUNDING)
    if clip is not None:
        assert 0 < float(found.total) < float(unclipped.total)
    np.testing.assert_allclose(theory.total * 13 * np.sqrt(2 * np.pi), unclipped.total, rtol=ROUNDING)


def test_sigreg_of_one_feature_is_the_distance_of_its_slice(key):
    """A sample of 20,000 quantiles of N(0.3, 0.7): its statistic is T up to the tails and the trapezoid on [0, 8]."""
    from scipy.stats import norm

    z = norm.ppf((np.arange(20000) + 0.5) / 20000)[:, None] * 0.7**0.5 + 0.3
    found = jax.jit(lambda z: sigreg(z, key, slices=1, points=65, t_max=8.0, convention="theory").total)(z)
    assert (
        abs(float(found) - float(slice_distance(0.7, 0.3))) < 1e-5
    )  # quantiles miss 1e-4 of the variance in the tails


def test_bhep_is_its_pairs(z):
    for beta in (1.0, 0.4):
        b, d = beta**2, z.shape[1]
        pairs = np.mean([[np.exp(-b * np.sum((x - y) ** 2) / 2) for x in z] for y in z])
        cross = -2 * (1 + b) ** (-d / 2) * np.mean([np.exp(-b * np.sum(x**2) / (2 * (1 + b))) for x in z])
        offset = (1 + 2 * b) ** (-d / 2)
        np.testing.assert_allclose(
            bhep(jnp.asarray(z), beta=beta), [pairs + cross + offset, pairs, cross, offset], rtol=ROUNDING
        )


def test_bhep_of_many_normal_samples_is_its_closed_form():
    """The mean of 40 batches of 500, less the bias of a sample paired with itself, within four standard errors."""
    rng, A = np.random.default_rng(5), np.array([[1.0, 0.0], [0.6, 0.5]])
    m, S = np.array([0.2, -0.4]), A @ A.T
    off = []
    for z in rng.standard_normal((40, 500, 2)) @ A.T + m:
        total, pairs, *_ = map(float, bhep(jnp.asarray(z)))
        off.append(total - pairs + (500 * pairs - 1) / 499)
    error = np.std(off, ddof=1) / np.sqrt(40)
    assert abs(np.mean(off) - float(bhep_distance(S, m))) < 4 * error
    assert error < 1e-3


@pytest.mark.parametrize("loss", [lambda z, key: sigreg(z, key, slices=8), lambda z, key: bhep(z)])
def test_they_pull_towards_the_normal(z, key, loss):
    """Down their gradients collapsed features leave the origin, and their slopes are those of differences."""
    total = jax.jit(lambda z: loss(z, key).total)
    x = jnp.asarray(z)
    direction = np.random.default_rng(7).standard_normal(z.shape)
    numeric = (total(x + 1e-5 * direction) - total(x - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(jnp.sum(jax.grad(total)(x) * direction), numeric, rtol=1e-7)  # step² of a smooth loss
    small = jnp.asarray(1e-3 * (z - z.mean(axis=0)))
    assert jnp.sum(jax.grad(total)(small) * small) < 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"slices": 0}, "Argument `slices` must be a positive whole number, but is 0."),
        ({"points": 16}, "Argument `points` must be odd and at least 3, but is 16."),
        ({"points": 1}, "Argument `points` must be odd and at least 3, but is 1."),
        ({"t_max": 0.0}, "Argument `t_max` must be positive, but is 0."),
        ({"t_max": jnp.asarray(-1.0)}, "Argument `t_max` must be positive, but is -1."),
        ({"t_max": float("inf")}, "Argument `t_max` must be finite, but it is inf."),
        ({"convention": "paper"}, "Argument `convention` must be one of code, theory, but is 'paper'."),
    ],
)
def test_settings_that_sigreg_cannot_have_are_refused(z, key, given, words):
    with pytest.raises(InputError, match=words):
        sigreg(jnp.asarray(z), key, **{"slices": 4} | given)


def test_a_negative_weight_is_refused(z, key):
    with pytest.raises(InputError, match=r"^Argument `lamb` must be at least 0, but is -1\.$"):
        lejepa(jnp.asarray(z)[None], key, slices=4, lamb=-1.0)


@pytest.mark.parametrize("beta", [0.0, -1.0])
def test_a_width_that_bhep_cannot_have_is_refused(z, beta):
    with pytest.raises(InputError, match=f"Argument `beta` must be positive, but is {beta:.0f}."):
        bhep(jnp.asarray(z), beta=beta)
