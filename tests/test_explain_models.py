"""What is said of deep JEPA and MAE, of rules, of the open loss and of regularised modes is what integration finds."""

import json
import re

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linbyol.checks import InputError
from linbyol.cli import run
from linbyol.equations import Commuting, DeepMode, Isotropic, Modes
from linbyol.equations.bhep import BhepModes
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.equations.vicreg import VicregModes, vicreg_modes_flow
from linbyol.exact import dropped_at, slice_rest
from linbyol.explain import explain_deep, explain_open, explain_regularised, explain_slaved
from linbyol.predictors import RULES

A_AND_B = np.array([0.8, 1.0]), np.array([0.9, 0.4])  # λ_d and ρ


def layer(w0, lambda_d, lambda_s, depth, loss, eta, t1, goal=np.inf):
    """One layer of a mode, its last strength and the time at which it was at the goal."""
    m, q = {"jepa": (2 * depth, 1), "mae": (depth, depth + 1)}[loss]
    reaches = lambda t, w: w[0] - goal  # noqa: E731
    reaches.terminal = True
    rate = lambda t, w: w**m * (lambda_d - lambda_s * w**q) - eta * w  # noqa: E731
    end = solve_ivp(rate, (0, t1), [w0], method="LSODA", rtol=1e-10, atol=1e-14, events=reaches)
    return end.y[0, -1], end.t[-1]


@pytest.mark.parametrize(
    ("depth", "swaps"), [(2, (0.10231854, 0.16020621)), (3, (0.09688497, 0.27149895)), (4, (0.10427233, 0.31229397))]
)
def test_jepa_changes_its_order_at_known_starts(depth, swaps):
    lambda_d, rho = A_AND_B
    told = explain_deep(0.12, DeepMode(lambda_d, lambda_d / rho, depth), "jepa")
    assert told.order == [0, 1]
    assert told.reason.endswith("the order of ρ, not of λ_d.")
    np.testing.assert_allclose([swap.turns_at for swap in told.swaps], swaps, atol=5e-9)
    beyond = explain_deep(swaps[0] * 0.99, DeepMode(lambda_d, lambda_d / rho, depth), "jepa")
    assert beyond.order == [1, 0]
    assert beyond.reason.endswith("the order of λ_d, not of ρ.")


@pytest.mark.parametrize("loss", ["jepa", "mae"])
def test_deep_modes_are_learned_when_integration_has_them(loss):
    lambda_d, rho = A_AND_B
    told = explain_deep([0.2, 0.15], DeepMode(lambda_d, lambda_d / rho, 2), loss)
    rest = rho if loss == "jepa" else rho ** (1 / 3)
    for i, mode in enumerate(told.modes):
        *_, when = layer([0.2, 0.15][i], lambda_d[i], lambda_d[i] / rho[i], 2, loss, 0, 1e4, rest[i] / np.sqrt(2))
        assert np.isclose(mode.numbers["time"], when, rtol=1e-7)
        assert np.isclose(mode.numbers["encoder"], rest[i] ** 2)
        assert f"half there at t = {when:.4g}"[:-1] in mode.reason
    assert told.order == list(np.argsort([mode.numbers["time"] for mode in told.modes]))


@pytest.mark.parametrize(("loss", "depth"), [("jepa", 1), ("jepa", 2), ("mae", 1), ("mae", 2)])
def test_decay_decides_as_integration_does(loss, depth):
    rng = np.random.default_rng(depth)
    seen = set()
    for _ in range(12):
        lambda_d, rho, w0 = rng.uniform([0.5, 0.3, 0.05], [1.5, 0.95, 1.0])
        one = lambda w0, eta: explain_deep(w0, DeepMode(lambda_d, lambda_d / rho, depth, eta), loss).modes[0]  # noqa: B023, E731
        eta_c = one(w0, 1e-3).numbers["eta_c"]
        eta = eta_c * rng.uniform(0.1, 1.3)
        told = one(w0, eta)
        end, _ = layer(w0, lambda_d, lambda_d / rho, depth, loss, eta, 3e5 / eta)
        assert told.survives == (end > 1e-3)
        if told.survives:
            assert np.isclose(told.numbers["rest"], end, rtol=1e-6)
        for change in told.changes:
            for side in (0.98, 1.02):
                beyond = (side - 1) * (change.turns_at - change.now) > 0
                there = {"w0": w0, "eta": eta} | {change.constant: change.turns_at * side}
                assert one(**there).survives == (told.survives ^ beyond)
        seen.add(told.survives)
    assert seen == {True, False}


def test_a_rule_turns_where_it_crosses_a_root():
    """DirectPred at s = p²/λ_d; NE at λ_s s = 1 - √(1 - p₋/ρ) and 1 + √(1 - p₋/ρ) with its rest between them."""
    k = Commuting(1.0, 0.4, 0.05, 1.0, 1.25)
    p_minus, p_plus = (1 - np.sqrt(0.75)) / 2.5, (1 + np.sqrt(0.75)) / 2.5
    direct = explain_slaved(0.3, k, RULES["direct"])
    assert direct.survives
    assert np.isclose(direct.numbers["rest"], p_plus**2)
    assert np.isclose(direct.changes[0].turns_at, p_minus**2)
    nash = explain_slaved(0.3, k, RULES["nash"])
    x = 1.25 * np.array([nash.numbers["rest"], *(change.turns_at for change in nash.changes)])
    np.testing.assert_allclose(x, [0.7411809549, 0.03407417371, 1.258819045], atol=1e-9)
    assert explain_slaved(1.02, k, RULES["nash"]).numbers["rest"] * 1.25 == pytest.approx(1.965925826, abs=1e-9)
    lost = explain_slaved(0.02, k, RULES["nash"])
    assert (lost.survives, lost.condition, lost.changes[0].constant) == (False, "rule", "s")
    assert "< p_minus = 0.05359" in lost.reason
    above = explain_slaved(0.3, k._replace(eta=0.21), RULES["nash"])
    assert (above.survives, above.condition) == (False, "threshold")


def test_the_open_loss_decides_by_what_it_conserves():
    rng = np.random.default_rng(5)
    for noise, eta in [(0.0, 0.0)] * 6 + [(0.2, 0.0), (0.0, 0.05)]:
        alpha_p, p, w = rng.uniform([0.5, -0.5, 0.3], [2.0, 1.5, 1.2])

        def rate(t, y):
            p, w = y  # ½ (1-p)² w² λ_d + ½ (1 + p²) w² σ², λ_d = 1
            slope = (p - 1) * w * w + p * w * w * noise  # noqa: B023
            return [-alpha_p * slope - eta * p, -w * ((p - 1) ** 2 + (1 + p * p) * noise) - eta * w]  # noqa: B023

        end = solve_ivp(rate, (0, 2e3), [p, w], method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
        told = explain_open(Modes(p, w * w, 1.0), Isotropic(alpha_p, 0.4, eta, noise))
        assert told.survives == (end[1] ** 2 > 1e-2)
        if told.survives:
            assert f"rests at s = {end[1] ** 2:.4g}" in told.reason
    assert not explain_open(Modes(0.5, 0.0, 1.0), Isotropic(1.0, 0.4, 0.0, 0.0)).survives


def grown(flow, nu0, k, t1):
    def rate(t, x):
        nu = np.exp(np.maximum(x, -600))
        return np.asarray(flow(Features(nu), k).nu) / nu

    return np.exp(solve_ivp(rate, (0, t1), np.log(nu0), method="LSODA", rtol=1e-9, atol=1e-9).y[:, -1])


@pytest.mark.parametrize(
    ("unit", "values"),
    [(0.6, (1.52002, 0.14761)), (2.4, (2.56118, 1.15649, 0.48651, 0.0974))],
)
def test_sigreg_drops_noisy_modes_at_their_thresholds(unit, values):
    sigma2 = np.linspace(0.1, 0.9, 8)
    k = RegularisedModes(1.0, 8 * unit, 1 - sigma2, np.ones(8))
    told = explain_regularised(1e-3, k, "sigreg")
    np.testing.assert_allclose(told.nu, np.pad(values, (0, 8 - len(values))), atol=1e-5)
    assert told.reason.startswith(f"SIGReg holds modes 1, 2{', 3, 4' if unit > 1 else ''} and drops modes ")
    for i in (len(values) - 1, len(values)):
        (turn,) = told.modes[i].changes
        for side in (0.98, 1.02):
            moved = sigma2.copy()
            moved[i] = turn.turns_at * side
            end = grown(sigreg_modes_flow, np.full(8, 1e-3), k._replace(lambda_d=1 - moved), 3e3)
            assert (end[i] > 1e-6) == (side < 1)


def test_modes_that_are_alike_rest_where_the_closed_form_has_them():
    told = explain_regularised(0.01, RegularisedModes(1.0, 10.0, np.full(4, 0.5), np.ones(4)), "sigreg")
    np.testing.assert_allclose(told.nu, float(slice_rest(0.5 * 4 / 10)), rtol=1e-9)
    ratio = 0.02 * 256 * np.sqrt(2 * np.pi) * 16 / (0.98 * 0.75)  # of the released constants
    noise = 0.99 * dropped_at(16).all_modes / ratio * 10.0  # the same θ at another mu/a
    told = explain_regularised(0.01, RegularisedModes(1.0, 10.0, np.full(16, 1 - noise), np.ones(16)), "sigreg")
    assert all(mode.survives for mode in told.modes)
    lost = explain_regularised(0.01, RegularisedModes(1.0, 10.0, np.full(16, 1 - noise / 0.98), np.ones(16)), "sigreg")
    assert not any(mode.survives for mode in lost.modes)
    assert lost.reason.startswith("SIGReg drops modes 1, 2")


def test_bhep_and_vicreg_rest_where_their_own_equations_do():
    sigma2 = np.array([0.1, 0.4, 0.6])
    told = explain_regularised(0.01, BhepModes(1.0, 1.5, 1 - sigma2, np.ones(3)), "bhep")
    pairs, cross = np.prod((1 + 2 * told.nu) ** -0.5), np.prod((2 + told.nu) ** -0.5)
    growth = -sigma2 - 1.5 * (cross / (2 + told.nu) - pairs / (1 + 2 * told.nu))
    assert np.abs(growth[told.nu > 0]).max() < 1e-10
    assert 0 < (told.nu > 0).sum() < 3
    assert (growth[told.nu == 0] < 0).all()
    k = VicregModes(1.0, 2.0, 3, 1 - sigma2, np.ones(3), eps=0.5)
    told = explain_regularised(0.01, k, "vicreg")
    rate = lambda nu: np.asarray(vicreg_modes_flow(Features(nu), k).nu) / nu  # noqa: E731
    assert np.isclose(told.nu[0], 0.5)  # the hinge, 1 - eps, with growth below and decline above
    assert rate(told.nu[:1] - 1e-9)[0] > 0.1
    assert rate(told.nu[:1] + 1e-9)[0] < -0.1
    assert abs(rate(told.nu[1:2])[1]) < 1e-12
    assert rate(np.full(3, 1e-30))[2] < 0
    assert [mode.survives for mode in told.modes] == [True, True, False]
    for mode in told.modes:  # zero is left where M λ_s/(d √eps) > 2Λ σ²
        assert np.isclose(mode.changes[0].turns_at, 2 / (3 * np.sqrt(0.5)) / 2)
    sharp = explain_regularised(0.01, k._replace(eps=0.0), "vicreg")
    assert all(mode.survives and "no bound" in mode.reason for mode in sharp.modes)
    beyond = explain_regularised(4.0, k._replace(lambda_d=1.0), "vicreg")
    np.testing.assert_allclose(beyond.nu, 4.0)  # neither noise nor decay beyond the hinge


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: explain_deep(0.0, DeepMode(1.0, 2.0, 2), "jepa"), "Argument `w0` must be positive, but is 0."),
        (lambda: explain_deep(0.1, DeepMode(1.0, 2.0, 2), "jep"), "Argument `loss` must be one of jepa, mae, but is"),
        (
            lambda: explain_regularised(0.1, RegularisedModes(1.0, 1.0, 0.5, 1.0), "vicreg"),
            "Argument `k` must be VicregModes for VICReg, but is RegularisedModes.",
        ),
        (
            lambda: explain_regularised(0.0, RegularisedModes(1.0, 1.0, 0.5, 1.0), "sigreg"),
            "Argument `nu0` must be positive, but is 0.",
        ),
        (
            lambda: explain_slaved(-0.1, Isotropic(1.0, 0.4, 0.05, 0.25), RULES["copy"]),
            "Argument `s` must be at least 0",
        ),
    ],
)
def test_what_no_modes_have_is_refused(call, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        call()


def test_the_verb_says_all_of_it(capsys):
    words = ["--depth", "2", "--lambda-d", "0.8", "1", "--lambda-s", "0.8888888888888889", "2.5", "--w", "0.12"]
    assert run(["explain", "jepa", *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["order"] == [0, 1]
    assert told["swaps"][0]["turns_at"] == pytest.approx(0.10231854, abs=1e-8)
    assert run(["explain", "sigreg", "--lambda-d", "0.9", "0.1", "--lambda-s", "1", "1", "--mu", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SIGReg holds mode 1 and drops mode 2.\nMode 1. It is held at nu = ")
    assert run(["explain", "--no-stop-gradient", "--sigma2", "0", "--eta", "0", "--s", "0.5", "--p", "0.4"]) == 0
    assert capsys.readouterr().out.startswith("It survives: s = 0.5 > (1 - p)²/alpha_p = 0.36")
    assert run(["explain", "vicreg", "--w", "0.1"]) == 2
    assert "Argument `w` has no effect for vicreg, only for jepa, mae." in capsys.readouterr().err
