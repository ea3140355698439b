"""The predictors of Richemond et al. against their iterations in NumPy, in slaved flows and in the trainer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.settings import with_values
from experiments.trainer.lanes import lanes
from experiments.trainer.options import Options
from experiments.trainer.rules import Memory, predictor
from experiments.trainer.state import Scalars
from experiments.trainer.uses import rule_of
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
    simsiam,
    slave,
    symmetric_flow,
    weights_flow,
)
from linbyol.equations.combinators import settle, sights
from linbyol.fixed_points import stability
from linbyol.integrate import integrate
from linbyol.predictors import (
    RULES,
    nash,
    newton_schulz,
    on_features,
    regression,
    soft_projector,
    stiefel,
    visser,
)

ROUNDING = 1e-12


def moments(rng, d=4):
    A, B = rng.standard_normal((d, 2 * d)), rng.standard_normal((d, d))
    return A @ A.T / (2 * d), B / d


def root(F):
    s, U = np.linalg.eigh(F)
    return U * np.sqrt(s) @ U.T


def close(A, B, atol=ROUNDING):
    return np.abs(np.asarray(A) - B).max() < atol


def test_visser_by_hand(rng):
    F, _ = moments(rng)
    P = np.eye(4) / 0.8
    for _ in range(7):
        P = P + 0.4 * (F - P @ P)
    assert close(visser(jnp.asarray(F), eta_v=0.4, iterations=7, ridge=0.1), P + 0.1 * np.eye(4))
    assert close(visser(jnp.asarray(F), eta_v=0.4, iterations=400), root(F), 1e-9)
    found = visser(jnp.asarray(9 * F), norm="spectral", iterations=400)
    assert close(found, root(F / np.linalg.norm(F, 2)), 1e-9)


def test_newton_and_schulz_by_hand(rng):
    F, _ = moments(rng)
    A, B = F / np.linalg.norm(F), np.eye(4)
    for _ in range(5):
        A, B = A @ (3 * np.eye(4) - B @ A) / 2, (3 * np.eye(4) - B @ A) @ B / 2
    assert close(newton_schulz(jnp.asarray(F), iterations=5), A * np.sqrt(np.linalg.norm(F)))
    assert close(newton_schulz(jnp.asarray(F), iterations=30), root(F), 1e-9)
    assert close(
        newton_schulz(jnp.asarray(F), iterations=30, chain=2, ridge=0.2), root(root(F)) + 0.2 * np.eye(4), 1e-9
    )


def test_stiefel_grows_with_the_features_and_tends_to_a_multiple_of_the_identity(rng):
    F, _ = moments(rng)
    G = F.T @ F
    A, B = G / np.linalg.norm(G), np.eye(4)
    for _ in range(9):
        A, B = A @ (3 * np.eye(4) - B @ A) / 2, (3 * np.eye(4) - B @ A) @ B / 2
    assert close(stiefel(jnp.asarray(F)), B @ F / np.linalg.norm(B))
    assert close(stiefel(jnp.asarray(7 * F)), 7 * np.asarray(stiefel(jnp.asarray(F))), 1e-11)
    assert close(stiefel(jnp.asarray(F), iterations=60), np.eye(4) / np.linalg.norm(np.linalg.inv(F)), 1e-9)


def test_nash_and_the_soft_projector_by_hand(rng):
    F, cross = moments(rng)
    assert close(nash(jnp.asarray(F), jnp.asarray(cross)), cross @ (2 * np.eye(4) - F))
    whole = np.linalg.norm(F, 2)
    normed = cross / whole @ (2 * np.eye(4) - F / whole) + 0.1 * np.eye(4)
    assert close(nash(jnp.asarray(F), jnp.asarray(cross), norm="spectral", ridge=0.1), normed)
    size = np.linalg.norm(F)
    found = nash(jnp.asarray(F), jnp.asarray(cross), norm="frobenius")
    assert close(found, cross / size @ (2 * np.eye(4) - F / size))
    assert close(soft_projector(jnp.asarray(F), eps=0.2), F @ np.linalg.inv(F + 0.2 * np.eye(4)))
    found = soft_projector(jnp.asarray(F), norm="frobenius")
    assert close(found, F @ np.linalg.inv(F + 0.3 * size * np.eye(4)))


@pytest.mark.parametrize("name", ["nash", "visser", "newton-schulz", "stiefel", "soft-projector", "optimal"])
def test_collapsed_features_give_a_finite_predictor(name):
    zero = jnp.zeros((2, 2))
    more = dict.fromkeys(sights(RULES[name]), zero) | ({"eps": 0.1} if name == "optimal" else {})
    assert np.isfinite(RULES[name](zero, zero, **more)).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda F: visser(F, iterations=0), "Argument `iterations` must be a positive whole number, but is 0."),
        (lambda F: newton_schulz(F, chain=0), "Argument `chain` must be a positive whole number, but is 0."),
        (lambda F: stiefel(F, iterations=-1), "Argument `iterations` must be a positive whole number, but is -1."),
        *((lambda F, name=name: RULES[name](F, F.at[0, 1].add(0.25)), "Argument `F` must be symmetric, but differs")
          for name in ("direct", "copy", "set", "visser", "newton-schulz", "stiefel", "soft-projector")),
        *((lambda F, name=name: RULES[name](F, F, features=F.at[0, 1].add(0.25), cross=F), "must be symmetric, but")
          for name in ("nash", "optimal")),
        (lambda F: visser(F.at[0, 0].set(-0.5)), "Argument `F` must be positive semidefinite, but has the"),
        (lambda F: newton_schulz(-F), "Argument `F` must be positive semidefinite, but has the eigenvalue -1."),
        (lambda F: visser(F, eta_v=0.0), "Argument `eta_v` must be positive, but is 0."),
        (lambda F: soft_projector(F, eps=-1.0), "Argument `eps` must be at least 0, but is -1."),
        (lambda F: regression(F, F, eps=-1.0), "Argument `eps` must be at least 0, but is -1."),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call(jnp.eye(2))


def seen(Wp, F, *, features, cross):
    """A rule that shows what it sees, by weights that no sum of the three hides."""
    return F + 100 * features + 10000 * cross


def test_slave_hands_a_rule_what_it_names(rng):
    """On weights, features, modes and amplitudes: F = W X Wᵀ, W (X + X_aug) Wᵀ and Wa X Wᵀ."""
    X, X_aug = moments(rng)[0], moments(rng)[0]
    y, k = Weights(*rng.standard_normal((3, 4, 4))), Constants(1.0, 0.5, 0.1, X, X_aug)
    F, features, cross = y.W @ X @ y.W.T, y.W @ (X + X_aug) @ y.W.T, y.Wa @ X @ y.W.T
    assert close(settle(slave(weights_flow, seen), y, k).Wp, F + 100 * features + 10000 * cross, 1e-8)
    at = settle(slave(symmetric_flow, seen), Symmetric(F, F), Isotropic(1.0, 0.0, 0.1, 0.5, 0.7))
    assert close(at.Wp, F + 150 * F + 7000 * F, 1e-9)
    k = Commuting(1.0, 0.5, 0.1, np.array([0.9, 0.4]), np.array([1.3, 0.8]))
    w, wa = np.array([0.7, -0.3]), np.array([0.2, 0.5])
    expected = k.lambda_d * w * w + 100 * k.lambda_s * w * w + 10000 * k.lambda_d * wa * w
    assert close(settle(slave(modes_flow, seen), Modes(w, w * w, wa / w), k).p, expected, 1e-9)
    assert close(settle(slave(amplitudes_flow, seen), Amplitudes(w, w, wa), k).wp, expected, 1e-9)
    of_features = settle(slave(modes_flow, on_features(RULES["copy"])), Modes(w, w * w, wa / w), k).p
    assert close(of_features, k.lambda_s * w * w)


def test_a_rule_sees_what_it_names_without_default():
    assert sights(seen) == ("features", "cross")
    assert sights(RULES["nash"]) == sights(RULES["optimal"]) == ("features", "cross")
    assert sights(on_features(RULES["direct"])) == ("features",)
    for rule in (RULES["direct"], RULES["learned"], lambda Wp, F: F, lambda Wp, F, cross=None: F, print, jnp.add):
        assert sights(rule) == ()


def test_nash_stops_where_the_closed_form_says():
    """λ_d ρ x (2 - x) (1 - x)² = η at λ_d = 1, λ_s = 1.25, η = 0.05: barriers and attractors by turns."""
    p = (1 + np.array([-1, 1]) * np.sqrt(1 - 4 * 0.05 * 1.25)) / 2.5
    below = 1 - np.sqrt(1 - p / 0.8)
    x = np.sort(np.concatenate([below, 2 - below]))
    assert np.abs(x - [0.03407417371, 0.7411809549, 1.258819045, 1.965925826]).max() < 1e-9
    k, flow = Commuting(1.0, 0.0, 0.05, 1.0, 1.25), slave(simsiam(modes_flow), RULES["nash"])
    growing = np.asarray(stability(Modes(0 * x, x / 1.25, 1.0), k, flow=flow)).real.max(-1) > 1e-3
    assert growing.tolist() == [True, False, True, False]
    starts = np.array([0.98 * x[0], 1.02 * x[0], 0.99 * x[2], 1.01 * x[2], 1.99])
    lanes = Commuting(1.0, 0.0, 0.05, np.ones(5), 1.25 * np.ones(5))
    ends = integrate(flow, Modes(0 * starts, starts / 1.25, 1.0 + 0 * starts), lanes, [0.0, 400.0]).ys
    assert np.abs(1.25 * np.asarray(ends.s)[-1] - [0, x[1], x[1], x[3], x[3]]).max() < 1e-6


@pytest.mark.parametrize("name", ["nash", "visser", "newton-schulz", "stiefel", "soft-projector"])
def test_the_trainer_hands_a_rule_its_settings_and_correlations(name, rng):
    """Each setting away from its default, against the formula with the same by keyword."""
    F, cross = moments(rng)
    memory = Memory(jnp.asarray(F), jnp.asarray(cross), jnp.asarray(rng.standard_normal(4)), jnp.ones((), bool))
    given = {
        "nash": {"ridge": 0.2, "norm": "frobenius"},
        "visser": {"ridge": 0.2, "eta_v": 0.3, "iterations": 4, "norm": "none"},
        "newton-schulz": {"ridge": 0.2, "iterations": 3, "chain": 2},
        "stiefel": {"ridge": 0.2, "iterations": 3},
        "soft-projector": {"eps": 0.2, "norm": "none"},
    }[name]
    o = with_values(Options(), {"rule": name} | {f"rule.{key}": x for key, x in given.items()})
    o.check()
    scalars = Scalars(**{key: jnp.asarray(x) for key, x in lanes(o)[0].scalars.items()})
    seen = {"features": memory.F, "cross": memory.cross} if name == "nash" else {}
    settings = given | ({"norm": None} if given.get("norm") == "none" else {})
    expected = RULES[name](jnp.eye(4), memory.F, **seen, **settings)
    assert close(predictor(rule_of(o), scalars, jnp.eye(4), memory), expected)


def test_a_rule_of_no_iterations_is_refused_by_the_trainer():
    with pytest.raises(InputError, match=r"Setting `method.predictor.rule.iterations` must be whole, from 1 to"):
        with_values(Options(), {"rule": "visser", "iterations": 0}).check()


def test_rules_map_over_their_settings():
    F = jnp.diag(jnp.array([0.2, 0.7]))
    ridges = jnp.array([0.0, 0.1])
    found = jax.vmap(lambda ridge: RULES["newton-schulz"](F, F, ridge=ridge))(ridges)
    assert close(found[1] - found[0], 0.1 * np.eye(2))
