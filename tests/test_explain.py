"""Explanations agree with integration, and the changes that they name do turn the outcome."""

import re

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linbyol import moving_target
from linbyol.checks import InputError
from linbyol.equations import Amplitudes, Commuting, Isotropic, Modes, amplitudes_flow, simsiam
from linbyol.explain import explain
from linbyol.integrate import integrate
from linbyol.moving_target import DIES, LIVES, fate

CASES = {
    "threshold": (Modes(0.6, 0.36, 1.0), Isotropic(1.0, 0.4, 0.3, 0.25), False),
    "encoder": (Modes(0.5, 0.0, 1.0), Isotropic(1.0, 0.4, 0.05, 0.25), False),
    "sign": (Modes(-0.1, 0.005, 1.0), Isotropic(1.0, 0.4, 0.05, 0.25), False),
    "balance": (Modes(0.9, 0.01, 1.0), Isotropic(1.0, 0.4, 0.0, 0.25), False),
    "parabola": (Modes(0.2, 0.04, 1.0), Isotropic(1.0, 0.4, 0.05, 0.25), True),
    "separatrix": (Modes(0.04, 0.002, 1.0), Isotropic(1.0, 0.4, 0.05, 0.25), False),
}


def survives(y0, k, ema):
    """The outcome by plain integration."""
    flow = amplitudes_flow if ema else simsiam(amplitudes_flow)
    w = np.sqrt(y0.s)
    end = integrate(flow, Amplitudes(w, y0.p, y0.tau * w), k, [0.0, 5000.0]).ys
    return float(end.w[-1] ** 2) > 1e-4


@pytest.mark.parametrize("condition", CASES)
def test_each_condition_is_named_with_its_outcome(condition):
    y0, k, alive = CASES[condition]
    found = explain(y0, k, ema=False)
    assert (found.condition, found.survives) == (condition, alive)
    assert survives(y0, k, ema=False) == alive
    assert ("survives" in found.reason) == alive


@pytest.mark.parametrize("ema", [False, True])
def test_outcomes_are_those_of_integration(ema):
    rng = np.random.default_rng(3)
    for _ in range(6):
        k = Isotropic(*rng.uniform([0.3, 0.05, 0.01, 0.0], [3.0, 1.0, 0.2, 1.0]))
        y0 = Modes(rng.uniform(-0.1, 0.3), rng.uniform(0.0005, 0.05), 1.0)
        assert explain(y0, k, ema=ema).survives == survives(y0, k, ema)


@pytest.mark.parametrize("ema", [False, True])
def test_the_changes_turn_the_outcome(ema):
    y0, k, _ = CASES["separatrix"]
    found = explain(y0, k, ema=ema)
    assert {"eta", "sigma2"} & {change.constant for change in found.changes}
    for change in found.changes:
        step = 0.02 * (change.turns_at - change.now)
        beyond = k._replace(**{change.constant: change.turns_at + step})
        before = k._replace(**{change.constant: change.turns_at - step})
        assert survives(y0, beyond, ema) != found.survives
        assert survives(y0, before, ema) == found.survives


def test_a_slow_target_that_starts_at_zero_is_named():
    y0, k = Modes(0.06, 0.004, 0.0), Isotropic(1.0, 0.02, 0.05, 0.25)
    found = explain(y0, k)
    assert (found.condition, found.survives) == ("moving average", False)
    assert explain(y0, k, ema=False).survives


def test_commuting_data_have_their_threshold():
    found = explain(Modes(0.5, 0.25, 1.0), Commuting(1.0, 0.4, 0.12, 0.9, 1.8), ema=False)
    assert found.condition == "threshold"
    assert np.isclose(found.numbers["eta_c"], 0.1125)


def test_what_is_no_mode_is_refused():
    k = Isotropic(1.0, 0.4, 0.05, 0.25)
    for y0, sentence in [
        (Modes(0.1, -0.1, 1.0), "Argument `s` must be at least 0, but is -0.1"),
        (Modes(np.ones(2), 0.1, 1.0), "Argument `p` must be one number"),
        (Modes(0.1, np.nan, 1.0), "Argument `y0.s` must be finite"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explain(y0, k)


K = Isotropic(1.0, 0.4, 0.05, 0.25)
P_MINUS = (1 - np.sqrt(1 - 4 * 0.05 * 1.25)) / 2.5


def edge(p):
    """s on the stable manifold of the saddle at K, above p: backwards along the flow from its stable eigenvector."""
    s = P_MINUS**2
    jacobian = np.array([[-1.25 * s - 0.05, 1 - 1.25 * P_MINUS], [2 * s * (1 - 2.5 * P_MINUS), 0]])
    values, vectors = np.linalg.eig(jacobian)
    v = vectors[:, np.argmin(values)]
    start = np.array([P_MINUS, s]) + 1e-7 * v * np.sign(p - P_MINUS) * np.sign(v[0])
    rate = lambda t, y: [-y[1] * (1 - 1.25 * y[0]) + 0.05 * y[0], -2 * y[1] * (y[0] * (1 - 1.25 * y[0]) - 0.05)]  # noqa: E731
    passes = lambda t, y: y[0] - p  # noqa: E731
    passes.terminal = True
    return solve_ivp(rate, (0, 1e3), start, rtol=1e-10, atol=1e-14, events=passes).y[1, -1]


@pytest.mark.parametrize(
    ("y0", "k", "ema", "expected"),
    [
        (Modes(0.6, 0.36, 1.0), K._replace(eta=0.3), False, [0.3, 1 / 5]),
        (Modes(0.6, 0.36, 1.0), Commuting(1.0, 0.4, 0.3, 0.9, 1.8), False, [0.3, 0.9**2 / 7.2]),
        (Modes(0.6, 0.36, 1.0), K._replace(eta=0.2 * (1 + 1e-8)), True, [0.200000002, 0.2]),
        (Modes(-0.1, 0.005, 1.0), K._replace(alpha_p=1.25), False, [-0.1, 0.005 - 0.01 / 1.25]),
        (Modes(0.9, 0.01, 1.0), K._replace(eta=0.0, alpha_p=2.0), False, [0.81 - 0.02, 0.64]),
        (Modes(0.1, 0.02, 1.0), K._replace(eta=0.0), False, [0.02 - 0.01]),
        (Modes(0.2, 0.04, 1.0), K, False, [0.2, P_MINUS]),
        (Modes(0.04, 0.002, 1.0), K, False, [0.002, edge(0.04), P_MINUS]),
        (Modes(0.3, 1e-5, 1.0), K, False, [1e-5, edge(0.3), P_MINUS]),
        (Modes(0.06, 0.004, 0.25), K._replace(beta=0.02), True, [0.02, 0.25, 1, 0.004, edge(0.06), P_MINUS]),
    ],
)  # fmt: skip
def test_the_numbers_of_a_sentence_are_right(y0, k, ema, expected):
    answer = explain(y0, k, ema=ema)
    root = k.lambda_d**2 - 4 * k.eta * k.lambda_s
    ends = [(k.lambda_d + sign * np.sqrt(root)) / (2 * k.lambda_s) if root >= 0 else np.nan for sign in (-1, 1)]
    np.testing.assert_allclose(answer.window, ends, rtol=1e-12)
    found = [answer.numbers[name] for name in ("p", "s", "eta", "eta_c", "p_minus", "p_plus")]
    np.testing.assert_allclose(found, [y0.p, y0.s, k.eta, k.lambda_d**2 / (4 * k.lambda_s), *ends], rtol=1e-12)
    np.testing.assert_allclose(answer.numbers["c"], y0.s - y0.p**2 / k.alpha_p, atol=1e-15)
    reason = answer.reason
    plain = re.sub(r"eta = 0 and|p = 0 is|\(λ_d/λ_s\)²|λ_d²/\(4 λ_s\)|p_minus²|p²|p_minus\b(?! =)", " ", reason)
    found = [float(x.rstrip(".")) for x in re.findall(r"(?<![\w])-?\d[\d.]*(?:e[-+]?\d+)?", plain)]
    found = [x for x in found if x != 0 or 0 in expected]  # "> 0", "crosses 0"
    np.testing.assert_allclose(found, expected, rtol=6e-4)  # four digits
    assert found[:2] != [0.2, 0.2]


def test_numbers_that_are_close_are_told_apart():
    reason = explain(Modes(0.6, 0.36, 1.0), K._replace(eta=0.2 * (1 + 1e-8)), ema=False).reason
    assert "eta = 0.200000002 > eta_c = λ_d²/(4 λ_s) = 0.2," in reason


@pytest.mark.parametrize(
    ("y0", "k", "alive"),
    [
        (Modes(2e-6, 4e-12, 1.0), K._replace(eta=1e-6), True),  # p_minus = 1e-6: it takes 1e6 to leave
        (Modes(0.5e-6, 0.25e-12, 1.0), K._replace(eta=1e-6), False),
        (Modes(0.6, 0.36, 1.0), K._replace(eta=0.2 * (1 + 1e-8)), False),  # it stays near 0.4 for 1e5
        (Modes(0.6, 0.36, 1.0), K._replace(eta=0.2 * (1 - 1e-8)), True),
        (Modes(0.6, 0.36, 1.0), K._replace(eta=0.2), True),  # the double root attracts from above
        (Modes(0.39, 0.39**2, 1.0), K._replace(eta=0.2), False),
        (Modes(1e-5, 1e-10, 1.0), K._replace(sigma2=1e5, eta=1e-9), True),  # p_plus = 1e-5, w² = 1e-10 at rest
        (Modes(0.1, 1e6, 1.0), K._replace(alpha_p=1e-8), True),
        (Modes(0.1, 0.01, 1.0), K._replace(beta=1e-9), True),
        (Modes(0.1, 0.01, 0.0), K._replace(beta=1e-9), False),
        (Modes(0.9, 0.01, 0.0), K._replace(eta=0.0), False),
        (Modes(0.9, 0.2, 0.0), K._replace(eta=0.0), True),  # 0.81 - 0.2 < 0.64
        (Modes(-0.1, 0.01, -3.0), K, False),
        (Modes(0.1, 0.01, 0.6), K._replace(beta=0.0), True),  # held: √alpha_p λ_d |wa| = 0.06 > eta
        (Modes(0.1, 0.01, 0.4), K._replace(beta=0.0), False),
        (Modes(-0.1, 0.01, -0.6), K._replace(beta=0.0), True),
        (Modes(-0.1, 0.01, 0.6), K._replace(beta=0.0), False),
        (Modes(0.1, 0.0, 1.0), K, False),
    ],
)
def test_the_end_of_time_is_not_a_horizon(y0, k, alive):
    assert fate(y0, k).code == (LIVES if alive else DIES)


def test_fates_are_those_of_stiff_integrations_over_decades():
    """Radau, until 1 % of the collapse's own time scale is left, or the predictor stands at p_plus."""
    rng = np.random.default_rng(3)
    alpha_p, lambda_d = 10 ** rng.uniform([[-3], [-1]], [[3], [1]], (2, 24))
    lambda_s = lambda_d * (1 + 10 ** rng.uniform(-2, 2, 24))
    eta_c = lambda_d**2 / (4 * lambda_s)
    eta, beta = eta_c * 10 ** rng.uniform([[-4], [-3]], [[0.05], [2]], (2, 24))
    p_minus = (lambda_d - np.sqrt(np.maximum(lambda_d**2 - 4 * eta * lambda_s, 0))) / (2 * lambda_s)
    p = p_minus * 10 ** rng.uniform(-0.5, 1.5, 24) * rng.choice([-1, 1, 1], 24)
    s = p**2 / alpha_p * 10 ** rng.uniform(-1, 2, 24)
    tau = rng.choice([-2.0, 0.0, 0.3, 1.0, 3.0], 24)
    codes = fate(Modes(p, s, tau), Commuting(alpha_p, beta, eta, lambda_d, lambda_s)).code
    for i, code in enumerate(codes):
        a, b, e, d, m = alpha_p[i], beta[i], eta[i], lambda_d[i], lambda_s[i]

        def rate(t, y):
            q = y[2] * d - y[1] * y[0] * m  # noqa: B023
            return [y[1] * q - e * y[0], a * q * y[0] - e * y[1], b * (y[0] - y[2])]  # noqa: B023

        w = np.sqrt(s[i])
        small = 1e-4 * min(w, e / d / np.sqrt(a))
        end = solve_ivp(rate, (0, 200 / min(b, e)), [w, p[i], tau[i] * w], method="LSODA", rtol=1e-8, atol=small * 1e-4)
        at_p_plus = np.isclose(end.y[1, -1], (d + np.sqrt(max(d * d - 4 * e * m, 0))) / (2 * m), rtol=0.01)
        assert at_p_plus != (np.abs(end.y[[0, 2], -1]).max() < small)  # the reference is decided
        assert code == (LIVES if at_p_plus else DIES)
    assert {DIES, LIVES} == set(codes)


def test_what_cannot_be_told_is_said(monkeypatch):
    monkeypatch.setattr(moving_target, "LONG", 1e-3)
    found = explain(Modes(0.1, 0.01, 1.0), K)
    assert (found.survives, found.condition, found.changes) == (None, "undecided", [])
    horizon = 1e-3 * (1 + 0.05 / 0.4) * (1 + 1 / np.sqrt(1 - 4 * 0.0625)) / 0.05
    assert found.reason.startswith(f"Undecided by t = {horizon:.4g}: ")


@pytest.mark.parametrize(
    ("k", "sentence"),
    [
        (K._replace(alpha_p=0.0), "Argument `alpha_p` must be positive, but is 0."),
        (K._replace(eta=-0.1), "Argument `eta` must be at least 0, but is -0.1."),
        (K._replace(tau=0.5), "Argument `k.tau` must be 1, for the target starts at y0.tau, but is 0.5."),
        (Commuting(1.0, 0.4, 0.05, 1.0, 0.9), "Argument `lambda_s` (of X + X_aug) must be at least lambda_d (of X)"),
        (K._replace(eta=np.nan), "Argument `k.eta` must be finite"),
    ],
)
def test_constants_of_no_mode_are_refused(k, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        explain(Modes(0.1, 0.01, 1.0), k)
