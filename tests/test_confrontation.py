"""Theory against networks: a small training read back, and the stored errors again from the stored spectra by SciPy."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from experiments.clustering import records
from experiments.confrontation.__main__ import main
from experiments.confrontation.sizes import SIZES, size_of
from experiments.confrontation.studying import SHIPPED
from experiments.datasets import load
from experiments.studies.confrontation import errors
from experiments.studies.confrontation.verdicts import judged, place_of, verdict
from experiments.trainer.flow_time import rates
from experiments.trainer.lanes import Lane
from experiments.trainer.last_map import last_map, modes
from experiments.trainer.session import prepare
from experiments.trainer.tangent import tangent
from linbyol.checks import InputError

STORED = sorted(path.stem for path in (SHIPPED / "digits-cpu").glob("*.json"))


def times_of(record, most=None):
    """Flow time from where is predicted, and what the record says of the rates: c lr/(1 - momentum) a step."""
    config, about = record.about["config"], record.about
    c = (2 if config["method"]["loss"] == "cosine" else 1) * (2 if config["method"]["symmetric"] else 1)
    a, kept = config["optimiser"], config["method"]["target"]["gamma_a"]
    step = c * a["lr"] / (1 - a["momentum"])
    epochs = record.arrays["epoch"][place_of(record) :][:most]
    return (epochs - epochs[0]) * about["steps"] * step, a["eta"] / c, (1 - kept) / step


def lemma(record, lane, most=None):
    """Eqs. 2-4 at the stored moments, eigenvalues of W X Wᵀ; alpha_p = 1, one decay."""
    W, Wp, Wa, X, X_aug = (record.arrays[name][lane].astype(float) for name in ("W", "Wp", "Wa", "X", "X_aug"))
    ts, eta, beta = times_of(record, most)
    d, n = W.shape

    def flow(t, y):
        W, Wa, Wp = y[: d * n].reshape(d, n), y[d * n : 2 * d * n].reshape(d, n), y[2 * d * n :].reshape(d, d)
        E = Wa @ X - Wp @ W @ (X + X_aug)
        rate = Wp.T @ E - eta * W, beta * (W - Wa), E @ W.T - eta * Wp
        return np.concatenate([x.ravel() for x in rate])

    y0 = np.concatenate([W.ravel(), Wa.ravel(), Wp.ravel()])
    found = solve_ivp(flow, (0, ts[-1]), y0, method="RK45", t_eval=ts, rtol=1e-6, atol=1e-9).y.T
    return np.array([np.linalg.eigvalsh(w @ X @ w.T) for w in found[:, : d * n].reshape(-1, d, n)])


def decoupled(record, lane, lambda_d, lambda_s, s, most):
    """Eqs. 104-106 with decay at the stored modes, sorted eigenvalues of F."""
    p, tau = (record.arrays[f"mode_{name}"][lane].astype(float) for name in ("p", "tau"))
    ts, eta, beta = times_of(record, most)

    def flow(t, y):
        w, wp, wa = y.reshape(3, -1)
        e = wa * lambda_d - wp * w * lambda_s
        return np.concatenate([wp * e - eta * w, e * w - eta * wp, beta * (w - wa)])

    y0 = np.concatenate([np.sqrt(s), p, tau * np.sqrt(s)])
    w = solve_ivp(flow, (0, ts[-1]), y0, method="RK45", t_eval=ts, rtol=1e-8, atol=1e-12).y.T[:, : len(s)]
    return np.sort(lambda_d * w**2, axis=1)


def again(record, name, lane, most):
    """A stored prediction by these lines alone."""
    if name == "lemma":
        return lemma(record, lane, most)
    a = {key: record.arrays[key][lane].astype(float) for key in ("lambda_d", "lambda_s", "mode_s", "tangent")}
    if name == "aligned":
        return decoupled(record, lane, a["lambda_d"], a["lambda_s"], a["mode_s"], most)
    F = a["lambda_d"] * a["mode_s"]
    return decoupled(record, lane, a["tangent"], a["tangent"] * a["lambda_s"] / a["lambda_d"], F / a["tangent"], most)


@pytest.mark.parametrize(("training", "name"), [(t, n) for t in STORED for n in ("lemma", "aligned", "tangent")])
def test_stored_predictions_are_those_of_another_integrator(training, name):
    record = records.read(SHIPPED / "digits-cpu" / training)
    found = again(record, name, 1, 8)  # as far as takes seconds
    stored = record.arrays[f"s_{name}"][1, :8].astype(float)
    large = stored > 1e-4 * stored.max(axis=1, keepdims=True)  # of the others single precision has moved the start
    assert large.mean() > 0.2
    np.testing.assert_allclose(found[large], stored[large], rtol=5e-3)


@pytest.mark.parametrize("training", STORED)
def test_stored_errors_are_those_of_the_stored_spectra(training):
    """Medians, survivors and the verdict in a few lines of their own."""
    record = records.read(SHIPPED / "digits-cpu" / training)
    found, i = verdict(record), place_of(record)
    s = record.arrays["s"].astype(float)[:, i:]
    least = 1e-10 * s[:, 1:].max(axis=2, keepdims=True)
    seen = s[:, 1:] > least
    medians = {}
    for name in ("lemma", "aligned", "tangent"):
        y = record.arrays[f"s_{name}"].astype(float)
        apart = np.abs(np.log(np.maximum(y[:, 1:], least) / np.maximum(s[:, 1:], least)))
        medians[name] = np.median(apart[seen])
        assert found["predictions"][name]["median"] == pytest.approx(medians[name], rel=1e-9)
        alive = [(x[-1] > 0.01 * x[-1].max()).sum() for x in y]
        truly = [(x[-1] > 0.01 * x[-1].max()).sum() for x in s]
        assert found["predictions"][name]["survivors right"] == np.sum(np.equal(alive, truly))
    still = np.abs(np.log(s[:, :1] / np.maximum(s[:, 1:], least)))[seen]
    assert found["baselines"]["nothing"]["median"] == pytest.approx(np.median(still), rel=1e-9)
    best = min(row["median"] for row in found["baselines"].values())
    right = found["predictions"][judged(record)]["survivors right"] / len(s)
    holds = medians[judged(record)] < best / 2 and right >= 0.9
    if training == "linear":
        apart = np.log(record.arrays["s_lemma"].astype(float)[:, 1:] / s[:, 1:])
        holds = np.abs(apart[seen]).max() < 0.01
    assert found["verdict"] == ("holds" if holds else "fails")


def test_planted_modes_have_their_errors_survivors_and_escapes():
    times = np.arange(5.0)
    s = np.stack([np.exp(-np.arange(5.0)), np.exp(2 * np.arange(5.0) - 8)], axis=1)  # one dies, one grows
    assert np.allclose(errors.errors(s, s * np.e), 1)
    assert errors.survivors(s) == 2
    assert errors.survivors(np.stack([s[:, 0] / 10, s[:, 1]], axis=1)) == 1
    later = np.stack([s[:, 0], np.exp(times - 8)], axis=1)  # passes the level e^-4 at 4 instead of 2
    assert np.allclose(errors.escapes(s, later, times), np.log(2))
    assert np.allclose(errors.exponential(s, times, 2), s[2:])
    assert np.allclose(errors.linear(np.outer(times, [1, 2]) + 1, times, 1), np.outer(times[1:], [1, 2]) + 1)
    assert np.allclose(errors.nothing(s, times, 1), s[1])


def test_a_small_confrontation_is_trained_predicted_and_read_back(tmp_path, capsys):
    arguments = ["digits", "--size", "smoke", "--only", "linear", "--out", str(tmp_path), "--runs", str(tmp_path / "r")]
    with jax.enable_x64(False):
        assert main(arguments) == 0
    record = records.read(tmp_path / "digits-smoke" / "linear")
    assert list(record.arrays["epoch"]) == [0, 2, 4, 6, 8]
    assert record.arrays["s"].shape == (2, 5, 4)
    assert record.arrays["repeated"].shape == (2, 4, 4)
    for lane in (0, 1):
        W, X = (record.arrays[name][lane].astype(float) for name in ("W", "X"))
        np.testing.assert_allclose(np.linalg.eigvalsh(W @ X @ W.T), record.arrays["s"][lane, 1], rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(record.arrays["s_lemma"][lane], lemma(record, lane), rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(*(record.arrays[name][lane] for name in ("tangent", "lambda_d")))
        moved = np.abs(np.log(record.arrays["s"][lane, -1] / record.arrays["s"][lane, 1]))
        missed = np.abs(np.log(record.arrays["s_lemma"][lane][-1] / record.arrays["s"][lane, -1]))
        assert missed[-1] < moved[-1] / 2
    assert "median |Δ log s|" in capsys.readouterr().err
    before = (tmp_path / "digits-smoke" / "linear.json").read_bytes()
    assert main(arguments) == 0  # what is there is not made again
    assert (tmp_path / "digits-smoke" / "linear.json").read_bytes() == before


def test_the_tangent_kernel_of_a_linear_encoder_is_its_lambda_d():
    """Nothing lies below the last map: uᵀ W X² Wᵀ u/uᵀ W X Wᵀ u, up to what four views leave of noise."""
    c = size_of("digits", "smoke")["linear"]
    with jax.enable_x64(False):
        session = prepare(c.options, load("digits", first=256), jax.devices()[:1])
        state = session.start()
        found = modes(last_map(session, state, 1, views=4))
        speed = tangent(session, state, 1, found.U)
    np.testing.assert_allclose(speed[-2:], found.lambda_d[-2:], rtol=0.1)


def test_the_rates_are_those_of_the_loss():
    o = size_of("digits", "smoke")["mlp"].options
    scalars = {"lr": 0.1, "momentum": 0.9, "gamma_a": 0.99, "eta": 0.01, "eta_p": 0.02, "alpha_p": 3.0}
    lane = Lane(0, scalars)
    assert np.allclose(rates(o, lane.scalars), (2.0, 3.0, 0.005, 0.005, 0.03))
    cosine = replace(o, method=replace(o.method, loss="cosine", symmetric=False))
    assert np.allclose(rates(cosine, lane.scalars), (2.0, 3.0, 0.005, 0.005, 0.03))


def test_there_is_no_other_size():
    with pytest.raises(InputError, match="must be one of digits smoke, digits cpu, cifar10 full, but are stl10 cpu"):
        size_of("stl10", "cpu")
    for data, size in SIZES:
        for c in size_of(data, size).values():
            c.options.check()
