"""Fixed points of the modes: roots of their own flow, right to the last bits, and the stability it gives them."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from linbyol.equations import Commuting, Isotropic, Modes, decay, modes_flow, parabola_flow
from linbyol.fixed_points import bifurcation, critical_eta, fixed_points, predictor_roots, stability

pytestmark = pytest.mark.optimised

ROUNDING = 1e-12  # of fixed points


def random_commuting(seed, shares):
    """Per mode lambda_d ≤ lambda_s, and eta the given share of its threshold."""
    rng = np.random.default_rng(seed)
    lambda_d = rng.uniform(0.1, 2, shares.size)
    lambda_s = lambda_d + rng.uniform(0, 2, shares.size)
    return Commuting(rng.uniform(0.3, 3), 0.3, shares * lambda_d**2 / (4 * lambda_s), lambda_d, lambda_s)


@pytest.mark.parametrize("seed", range(3))
def test_roots_are_those_of_the_flow(seed):
    k = random_commuting(seed, np.random.default_rng(seed).uniform(0, 1, 50))
    for root in predictor_roots(k):
        assert np.abs(parabola_flow(root, k)).max() < 1e-15  # rates of order one


@pytest.mark.parametrize("near", ["zero", "threshold"])
def test_roots_keep_their_digits(near):
    """Against 50 digits of the same floating-point constants: no cancellation, neither at small eta nor near eta_c."""
    rng = np.random.default_rng(3)
    gaps = 10.0 ** rng.uniform(-13, -1, 200)
    k = random_commuting(4, gaps if near == "zero" else 1 - gaps)
    _, p_minus, p_plus = map(np.asarray, jax.jit(predictor_roots)(k))
    with mpmath.workdps(50):
        for i in range(gaps.size):
            a, b, eta = (mpmath.mpf(float(x[i])) for x in (k.lambda_d, k.lambda_s, k.eta))
            root = mpmath.sqrt(a * a - 4 * b * eta)
            assert abs(p_minus[i] / ((a - root) / (2 * b)) - 1) < ROUNDING
            assert abs(p_plus[i] / ((a + root) / (2 * b)) - 1) < ROUNDING


def test_printed_example():
    k = Isotropic(1.0, 0.3, 0.05, 0.5)
    zero, p_minus, p_plus = predictor_roots(k)
    assert zero == 0
    assert abs(p_minus - 0.054446658) < 5e-10  # nine printed digits
    assert abs(p_plus - 0.612220009) < 5e-10
    assert abs(critical_eta(k) - 1 / 6) < 1e-16


@pytest.mark.parametrize("seed", range(5))
def test_roots_meet_at_the_threshold_and_are_nan_above(seed):
    k = random_commuting(seed, np.ones(20))
    at = k._replace(eta=critical_eta(k))
    _, p_minus, p_plus = predictor_roots(at)
    np.testing.assert_array_equal(p_minus, p_plus)
    np.testing.assert_allclose(p_minus, k.lambda_d / (2 * k.lambda_s), rtol=1e-15)
    _, p_minus, p_plus = predictor_roots(at._replace(eta=at.eta * (1 + 1e-14)))
    assert np.isnan(p_minus).all()
    assert np.isnan(p_plus).all()


def test_limits_without_decay_or_signal():
    k = Commuting(1.0, 0.3, jnp.array([0.0, 0.0, 0.1]), jnp.array([0.8, 0.0, 0.0]), jnp.array([1.6, 1.0, 1.0]))
    _, p_minus, p_plus = predictor_roots(k)
    np.testing.assert_allclose(p_plus[:1], 0.5, rtol=1e-15)
    assert p_minus[0] == 0
    assert np.isnan(p_plus[2])  # no signal: any decay is above the threshold 0
    np.testing.assert_allclose(critical_eta(k), [0.1, 0, 0], rtol=1e-15)


def test_isotropic_is_commuting_with_lambda_d_tau():
    isotropic = Isotropic(1.3, 0.2, 0.03, 0.4, 0.7)
    commuting = Commuting(1.3, 0.2, 0.03, 0.7, 1.4)
    np.testing.assert_allclose(predictor_roots(isotropic), predictor_roots(commuting), rtol=1e-15)
    assert critical_eta(isotropic) == critical_eta(commuting)


def test_gradients_of_the_roots_stay_finite_down_to_no_decay():
    slope = jax.grad(lambda eta: predictor_roots(Isotropic(1.0, 0.3, eta, 0.25))[1])
    assert slope(0.0) == 1  # p_minus = eta/tau + …
    assert np.isfinite(
        slope(0.2)
    )  # at the threshold the derivative is one-sidedly infinite; it is given as that of D = 0


@pytest.mark.parametrize("ema", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_at_the_roots(ema, seed):
    """B40, B41: 2 eta - tau λ_d p and -2 eta in the plane; EMA adds one and changes no sign."""
    k = random_commuting(seed, np.random.default_rng(seed).uniform(0.1, 0.9, 6))
    y = fixed_points(k)
    column = jax.tree.map(lambda x: x[:, None] if jnp.ndim(x) else x, k)
    values = np.asarray(stability(y, column, ema))
    p = np.asarray(y.p[:, 1:])
    along = 2 * k.eta[:, None] - k.lambda_d[:, None] * p
    for i in range(6):
        for j in range(2):
            found = values[i, 1 + j]
            assert np.abs(found - -2 * k.eta[i]).min() < 1e-9
            if ema:
                others = np.delete(found, np.abs(found + 2 * k.eta[i]).argmin())
                # B41: det = beta (λ_d p - 2 eta) of the block in (p, tau)
                assert abs(others.prod() - k.beta * (k.lambda_d[i] * p[i, j] - 2 * k.eta[i])) < 1e-9
            else:
                assert np.abs(found - along[i, j]).min() < 1e-9
            assert (found.real.max() < 0) == bool(along[i, j] < 0) == (j == 1)
    np.testing.assert_allclose(
        np.sort(stability(Modes(0.0, 0.0, 1.0), k)[0].real), [-2 * k.eta[0], -k.eta[0]], rtol=1e-12
    )


def test_stability_at_no_decay():
    """7.3: s = 0 has the rates 0 and 2 p (tau - κ p); p = tau/κ has 0 and -alpha_p κ s."""
    k = Isotropic(1.7, 0.3, 0.0, 0.25)
    line = stability(Modes(jnp.array([-0.3, 0.3, 1.2]), 0.0, 1.0), k)
    expected = [2 * p * (1 - 1.25 * p) for p in (-0.3, 0.3, 1.2)]
    np.testing.assert_allclose(line.real, np.sort(np.stack([expected, np.zeros(3)], axis=1)), atol=1e-15)
    np.testing.assert_allclose(stability(Modes(0.8, 0.4, 1.0), k).real, [-1.7 * 1.25 * 0.4, 0], atol=1e-15)


def test_unequal_decay():
    """B72: the encoder's decay alone moves the roots; the flow of `decay` rests there."""
    k = random_commuting(5, np.full(4, 0.5))
    rates = {"Wp": 0.07, "W": 0.5 * np.asarray(k.eta)}
    y = fixed_points(k, **rates)
    column = jax.tree.map(lambda x: x[:, None] if jnp.ndim(x) else x, k)
    flow = decay(modes_flow, Wp=0.07, W=rates["W"][:, None])
    rate = flow(y, column)
    assert max(np.abs(rate.p).max(), np.abs(rate.s).max()) < 1e-15
    np.testing.assert_array_equal(y.p, jnp.stack(predictor_roots(k._replace(eta=rates["W"])), axis=-1))
    equal = fixed_points(k, Wp=k.eta, W=k.eta)
    np.testing.assert_array_equal(equal.s, fixed_points(k).s)
    grown = fixed_points(k, Wp=0.1, W=0.0).s
    assert np.isnan(grown[:, 2]).all()  # s grows for ever
    assert (grown[:, 0] == 0).all()  # but not from 0


def test_stability_of_an_ablation():
    k = Isotropic(1.0, 0.3, 0.1, 0.25)
    values = stability(Modes(0.0, 0.0, 1.0), k, flow=decay(modes_flow, Wp=0.3, W=0.05))
    np.testing.assert_allclose(values.real, [-0.3, -0.1], rtol=1e-12)


def test_bifurcation_diagram():
    k = Isotropic(1.2, 0.5, 0.0, 0.25)
    etas = jnp.linspace(0.01, 0.3, 30)
    diagram = bifurcation(k, etas)
    assert diagram.p.shape == diagram.s.shape == diagram.stable.shape == (30, 3)
    below = np.asarray(etas) < 0.2
    np.testing.assert_array_equal(diagram.stable[below], np.tile([True, False, True], (below.sum(), 1)))
    above = np.asarray(etas) > 0.2
    np.testing.assert_array_equal(diagram.stable[above], np.tile([True, False, False], (above.sum(), 1)))
    assert np.isnan(diagram.p[above][:, 1:]).all()
    np.testing.assert_array_equal(bifurcation(k, etas, ema=True).stable, diagram.stable)


def test_maps_over_any_leaf():
    etas, sigma2s = jnp.linspace(0.01, 0.1, 4), jnp.linspace(0, 1, 4)
    k = Isotropic(1.0, 0.3, etas, sigma2s)
    mapped = jax.vmap(lambda eta, sigma2: predictor_roots(Isotropic(1.0, 0.3, eta, sigma2)))(etas, sigma2s)
    np.testing.assert_array_equal(mapped, predictor_roots(k))


@pytest.mark.parametrize("ema", [False, True])
def test_the_double_root_is_not_stable(ema):
    """At eta_c it attracts from above alone: its rate is 0, and rounding must not call it stable."""
    at = bifurcation(Isotropic(1.2, 0.5, 0.0, 0.25), [0.2], ema=ema)
    np.testing.assert_array_equal(at.stable, [[True, False, False]])
    np.testing.assert_array_equal(at.rate[0, 1:], [0, 0])


def test_unequal_decay_has_derivatives_where_it_is_equal():
    """s = (eta_p/eta_s) p²/alpha_p, and p does not depend on eta_p."""
    k = Isotropic(1.3, 0.3, 0.05, 0.25)
    slope = jax.jacfwd(lambda eta_p: fixed_points(k, Wp=eta_p, W=0.05).s)(0.05)
    np.testing.assert_allclose(slope, fixed_points(k).s / 0.05, rtol=1e-12)


def test_a_mode_without_data_has_the_threshold_zero():
    assert critical_eta(Commuting(1.0, 0.3, 0.1, 0.0, 0.0)) == 0
