"""Ablations of modes, amplitudes and matrices, each against the flow written out by hand, in NumPy."""

import re
from typing import NamedTuple

import numpy as np
import pytest
import sympy

from linbyol.checks import InputError
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Constants,
    Isotropic,
    Modes,
    Symmetric,
    Weights,
    amplitudes_flow,
    modes_flow,
    no_stop_gradient,
    symmetric_flow,
    weights_flow,
)
from linbyol.equations.combinators import backwards, decay, hold, no_predictor, settle, simsiam, slave
from linbyol.equations.deep_linear import Pair, Strength, pair_flow, product_flow
from linbyol.equations.jepa import DeepMode, Layer, Moments, Stack, jepa_flow, jepa_layers_flow, mae_flow
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.integrate import integrate
from linbyol.predictors import RULES

ROUNDING = 1e-14


class TwoNumbers(NamedTuple):
    """A state of one's own."""

    x: float
    z: float


K = Commuting(1.7, 0.3, 0.2, np.array([0.9, 0.7]), np.array([1.3, 1.1]))
P, S, TAU = np.array([0.4, -0.3]), np.array([0.5, 0.2]), np.array([0.6, 1.1])
MODES = Modes(P, S, TAU)
W, WA = np.array([0.7, -0.4]), np.array([0.3, 0.5])
AMPLITUDES = Amplitudes(W, P, WA)


def assert_close(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING)


def test_without_a_predictor_a_mode_has_one_of_1_that_does_not_move():
    growth = TAU * K.lambda_d - K.lambda_s - 0.2
    assert_close(no_predictor(modes_flow)(MODES, K), (0 * P, 2 * S * growth, 0.3 * (1 - TAU) - TAU * growth))
    e = WA * K.lambda_d - W * K.lambda_s
    assert_close(no_predictor(amplitudes_flow)(AMPLITUDES, K), (e - 0.2 * W, 0 * P, 0.3 * (W - WA)))
    assert_close(settle(no_predictor(modes_flow), MODES, K), (1 + 0 * P, S, TAU))


def test_without_a_predictor_features_have_the_identity():
    F, k = np.array([[0.5, 0.1], [0.1, 0.3]]), Isotropic(1.7, 0.3, 0.2, 0.4, 0.7)
    rate = no_predictor(symmetric_flow)(Symmetric(np.ones((2, 2)), F), k)
    assert_close(rate, (np.zeros((2, 2)), (2 * 0.7 - 2 * 1.4 - 2 * 0.2) * F))


def test_without_a_predictor_a_matrix_of_symbols_is_the_identity():
    Wp = sympy.Matrix([[1, 2], [3, 4]])
    assert settle(no_predictor(weights_flow), Weights(Wp, Wp, Wp), None) == (Wp, sympy.eye(2), Wp)


def test_a_simsiam_of_modes_and_amplitudes_is_its_own_target():
    growth = P * (K.lambda_d - K.lambda_s * P) - 0.2
    assert_close(
        simsiam(modes_flow)(MODES, K), (1.7 * S * (K.lambda_d - K.lambda_s * P) - 0.2 * P, 2 * S * growth, 0 * TAU)
    )
    e = W * K.lambda_d - P * W * K.lambda_s
    assert_close(simsiam(amplitudes_flow)(AMPLITUDES, K), (P * e - 0.2 * W, 1.7 * e * W - 0.2 * P, P * e - 0.2 * W))
    assert_close(settle(simsiam(amplitudes_flow), AMPLITUDES, K), (W, P, W))


def test_a_held_field_stands_still_and_others_move():
    rate = modes_flow(MODES, K)
    assert_close(hold(modes_flow, "tau", "Wa")(MODES, K), (rate.p, rate.s, 0 * TAU))
    assert_close(backwards(hold(modes_flow, "p"))(MODES, K), (0 * P, -rate.s, -rate.tau))


def test_separate_decays_take_the_place_of_the_common_one():
    """Each network's own: the predictor at 0.5 and the encoder at 0.1, in each form of the state."""
    assert_close(
        decay(amplitudes_flow, Wp=0.5, W=0.1)(AMPLITUDES, K),
        (
            P * (WA * K.lambda_d - P * W * K.lambda_s) - 0.1 * W,
            1.7 * W * (WA * K.lambda_d - P * W * K.lambda_s) - 0.5 * P,
            0.3 * (W - WA),
        ),
    )
    bare = modes_flow(MODES, K._replace(eta=0.0))
    assert_close(decay(modes_flow, Wp=0.5, W=0.1)(MODES, K), (bare.p - 0.5 * P, bare.s - 0.2 * S, bare.tau + 0.1 * TAU))
    y, k = Symmetric(np.diag(P), np.diag(S)), Isotropic(1.7, 0.3, 0.2, 0.4, 0.7)
    bare = symmetric_flow(y, k._replace(eta=0.0))
    assert_close(decay(symmetric_flow, W=0.1)(y, k), (bare.Wp - 0.2 * y.Wp, bare.F - 0.2 * y.F))


def test_a_set_predictor_follows_the_correlation_of_each_form():
    rule = lambda Wp, F: F @ F  # noqa: E731
    squares = (K.lambda_d * S) ** 2
    assert_close(settle(slave(modes_flow, rule), MODES, K), (squares, S, TAU))
    squares = (K.lambda_d * W * W) ** 2
    assert_close(settle(slave(amplitudes_flow, rule), AMPLITUDES, K), (W, squares, WA))
    assert not np.any(slave(amplitudes_flow, rule)(AMPLITUDES, K).wp)
    y = Symmetric(np.diag(P), np.array([[0.5, 0.1], [0.1, 0.3]]))
    assert_close(settle(slave(symmetric_flow, rule), y, Isotropic(1, 1, 0, 0.4, 1)), (y.F @ y.F, y.F))
    mode = settle(slave(modes_flow, RULES["symmetric"]), Modes(0.4, 0.5, 0.6), Commuting(1.7, 0.3, 0.2, 0.9, 1.3))
    assert_close(mode, (0.4, 0.5, 0.6))  # () in, () out, and a rule that keeps the predictor


def test_a_target_whose_gradient_is_not_stopped_moves_with_the_encoder():
    """d = n = 1: -∂/∂w ½ E(p w x1 - w x2)², E x1² = 1.3, E x1 x2 = 0.9, and the decay."""
    one = lambda x: np.full((1, 1), x)  # noqa: E731
    y, k = Weights(one(0.7), one(0.4), one(9.0)), Constants(1.7, 0.3, 0.2, one(0.9), one(0.4))
    slope = 0.7 * (0.16 * 1.3 - 2 * 0.4 * 0.9 + 1.3)
    rate = no_stop_gradient(weights_flow)(y, k)
    assert_close(rate, (one(-slope - 0.14), one(1.7 * (0.7 * 0.9 - 0.28 * 1.3) * 0.7 - 0.08), one(-slope - 0.14)))


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="Argument `Wa` of decay is not one of Wp, W"):
        decay(modes_flow, Wp=0.1, Wa=0.1)


LAYER, DEEP = Layer(np.array([0.3])), DeepMode(1.0, 1.5, 2)
SYMMETRIC, ISOTROPIC = Symmetric(np.eye(2), np.eye(2)), Isotropic(1.7, 0.3, 0.2, 0.4, 0.7)
WITHOUT = [
    (
        decay(jepa_flow, Wp=0.1),
        LAYER,
        DEEP,
        "Combinator decay with Wp= needs a state with Wp or p or wp or V, but Layer",
    ),
    (decay(lambda y, k: y, W=0.1), TwoNumbers(1.0, 2.0), K, "Combinator decay with W= needs a state with W or F or"),
    (decay(pair_flow, W=0.1), Pair(1.0, 2.0), Strength(1.0), "needs constants with eta, which Strength has not."),
    (hold(jepa_flow, "tau"), LAYER, DEEP, "Combinator hold needs a state with tau, but Layer has w alone."),
    (hold(modes_flow, "s", "tua"), MODES, K, "Combinator hold needs a state with tua, but Modes has p, s, tau alone."),
    (hold(modes_flow, "p", "Wa_"), MODES, K, "Combinator hold needs a state with Wa_, but Modes"),
    (
        hold(product_flow, "u"),
        np.array([0.3]),
        Strength(1.0),
        "Combinator hold needs a state with u, but an array has none.",
    ),
    (simsiam(mae_flow), LAYER, DEEP, "Combinator simsiam needs a state with Wa or wa or tau, but Layer has w alone."),
    (simsiam(symmetric_flow), SYMMETRIC, ISOTROPIC, "Combinator simsiam needs a state with Wa or wa or tau, but Sym"),
    (no_predictor(jepa_flow), LAYER, DEEP, "Combinator no_predictor needs a state with Wp or wp or p, but Layer"),
    (slave(jepa_flow, RULES["copy"]), LAYER, DEEP, "Combinator slave needs a state with Wp or wp or p, but Layer"),
    (no_stop_gradient(modes_flow), MODES, K, "Combinator no_stop_gradient needs a state with W, but Modes has p, s"),
]


@pytest.mark.parametrize(("flow", "y", "k", "sentence"), WITHOUT)
def test_what_a_state_has_not_is_no_silent_ablation(flow, y, k, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        flow(y, k)
    with pytest.raises(InputError, match=re.escape(sentence)):
        integrate(flow, y, k, [0.0, 1.0], solver="dop853")


def test_decay_knows_the_networks_of_every_state():
    """Layers at their own rate; JEPA's predictor, V, is one."""
    assert_close(decay(jepa_flow, W=0.3)(LAYER, DEEP), jepa_flow(LAYER, DeepMode(1.0, 1.5, 2, 0.3)))
    y, k = Stack((np.eye(2), 2 * np.eye(2)), 3 * np.eye(2)), Moments(np.eye(2), np.eye(2) / 2, 0.1)
    rate, other = decay(jepa_layers_flow, Wp=0.4)(y, k), jepa_layers_flow(y, k._replace(eta=0.4))
    assert_close((rate.V, *rate.layers), (other.V, *jepa_layers_flow(y, k).layers))
    features, data = Features(np.array([0.4, 0.6])), RegularisedModes(1.0, 2.0, K.lambda_d, K.lambda_s)
    assert_close(decay(sigreg_modes_flow, W=0.3)(features, data), sigreg_modes_flow(features, data._replace(eta=0.3)))
