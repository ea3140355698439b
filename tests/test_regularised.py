"""Flows of regularised encoders: the same on arrays of JAX and NumPy, under vmap, and through the combinators."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.equations import backwards, decay, hold
from linbyol.equations.bhep import Bhep, BhepModes, bhep_flow, bhep_modes_flow
from linbyol.equations.regularised import Alike, Encoder, Features, Regularised, RegularisedModes
from linbyol.equations.sigreg import sigreg_alike_flow, sigreg_flow, sigreg_modes_flow
from linbyol.equations.vicreg import Vicreg, VicregModes, paper_weights, vicreg_flow, vicreg_modes_flow
from linbyol.integrate import integrate
from theory.proving.instances import moment

ROUNDING = 1e-12  # sums of 160 terms of order one


def instances():
    rng = np.random.default_rng(4)
    X, X_aug = moment(rng, 4), moment(rng, 4) / 3
    y, nu = Encoder(rng.standard_normal((3, 4)) / 2), Features(np.array([0.1, 0.6, 2.0]))
    modes = np.array([1.0, 0.8, 0.5]), np.array([1.2, 1.3, 0.9])
    return {
        "sigreg": (sigreg_flow, y, Regularised(0.3, 0.8, X, X_aug, 0.1)),
        "sigreg modes": (sigreg_modes_flow, nu, RegularisedModes(0.3, 0.8, *modes, 0.1)),
        "bhep": (bhep_flow, y, Bhep(0.3, 0.8, X, X_aug, 0.9, 0.1)),
        "bhep modes": (bhep_modes_flow, nu, BhepModes(0.3, 0.8, *modes, 0.9, 0.1)),
        "vicreg": (vicreg_flow, y, Vicreg(2.0, 3.0, 0.5, X, X_aug, 1.0, 1e-3, 0.1)),
        "vicreg modes": (vicreg_modes_flow, nu, VicregModes(2.0, 3.0, 3, *modes, 1.0, 1e-3, 0.1)),
    }


INSTANCES = instances()


@pytest.mark.parametrize("name", INSTANCES)
def test_flows_are_one_in_both_worlds_and_under_vmap(name):
    flow, y, k = INSTANCES[name]
    doubled = jax.tree.map(lambda a: jnp.stack([jnp.asarray(a, float), jnp.asarray(a, float)]), k)
    eta = jnp.array([0.1, 0.3])
    found = jax.jit(jax.vmap(flow, (None, 0)))(jax.tree.map(jnp.asarray, y), doubled._replace(eta=eta))
    for lane, decay_rate in enumerate(eta):
        (truth,) = flow(y, k._replace(eta=float(decay_rate)))
        np.testing.assert_allclose(found[0][lane], truth, atol=ROUNDING)


@pytest.mark.parametrize("name", INSTANCES)
def test_combinators_take_them(name):
    """A decay of the encoder is that of its constants, twice for variances; held fields rest."""
    flow, y, k = INSTANCES[name]
    np.testing.assert_allclose(decay(flow, W=0.4)(y, k)[0], flow(y, k._replace(eta=0.4))[0], atol=ROUNDING)
    np.testing.assert_allclose(backwards(flow)(y, k)[0], -flow(y, k)[0], atol=ROUNDING)
    assert not np.any(hold(flow, *y._fields)(y, k)[0])


def test_an_indefinite_covariance_is_refused_at_the_door():
    flow, y, k = INSTANCES["sigreg"]
    with pytest.raises(
        InputError, match=r"Argument `X_aug` must be positive semidefinite, but has the eigenvalue -1\."
    ):
        integrate(flow, y, k._replace(X_aug=-np.eye(4)), [0.0, 1.0], solver="dop853")


@pytest.mark.parametrize(
    ("flow", "y", "k", "words"),
    [
        (sigreg_alike_flow, Features(0.1), Alike(1.0, 1.0, 0, 1.0, 1.2), "`d` must be positive, but is 0."),
        (vicreg_modes_flow, Features(0.1), VicregModes(1.0, 1.0, -2, 1.0, 1.2), "`d` must be at least 0, but is -2."),
        (vicreg_modes_flow, Features(0.1), VicregModes(1.0, 1.0, 2, 1.0, 1.2, -1.0), "`gamma` must be at least 0, but"),
        (bhep_modes_flow, Features(np.ones(2)), BhepModes(-1.0, 1.0, np.ones(2), np.ones(2)), "`a` must be at least 0"),
    ],
)
def test_constants_that_no_regulariser_has_are_refused_at_the_door(flow, y, k, words):
    with pytest.raises(InputError, match=words):
        integrate(flow, y, k, [0.0, 1.0], solver="dop853")


def test_vicreg_has_no_third_convention():
    weights = {"invariance": 2.0, "variance": 3.0, "covariance": 1.0}
    assert paper_weights("paper", 4, **weights) == weights
    assert paper_weights("code", 4, **weights) == {"invariance": 0.5, "variance": 1.5, "covariance": 1.0}
    with pytest.raises(ValueError, match='Argument `convention` must be "paper" or "code", but is \'mine\''):
        paper_weights("mine", 4, **weights)
