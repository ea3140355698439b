"""Random instances on which statements are checked numerically, never the round numbers of a textbook."""

from typing import Any

import jax
import jax.numpy as jnp

from linbyol.equations import Amplitudes, Commuting, Constants, Isotropic, Modes, Symmetric, Weights


def weights(key: Any, d: int = 4, n: int = 7, scale: float = 0.4) -> Weights:
    """Independent Gaussian W, Wp, Wa."""
    a, b, c = jax.random.split(key, 3)
    return Weights(
        W=scale * jax.random.normal(a, (d, n)),
        Wp=scale * jax.random.normal(b, (d, d)),
        Wa=scale * jax.random.normal(c, (d, n)),
    )


def constants(key: Any, n: int = 7, **given: Any) -> Constants:
    """Random moments (positive definite, not commuting) and rates; given ones replace them."""
    a, b, c = jax.random.split(key, 3)
    alpha_p, beta, eta = jax.random.uniform(c, (3,), minval=0.02, maxval=1.0)
    k = Constants(alpha_p=0.3 + 2 * alpha_p, beta=beta, eta=eta / 10, X=moment(a, n), X_aug=moment(b, n) / 3)
    return k._replace(**given)


def isotropic(key: Any, **given: Any) -> Isotropic:
    """Random constants of Assumptions 1 and 2."""
    alpha_p, beta, eta, sigma2, tau = jax.random.uniform(key, (5,), minval=0.1, maxval=1.0)
    return Isotropic(0.3 + 2 * alpha_p, beta, eta / 10, sigma2, tau)._replace(**given)


def commuting(key: Any, d: int = 5, **given: Any) -> Commuting:
    """Random constants of Appendix D, one pair of eigenvalues a mode."""
    a, b, c = jax.random.split(key, 3)
    alpha_p, beta, eta = jax.random.uniform(c, (3,), minval=0.1, maxval=1.0)
    lambda_d = jax.random.uniform(a, (d,), minval=0.3, maxval=1.2)
    k = Commuting(0.3 + 2 * alpha_p, beta, eta / 20, lambda_d, lambda_d + jax.random.uniform(b, (d,)))
    return k._replace(**given)


def symmetric(key: Any, d: int = 4, scale: float = 0.5) -> Symmetric:
    """A symmetric Wp and a positive definite F that do not commute."""
    a, b = jax.random.split(key)
    A = jax.random.normal(a, (d, d))
    return Symmetric(Wp=scale * (A + A.T) / 2, F=scale * moment(b, d))


def modes(key: Any, d: int = 5) -> Modes:
    """Modes with p of either sign, s > 0, tau around 1."""
    a, b, c = jax.random.split(key, 3)
    return Modes(
        p=jax.random.uniform(a, (d,), minval=-0.5, maxval=1.0),
        s=jax.random.uniform(b, (d,), minval=0.05, maxval=1.0),
        tau=jax.random.uniform(c, (d,), minval=0.2, maxval=1.2),
    )


def amplitudes(key: Any, d: int = 5) -> Amplitudes:
    """Signed amplitudes of order one."""
    w, wp, wa = jax.random.normal(key, (3, d))
    return Amplitudes(w=w, wp=wp, wa=wa)


def moment(key: Any, n: int) -> jax.Array:
    """A random positive definite matrix with trace about n."""
    A = jax.random.normal(key, (n, 2 * n))
    return A @ A.T / (2 * n)


def orthogonal(key: Any, n: int) -> jax.Array:
    """A random orthogonal matrix."""
    Q, _ = jnp.linalg.qr(jax.random.normal(key, (n, n)))
    return Q
