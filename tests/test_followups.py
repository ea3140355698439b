"""The follow-ups' equations: one text for SymPy and JAX, laws, closed forms, and wrong variants that are refused."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from linbyol.claims import Run
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Constants,
    Weights,
    amplitudes_flow,
    cosine,
    decay,
    directset,
    isoloss,
    landscape,
    simsiam,
    stepwise,
    weights_flow,
)
from linbyol.equations import deep_linear as deep
from linbyol.integrate import integrate
from theory.followups import deep_linear, directset_samples
from theory.followups import directset as theorems
from theory.paper import directpred, directpred_form
from theory.proving.words import InexactError, residual

ROUNDING = 1e-12  # float64 against exact rationals, or one formula twice; entries of order one

half, third = Fraction(1, 2), Fraction(1, 3)
v3, w3 = ([Fraction(n, 7) for n in row] for row in ((3, 5, 8), (9, 4, 2)))
A23, A22, A33, B33, A32 = (
    [[Fraction((3 * i + 5 * j + s) % 7 - 3, 4) for j in range(m)] for i in range(n)]
    for n, m, s in ((2, 3, 1), (2, 2, 2), (3, 3, 3), (3, 3, 5), (3, 2, 6))
)

# Each flow with a rational state and constants: numbers stay, lists of numbers are modes, lists of rows are matrices.
FLOWS = {
    "directset": (
        directset.directset_flow,
        directset.Encoder(Fraction(4, 5)),
        directset.DirectSet(half, Fraction(1, 9), Fraction(5, 4), Fraction(6, 7), Fraction(3, 2), third, -half, 3),
    ),
    "euclidean": (isoloss.euclidean_flow, isoloss.Spectrum(third), isoloss.Euclidean(half, Fraction(7, 5))),
    "isoloss": (isoloss.euclidean_isoloss_flow, isoloss.Spectrum(third), isoloss.Euclidean(half, Fraction(7, 5))),
    "open": (isoloss.euclidean_open_flow, isoloss.Spectrum(third), isoloss.Euclidean(half, Fraction(7, 5))),
    "cosine": (isoloss.cosine_flow, isoloss.Spectrum(v3), isoloss.Angular(2, [v3, w3])),
    "isoloss cosine": (isoloss.cosine_isoloss_flow, isoloss.Spectrum(v3), isoloss.Angular(half, [v3, w3])),
    "bao": (cosine.cosine_modes_flow, cosine.CosineModes(v3, w3), cosine.Cosine(Fraction(5, 4), third)),
    "singular": (stepwise.singular_flow, stepwise.Singular(half), stepwise.Gain(third)),
    "pair": (deep.pair_flow, deep.Pair(half, third), deep.Strength(Fraction(7, 5))),
    "stepwise": (stepwise.stepwise_flow, stepwise.Embedding(A23), stepwise.Views(A33)),
    "layers": (deep.layers_flow, deep.Layers(A23, A32), deep.Teacher(A33, B33)),
    "landscape": (landscape.landscape_flow, landscape.Encoder(A23), landscape.Landscape(A33, B33, third)),
    "bao matrix": (cosine.predictor_descent, None, None),
}
MATRICES = ("stepwise", "layers", "landscape")


def exact(x, matrices):
    if isinstance(x, list):
        rational = lambda q: sp.Rational(q.numerator, q.denominator)  # noqa: E731
        if isinstance(x[0], list):
            rows = [[rational(q) for q in row] for row in x]
            return sp.Matrix(rows) if matrices else np.array(rows)
        return np.array([rational(q) for q in x])
    return sp.Rational(x.numerator, x.denominator)


def numeric(x):
    return jnp.asarray(jax.tree.map(float, x))


def both(name):
    flow, y, k = FLOWS[name]
    if y is None:  # two matrices instead of a state
        F = [[sum(a * b for a, b in zip(r, q, strict=True)) for q in A22] for r in A22]
        arguments = [(A22, F), (cosine.Cosine(Fraction(5, 4), third),)]
        make = lambda f: flow(*(f(x) for x in arguments[0]), cosine.Cosine(*(f(x) for x in arguments[1][0])))  # noqa: E731
        return make(lambda x: exact(x, True)), make(numeric)
    symbols = lambda t: type(t)(*(exact(x, name in MATRICES) for x in t))  # noqa: E731
    arrays = lambda t: type(t)(*(numeric(x) for x in t))  # noqa: E731
    return flow(symbols(y), symbols(k)), flow(arrays(y), arrays(k))


@pytest.mark.parametrize("name", FLOWS)
def test_sympy_and_jax_read_the_same_equation(name):
    """Exact rationals through SymPy (no decimals come in) and floats through JAX give the same rate."""
    one, other = both(name)
    pairs = zip(one, other, strict=True) if isinstance(one, tuple) else [(one, other)]
    for a, b in pairs:
        entries = list(a) if isinstance(a, sp.MatrixBase) else list(np.ravel(np.array(a, dtype=object)))
        assert not any(sp.sympify(x).has(sp.Float) for x in entries)
        assert np.allclose([float(x) for x in entries], np.ravel(b), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("name", [n for n in FLOWS if FLOWS[n][1] is not None])
def test_flows_map_over_every_leaf(name):
    flow, y, k = (FLOWS[name][0], *(type(t)(*(numeric(x) for x in t)) for t in FLOWS[name][1:]))
    many = lambda t: jax.tree.map(lambda a: jnp.stack([a, 1.25 * a]), t)  # noqa: E731
    mapped = jax.vmap(flow)(many(y), many(k))
    again = flow(*(jax.tree.map(lambda a: 1.25 * a, t) for t in (y, k)))
    for lanes, single in zip(mapped, again, strict=True):
        assert np.allclose(lanes[1], single, rtol=ROUNDING, atol=ROUNDING)


def test_the_rule_and_its_inverse():
    k = directset.DirectSet(0.7, 0.05, 1.3, 0.9, 1.2, eps=0.1, c=-0.2)
    lam = jnp.array([0.2, 0.5, 1.1])
    assert jnp.allclose(directset.encoder_at(directset.set_predictor(directset.Encoder(lam), k), k), lam, rtol=ROUNDING)


def test_a_shift_switches_the_predictor_off():
    k = directset.DirectSet(0.5, 0.05, 1.3, c=0.3)
    lam = jnp.array([0.1, 0.5])  # s = 0.01, 0.25 < c
    assert jnp.all(directset.set_predictor(directset.Encoder(lam), k) == 0)
    assert jnp.allclose(directset.directset_flow(directset.Encoder(lam), k).lam, -0.05 * lam, rtol=ROUNDING)


@pytest.mark.parametrize("depth", [1.0, 2.0, 5.0])
def test_the_depth_threshold_is_the_largest_drive(key, depth):
    alpha, kappa = jax.random.uniform(key, (2,), minval=0.5, maxval=2.0)
    k = directset.DirectSet(alpha, 0.0, lambda_s=kappa, depth=depth)
    drive = lambda lam: directset.directset_flow(directset.Encoder(lam), k).lam / (depth * lam)  # noqa: E731
    floor, threshold = directset.depth_floor(k), directset.depth_threshold(k)
    assert abs(drive(floor) - threshold) < ROUNDING
    assert abs(jax.grad(drive)(floor)) < 1e-10  # a zero of a derivative of order one
    assert jnp.max(drive(jnp.linspace(1e-3, 1.2, 2001))) <= threshold + ROUNDING


def test_depth_one_is_the_first_lemma():
    """With Wp held at p, `directset_flow` is `weights_flow` on a 1 × 1 network."""
    k = directset.DirectSet(0.8, 0.03, 1.7, 0.9, 1.0, eps=0.05)
    lam = jnp.array(0.6)
    p = directset.set_predictor(directset.Encoder(lam), k)
    one = lambda x: jnp.reshape(jnp.asarray(x, float), (1, 1))  # noqa: E731
    y = Weights(one(lam), one(p), one(lam))
    rate = simsiam(weights_flow)(y, Constants(1.0, 0.0, k.eta, one(k.lambda_d), one(k.lambda_s - k.lambda_d))).W
    assert abs(rate[0, 0] - directset.directset_flow(directset.Encoder(lam), k).lam) < ROUNDING


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_what_the_cosine_flows_conserve(key, alpha):
    """Σ λ under L_cos, Σ λ^(1 + α) under IsoLoss; each fails for the other flow."""
    a, b = jax.random.split(key)
    lam = jax.random.uniform(a, (5,), minval=0.2, maxval=2.0)
    y, k = isoloss.Spectrum(lam), isoloss.Angular(alpha, jax.random.normal(b, (30, 5)) ** 2)
    plain, mended = isoloss.cosine_flow(y, k).lam, isoloss.cosine_isoloss_flow(y, k).lam
    assert abs(jnp.sum(plain)) < ROUNDING
    assert abs(jnp.sum(lam**alpha * mended)) < ROUNDING
    assert abs(jnp.sum(mended)) > 1e-3
    assert abs(jnp.sum(lam**alpha * plain)) > 1e-3


@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_the_cosine_balance_decays(key, rho):
    p, s = jax.random.uniform(key, (2, 5), minval=0.2, maxval=1.0)
    y, k = cosine.CosineModes(p, s), cosine.Cosine(1.4, rho)
    _, rate = jax.jvp(lambda y: cosine.mode_balance(y, k), (y,), (cosine.cosine_modes_flow(y, k),))
    assert jnp.allclose(rate, -2 * rho * cosine.mode_balance(y, k), atol=ROUNDING)


def test_closed_forms_start_where_they_should_and_never_overflow():
    ts = jnp.array([0.0, 1.0, 1e6])
    s0, gamma = jnp.array([0.1, 0.2, 0.3]), jnp.array([1.5, 0.4, -0.6])
    s = stepwise.stepwise(s0, stepwise.Gain(gamma), ts)
    assert s.shape == (3, 3)
    assert jnp.allclose(s[0], s0, rtol=ROUNDING)
    assert jnp.allclose(s[-1], jnp.array([1.5**-0.5, 0.4**-0.5, 0.0]), rtol=ROUNDING)
    u = deep.product(jnp.array(0.1), deep.Strength(jnp.array([0.5, 2.0])), ts)
    assert jnp.allclose(u[0], 0.1, rtol=ROUNDING)
    assert jnp.allclose(u[-1], jnp.array([0.5, 2.0]), rtol=ROUNDING)


def test_closed_forms_are_differentiable():
    slope = jax.grad(lambda s0: deep.product(s0, deep.Strength(jnp.array(1.3)), jnp.array([2.0]))[0])(jnp.array(0.05))
    h = 1e-5
    u = deep.product(jnp.array([0.05 - h, 0.05 + h]), deep.Strength(jnp.array(1.3)), jnp.array([2.0]))[0]
    assert abs(slope - (u[1] - u[0]) / (2 * h)) < 1e-6  # central difference: h² times the third derivative, 1e4


def test_a_step_meets_its_time():
    s0, k = jnp.array([1e-4]), stepwise.Gain(jnp.array([0.8]))
    t = stepwise.step_time(s0, k)
    assert abs(stepwise.stepwise(s0, k, t)[0, 0] ** 2 * 0.8 - 0.5) < 1e-7  # up to s0² = 1e-8


def test_a_flow_with_traced_numbers_integrates_under_vmap():
    """`integrate` compares no flow by value: a combinator's number may be a lane."""
    y, k = Amplitudes(0.5, 0.4, 0.5), Commuting(1.0, 0.2, 0.1, 1.0, 1.3)
    end = lambda rate: integrate(decay(amplitudes_flow, Wp=rate), y, k, [0.0, 1.0]).ys.wp[-1]  # noqa: E731
    ends = jax.vmap(end)(jnp.array([0.1, 0.5]))
    assert ends[0] - ends[1] > 0.05


# Wrong variants are refused.


def test_theorem_4_as_printed_is_refused():
    assert theorems.corrected_theorem_4() == ""
    lam, alpha, eta, kappa = sp.symbols("lambda alpha eta kappa", positive=True)
    k = directset.DirectSet(alpha, eta, lambda_s=kappa, lambda_f=kappa)
    printed = lam * (lam ** (2 * alpha) - kappa ** (1 + 2 * alpha) * lam ** (4 * alpha) - eta)
    assert residual(sp.powsimp(sp.expand(directset.directset_flow(directset.Encoder(lam), k).lam - printed)))


def test_a_wrong_closed_form_is_refused():
    assert not any(deep_linear.proofs().values())
    u0, s, t = sp.symbols("u_0 s t", positive=True)
    wrong = deep.product_at(u0, s, sp.exp(-s * t))  # half the rate
    assert residual(sp.simplify(sp.diff(wrong, t) - deep.product_flow(wrong, deep.Strength(s))))


def test_a_decimal_proves_nothing():
    lam = sp.Symbol("lambda", positive=True)
    with pytest.raises(InexactError):
        residual(isoloss.euclidean_flow(isoloss.Spectrum(lam), isoloss.Euclidean(0.5, sp.Rational(3, 2))).lam)


def test_norm_of_mean_sees_through_the_noise(key):
    """Gram matrices of noise around a small mean: the estimate is the mean's norm, not the noise's."""
    from theory.followups.cosine import norm_of_mean

    errors = 0.1 + jax.random.normal(key, (40, 500)) * 1.0
    size, spread = norm_of_mean(np.asarray(errors @ errors.T))
    assert abs(size - 0.1 * np.sqrt(500)) < 4 * spread  # four standard errors
    assert size < 3.2 < np.sqrt(5 + 500 / 40)  # the norm of the plain mean, noise and all, is 4.2


# Claims hold for another seed than the one they are run with (those that share one compilation).

QUICK = [c for m in (directpred, directpred_form, directset_samples) for c in vars(m).values() if hasattr(c, "check")]


@pytest.mark.parametrize("claim", QUICK, ids=lambda c: c.id)
def test_claims_hold_for_another_seed(claim):
    verdict = claim(Run(seed=17))
    assert verdict.verdict == claim.expected, (verdict.note, verdict.numbers)
