"""Inference: the truth is recovered, and the errors are honest."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linbyol.checks import InputError
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.fit import NAMES, fit_modes
from linbyol.integrate import integrate

TS = np.linspace(0, 60, 61)
Y0 = Modes(jnp.array([0.1, 0.3, 0.2]), jnp.array([0.3, 0.05, 0.15]), 1.0)
TRUTHS = [Isotropic(1.7, 0.25, 0.03, 0.4), Isotropic(0.6, 0.1, 0.06, 0.2), Isotropic(1.0, 0.5, 0.01, 0.6)]


def measured(k, tau0=1.0):
    ys = integrate(modes_flow, Y0._replace(tau=tau0), k, TS, rtol=1e-10, atol=1e-12).ys
    return np.asarray(ys.p), np.asarray(ys.s)


@pytest.mark.parametrize("k", TRUTHS)
@pytest.mark.parametrize("tau0", [0.0, 1.0])
def test_exact_data_give_the_constants_back(k, tau0):
    found = fit_modes(TS, *measured(k, tau0), tau0=tau0)
    assert found.ok
    for name in NAMES:
        # both solves have rtol 1e-9 or better; a constant is worse determined than the data by up to 1e3
        assert np.isclose(getattr(found.estimate, name), getattr(k, name), rtol=1e-6)


def test_standard_errors_cover_the_truth():
    """Of 4 x 20 standardised deviations about 95 % lie within 2; fewer than 85 % has odds below 1e-3."""
    rng, k = np.random.default_rng(7), TRUTHS[0]
    p, s = measured(k)
    scores = []
    for _ in range(20):
        found = fit_modes(TS, p + 1e-3 * rng.normal(size=p.shape), s + 1e-3 * rng.normal(size=s.shape))
        scores += [(getattr(found.estimate, n) - getattr(k, n)) / getattr(found.error, n) for n in NAMES]
        assert np.isclose(found.residual, 1e-3, rtol=0.2)
    assert np.mean(np.abs(scores) < 2) > 0.85
    assert np.std(scores) > 0.6  # nor are they far too large


def test_what_the_data_do_not_determine_has_no_small_error():
    """At tau = 1, at rest, nothing depends on beta."""
    rest = integrate(modes_flow, Y0, TRUTHS[0], [0.0, 3000.0]).ys
    p, s = (np.tile(np.asarray(leaf[-1]), (61, 1)) for leaf in (rest.p, rest.s))
    rng = np.random.default_rng(1)
    found = fit_modes(TS, p + 1e-4 * rng.normal(size=p.shape), s + 1e-4 * rng.normal(size=s.shape))
    assert found.error.beta > 0.5 * found.estimate.beta


def test_bad_data_get_their_sentences():
    p, s = measured(TRUTHS[0])
    for arguments, sentence in [
        ((TS, p[:-1], s), r"Argument `p` must have shape \(61, d\), one row a time, but has \(60, 3\)"),
        ((TS[::-1], p, s), "Argument `ts` must increase"),
        ((TS, p, np.where(s == s[0, 0], np.nan, s)), "Argument `s` must be finite"),
        ((TS, p, -s), "Argument `s` must be at least 0, as eigenvalues of F are"),
        ((TS[:2], p[:2, :1], s[:2, :1]), "more times than 2"),
        ((TS, 0 * p + 0.6, 0 * s + 0.36), "Arguments `p` and `s` must change with time"),
        ((TS, 0 * p, 0 * s), "Arguments `p` and `s` must change with time"),
    ]:
        with pytest.raises(InputError, match=sentence):
            fit_modes(*arguments)
    for tau0, sentence in [(np.nan, "Argument `tau0` must be finite, but it is nan"), (np.inf, "but it is inf")]:
        with pytest.raises(InputError, match=sentence):
            fit_modes(TS, p, s, tau0=tau0)


def test_standard_errors_are_those_of_the_linearised_model():
    """σ √diag (JᵀJ)⁻¹ with J by differences of an integration of Eqs. 11-13 written out, σ² = Σ r²/(N - parameters)."""
    rng, k = np.random.default_rng(5), TRUTHS[1]
    p, s = (x + 1e-3 * rng.normal(size=x.shape) for x in measured(k))
    found = fit_modes(TS, p, s)

    def predicted(x):
        """p and s from (alpha_p, beta, eta, sigma2, p(0), s(0))."""
        a, b, e, sigma2, *start = x

        def rate(t, y):
            p, s, tau = y.reshape(3, 3)
            growth = p * (tau - (1 + sigma2) * p) - e
            return np.concatenate(
                [a * s * (tau - (1 + sigma2) * p) - e * p, 2 * s * growth, b * (1 - tau) - tau * growth]
            )

        y = solve_ivp(rate, (0, 60), [*start, 1, 1, 1], t_eval=TS, method="DOP853", rtol=1e-11, atol=1e-13).y
        return y[:6].reshape(-1)

    x = np.array([*(getattr(found.estimate, name) for name in NAMES), *found.y0.p, *found.y0.s])
    steps = 1e-5 * np.diag(np.maximum(np.abs(x), 0.01))
    J = np.stack([(predicted(x + h) - predicted(x - h)) / (2 * h.sum()) for h in steps], axis=1)
    r = predicted(x) - np.concatenate([p.T.reshape(-1), s.T.reshape(-1)])
    covariance = np.linalg.inv(J.T @ J) * (r @ r) / (r.size - x.size)
    errors = np.sqrt(np.diag(covariance))[:4]
    # the differences err by steps of 1e-5 squared; the fit's Jacobian stands where its last step began
    np.testing.assert_allclose([getattr(found.error, name) for name in NAMES], errors, rtol=1e-3)
    correlation = covariance[:4, :4] / np.outer(errors, errors)
    np.testing.assert_allclose(found.correlation, correlation, atol=1e-3)
    np.testing.assert_allclose(found.residual, np.sqrt(np.mean(r**2)), rtol=1e-6)
