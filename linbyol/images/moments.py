"""Sec. 2: X = E[x̄ x̄ᵀ] and X_aug = E Cov[x' | x], measured from views of images.

Views of a fixed bank are the whole population: two views of an image are drawn independently from its V views, and the
moments are exact. Fresh views are a sample of V from a wider population: the moments are corrected so that they are
unbiased, and come with standard errors. Both only need the views, (b, V, n), batch by batch, and sum them in JAX's
default precision, whatever that of the views: in float64 where it is enabled.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linbyol.checks import InputError, check_count, check_moment, check_numbers
from linbyol.equations import Constants
from linbyol.store import blaming, read_arrays


class Moments(NamedTuple):
    """X and X_aug with a standard error for each entry, and what they were measured from.

    The error is that of the mean over `images` independent images, the noise of the views included; for a set of images
    that is taken as it is, it is an upper bound. Of a bank, which is its own population, it is 0.
    """

    X: Float[Array, "n n"]
    X_aug: Float[Array, "n n"]
    X_error: Float[Array, "n n"]
    X_aug_error: Float[Array, "n n"]
    images: int
    views: int

    def constants(self, alpha_p: float | Array = 1.0, beta: float | Array = 0.0, eta: float | Array = 0.0) -> Constants:
        """The constants of `weights_flow` on these data."""
        return Constants(alpha_p, beta, eta, self.X, self.X_aug)


class _Running(NamedTuple):
    """Mean and summed squares of deviations of X and X_aug, image after image (Welford)."""

    images: Array
    mean: tuple[Array, Array]
    squares: tuple[Array, Array]


def moments_of_bank(bank: Float[Array, "N V n"] | Any) -> Moments:
    """Exact moments of a fixed bank, whose views are drawn independently, with replacement (divisor V, no error).

    Raises `InputError` for a bank that is empty, not finite or not of shape (N, V, n).
    """
    check_views("bank", bank, least=1)
    images, views, n = bank.shape
    X, X_aug = _of_bank(_floating(bank))
    zero = jnp.zeros((n, n), X.dtype)
    return Moments(X, X_aug, zero, zero, images, views)


def moments_of_views(batches: Iterable[Float[Array, "b V n"] | Any]) -> Moments:
    """Unbiased moments from V ≥ 2 fresh views an image, batch after batch: memory does not grow with the images.

    Of an image, Cov (divisor V - 1) estimates its share of X_aug, and x̄ x̄ᵀ - Cov/V its share of X; X itself need not
    be positive semidefinite when the images are fewer than their pixels. How the images are cut into batches does not
    matter, to the last bit. Raises `InputError` for views that are empty, not finite or of different shapes.
    """
    running = shape = None
    images = 0
    for batch in batches:
        check_views("views", batch, least=2)
        if shape not in (None, batch.shape[1:]):
            raise InputError(f"Argument `views` must keep its shape (V, n) = {shape}, but has {batch.shape[1:]}.")
        shape = batch.shape[1:]
        batch = _floating(batch)
        running = _add(_start(batch) if running is None else running, batch)
        images += batch.shape[0]
    if running is None or shape is None:
        raise InputError("Argument `views` must hold at least one batch of images, but is empty.")
    if images < 2:
        raise InputError("Argument `views` must hold at least two images for a standard error, but holds one.")
    X_error, X_aug_error = (jnp.sqrt(squares / (images - 1) / images) for squares in running.squares)
    X, X_aug = map(_symmetric, running.mean)
    return Moments(X, X_aug, X_error, X_aug_error, images, shape[0])


def moments_of_images(
    images: Float[Array, "N ..."], draw: Callable[[Any, Any], Float[Array, "b V n"]], *, batch: int = 256
) -> Moments:
    """`moments_of_views` of draw(images, index), `batch` images at a time; `index` counts them, for the draw's keys."""
    check_count("batch", batch)
    starts = range(0, images.shape[0], batch)
    index = jnp.arange(images.shape[0])
    return moments_of_views(draw(images[a : a + batch], index[a : a + batch]) for a in starts)


def check_views(name: str, views: Any, *, least: int) -> None:
    """Views are finite, (N, V, n), with V at least `least`."""
    shape = jnp.shape(views)
    if len(shape) != 3 or 0 in shape:
        raise InputError(f"Argument `{name}` must have shape (N, V, n), none of them 0, but has shape {shape}.")
    if shape[1] < least:
        raise InputError(f"Argument `{name}` must hold at least {least} views an image, but holds {shape[1]}.")
    check_numbers(name, views)


def feasible(moments: Moments) -> tuple[Moments, float]:
    """The nearest positive semidefinite moments, and the most negative eigenvalue that had to go (0 if none).

    An unbiased estimate of X may have small negative eigenvalues, as a moment cannot; flows want the latter.
    """
    X, least = _nearest(moments.X)
    X_aug, least_aug = _nearest(moments.X_aug)
    return moments._replace(X=jnp.asarray(X, float), X_aug=jnp.asarray(X_aug, float)), min(least, least_aug, 0.0)


def read_moments(path: str | Path) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n n"]]:
    """X and X_aug of an npz archive, in float64, without what the precision that they were saved in left below 0.

    Raises `FileError` for what cannot be read, and for moments that are not symmetric or not positive semidefinite.
    """
    arrays = read_arrays(path, "X", "X_aug")
    X, X_aug = arrays["X"], arrays["X_aug"]
    with blaming(path):
        for name, A in (("X", X), ("X_aug", X_aug)):
            check_numbers(name, A)
            check_moment(name, A)
        if X.shape != X_aug.shape:
            raise InputError(f"Argument `X_aug` must have the shape of X, {X.shape}, but has {X_aug.shape}.")
    return _nearest(X)[0], _nearest(X_aug)[0]


def _nearest(A: Any) -> tuple[np.ndarray, float]:
    """The nearest positive semidefinite matrix, in float64 whatever A's precision, and A's least eigenvalue."""
    A = _symmetric(np.asarray(A, np.float64))
    s, U = np.linalg.eigh(A)
    least = float(s[0])
    return (_symmetric((U * np.maximum(s, 0)) @ U.T) if least < 0 else A), least


@jax.jit
def _of_bank(bank: Array) -> tuple[Array, Array]:
    mean = bank.mean(axis=1)  # (N, n)
    around = bank - mean[:, None]
    X = mean.T @ mean / bank.shape[0]
    X_aug = jnp.einsum("ivn,ivm->nm", around, around) / (bank.shape[0] * bank.shape[1])
    return _symmetric(X), _symmetric(X_aug)


def _start(batch: Array) -> _Running:
    zero = jnp.zeros((batch.shape[2],) * 2, batch.dtype)
    return _Running(jnp.zeros((), zero.dtype), (zero, zero), (zero, zero))


@jax.jit
def _add(running: _Running, batch: Array) -> _Running:
    def one(running: _Running, views: Array) -> tuple[_Running, None]:
        mean = views.mean(axis=0)
        around = views - mean[None]
        cov = around.T @ around / (views.shape[0] - 1)
        found = (jnp.outer(mean, mean) - cov / views.shape[0], cov)
        images = running.images + 1
        means = tuple(m + (a - m) / images for a, m in zip(found, running.mean, strict=True))
        squares = tuple(
            q + (a - m) * (a - new) for a, m, new, q in zip(found, running.mean, means, running.squares, strict=True)
        )
        return _Running(images, means, squares), None  # type: ignore[arg-type]

    return jax.lax.scan(one, running, batch)[0]


def _floating(views: Any) -> Array:
    return jnp.asarray(views, float)


def _symmetric(A: Any) -> Any:
    return (A + A.T) / 2
