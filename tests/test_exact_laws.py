"""Laws of every closed form and every fixed point: the mirror, lists, float32, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol import exact, fixed_points
from linbyol.checks import InputError
from linbyol.equations import Commuting, Isotropic, Modes
from linbyol.exact import deep_modes, deep_rest, normality, normality_rest
from linbyol.integrate.events import Moment, escape

K = Isotropic(1.3, 0.4, 0.05, 0.25, 0.8)
ETA_C = 0.64 / 5
STARTS = [-0.4, 0.01, 0.2, 0.6, 2.0, 0.3, 0.5]
SHARES = [0.0, 0.3, 0.7, 0.3, 0.3, 1.0, 1.4]  # of eta_c
TIMES = [0.0, 0.7, 30.0]

# name -> the function of starts and constants, and what p → -p, tau → -tau makes of its leaves
FUNCTIONS = {
    "predictor_roots": (lambda p, k: fixed_points.predictor_roots(k), (-1, -1, -1)),
    "critical_eta": (lambda p, k: fixed_points.critical_eta(k), (1,)),
    "fixed_points": (lambda p, k: fixed_points.fixed_points(k), (-1, 1, -1)),
    "stability": (lambda p, k: fixed_points.stability(Modes(p, 0.4, k.tau), k), (1,)),
    "bifurcation": (lambda p, k: fixed_points.bifurcation(k, k.eta), (1, -1, 1, 1, 1)),
    "parabola": (lambda p, k: exact.parabola(p, k, TIMES), (-1,)),
    "parabola_time": (lambda p, k: exact.parabola_time(p, list(p)[::-1], k), (1,)),
    "escape_time": (lambda p, k: exact.escape_time(p, k, [0.7]), (1,)),
    "escape_time_asymptotics": (lambda p, k: exact.escape_time_asymptotics(p, k), (1,)),
    "separatrix": (lambda p, k: exact.separatrix(k, p), (1,)),
    "collapses": (lambda p, k: exact.collapses(p, [0.04], k), (1,)),
    "target_ratio": (lambda p, k: exact.target_ratio(TIMES, [list(p)] * 3, k, 0.3), (1,)),
}
each = pytest.mark.parametrize("name", FUNCTIONS)


def decayed(k, shares=SHARES):
    return k._replace(eta=np.array(shares) * ETA_C)


def leaves(name, p, k):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(FUNCTIONS[name][0](p, k))]


def test_the_table_is_whole():
    """Of what is about a mode of BYOL; deep JEPA and MAE, and Gaussian features, have laws of their own elsewhere."""
    others = {name for module in (deep_modes, deep_rest, normality, normality_rest) for name in vars(module)}
    assert set(FUNCTIONS) == {*exact.__all__, *fixed_points.__all__} - others


@pytest.mark.optimised
@each
def test_a_negative_tau_is_the_mirror_image(name):
    there = leaves(name, np.array(STARTS), decayed(K))
    mirrored = leaves(name, -np.array(STARTS), decayed(K)._replace(tau=-K.tau))
    for x, y, sign in zip(there, mirrored, FUNCTIONS[name][1], strict=True):
        np.testing.assert_array_equal(x, y if sign == 1 else -y)


@each
def test_lists_are_arrays(name):
    k = decayed(K)
    for x, y in zip(leaves(name, np.array(STARTS), k), leaves(name, STARTS, k._replace(eta=list(k.eta))), strict=True):
        np.testing.assert_array_equal(x, y)


@each
def test_float32_gives_the_numbers_of_float64(name):
    k = jax.tree.map(np.float32, decayed(K, [0.0, 0.3, 0.7, 0.3, 0.3, 0.9, 1.4]))  # at eta_c rounding alone decides
    p = np.array(STARTS, np.float32)
    wide = jax.tree.map(np.float64, k)
    for x, y in zip(leaves(name, p, k), leaves(name, np.float64(p), wide), strict=True):
        assert x.dtype in (np.float32, np.complex64, bool)
        np.testing.assert_allclose(
            x, y, rtol=1e-4, atol=2e-6
        )  # 1e-7 times the conditions of roots and times, up to 1e3


REFUSED = {
    "alpha_p": (K._replace(alpha_p=0.0), "Argument `alpha_p` must be positive, but is 0"),
    "eta": (K._replace(eta=[0.1, -0.1]), "Argument `eta` must be at least 0, but is -0.1"),
    "sigma2": (K._replace(sigma2=-0.3), "Argument `sigma2` must be at least 0, but is -0.3"),
    "nan": (K._replace(alpha_p=np.nan), "Argument `k.alpha_p` must be finite"),
    "tau": (K._replace(tau=np.inf), "Argument `k.tau` must be finite"),
    "words": (K._replace(tau="one"), "Argument `k.tau` must be a real number or array, but is 'one'"),
    "data": (Commuting(1.0, 0.4, 0.1, 1.0, 0.9), r"Argument `lambda_s` \(of X \+ X_aug\) must be at least lambda_d"),
}


@each
@pytest.mark.parametrize("fault", REFUSED)
def test_constants_of_no_mode_are_refused(name, fault):
    k, sentence = REFUSED[fault]
    if name == "target_ratio":  # of the constants it has beta alone
        k, sentence = K._replace(beta=-0.1), "Argument `beta` must be at least 0, but is -0.1"
    if name == "stability":
        k, f = k, lambda p, k: fixed_points.stability(Modes(0.1, 0.1, 1.0), k)
    else:
        f = FUNCTIONS[name][0]
    if name == "bifurcation":
        f = lambda p, k: fixed_points.bifurcation(k, np.append(k.eta, 0.1))  # noqa: E731
    with pytest.raises(InputError, match=sentence):
        f(np.array(STARTS), k)


@pytest.mark.parametrize(
    "call",
    [
        lambda: exact.parabola(np.nan, K, 1.0),
        lambda: exact.parabola(0.3, K, [0.0, np.nan]),
        lambda: exact.parabola_time(0.3, [0.1, np.inf], K),
        lambda: exact.escape_time(np.nan, K),
        lambda: exact.escape_time(0.3, K, [0.5, 1.0]),
        lambda: exact.separatrix(K, np.nan),
        lambda: exact.collapses(0.1, -0.1, K),
        lambda: exact.collapses(np.nan, 0.1, K),
        lambda: exact.target_ratio([0.0, 1.0], [0.1, -0.1], K),
        lambda: exact.target_ratio([0.0, 1.0], [0.1, 0.2, 0.3], K),
        lambda: exact.target_ratio([1.0, 0.0], [0.1, 0.2], K),
        lambda: fixed_points.fixed_points(K, W=-0.1),
        lambda: fixed_points.bifurcation(K, [[0.1]]),
    ],
)
def test_arguments_of_no_mode_are_refused(call):
    with pytest.raises(InputError, match=r"^Argument `"):
        call()


def test_values_are_not_looked_at_where_they_are_traced():
    etas = jnp.array([-0.1, 0.05])
    found = jax.jit(jax.vmap(lambda eta: fixed_points.critical_eta(K._replace(eta=eta))))(etas)
    np.testing.assert_allclose(found, ETA_C, rtol=1e-15)


def test_an_escape_is_seen_in_the_mirror():
    """Before p_plus and beyond it; never without one, and where it is 0."""
    k = K._replace(tau=0.8 * np.array([1, 1, -1, -1, 1, 0]), eta=np.array([0.05, 0.05, 0.05, 0.05, 1.0, 0.0]))
    p = np.array([0.3, 0.6, -0.3, -0.6, 0.6, 0.6])
    value = jax.vmap(lambda p, tau, eta: escape()(Moment(0.0, p, None, K._replace(tau=tau, eta=eta), p)))(
        p, k.tau, k.eta
    )
    np.testing.assert_array_equal(value <= 0, [False, True, False, True, False, False])


def test_a_lane_that_is_nan_has_no_answer():
    """Where values are traced they cannot be refused: neither an end nor an escape is made up for them."""
    p0, eta = jnp.array([0.3, jnp.nan, 0.3]), jnp.array([0.05, 0.05, jnp.nan])
    for f in (exact.escape_time, lambda p0, k: exact.parabola(p0, k, jnp.inf)):
        found = jax.vmap(lambda p0, eta, f=f: f(p0, K._replace(eta=eta)))(p0, eta)
        np.testing.assert_array_equal(jnp.isnan(found), [False, True, True])
