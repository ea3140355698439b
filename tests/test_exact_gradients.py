"""Derivatives of p(t) on the parabola, through the implicit function theorem: in every constant, at every place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from linbyol.equations import Commuting, Isotropic
from linbyol.exact import parabola
from linbyol.fixed_points import predictor_roots


@pytest.mark.parametrize("share", [0.0, 1e-9, 0.3, 0.6, 1 - 1e-7, 1.0, 1 + 1e-7, 1.5])
@pytest.mark.parametrize("p0", [-0.4, 0.03, 0.2, 0.6, 2.0])
def test_gradients(share, p0):
    """In p0, all constants and time: against central differences, in both modes."""
    d, s = 0.9, 1.3
    eta = share * d * d / (4 * s)

    def p(p0, eta, d, s, t):
        return parabola(p0, Commuting(1.0, 0.0, eta, d, s), t)

    # eta = 0 has no left neighbour, so it is varied from a little above
    check_grads(p, (p0, max(eta, 1e-5), d, s, 4.0), order=1, modes=("fwd", "rev"), eps=1e-6, atol=1e-6, rtol=1e-5)


def test_gradients_where_p_has_arrived():
    """Long after, p is p_plus: its derivatives are those of p_plus, and 0 in p0 and t."""

    def arrived(p0, eta, sigma2, t):
        return parabola(p0, Isotropic(1.0, 0.0, eta, sigma2), t)

    found = jax.grad(arrived, argnums=(0, 1, 2, 3))(0.2, 0.05, 0.5, 1e5)
    expected = jax.grad(lambda eta, sigma2: predictor_roots(Isotropic(1.0, 0.0, eta, sigma2))[2], argnums=(0, 1))(
        0.05, 0.5
    )
    np.testing.assert_allclose(found[1:3], expected, rtol=1e-12)
    assert found[0] == found[3] == 0


def test_gradients_at_the_fixed_points():
    """The start is forgotten or, at the saddle, amplified: dp/dp0 = exp(rate t) with the rates of 7.5."""
    k = Isotropic(1.0, 0.0, 0.05, 0.5)
    points = jnp.stack(predictor_roots(k))
    slopes = jax.vmap(jax.grad(lambda p0: parabola(p0, k, 4.0)))(points)
    np.testing.assert_allclose(slopes, jnp.exp(4 * jnp.where(points == 0, -0.05, 0.1 - points)), rtol=1e-12)


def test_second_derivatives():
    def p(p0):
        return parabola(p0, Isotropic(1.0, 0.0, 0.05, 0.3), 3.0)

    low, middle, high = p(jnp.array([0.199, 0.2, 0.201]))
    # central differences at h = 1e-3 err by h²/12 times the fourth derivative (scale of p: 0.1), and by 1e-16/h²
    np.testing.assert_allclose(jax.jacfwd(jax.jacfwd(p))(0.2), (high - 2 * middle + low) / 1e-6, rtol=1e-4)
