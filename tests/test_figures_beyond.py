"""Figures beyond the paper: the numbers of each obey the law that it shows."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

import figures
from figures import basins, directpred_window, directset, isoloss, unequal_decay
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.equations.cosine import CosineModes, frozen_flow, norms


@pytest.fixture(scope="module")
def numbers():
    """The fast numbers of a figure by its name, computed once."""
    return functools.cache(lambda name: figures.module(name).data(True))


def test_fixed_points_rest_and_meet_at_the_threshold(numbers):
    data = numbers("bifurcation")
    assert data["fold"][:, 0] == pytest.approx(1 / (4 * data["kappa"]), rel=1e-15)
    for eta, p, s, stable, fold in zip(*(data[name] for name in ("eta", "p", "s", "stable", "fold")), strict=True):
        below = eta < fold[0] * (1 - 1e-12)
        assert (stable[below & (eta > 0)] == [True, False, True]).all()
        assert np.isnan(p[eta > fold[0] * (1 + 1e-12), 1:]).all()
        kappa = 1 / (4 * fold[0])
        k = Isotropic(1.0, 0.0, eta[:, None], kappa - 1)
        rate = modes_flow(Modes(p, s, np.ones_like(p)), k)
        assert np.nanmax(np.abs(np.stack([rate.p, rate.s]))) < 1e-14  # rounding
        assert fold[1] == pytest.approx(1 / (2 * kappa), rel=1e-6)  # a double root: √ of rounding, 1e-8


def test_basins_shrink_with_alpha_p_and_the_target_reverses_observation_10(numbers):
    data = numbers("basins")
    edge, p = data["edge"], data["p"]
    assert (np.diff(edge, axis=1) <= 0).all()
    left = p <= 0  # exact at η = 0; 1e-10 is the separatrix's accuracy
    assert edge[0][:, left] == pytest.approx(p[left] ** 2 / np.array(basins.ALPHAS)[:, None], rel=1e-10, abs=1e-14)
    assert (edge[0][:, (p >= 0) & (p <= 0.8)] < 1e-14).all()
    zero, copy = data["fraction"]
    assert (np.diff(zero, axis=0) <= 0).all()  # Observation 10: a slower target collapses more
    assert zero[0].tolist() == [1, 1]
    assert copy[0, 0] < 0.5 < copy[-1, 0]  # started as a copy it collapses less
    assert np.abs(data["fraction"][:, -1] - data["alone"]).max() < 0.05  # β = 10 is nearly no average: a row of cells


def test_only_equal_decays_hold_a_mode_still(numbers):
    data = numbers("unequal_decay")
    p, s = data["p"], data["s"]
    # the slowest rates there, 2 η = 0.1 and 0.09 from p₊, leave e^-24 at T = 240; the start's integrator error is 1e-7
    assert [p[0, 0, -1], s[0, 0, -1]] == pytest.approx(data["rest"], abs=1e-6)
    assert s[0, 1, -1] < 1e-9
    eta_p = unequal_decay.DECAYS[1][0]
    slope = np.diff(s[1], axis=1)[:, -1] / np.diff(data["ts"])[-1]
    # smaller than the law by κ/t in parts (theory/paper/unequal_decay.py): 0.006 here
    assert slope == pytest.approx(2 * eta_p * data["goal"] ** 2, rel=0.01)
    eta_s = unequal_decay.DECAYS[2][1]
    # s is gone before p arrives: p stops up to 3e-4 beside τ/κ, where s falls by 2 · 3e-4 of 2 η_s = 0.1 more slowly
    assert np.diff(np.log(s[2]), axis=1)[:, -1] == pytest.approx(-2 * eta_s * np.diff(data["ts"])[-1], rel=0.01)
    assert np.abs(p[2, :, -1] - data["goal"]).max() < 1e-3


def test_the_boost_works_inside_its_window_alone(numbers):
    data = numbers("directpred_window")
    eps, low, high = data["eps"], data["low"][:, None], data["high"][:, None]
    weak, strong = data["lam"]
    inside = (low < eps) & (eps < high)
    assert weak == pytest.approx(np.where(inside, high - eps, 0), abs=1e-6)  # 100 rtol of the solve
    assert strong == pytest.approx(np.maximum(high - eps, 0), abs=1e-6)
    assert inside.sum() > 2 * len(directpred_window.ETAS)
    assert (~inside).sum() > 2 * len(directpred_window.ETAS)


def test_features_survive_up_to_their_threshold(numbers):
    data = numbers("directset")
    threshold = data["threshold"]
    assert threshold[0] == pytest.approx(np.tile(1 / (4 * np.array(directset.KAPPAS)), (3, 1)), rel=1e-14)
    # the highest of 100 points of a smooth fold, at most 0.005 beside it
    assert data["growth"].max(-1) == pytest.approx(threshold, rel=2e-3)
    assert ((data["end"] > 0.1) == (data["eta"] < threshold[..., None])).all()
    assert data["end"][data["eta"] > threshold[..., None]].max() < 1e-6


def test_the_losses_conserve_and_equalise(numbers):
    data = numbers("isoloss")
    lam, limit = data["lam"], data["limit"]
    assert lam[:, -1] == pytest.approx(np.repeat(limit[:, None], lam.shape[-1], 1), abs=1e-7)  # 100 rtol
    for i, power in ((2, 1), (3, 1 + isoloss.ALPHA)):
        total = (lam[i] ** power).sum(-1)
        assert total == pytest.approx(np.full_like(total, total[0]), rel=1e-7)
    plain, mended = lam[0, 1:-1, 0], lam[1, 1:-1, 0]  # the weakest mode is faster under IsoLoss
    assert (mended[plain < 0.9] > plain[plain < 0.9]).all()


def test_the_cosine_passes_three_regimes(numbers):
    data = numbers("cosine_regimes")
    module = figures.module("cosine_regimes")
    assert [len(rests) for rests in data["rests"]] == [0, 2, 2]
    (_, acute, stable), weakest = data["rests"], module.STATE.min()
    assert weakest < acute[0] < acute[1] < module.STATE.max()
    assert stable[0] < weakest
    for a, rests in zip(module.SCALES, data["rests"], strict=True):
        frozen = norms(CosineModes(a * module.STATE, (a * module.STATE) ** 2))
        # roots of a degree 6 polynomial: 1e-12 of its coefficients, some hundred
        assert np.abs(frozen_flow(a * rests, frozen, module.K)).max(initial=0) < 1e-9


def test_matrices_follow_the_closed_forms(numbers):
    data = numbers("learning_curves")
    for name, law in data["lines_at_points"].items():
        # 10 × rtol, grown by at most 1/S0 = 1e3 on the way up
        assert np.abs(data["points"][name] - law).max() < 1e-6
    halfway = [np.interp(t, data["ts"], line) for t, line in zip(data["step"], data["lines"]["encoder"].T, strict=True)]
    assert halfway == pytest.approx(np.full(len(halfway), 0.5), abs=0.02)  # joined by straight lines, 0.1 apart


def test_the_optimal_predictor_freezes_and_the_trained_one_grows(numbers):
    data = numbers("optimal_predictor")
    kept = data["lam"] * np.exp(2 * figures.module("optimal_predictor").ETA * data["ts"])[:, None]
    frozen, trained = kept
    assert np.abs(frozen / frozen[:, :1] - 1).max() < 1e-5  # 100 rtol, over 0.02 of the largest eigenvalue
    assert (trained[:, -1, -1] > 5 * trained[:, 0, -1]).all()


def test_the_fit_meets_measurement_and_truth(numbers):
    data = numbers("inference")
    for name in "ps":
        # the noise of descent at lr 0.01 and the error of its step, the same order
        assert np.abs(data[f"fitted_{name}"] - data[name][0]).max() < 0.01
    assert np.abs(data["estimate"] / data["truth"] - 1).max() < 0.02  # 2 × lr: the bias of finite steps
    assert jnp.isfinite(data["error"]).all()
