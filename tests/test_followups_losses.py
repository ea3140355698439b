"""The follow-ups' flows go down their losses, and their closed forms follow the flows: in NumPy, by differences."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from linbyol.equations import cosine, directset, isoloss, landscape, stepwise
from linbyol.equations import deep_linear as deep

H = 1e-5  # of central differences: their error is of the order of its square, and of rounding over it, 1e-10
CLOSE = {"rtol": 1e-7, "atol": 1e-7}


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def gradient(f, x):
    """Of a real function of an array, by central differences."""
    x, found = np.asarray(x, float), np.zeros(np.shape(x))
    for i in np.ndindex(found.shape):
        step = np.zeros(found.shape)
        step[i] = H
        found[i] = (f(x + step) - f(x - step)) / (2 * H)
    return found


def along(f, y, rate):
    """The derivative of f along a rate."""
    ahead, behind = (type(y)(*(a + sign * H * v for a, v in zip(y, rate, strict=True))) for sign in (1, -1))
    return (f(ahead) - f(behind)) / (2 * H)


def test_deep_linear_networks_go_down_the_task_s_loss(rng):
    x, y, W1, W2 = (rng.normal(size=shape) for shape in ((3, 50), (2, 50), (4, 3), (2, 4)))
    k = deep.Teacher(x @ x.T / 50, y @ x.T / 50)
    loss = lambda W1, W2: np.mean(np.sum((y - W2 @ W1 @ x) ** 2, axis=0)) / 2  # noqa: E731
    layers = deep.Layers(W1, W2)
    rate = deep.layers_flow(layers, k)
    np.testing.assert_allclose(rate.W1, -gradient(lambda W: loss(W, W2), W1), **CLOSE)
    np.testing.assert_allclose(rate.W2, -gradient(lambda W: loss(W1, W), W2), **CLOSE)
    assert np.isclose(deep.task_loss(layers, k), loss(W1, W2) - np.mean(np.sum(y**2, axis=0)) / 2)
    np.testing.assert_allclose(along(lambda y: deep.layers_balance(y, k), layers, rate), 0, atol=1e-7)
    assert np.abs(deep.layers_balance(layers, k)).max() > 0.1


def test_a_pair_of_weights_is_a_network_of_one_unit():
    pair, k = deep.Pair(0.3, 0.8), deep.Strength(1.4)
    one = lambda x: np.full((1, 1), x)  # noqa: E731
    expected = deep.layers_flow(deep.Layers(one(0.3), one(0.8)), deep.Teacher(one(1.0), one(1.4)))
    np.testing.assert_allclose(deep.pair_flow(pair, k), np.ravel(expected), rtol=1e-14)
    assert np.isclose(along(lambda y: deep.pair_balance(y, k), pair, deep.pair_flow(pair, k)), 0, atol=1e-9)
    assert np.isclose(deep.pair_balance(pair, k), 0.3**2 - 0.8**2)
    alike = deep.Pair(0.7, 0.7)
    assert np.isclose(deep.product_flow(0.49, k), along(lambda y: y.a * y.b, alike, deep.pair_flow(alike, k)))


def test_the_strength_of_a_balanced_pair_follows_its_flow():
    k, t = deep.Strength(np.array([1.3, 0.4])), jnp.array([1 - H, 1, 1 + H])
    behind, now, ahead = np.asarray(deep.product(jnp.array([0.05, 0.6]), k, t))
    np.testing.assert_allclose((ahead - behind) / (2 * H), deep.product_flow(now, k), **CLOSE)


def test_stepwise_learning_goes_down_its_loss(rng):
    W, A = rng.normal(size=(2, 3)) / 2, rng.normal(size=(3, 3))
    y, k = stepwise.Embedding(W), stepwise.Views(A + A.T)
    loss = lambda W: np.sum((W @ k.Gamma @ W.T - np.eye(2)) ** 2)  # noqa: E731
    assert np.isclose(stepwise.stepwise_loss(y, k), loss(W))
    np.testing.assert_allclose(stepwise.stepwise_flow(y, k).W, -gradient(loss, W), **CLOSE)
    s, gamma = np.array([0.3, 0.9]), np.array([1.5, -0.4])
    full = stepwise.stepwise_flow(stepwise.Embedding(np.diag(s)), stepwise.Views(np.diag(gamma)))
    np.testing.assert_allclose(np.diag(stepwise.singular_flow(stepwise.Singular(s), stepwise.Gain(gamma)).s), full.W)


def test_a_singular_value_follows_its_flow_and_its_step_has_a_time():
    k, t = stepwise.Gain(np.array([1.5, 0.6, -0.4])), jnp.array([0.2 - H, 0.2, 0.2 + H])
    behind, now, ahead = np.asarray(stepwise.stepwise(jnp.array([0.1, 0.4, 0.5]), k, t))
    rate = stepwise.singular_flow(stepwise.Singular(now), k).s
    np.testing.assert_allclose((ahead - behind) / (2 * H), rate, **CLOSE)
    assert np.isclose(stepwise.step_time(np.exp(-6.0), stepwise.Gain(1.5)), (12 - np.log(1.5)) / 12)


def test_the_landscape_is_descended_to_the_minimum_of_each_mode(rng):
    W, A, B = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    y, k = landscape.Encoder(W), landscape.Landscape(A + A.T, B @ B.T, 0.3)

    def loss(W):
        Q = W @ k.C @ W.T
        return np.sum(Q * Q.T) / 2 - np.sum((W @ k.B) * W) + 0.15 * np.sum(W * W)

    assert np.isclose(landscape.landscape_loss(y, k), loss(W))
    np.testing.assert_allclose(landscape.landscape_flow(y, k).W, -gradient(loss, W), **CLOSE)
    for b, c in ((0.7, 1.3), (-0.7, 1.3)):
        one = landscape.Landscape(np.full((1, 1), b), np.full((1, 1), c))
        cost = lambda s, b=b, c=c: landscape.mode_loss(s, b, c)  # noqa: E731
        assert np.isclose(cost(0.4), landscape.landscape_loss(landscape.Encoder(np.full((1, 1), 0.4**0.5)), one))
        least = scipy.optimize.minimize_scalar(cost, bounds=(0, 3), method="bounded", options={"xatol": 1e-10}).x
        assert abs(landscape.mode_minimum(b, c) - least) < 1e-5  # of a bounded search


@pytest.mark.parametrize("alpha", [0.0, 0.5, 2.0])
def test_euclidean_isoloss_flows_go_down_their_losses_on_one_mode(alpha):
    """z = w x, views x1 and x2 with E x1² = kappa and E x1 x2 = 1; p = lam^alpha is set, not descended."""
    lam, kappa = 0.6, 1.4
    k, w, p = isoloss.Euclidean(alpha, kappa), lam**0.5, lam**alpha
    square = lambda a, b: (kappa * a * a - 2 * a * b + kappa * b * b) / 2  # ½ E(a x1 - b x2)²  # noqa: E731
    plain = lambda v: square(p * v, w)  # noqa: E731
    opened = lambda v: square(p * v, v)  # noqa: E731
    mended = lambda v: (kappa * (v - w + p * w) ** 2 - 2 * (v - w + p * w) * w) / 2  # target w x2 + w x1 - p w x1  # noqa: E731
    for flow, loss in (
        (isoloss.euclidean_flow, plain),
        (isoloss.euclidean_open_flow, opened),
        (isoloss.euclidean_isoloss_flow, mended),
    ):
        assert np.isclose(flow(isoloss.Spectrum(lam), k).lam, -2 * w * gradient(loss, w), rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_cosine_isoloss_flows_go_down_the_loss_over_samples(rng, alpha):
    """W = diag(w) and samples x: the target cos(Wp W x, sg W x); IsoLoss takes Wp out of the gradient."""
    x, lam = rng.normal(size=(30, 4)), rng.uniform(0.3, 2, 4)
    w, p = lam**0.5, lam**alpha
    target = x * w / np.linalg.norm(x * w, axis=1, keepdims=True)
    cos = lambda z: np.sum(z * target, axis=1) / np.linalg.norm(z, axis=1)  # noqa: E731
    rise = gradient(lambda v: np.mean(cos(x * v * p)), w)
    y, k = isoloss.Spectrum(lam), isoloss.Angular(alpha, x**2)
    np.testing.assert_allclose(isoloss.cosine_flow(y, k).lam, 2 * w * rise, **CLOSE)
    np.testing.assert_allclose(isoloss.cosine_isoloss_flow(y, k).lam, 2 * w * rise / p, **CLOSE)


def test_the_cosine_flow_of_modes_is_that_of_the_diagonal_predictor():
    p, s = np.array([0.5, 0.9, 1.4]), np.array([0.3, 0.8, 0.2])
    y, k = cosine.CosineModes(p, s), cosine.Cosine(1.25, 0.1)
    size = np.sqrt(0.25 * 0.3 + 0.81 * 0.8 + 1.96 * 0.2)
    np.testing.assert_allclose(cosine.norms(y), [np.sqrt(1.3), size, 0.15 + 0.72 + 0.28], rtol=1e-14)
    full = np.diag(cosine.predictor_descent(np.diag(p), np.diag(s), k))
    rate = cosine.cosine_modes_flow(y, k)
    np.testing.assert_allclose(rate.p, full, rtol=1e-13)
    np.testing.assert_allclose(rate.s, 2 * p * (full + 0.1 * p) - 0.2 * s, rtol=1e-13)
    # one mode: T = p s, N_Ψ² = p² s, and [s - (2 p² s² + p² s²)/(p² s)]/(κ p s) = -2/(κ p)
    one = cosine.cosine_modes_flow(cosine.CosineModes(np.array([0.7]), np.array([0.4])), k)
    np.testing.assert_allclose(one.p, -2 / (1.25 * 0.7) - 0.07, rtol=1e-13)
    n = cosine.Norms(1.3, 0.8, 0.6)
    expected = (p**2 - (0.6 * p**3 + 2 * p**6) / 0.8**2) / (1.25 * 1.3 * 0.8) - 0.1 * p
    np.testing.assert_allclose(cosine.frozen_flow(p, n, k), expected, rtol=1e-13)


def test_a_predictor_that_is_not_diagonal_descends_as_its_formula():
    """Wp and F that share eigenvectors other than the axes, and a turned pair that do not commute."""
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    k, Wp, F = cosine.Cosine(1.25, 0.1), np.diag([0.5, 0.9]), np.array([[0.5, 0.2], [0.2, 0.7]])
    there = cosine.predictor_descent(turn @ Wp @ turn.T, turn @ F @ turn.T, k)
    here = cosine.predictor_descent(Wp, F, k)
    np.testing.assert_allclose(there, turn @ here @ turn.T, atol=1e-14)
    square, overlap, WF = 0.25 * 0.5 + 0.81 * 0.7, 0.25 + 0.63, np.array([[0.25, 0.1], [0.18, 0.63]])
    pull = F - (2 * WF @ WF + overlap * WF) / square
    np.testing.assert_allclose(here, pull / (1.25 * np.sqrt(square * 1.2)) - 0.1 * Wp, rtol=1e-13)


def test_equal_layers_multiply_to_the_encoder_s_flow():
    """lam = a^depth, so its rate is depth a^(depth - 1) times a layer's; by hand at depth 2."""
    k = directset.DirectSet(0.7, 0.05, 1.3, 0.9, 1.2, eps=0.1, c=0.02, depth=3)
    a = np.array([0.5, 0.8, 1.1])
    chain = 3 * a**2 * directset.layer_flow(a, k)
    np.testing.assert_allclose(directset.directset_flow(directset.Encoder(a**3), k).lam, chain, rtol=1e-13)
    k = k._replace(depth=2, alpha=1)
    p = 1.2 * 0.6**2 - 0.02 + 0.1
    by_hand = 2 * 0.6 * (0.6 * p * (0.9 - 1.3 * p) - 0.05)
    assert np.isclose(directset.directset_flow(directset.Encoder(0.6), k).lam, by_hand, rtol=1e-13)
    assert np.isclose(directset.encoder_at(p, k), 0.6, rtol=1e-13)
