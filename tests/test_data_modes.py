"""Modes of measured data: exact where X and X_aug commute, and told how far they do not."""

import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.data_modes import data_modes
from linbyol.equations import Constants

LAMBDA_D, NOISE = np.array([1.0, 0.6, 0.6, 0.3, 0.0]), np.array([0.25, 0.2, 0.05, 2.0, 0.1])


@pytest.fixture
def turned(rng):
    """Commuting data in a random basis, X with a double eigenvalue that X_aug splits."""
    Q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    return Constants(2.0, 0.4, 0.05, (Q * LAMBDA_D) @ Q.T, (Q * NOISE) @ Q.T)


@pytest.mark.parametrize("tau", [1.0, -0.8])
def test_commuting_data_give_their_modes_back(turned, tau):
    found = data_modes(turned, tau=tau)
    eta_c = tau**2 * LAMBDA_D**2 / (4 * (LAMBDA_D + NOISE))
    best = np.lexsort((-LAMBDA_D, -eta_c))
    a, b = (tau * LAMBDA_D)[best], (LAMBDA_D + NOISE)[best]
    np.testing.assert_allclose(found.lambda_d, LAMBDA_D[best], atol=1e-12)
    np.testing.assert_allclose(found.lambda_s, b, atol=1e-12)
    np.testing.assert_allclose(found.eta_c, eta_c[best], atol=1e-12)
    assert found.commute
    assert found.commutator < 1e-12
    assert found.survives == list(eta_c[best] > 0.05)
    assert np.isclose(found.exact_eta_c, eta_c.max(), rtol=1e-12)
    alive = np.flatnonzero(eta_c[best] > 0.05)
    root = np.sign(tau) * np.sqrt(a[alive] ** 2 - 4 * 0.05 * b[alive])
    np.testing.assert_allclose(found.p_plus[alive], (a[alive] + root) / (2 * b[alive]), rtol=1e-10)
    np.testing.assert_allclose(found.p_minus[alive], (a[alive] - root) / (2 * b[alive]), rtol=1e-10)
    np.testing.assert_allclose(found.s[alive], found.p_plus[alive] ** 2 / 2, rtol=1e-14)
    assert np.isnan(np.delete(found.p_plus, alive)).all()
    assert data_modes(turned, tau=0.0).survives == [False] * 5


def test_a_start_decides_by_its_basin(turned):
    """p_minus of the three modes that can survive: 0.0536, 0.0926 (λ_s = 0.65), 0.0955 (λ_s = 0.8)."""
    assert data_modes(turned, p0=0.094).survives == [True, True, False, False, False]
    assert data_modes(turned, p0=-0.2).survives == [False] * 5
    assert data_modes(turned, p0=-0.2, tau=-1.0).survives == [True] * 3 + [False] * 2
    assert data_modes(turned, p0=0.2, ema=True).survives == [True] * 3 + [False] * 2
    late = turned._replace(beta=0.01)  # a target that starts at 0 and comes too late: e^(-eta/beta) is left of the mode
    assert data_modes(late, p0=0.2, tau=0.0, ema=True).survives == [False] * 5
    assert data_modes(late, p0=0.06, tau=3.0, ema=True).survives[1]  # or so large that it lifts one below p_minus


def test_data_that_do_not_commute_are_told(rng):
    A, B = rng.normal(size=(2, 3, 3))
    k = Constants(1.0, 0.4, 0.02, A @ A.T / 3, B @ B.T / 3)
    found = data_modes(k)
    expected = np.linalg.norm(k.X @ k.X_aug - k.X_aug @ k.X) / np.linalg.norm(k.X) / np.linalg.norm(k.X_aug)
    assert np.isclose(found.commutator, expected, rtol=1e-12)
    assert not found.commute
    values, V = np.linalg.eigh(k.X)
    np.testing.assert_allclose(np.sort(found.lambda_d), values, atol=1e-12)
    np.testing.assert_allclose(np.sort(found.lambda_s), np.sort(np.diag(V.T @ (k.X + k.X_aug) @ V)), atol=1e-12)
    V = rng.normal(size=(3, 20000))
    heights = np.einsum("ij,ik,kj->j", V, k.X, V) ** 2 / np.einsum("ij,ik,kj->j", V, k.X + k.X_aug, V)
    best = (heights / (4 * (V * V).sum(axis=0))).max()
    assert max(best, found.eta_c.max()) <= found.exact_eta_c * (1 + 1e-12)
    assert best > 0.99 * found.exact_eta_c  # 20,000 directions miss the best one by less than 0.05, squared
    for p in found.equilibria:
        pencil = np.linalg.eigvalsh(p * k.X - p * p * (k.X + k.X_aug))
        assert np.abs(pencil - 0.02).min() < 1e-12
    half = data_modes(k._replace(eta=0.005), tau=0.5)
    np.testing.assert_allclose(half.equilibria, 0.5 * found.equilibria, rtol=1e-9)
    assert np.isclose(half.exact_eta_c, found.exact_eta_c / 4, rtol=1e-12)


def test_constants_that_cannot_be_are_refused(turned):
    for k, options, sentence in [
        (turned._replace(eta=-1.0), {}, "Argument `eta` must be at least 0, but is -1."),
        (turned._replace(alpha_p=0.0), {}, "Argument `alpha_p` must be positive, but is 0."),
        (turned, {"tau": np.nan}, "Argument `tau` must be finite, but it is nan."),
        (turned, {"p0": np.inf}, "Argument `p0` must be finite, but it is inf."),
    ]:
        with pytest.raises(InputError, match=sentence):
            data_modes(k, **options)
