"""The rules that set a predictor: functions of F, commuting with it, and the relations between them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.predictors import RULES, directcopy, directpred, directset, optimal, regression

ROUNDING = 1e-12  # eigh of a well-scaled 6 × 6 matrix in float64


@pytest.fixture
def F(key):
    A = jax.random.normal(key, (6, 9))
    return A @ A.T / 9


def close(A, B, atol=ROUNDING):
    return bool(jnp.max(jnp.abs(A - B)) < atol)


SETTINGS = [("direct", {"eps": 0.1}), ("direct", {"eps": 0.1, "form": "code"}), ("copy", {"eps": 0.2})]
SETTINGS += [("set", {"alpha": alpha, "norm": norm}) for alpha in (0.25, 2.0) for norm in ("spectral", None)]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_a_rule_gives_a_symmetric_function_of_F(F, name, settings):
    Wp = RULES[name](jnp.zeros_like(F), F, **settings)
    assert close(Wp, Wp.T)
    assert close(F @ Wp, Wp @ F)


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_a_rule_turns_with_its_features(F, key, name, settings):
    Q, _ = jnp.linalg.qr(jax.random.normal(key, F.shape))
    rule = lambda F: RULES[name](F, F, **settings)  # noqa: E731
    assert close(rule(Q @ F @ Q.T), Q @ rule(F) @ Q.T)


VALUES = [
    ("direct", {"eps": 0.1}, [0.9, 1.4, 2.4]),  # √s + eps max s
    ("direct", {"eps": 0.1, "floor": 1.0}, [1.0, 1.4, 2.4]),
    ("direct", {"eps": 0.1, "form": "code"}, [0.35, 0.6, 1.1]),  # √(s/max s) + eps
    ("direct", {"eps": 0.1, "form": "code", "floor": 0.5}, [0.5, 0.6, 1.1]),
    ("copy", {"eps": 0.1}, [0.35, 1.1, 4.1]),
    ("copy", {"eps": 0.1, "norm": "spectral"}, [0.1625, 0.35, 1.1]),
    ("copy", {"eps": 0.1, "norm": "frobenius"}, [0.1 + s / 17.0625**0.5 for s in (0.25, 1, 4)]),
    ("set", {"alpha": 1.5, "eps": 0.1}, [0.115625, 0.225, 1.1]),  # s^1.5 = 1/8, 1, 8
    ("set", {}, [0.25, 0.5, 1.0]),
]


@pytest.mark.parametrize(("name", "settings", "expected"), VALUES)
def test_a_rule_has_the_eigenvalues_of_its_formula(name, settings, expected):
    """By hand, for eigenvalues 1/4, 1 and 4 of F along turned axes."""
    U = jnp.array([[2.0, -2.0, 1.0], [1.0, 2.0, 2.0], [2.0, 1.0, -2.0]]) / 3
    F, Wp = (U @ jnp.diag(jnp.array(s)) @ U.T for s in ([0.25, 1.0, 4.0], expected))
    assert close(RULES[name](jnp.zeros_like(F), F, **settings), Wp)


def test_a_negative_eigenvalue_counts_as_zero():
    F = jnp.diag(jnp.array([-1.0, 0.0, 4.0]))
    assert close(directpred(F, eps=0.1), jnp.diag(jnp.array([0.4, 0.4, 2.4])))
    assert close(directset(F, alpha=2.0, norm=None, eps=0.1), jnp.diag(jnp.array([0.1, 0.1, 16.1])))
    assert close(directcopy(-5 * F, norm="spectral"), -F / 4)


def test_half_the_power_is_a_square_root(F):
    root = directset(F, alpha=0.5, norm=None)
    assert close(root @ root, F)
    assert close(root, directpred(F))


def test_the_first_power_is_directcopy(F):
    for norm in ("spectral", "frobenius", None):
        assert close(directset(F, alpha=1.0, eps=0.1, norm=norm), directcopy(F, eps=0.1, norm=norm))


def test_paper_and_code_agree_after_rescaling_only(F):
    """eps_paper = eps_code/√max s."""
    top = jnp.sqrt(jnp.linalg.eigvalsh(F)[-1])
    code = directpred(F, eps=0.1, form="code")
    assert close(directpred(F, eps=0.1 / top) / top, code)
    cosine = lambda A, B: jnp.sum(A * B) / jnp.sqrt(jnp.sum(A * A) * jnp.sum(B * B))  # noqa: E731
    assert 1 - cosine(directpred(16 * F, eps=0.1), directpred(16 * F, eps=0.1, form="code")) > 1e-3  # √16 ≠ 1


def test_the_code_form_ignores_the_scale_of_the_features(F):
    assert close(directpred(7 * F, eps=0.1, form="code"), directpred(F, eps=0.1, form="code"))
    assert not close(directpred(7 * F, eps=0.1), directpred(F, eps=0.1), 1e-2)


@pytest.mark.parametrize(("norm", "order"), [("spectral", 2), ("frobenius", "fro")])
def test_a_norm_of_one(F, norm, order):
    for Wp in (directset(F, alpha=0.7, norm=norm), directcopy(F, norm=norm)):
        assert abs(jnp.linalg.norm(Wp, order) - 1) < ROUNDING


def test_collapsed_features_give_finite_predictors():
    zero = jnp.zeros((3, 3))
    for name, settings in SETTINGS:
        assert jnp.isfinite(RULES[name](zero, zero, **settings)).all(), name


def test_rounding_below_zero_counts_as_zero(F):
    u = jnp.ones((6, 1)) / jnp.sqrt(6.0)
    almost = u @ u.T - 1e-17 * jnp.eye(6)
    assert close(directset(almost, alpha=0.5, norm=None), u @ u.T, 1e-7)  # the root of rounding, √1e-16, times ten


def test_optimal_solves_the_least_squares(key):
    a, b, c, d = jax.random.split(key, 4)
    W, Wa = jax.random.normal(a, (3, 5)), jax.random.normal(b, (3, 5))
    X, X_aug = (m @ m.T for m in (jax.random.normal(c, (5, 8)), jax.random.normal(d, (5, 8))))
    Wp = optimal(W, Wa, X, X_aug)
    normal_equations = Wp @ W @ (X + X_aug) @ W.T - Wa @ X @ W.T
    assert close(normal_equations, 0, 1e-10)  # entries of order 100


def test_regression_is_numpys_least_squares():
    """Of targets on features, not of features on targets: with a ridge, and of least norm where features are few."""
    rng = np.random.default_rng(3)
    features, targets = rng.normal(size=(40, 5)), rng.normal(size=(40, 5))
    few = features @ np.diag([1.0, 1, 1, 0, 0])
    for f, eps in ((features, 0.3), (features, None), (few, None)):
        ridge = np.sqrt(40 * (eps or 0)) * np.eye(5)
        solution = np.linalg.lstsq(np.vstack([f, ridge]), np.vstack([targets, 0 * ridge]), rcond=None)[0]
        found = regression(jnp.asarray(f.T @ f / 40), jnp.asarray(targets.T @ f / 40), eps=eps)
        assert close(found, solution.T)


def test_unknown_words_are_refused(F):
    with pytest.raises(ValueError, match='`form` must be "paper" or "code", but is \'printed\''):
        directpred(F, form="printed")
    with pytest.raises(ValueError, match='`norm` must be "spectral", "frobenius" or None, but is \'nuclear\''):
        directset(F, norm="nuclear")


def test_the_other_rules_use_the_predictor_alone(F):
    Wp = jnp.triu(F)
    assert close(RULES["learned"](Wp, F), Wp, 1e-300)
    assert close(RULES["symmetric"](Wp, F), (Wp + Wp.T) / 2, 1e-300)
