"""Deep linear JEPA and MAE, and self-predictive features: one text for SymPy and JAX, combinators, and bad input."""

from dataclasses import replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from linbyol import equations as q
from linbyol.checks import InputError
from linbyol.equations import DeepMode, Layer, jepa_flow, mae_flow
from linbyol.equations.deep_linear import Layers, Strength, Teacher, layers_flow, product
from linbyol.equations.jepa import (
    Moments,
    Stack,
    jepa_layers_flow,
    jepa_threshold,
    layer_balances,
    mae_layers_flow,
    mae_threshold,
)
from linbyol.equations.self_predictive import Frame, Markov, gram, self_predictive_flow
from linbyol.integrate import euler, integrate
from theory.proving.latex import equation

ROUNDING = 1e-13  # one formula of order one, twice
FLOWS = {"JEPA": jepa_flow, "MAE": mae_flow}
RATES = {  # written out by hand
    "JEPA": lambda w, k: w ** (2 * k.depth) * k.lambda_d - k.lambda_s * w ** (2 * k.depth + 1) - k.eta * w,
    "MAE": lambda w, k: k.lambda_d * w**k.depth - k.lambda_s * w ** (2 * k.depth + 1) - k.eta * w,
}
K = DeepMode(0.7, 1.1, 2, 0.03)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_one_text_for_numbers_symbols_and_tracers(name, depth):
    exact = [Fraction(4, 5), Fraction(7, 9), Fraction(5, 4), Fraction(1, 9)]
    w, lambda_d, lambda_s, eta = (sp.Rational(x.numerator, x.denominator) for x in exact)
    proven = FLOWS[name](Layer(w), DeepMode(lambda_d, lambda_s, depth, eta)).w
    assert proven == RATES[name](w, DeepMode(lambda_d, lambda_s, depth, eta))  # rational, to the last digit
    k = DeepMode(jnp.array(float(lambda_d)), float(lambda_s), depth, float(eta))
    assert abs(jax.jit(FLOWS[name])(Layer(0.8), k).w - float(proven)) < ROUNDING
    ws = np.array([-0.9, -0.2, 0.0, 0.4, 1.3])  # a layer of either sign
    mapped = jax.vmap(lambda w, s: FLOWS[name](Layer(w), replace(k, lambda_s=s)).w)(ws, 1 + ws**2)
    np.testing.assert_allclose(mapped, RATES[name](ws, replace(k, lambda_s=1 + ws**2)), rtol=ROUNDING, atol=ROUNDING)


def test_the_depth_is_no_number_that_is_traced():
    assert jax.tree.leaves(K) == [0.7, 1.1, 0.03]
    assert jax.tree.structure(K) != jax.tree.structure(replace(K, depth=3))
    gradient = jax.grad(lambda k: mae_flow(Layer(0.5), k).w)(K)
    assert gradient.depth == 2
    assert abs(gradient.lambda_s + 0.5**5) < ROUNDING


def test_equations_are_printed():
    assert equation(jepa_flow) == [r"\dot w = w^{2 L} (\lambda_d - \lambda_s w) - \eta w"]
    assert equation(mae_flow) == [r"\dot w = w^{L} (\lambda_d - \lambda_s w^{1 + L}) - \eta w"]


@pytest.mark.parametrize("depth", [0, -1, 1.5, 2.0, True, "2", None])
def test_a_depth_that_is_no_positive_whole_number_is_refused(depth):
    with pytest.raises(InputError, match=r"^Argument `depth` must be a positive whole number, but is .*\.$"):
        DeepMode(1.0, 1.25, depth)


@pytest.mark.parametrize(("name", "value"), [("lambda_d", 0.0), ("lambda_d", -0.3), ("lambda_s", 0.0), ("eta", -0.1)])
def test_data_that_no_mode_has_are_refused_at_the_door(name, value):
    with pytest.raises(InputError, match=rf"^Argument `{name}` must be .*\.$"):
        integrate(jepa_flow, Layer(0.3), replace(K, **{name: value}), [0.0, 1.0])


@pytest.mark.parametrize("name", ["Sxx", "Sigma", "D"])
@pytest.mark.parametrize(("moment", "words"), [
    (np.diag([1.0, -0.5]), "positive semidefinite, but has the eigenvalue -0.5."),
    (np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric, but differs from its transpose by 0.5."),
])  # fmt: skip
def test_second_moments_of_no_data_are_refused_at_the_door(name, moment, words):
    """Also of Saxe's network and of a Markov chain; a cross moment need be neither."""
    I, cross = np.eye(2), np.array([[0.0, 0.5], [-0.5, -1.0]])  # noqa: E741
    flow, y, k = {
        "Sxx": (jepa_layers_flow, Stack((I,), I), Moments(I, cross)),
        "Sigma": (layers_flow, Layers(I, I), Teacher(I, cross)),
        "D": (self_predictive_flow, Frame(I, I), Markov(I, I)),
    }[name]
    assert integrate(flow, y, k, [0.0, 0.1], solver="dop853").ok
    with pytest.raises(InputError, match=f"Argument `{name}` must be {words}"):
        integrate(flow, y, k._replace(**{name: moment}), [0.0, 0.1], solver="dop853")


def test_combinators_take_a_state_of_one_field_and_one_of_layers():
    w, rate = Layer(0.4), jepa_flow(Layer(0.4), K).w
    assert q.hold(jepa_flow, "w")(w, K).w == 0
    assert q.backwards(jepa_flow)(w, K).w == -rate
    assert abs(q.decay(jepa_flow, W=0.1)(w, K).w - (rate - 0.07 * 0.4)) < ROUNDING
    with pytest.raises(InputError, match="Layer has w alone"):
        q.simsiam(jepa_flow)(w, K)
    eye = np.eye(2)
    y, k = Stack((0.3 * eye, 0.5 * eye), 0.7 * eye), Moments(1.25 * eye, eye, 0.1)
    plain = jepa_layers_flow(y, k)
    assert not np.any(q.hold(jepa_layers_flow, "layers")(y, k).layers)
    np.testing.assert_allclose(q.backwards(jepa_layers_flow)(y, k).layers, [-A for A in plain.layers])
    apart = q.decay(jepa_layers_flow, Wp=0.3, W=0.2)(y, k)
    np.testing.assert_allclose(apart.V, plain.V - 0.2 * 0.7 * eye, rtol=ROUNDING)
    np.testing.assert_allclose(apart.layers[1], plain.layers[1] - 0.1 * 0.5 * eye, rtol=ROUNDING)


def test_thresholds():
    """λ_d = 0.7, λ_s = 1.1; six digits for L = 1, 2, 3, from the peak of ẇ/w."""
    peaks = {jepa_threshold: (0.111364, 0.0190256, 0.00489291), mae_threshold: (0.7, 0.284473, 0.214931)}
    for threshold, values in peaks.items():
        for depth, value in enumerate(values, 1):
            assert abs(threshold(DeepMode(0.7, 1.1, depth)) / value - 1) < 5e-6
    assert np.isfinite(jax.grad(lambda s: mae_threshold(DeepMode(0.7, s, 1)))(1.1))


def test_a_finite_step_keeps_the_balance_to_second_order(rng):
    """Gradient descent moves the balances by O(lr) over a fixed time: halving the step halves the drift."""
    layers = tuple(0.5 * rng.standard_normal(shape) for shape in ((2, 3), (2, 2)))
    y, k = Stack(layers, 0.5 * rng.standard_normal((3, 2))), Moments(np.eye(3) * 1.25, np.diag([1.0, 0.8, 0.6]))

    def drift(lr, steps):
        C = euler(mae_layers_flow, y, k, lr=lr, steps=steps).map(layer_balances)
        return np.array([np.abs(A[-1] - A[0]).max() for A in C])

    ratio = drift(0.02, 100) / drift(0.01, 200)
    assert np.all(np.abs(ratio - 2) < 0.2)


def test_a_closed_form_of_two_layers_is_not_used_for_three():
    with pytest.raises(InputError, match=r"Argument `k\.layers` must be 2"):
        product(jnp.array(0.1), Strength(1.0, layers=3), jnp.array([0.0, 1.0]))


def test_self_predictive_features_show_their_predictor(rng):
    T = rng.uniform(size=(4, 4))
    k = Markov(T / T.sum(axis=1, keepdims=True), np.diag([0.1, 0.2, 0.3, 0.4]))
    y = Frame(rng.standard_normal((4, 2)), np.zeros((2, 2)))
    solved = integrate(self_predictive_flow, y, k, [0.0, 1.0, 5.0], rtol=1e-10, atol=1e-12, solver="dop853")
    for Phi, P in zip(*solved.ys, strict=True):
        root = np.sqrt(np.asarray(k.D))
        best = np.linalg.lstsq(root @ Phi, root @ k.T @ Phi, rcond=None)[0]  # weighted least squares
        np.testing.assert_allclose(P, best, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(gram(Frame(Phi, P), k), y.Phi.T @ y.Phi, rtol=1e-9)
