"""Series against NumPy's polynomials, and the series of solutions against closed forms: no compilation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import polynomial

from linbyol.equations import (
    Amplitudes,
    Constants,
    Isotropic,
    Modes,
    Weights,
    amplitudes_flow,
    hold,
    modes_flow,
    no_predictor,
    simsiam,
    weights_flow,
)
from linbyol.integrate.series import Series, has_series, solution, value

ORDER = 7
COEFFICIENTS = st.lists(st.integers(-9, 9).map(float), min_size=ORDER + 1, max_size=ORDER + 1)


def series(coefficients):
    return Series(lambda n: coefficients[n] if n < len(coefficients) else 0.0, 1.0)


def first(x):
    return np.array([x[n] for n in range(ORDER + 1)])


def product(*factors):
    found = np.ones(1)
    for factor in factors:
        found = polynomial.polymul(found, factor)
    return np.pad(found, (0, ORDER + 1))[: ORDER + 1]


@settings(max_examples=60, deadline=None)
@given(COEFFICIENTS, COEFFICIENTS, st.integers(-5, 5).map(float))
def test_series_are_polynomials(a, b, c):
    """All is exact: whole numbers of at most 2⁵³."""
    x, y, one = series(a), series(b), np.eye(1, ORDER + 1)[0]
    a, b = np.array(a), np.array(b)
    for found, expected in [
        (x + y, a + b), (x - y, a - b), (-x, -a), (x + c, a + c * one), (c + x, a + c * one), (x - c, a - c * one),
        (c - x, c * one - a), (c * x, c * a), (x * c, c * a), (x / 4, a / 4), (x * y, product(a, b)),
        (x * x, product(a, a)), (c * x * y, c * product(a, b)), (x * (c * y), c * product(a, b)),
        (x**0, one), (x**1, a), (x**2, product(a, a)), (x**3, product(a, a, a)), (x**4, product(a, a, a, a)),
    ]:  # fmt: skip
        assert np.array_equal(first(found), expected)


@settings(max_examples=30, deadline=None)
@given(COEFFICIENTS, COEFFICIENTS, st.sampled_from([-4.0, -1.0, 2.0]))
def test_quotients_undo_products(a, b, lead):
    x, y = series(a), series([lead, *(0.25 * v for v in b[1:])])
    size = 1 + np.abs(first(x / y)).max() * 10
    assert np.abs(first(x / y * y) - np.array(a)).max() < 1e-13 * size  # rounding
    assert np.abs(first(3 / y * y) - 3 * np.eye(1, ORDER + 1)[0]).max() < 1e-13 * (1 + np.abs(first(3 / y)).max() * 10)
    assert np.abs(first(y**-2 * y * y) - np.eye(1, ORDER + 1)[0]).max() < 1e-12 * (1 + np.abs(first(y**-2)).max() * 60)


def test_series_of_matrices():
    rng = np.random.default_rng(3)
    a, b, M = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 3, 2)), rng.normal(size=(3, 3))
    x, y = series(list(a)), series(list(b))
    expected = sum(a[i] @ b[3 - i] for i in range(4))
    assert np.abs((x @ y)[3] - expected).max() < 1e-13
    assert np.abs((2.0 * (x @ M @ y))[2] - 2 * sum(a[i] @ M @ b[2 - i] for i in range(3))).max() < 1e-13
    assert np.array_equal((M @ x.T)[2], M @ a[2].T)
    assert np.array_equal((jnp.asarray(M) @ x.T + np.float64(1) * x.T)[1].shape, (3, 2))
    assert (x.shape, x.dtype) == ((2, 3), float)


@pytest.mark.parametrize("refused", [lambda x: x > 0, bool, lambda x: x == x, lambda x: x**0.5, jnp.sin, abs, float])
def test_what_has_no_series_is_refused(refused):
    with pytest.raises((TypeError, AttributeError)):
        refused(series([1.0, 2.0]))


def test_solutions_have_their_known_series():
    (x,) = solution(lambda y, k: y * y, np.array(2.0), None)  # 2/(1 - 2t)
    assert np.abs(first(x) / 2.0 ** (np.arange(ORDER + 1) + 1) - 1).max() < 1e-14
    (x,) = solution(lambda y, k: -k * y, np.array(1.0), 3.0)
    assert abs(value(x, 30, 0.5) / np.exp(-1.5) - 1) < 1e-14
    (x,) = solution(lambda y, k: 2.0, np.array(1.0), None)  # a rate that depends on nothing
    assert [float(v) for v in first(x)[:3]] == [1, 2, 0]
    (x,) = solution(lambda y, k: 1 / y, np.array(1.0), None)  # sqrt(1 + 2t)
    assert abs(value(x, 40, 0.2) - np.sqrt(1.4)) < 1e-12


def test_matrix_flows_are_read_too():
    """The second coefficient is half the derivative of the rate along itself."""
    rng = np.random.default_rng(4)
    y = Weights(*(rng.normal(size=s) for s in ((2, 3), (2, 2), (2, 3))))
    k = Constants(0.7, 0.3, 0.1, np.eye(3), 0.2 * np.eye(3))
    rate, slope = jax.jvp(lambda y: weights_flow(y, k), (y,), (weights_flow(y, k),))
    for x, v, a in zip(solution(weights_flow, y, k), rate, slope, strict=True):
        assert np.abs(x[1] - v).max() < 1e-13
        assert np.abs(x[2] - a / 2).max() < 1e-13


def test_which_flows_have_a_series():
    one = jax.ShapeDtypeStruct((), float)
    y, k = Amplitudes(one, one, one), Isotropic(one, one, one, one, one)
    for flow in (amplitudes_flow, hold(amplitudes_flow, "wa"), simsiam(amplitudes_flow), no_predictor(amplitudes_flow)):
        assert has_series(flow, y, k)
    assert has_series(simsiam(modes_flow), Modes(one, one, one), k)
    for change in (jnp.sin, lambda w: jnp.where(w > 0, w, 0), lambda w: w if w > 0 else -w, lambda w: w**0.5):
        assert not has_series(lambda y, k, change=change: amplitudes_flow(y._replace(w=change(y.w)), k), y, k)
