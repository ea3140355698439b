"""The equations against their losses and their laws, in NumPy, by central differences."""

import numpy as np

from linbyol.equations import (
    Commuting,
    Constants,
    Isotropic,
    Modes,
    Symmetric,
    Weights,
    alignment_rate,
    balance,
    commutator,
    effective_growth,
    mode_alignment_rate,
    mode_balance,
    modes_flow,
    parabola_flow,
    symmetric_balance,
    symmetric_flow,
    target_gradient,
    weights_flow,
)

ROUNDING = 1e-13  # a few dozen operations on numbers of order one


def along(f, y, rate, h=1e-5):
    """The derivative of f along a rate by central differences, in NumPy: 1e-9 for a polynomial of order one."""
    ahead, behind = (type(y)(*(a + sign * h * v for a, v in zip(y, rate, strict=True))) for sign in (1, -1))
    return (f(ahead) - f(behind)) / (2 * h)


def random_states():
    """Flow, state and constants: full weights, a predictor that does not commute with F, modes."""
    rng = np.random.default_rng(2)
    A, B, X = (rng.normal(size=(4, 4)) / 2 for _ in range(3))
    y = Weights(*(rng.normal(size=shape) / 2 for shape in ((3, 4), (3, 3), (3, 4))))
    return (
        (weights_flow, y, Constants(1.7, 0.3, 0.2, X @ X.T, A @ A.T)),
        (symmetric_flow, Symmetric(A + A.T, B @ B.T), Isotropic(1.7, 0.3, 0.2, 0.4, 0.7)),
        (modes_flow, Modes(*rng.normal(size=(3, 5))), Commuting(1.7, 0.3, 0.2, *(1 + rng.random((2, 5))))),
    )


def test_theorem_3_is_the_flow_of_the_commutator():
    """dL/dt = -L K - K L; K of two diagonal matrices has the eigenvalues of Eq. 17."""
    _, (flow, y, k), _ = random_states()
    L, K = commutator(y, k), np.asarray(alignment_rate(y, k))
    assert np.allclose(along(lambda y: commutator(y, k), y, flow(y, k)), -L @ K - K @ L, rtol=0, atol=1e-8)
    p, s = y.Wp[0], y.F[0] ** 2
    found = alignment_rate(Symmetric(Wp=np.diag(p), F=np.diag(s)), k)
    assert np.allclose(found, np.diag(mode_alignment_rate(Modes(p, s, k.tau), k)), rtol=0, atol=ROUNDING)


def test_balances_fall_as_twice_the_decay():
    """Theorem 1, for weights and for an aligned predictor and F, and Eq. 14."""
    weights, (flow, y, k), modes = random_states()
    aligned = Symmetric(Wp=y.F @ y.F, F=y.F)
    balances = ((balance, weights), (symmetric_balance, (flow, aligned, k)), (mode_balance, modes))
    for form, (flow, y, k) in balances:
        rate = along(lambda y, form=form, k=k: form(y, k), y, flow(y, k))
        assert np.allclose(rate, -2 * 0.2 * form(y, k), rtol=0, atol=1e-8)
        assert np.abs(form(y, k)).max() > 0.1


def test_growth_is_the_rate_of_the_logarithm_of_s():
    _, _, (flow, y, k) = random_states()
    assert np.allclose(effective_growth(y, k), flow(y, k).s / y.s / 2, rtol=1e-13)
    assert np.isclose(effective_growth(Modes(0.4, 1.0, 0.7), Isotropic(2.0, 0.3, 0.1, 0.5)), 0.4 * 0.1 - 0.1)  # by hand


def test_the_parabola_has_the_target_s_ratio():
    """By hand: p² (tau λ_d - λ_s p) - eta p, with tau = 1 where the constants have none."""
    assert np.isclose(parabola_flow(0.4, Isotropic(2.0, 0.3, 0.1, 0.5, 0.7)), 0.16 * (0.7 - 1.5 * 0.4) - 0.04)
    assert np.isclose(parabola_flow(0.4, Commuting(2.0, 0.3, 0.1, 0.9, 1.5)), 0.16 * (0.9 - 1.5 * 0.4) - 0.04)


def test_weights_flow_goes_down_the_loss_of_a_bank_of_views():
    """½ E‖Wp W x1 - W2 x2‖² over all pairs of views, by central differences; W2's part is what is stopped."""
    rng = np.random.default_rng(3)
    W, Wp, Wa, x = (rng.normal(size=size) for size in ((3, 4), (3, 3), (3, 4), (6, 3, 4)))  # six images, three views
    X = np.einsum("iun,ivm->nm", x, x) / (6 * 9)
    k = Constants(1.7, 0.3, 0.2, X, np.einsum("iun,ium->nm", x, x) / 18 - X)

    def loss(W, Wp, W2):
        return np.sum(((x @ W.T @ Wp.T)[:, :, None] - (x @ W2.T)[:, None]) ** 2) / (2 * 6 * 9)

    y, h = Weights(W, Wp, Wa), 1e-4
    rate = weights_flow(y, k)
    downhill = Weights(W=rate.W + 0.2 * W, Wp=(rate.Wp + 0.2 * Wp) / 1.7, Wa=-target_gradient(y, k))
    for i in range(3):
        step = [h * rng.normal(size=a.shape) * (i == j) for j, a in enumerate(y)]
        rise = loss(*(a + b for a, b in zip(y, step, strict=True))) - loss(
            *(a - b for a, b in zip(y, step, strict=True))
        )
        expected = -2 * np.sum(step[i] * downhill[i])
        assert abs(rise - expected) < 1e-6 * abs(expected)  # of order four in W and Wp: the third derivative's h²
    assert np.allclose(rate.Wa, 0.3 * (W - Wa), rtol=0, atol=ROUNDING)
