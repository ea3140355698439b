"""Random instances on which statements are checked numerically, never the round numbers of a textbook.

NumPy draws them, so that nothing is compiled for them: NumPy arrays from a NumPy generator, JAX's from a JAX key.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.equations import Amplitudes, Commuting, Constants, Isotropic, Modes, Symmetric, Weights


def generator(key: Any) -> np.random.Generator:
    """The generator itself, or that of a JAX key."""
    if isinstance(key, np.random.Generator):
        return key
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def _drawn(draw: Callable) -> Callable:
    @wraps(draw)
    def instance(key: Any, *sizes: Any, **given: Any) -> Any:
        found = draw(generator(key), *sizes, **given)
        return found if isinstance(key, np.random.Generator) else jax.tree.map(jnp.asarray, found)

    return instance


@_drawn
def weights(rng: np.random.Generator, d: int = 4, n: int = 7, scale: float = 0.4) -> Weights:
    """Independent Gaussian W, Wp, Wa."""
    return Weights(*(scale * rng.standard_normal(shape) for shape in ((d, n), (d, d), (d, n))))


@_drawn
def constants(rng: np.random.Generator, n: int = 7, **given: Any) -> Constants:
    """Random moments (positive definite, not commuting) and rates; given ones replace them."""
    alpha_p, beta, eta = rng.uniform(0.02, 1.0, 3)
    k = Constants(alpha_p=0.3 + 2 * alpha_p, beta=beta, eta=eta / 10, X=moment(rng, n), X_aug=moment(rng, n) / 3)
    return k._replace(**given)


@_drawn
def isotropic(rng: np.random.Generator, **given: Any) -> Isotropic:
    """Random constants of Assumptions 1 and 2."""
    alpha_p, beta, eta, sigma2, tau = rng.uniform(0.1, 1.0, 5)
    return Isotropic(0.3 + 2 * alpha_p, beta, eta / 10, sigma2, tau)._replace(**given)


@_drawn
def commuting(rng: np.random.Generator, d: int = 5, **given: Any) -> Commuting:
    """Random constants of Appendix D, one pair of eigenvalues a mode."""
    alpha_p, beta, eta = rng.uniform(0.1, 1.0, 3)
    lambda_d = rng.uniform(0.3, 1.2, d)
    return Commuting(0.3 + 2 * alpha_p, beta, eta / 20, lambda_d, lambda_d + rng.uniform(size=d))._replace(**given)


@_drawn
def symmetric(rng: np.random.Generator, d: int = 4, scale: float = 0.5) -> Symmetric:
    """A symmetric Wp and a positive definite F that do not commute."""
    A = rng.standard_normal((d, d))
    return Symmetric(Wp=scale * (A + A.T) / 2, F=scale * moment(rng, d))


@_drawn
def modes(rng: np.random.Generator, d: int = 5) -> Modes:
    """Modes with p of either sign, s > 0, tau around 1."""
    return Modes(p=rng.uniform(-0.5, 1.0, d), s=rng.uniform(0.05, 1.0, d), tau=rng.uniform(0.2, 1.2, d))


@_drawn
def amplitudes(rng: np.random.Generator, d: int = 5) -> Amplitudes:
    """Signed amplitudes of order one."""
    return Amplitudes(*rng.standard_normal((3, d)))


@_drawn
def moment(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random positive definite matrix with trace about n."""
    A = rng.standard_normal((n, 2 * n))
    return A @ A.T / (2 * n)


@_drawn
def orthogonal(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]
