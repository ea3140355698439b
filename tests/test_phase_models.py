"""`linbyol phase` of deep JEPA and MAE and of regularisers: verdict, rest and time against flows that are followed."""

import jax
import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.cli import run
from linbyol.cli.outcomes import shown
from linbyol.cli.phase import Phase
from linbyol.equations import DeepMode, Layer, jepa_flow, mae_flow
from linbyol.equations.bhep import BhepModes, bhep_modes_flow
from linbyol.equations.jepa import jepa_threshold, mae_threshold
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.equations.vicreg import VicregModes, vicreg_held_flow
from linbyol.exact import bhep_rest, deep_rests, growth_time, jepa_time, mae_time, slice_rest
from linbyol.integrate import integrate

DEEP = {"JEPA": (jepa_flow, jepa_time, jepa_threshold), "MAE": (mae_flow, mae_time, mae_threshold)}
FOLLOWED = {"solver": "dop853", "rtol": 1e-11, "atol": 1e-14}
SAME = 1e-9  # ten times the tolerance along a path, and room for its stretch by a factor of ten


@pytest.mark.parametrize("loss", DEEP)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_barriers_and_rests_are_where_the_flow_vanishes(loss, depth):
    """Below and above them it has the signs of a barrier and of a rest; above the threshold there is neither."""
    flow, time, threshold = DEEP[loss]
    data = np.array([0.8, 1.0]), np.array([0.9, 2.5])
    edge = threshold(DeepMode(*data, depth))
    for share in (0.01, 0.5, 0.999):
        k = DeepMode(*data, depth, share * edge)
        w_minus, w_plus = deep_rests(k, loss)
        step = 1e-7
        assert (flow(Layer(w_plus * (1 - step)), k).w > 0).all()
        assert (flow(Layer(w_plus * (1 + step)), k).w < 0).all()
        if loss == "MAE" and depth == 1:
            assert (w_minus == 0).all()
        else:
            assert (flow(Layer(w_minus * (1 - step)), k).w < 0).all()
            assert (flow(Layer(w_minus * (1 + step)), k).w > 0).all()
    assert np.isnan(deep_rests(DeepMode(*data, depth, 1.001 * edge), loss)).all()
    k = DeepMode(*data, depth)
    w_minus, w_plus = deep_rests(k, loss)
    assert (w_minus == 0).all()
    growth = lambda w: flow(Layer(w), k).w / w  # noqa: E731
    found = growth_time(0.1, 0.9 * w_plus, w_minus, w_plus, growth)
    np.testing.assert_allclose(found, time(0.9 * w_plus, 0.1, k), rtol=1e-13)  # of Gauss' rule on a smooth integrand


@pytest.mark.parametrize("flow", ["jepa", "mae"])
def test_a_diagram_over_decay_and_depth_is_that_of_the_flows(flow):
    """Where a mode survives, it is at 90 % of its rest at the time that is shown."""
    most = {"jepa": 0.06, "mae": 0.6}[flow]
    command = Phase(flow=flow, x=("eta", 0.0, most), y=("depth", 1.0, 2.0), w0=0.5, sigma2=0.3, t1=40.0)
    axes = {"eta": np.linspace(0.0, most, 3), "depth": np.arange(1, 3)}
    outcome, threshold = shown(command, axes)
    assert outcome["verdict"].shape == threshold.shape == (2, 3)
    assert {0, 1, 2} >= set(outcome["verdict"].ravel().tolist()) >= {0, 1}
    for i, depth in enumerate(axes["depth"]):
        for j, eta in enumerate(axes["eta"]):
            k = DeepMode(1.0, 1.3, int(depth), eta)
            ends = integrate(DEEP[flow.upper()][0], Layer(0.5), k, [0.0, 400.0], **FOLLOWED).ys.w[-1]
            assert abs(ends - outcome["w"][i, j]) < 1e-3  # what is left after 400
            time = outcome["escape_time"][i, j]
            assert (outcome["verdict"][i, j] == 0) == (ends < 1e-3) == np.isinf(time)
            if 0 < time < np.inf:
                assert (outcome["verdict"][i, j] == 2) == (time > 40)
                there = integrate(DEEP[flow.upper()][0], Layer(0.5), k, [0.0, time], **FOLLOWED).ys.w[-1]
                assert abs((there / outcome["w"][i, j]) ** depth - 0.9) < SAME
            if threshold[i, j] > 0:
                assert outcome["verdict"][i, j] == 0


def regularised(flow, a, mu, noise, d, eta):
    data = np.ones(d), np.full(d, 1 + noise)
    return {
        "sigreg": (sigreg_modes_flow, RegularisedModes(a, mu, *data, eta)),
        "bhep": (bhep_modes_flow, BhepModes(a, mu, *data, 1.0, eta)),
        "vicreg": (vicreg_held_flow, VicregModes(a, mu, d, *data, 1.0, 0.04, eta)),
    }[flow]


@pytest.mark.parametrize("flow", ["sigreg", "bhep", "vicreg"])
def test_a_diagram_of_a_regulariser_is_that_of_its_flow(flow):
    """Over weight and noise, for modes that are all alike: where they rest, when they come near, and the threshold."""
    ranges = {"x": ("mu", 0.5, 6.0), "y": ("sigma2", 0.02, 2.0)}
    command = Phase(flow=flow, **ranges, d=3, eta=0.1, nu0=0.01, t1=4.0, eps=0.04 if flow == "vicreg" else 0.0)
    axes = {"mu": np.array([0.5, 6.0]), "sigma2": np.array([0.02, 2.0])}
    outcome, threshold = shown(command, axes)
    assert set(outcome["verdict"].ravel().tolist()) >= {0, 1}
    assert ((outcome["verdict"] == 0) == (threshold >= 0)).all()
    for i, noise in enumerate(axes["sigma2"]):
        for j, mu in enumerate(axes["mu"]):
            follow, k = regularised(flow, 1.0, mu, noise, 3, 0.1)
            ends = integrate(follow, Features(np.full(3, 0.01)), k, [0.0, 60.0], **FOLLOWED).ys.nu[-1]
            assert np.abs(ends - outcome["nu"][i, j]).max() < 1e-3  # what is left after 60
            if 0 < (time := outcome["escape_time"][i, j]) < np.inf:
                assert (outcome["verdict"][i, j] == 2) == (time > 4)
                there = integrate(follow, Features(np.full(3, 0.01)), k, [0.0, time], **FOLLOWED).ys.nu[-1]
                assert np.abs(there / outcome["nu"][i, j] - 0.9).max() < SAME


def test_bhep_rests_where_its_pull_is_theta():
    theta = np.array([0.0, 0.1, 0.5, 1.4, 9.0])
    np.testing.assert_allclose(bhep_rest(theta, 1), slice_rest(theta), atol=1e-15)
    nu = np.asarray(bhep_rest(theta, 4))
    held = nu > 0
    assert held.tolist() == [True, True, True, True, False]  # collapse from 4 (1 - 1/8) on
    np.testing.assert_allclose(4 * ((1 + 2 * nu[held]) ** -3 - (2 + nu[held]) ** -3), theta[held], atol=1e-14)
    slope = jax.grad(lambda x: bhep_rest(x, 4))(0.5)
    assert abs(slope - (bhep_rest(0.5 + 1e-5, 4) - bhep_rest(0.5 - 1e-5, 4)) / 2e-5) < 1e-8
    with pytest.raises(InputError, match=r"`d` must be a positive whole number, but is 0\."):
        bhep_rest(0.1, 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("jepa --x eta 0 0.1 --y depth 0 3", "--y depth must go over positive whole numbers, but begins at 0."),
        ("jepa --x eta 0 0.1 --y mu 0 3", "`y` must be one of eta, depth, sigma2, but is 'mu'."),
        ("sigreg --x mu 0 1 --y sigma2 0 1", "`mu` must be positive, but is 0."),
        ("mae --x lambda_d 0 1 --y lambda_s 1 2", "`lambda_d` must be positive, but is 0."),
        ("sigreg --w0 0.3", "`w0` has no effect for sigreg, only for jepa, mae."),
        ("jepa --p0 0.3", "`p0` has no effect for jepa, only for modes."),
        ("bhep --x mu 1 2 --show p --plot a.png", "--show p is not for bhep, whose rest is nu."),
    ],
)
def test_what_a_flow_has_not_is_refused(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["phase", *words.split()]) == 2
    assert sentence in capsys.readouterr().err
