"""The derivative of every rule, forward and in reverse, where eigenvalues coincide and where they do not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.equations.combinators import sights
from linbyol.predictors import RULES, directpred, of_spectrum

STEP = 1e-5  # of central differences: they err by its square, and by rounding over it: 1e-10 both
SAME = 1e-7  # with room for the third derivative of a root at s = 0.09, some hundreds
SETTINGS = [
    ("learned", {}),
    ("symmetric", {}),
    ("direct", {}),
    ("direct", {"eps": 0.1}),
    ("direct", {"eps": 0.1, "form": "code", "floor": 1e-4}),
    ("copy", {"norm": "spectral"}),
    ("set", {"alpha": 0.25, "norm": None}),
    ("set", {"alpha": 2.0, "norm": "frobenius"}),
    ("optimal", {}),
    ("optimal", {"eps": 0.1}),
    ("nash", {"norm": "spectral"}),
    ("visser", {"ridge": 0.1}),
    ("newton-schulz", {"chain": 2, "ridge": 0.1}),
    ("stiefel", {}),
    ("soft-projector", {"norm": "spectral"}),
]
NAMES = [f"{name}-{'-'.join(map(str, settings.values()))}" for name, settings in SETTINGS]


def turned(spectrum):
    Q = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    return Q * np.sqrt(spectrum) @ Q.T


# W of whose W Wᵀ the eigenvalues are three times the same, twice (the top, the rest, at zero), and all apart.
STARTS = {"all the same": 0.3 * np.eye(3), "two": turned([0.09, 0.5, 0.5]), "apart": turned([0.09, 0.4, 0.9])}
STARTS |= {"two below": turned([0.2, 0.2, 0.7]), "two collapsed": turned([0, 0, 0.7])}
WEIGHTS = np.arange(9.0).reshape(3, 3)
UNITS = np.eye(9).reshape(9, 3, 3)


def function(name, settings):
    """W -> Wp W from Wp = W, with X = I, X_aug = I/4 and a target that is the encoder."""
    rule = RULES[name]

    def applied(W):
        F = W @ W.T
        seen = {"features": 1.25 * F, "cross": F}
        return rule(W, F, **{sight: seen[sight] for sight in sights(rule)}, **settings) @ W

    return applied


def test_every_rule_is_here():
    assert {name for name, _ in SETTINGS} == set(RULES)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=NAMES)
def test_the_derivative_is_that_of_central_differences(name, settings):
    """In nine directions at five starts. The largest eigenvalue, where it is double, has one-sided derivatives alone,
    whose mean a central difference meets up to its step; where it is threefold none. At a collapsed mode the power α
    errs by the power 2α of the step, and a pseudoinverse jumps: its derivative is finite there."""
    f = function(name, settings)
    of_largest = settings.get("norm") == "spectral" or "form" in settings or (
        name in ("direct", "set") and "eps" in settings
    )  # fmt: skip

    @jax.jit
    def derivatives(W, moved):
        _, forward = jax.linearize(f, W)
        return jax.vmap(forward)(UNITS), jax.linear_transpose(forward, W)(WEIGHTS)[0], jax.vmap(f)(moved)

    for start, W in STARTS.items():
        found = derivatives(W, np.concatenate([W[None] + STEP * UNITS, W[None] - STEP * UNITS]))
        forward, reverse, moved = map(np.asarray, found)
        assert np.isfinite(forward).all(), start
        assert np.abs(reverse.ravel() - np.einsum("ij,kij->k", WEIGHTS, forward)).max() < 1e-12, start
        differences = (moved[:9] - moved[9:]) / (2 * STEP)
        limit = {"all the same": np.inf, "two": 100 * STEP}.get(start, SAME) if of_largest else SAME
        if start == "two collapsed":
            limit = (
                np.inf
                if (name, settings) == ("optimal", {})
                else 2 * STEP ** (2 * min(settings.get("alpha", 1 / 2), 1 / 2))
            )
        assert np.abs(forward - differences).max() < limit * (1 + np.abs(differences).max()), start


def test_at_the_multiple_of_the_identity_it_is_the_formula_by_hand():
    """At F = s I the derivative of √F is dF/(2√s), and that of the top eigenvalue the mean, tr dF/d."""
    E = np.array([[0.2, 0.3, -0.1], [0.3, -0.5, 0.4], [-0.1, 0.4, 0.9]])
    at = jax.jit(lambda eps: jax.jvp(lambda F: directpred(F, eps=eps), (0.09 * jnp.eye(3),), (jnp.asarray(E),))[1])
    assert np.abs(at(0.0) - E / 0.6).max() < 1e-14
    assert np.abs(at(0.1) - E / 0.6 - 0.1 * np.trace(E) / 3 * np.eye(3)).max() < 1e-14


def test_nearly_equal_eigenvalues_lie_between():
    """From gaps of rounding to gaps of one, the derivative of exp(F) is that of a long power series."""
    E = np.array([[0.2, 0.3], [0.3, -0.5]])
    exponential = jax.jit(lambda F: jax.jvp(lambda F: of_spectrum(lambda s, _: jnp.exp(s), F, ()), (F,), (E,))[1])
    for gap in (0.0, 1e-16, 1e-12, 1e-8, 1e-6, 1e-5, 1e-4, 1e-2, 1.0):
        F = np.diag([0.5, 0.5 + gap])
        power, slope, series, size = np.eye(2), np.zeros((2, 2)), np.zeros((2, 2)), 1.0
        for n in range(1, 30):
            slope, power, size = slope @ F + power @ E, power @ F, size / n
            series = series + size * slope
        assert np.abs(exponential(F) - series).max() < 1e-9, gap


def test_settings_are_differentiable_too():
    F = jnp.asarray(turned([0.3, 0.6, 0.9]) @ turned([0.3, 0.6, 0.9]))
    found = jax.jit(jax.jacfwd(lambda alpha: RULES["set"](F, F, alpha=alpha, norm=None)))(0.7)
    s, U = np.linalg.eigh(F)
    assert np.abs(found - U * (s**0.7 * np.log(s)) @ U.T).max() < 1e-12
