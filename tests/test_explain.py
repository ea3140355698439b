"""Explanations agree with integration, and the changes that they name do turn the outcome."""

import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.equations import Amplitudes, Commuting, Isotropic, Modes, amplitudes_flow, simsiam
from linbyol.explain import explain
from linbyol.integrate import integrate

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
