"""What the studies of the linear network share: banks of views of the digits, their moments, and a start."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from experiments.linear.digits import digits, whitened
from experiments.linear.pairs import isotropic_bank
from experiments.linear.sgd import Loss, Pairs, Rates, byol, descend, rates
from linbyol.claims import Run
from linbyol.equations import Weights
from linbyol.images.moments import Moments, moments_of_bank
from linbyol.images.views import Augmentation, bank
from linbyol.integrate.trajectory import Trajectory

AUGMENTATION = Augmentation()  # shifts up to 1 pixel, rotations up to 10 degrees, noise 0.1
VIEWS = 8  # views an image in a bank
FEATURES = 8  # d
AXES = 8  # principal axes that are whitened
ALPHA_P, BETA, ETA = 1.0, 0.4, 0.01  # of the overlay


class Setting(NamedTuple):
    """A bank of views (N, V, n), its exact moments, and a key of the study's own."""

    bank: Float[Array, "N V n"]
    moments: Moments
    key: Array


def raw(run: Run, stream: int) -> Setting:
    """The digits as they are, n = 64."""
    bank, moments = _raw(run.seed)
    return Setting(bank, moments, jax.random.fold_in(run.key, stream))


def diagonal(run: Run, stream: int) -> Setting:
    """The same bank on the axes, in the span of the leading principal axes, where X = I and X_aug is diagonal."""
    bank, moments = _diagonal(run.seed)
    return Setting(bank, moments, jax.random.fold_in(run.key, stream))


def isotropic(run: Run, stream: int, sigma2: float) -> Setting:
    """Images whitened on their leading principal axes, with isotropic noise: X = I, X_aug = sigma2 I."""
    bank, moments = _isotropic(run.seed, sigma2)
    return Setting(bank, moments, jax.random.fold_in(run.key, stream))


def start(key: Any, n: int, d: int = FEATURES) -> Weights:
    """Gaussian W (d, n) and Wp (d, d) with entries of variance 1/n and 1/d, and the target a copy, Wa = W."""
    a, b = jax.random.split(key)
    W = jax.random.normal(a, (d, n)) / jnp.sqrt(n)
    return Weights(W=W, Wp=jax.random.normal(b, (d, d)) / jnp.sqrt(d), Wa=W)


def follow(pairs: Pairs, y0: Weights, lr: float, key: Any, duration: float, records: int) -> Trajectory:
    """BYOL at the overlay's rates for a flow time that is a whole number of steps between each two records."""
    r = rates(lr, alpha_p=ALPHA_P, beta=BETA, eta=ETA)
    return descend(byol, pairs, y0, r, key, records=records, every=round(duration / lr / records))


def together(
    loss: Loss, pairs: Pairs, starts: Weights, r: Rates, key: Any, *, duration: float, records: int
) -> Trajectory:
    """One run for each lane of `starts` and of the rates (which share lr), with the same batches.

    All leaves get the lanes, so that studies with equal numbers of lanes share one compilation.
    """
    lanes = len(starts.W)
    every = round(duration / float(jnp.max(jnp.asarray(r.lr))) / records)
    r = jax.tree.map(lambda a: jnp.broadcast_to(jnp.asarray(a, float), (lanes,)), r)
    run = lambda y0, r: descend(loss, pairs, y0, r, key, records=records, every=every)  # noqa: E731
    return jax.vmap(run)(starts, r)


def repeated(y0: Weights, lanes: int) -> Weights:
    """The same start in each lane."""
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (lanes, *a.shape)), y0)


def errors(ys: Weights, zs: Weights) -> Float[Array, "*times 3"]:
    """‖y - z‖/‖z‖ in Frobenius norms, for W, Wp, Wa along the last axis."""
    return jnp.stack([norm(a - b) / norm(b) for a, b in zip(ys, zs, strict=True)], axis=-1)


def sizes(ys: Weights) -> Float[Array, "*times 3"]:
    """Frobenius norms of W, Wp, Wa along the last axis."""
    return jnp.stack([norm(a) for a in ys], axis=-1)


def norm(A: Float[Array, "*times d n"]) -> Float[Array, "*times"]:
    """Frobenius norm over the last two axes."""
    return jnp.sqrt(jnp.sum(A * A, axis=(-2, -1)))


def slope(x: Any, y: Any) -> np.ndarray:
    """Order of y in x: the slope of log y (l, ...) against log x (l,), by least squares."""
    x, y = np.log(np.asarray(x)), np.log(np.asarray(y))
    x = x - x.mean()
    return np.tensordot(x, y, axes=(0, 0)) / (x @ x)


@functools.cache
def _raw(seed: int) -> tuple[Array, Moments]:
    found = bank(jax.random.key(seed), jnp.asarray(digits().images), AUGMENTATION, VIEWS)
    return found, moments_of_bank(found)


@functools.cache
def _diagonal(seed: int) -> tuple[Array, Moments]:
    found, m = _raw(seed)
    U = np.linalg.eigh(m.X)[1][:, -AXES:]
    _, V = scipy.linalg.eigh(U.T @ m.X_aug @ U, U.T @ m.X @ U)  # Vᵀ X V = I, Vᵀ X_aug V = diag, ascending
    turned = found @ jnp.asarray(U @ V)
    return turned, moments_of_bank(turned)


@functools.cache
def _isotropic(seed: int, sigma2: float) -> tuple[Array, Moments]:
    images = digits().images
    rows = jnp.asarray(whitened(images.reshape(len(images), -1), AXES))
    found = isotropic_bank(jax.random.fold_in(jax.random.key(seed), 1), rows, sigma2)
    return found, moments_of_bank(found)
