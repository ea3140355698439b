"""Crops, flips, shifts and blurs: each is linear in the rows and in the columns, so two batched matrix products.

A cut is resized to the image's own size, so it never shrinks: bilinear weights with antialiasing (Pillow) and without
(tensors of torchvision) are the same, and as in torchvision nothing outside the cut is seen. Images are (b, h, c, w)
here: then both products run over contiguous rows.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Bool, Float, Int

from experiments.augment.recipes import Recipe

ATTEMPTS = 10  # cuts drawn an image; the first that fits is taken, as in torchvision's RandomResizedCrop


class Cut(NamedTuple):
    """Whole numbers of pixels, each (b,) float32."""

    top: Array
    left: Array
    height: Array
    width: Array


def resample(
    x: Float[Array, "b h c w"], rows: Float[Array, "b h h"] | None, columns: Float[Array, "b w w"] | None
) -> Float[Array, "b h c w"]:
    """rows @ image @ columnsᵀ for each channel; None is the identity. In full float32 on every device."""
    b, h, c, w = x.shape
    if rows is not None:
        x = jnp.matmul(rows, x.reshape(b, h, c * w), precision=Precision.HIGHEST)
    if columns is not None:
        x = jnp.matmul(x.reshape(b, h * c, w), jnp.swapaxes(columns, 1, 2), precision=Precision.HIGHEST)
    return x.reshape(b, h, c, w)


def random_cut(
    area: Float[Array, "b 10"], aspect: Float[Array, "b 10"], place: Float[Array, "b 2"], recipe: Recipe, h: int, w: int
) -> Cut:
    """torchvision's RandomResizedCrop: a share of the area, a log-uniform aspect ratio, rounded sides, a uniform place.

    area, aspect and place are uniform in [0, 1). If no attempt fits: the largest cut at the nearest ratio, central.
    """
    assert recipe.crop is not None
    (small, large), (narrow, wide) = recipe.crop, np.log(recipe.aspect).tolist()
    pixels, ratio = h * w * (small + (large - small) * area), jnp.exp(narrow + (wide - narrow) * aspect)
    widths, heights = jnp.round(jnp.sqrt(pixels * ratio)), jnp.round(jnp.sqrt(pixels / ratio))
    fits = (widths > 0) & (widths <= w) & (heights > 0) & (heights <= h)
    first = jnp.argmax(fits, axis=1, keepdims=True)
    width, height = (jnp.take_along_axis(sides, first, axis=1)[:, 0] for sides in (widths, heights))
    top, left = jnp.floor(place[:, 0] * (h - height + 1)), jnp.floor(place[:, 1] * (w - width + 1))
    found = fits.any(axis=1)
    low, high = recipe.aspect
    whole_height, whole_width = min(h, round(w / low)), min(w, round(h * high))
    central = ((h - whole_height) // 2, (w - whole_width) // 2, whole_height, whole_width)
    return Cut(*(jnp.where(found, x, float(y)) for x, y in zip((top, left, height, width), central, strict=True)))


def weights(
    n: int,
    first: Float[Array, " b"],
    extent: Float[Array, " b"],
    shift: Int[Array, " b"],
    mirrored: Bool[Array, " b"],
    padding: str,
) -> Float[Array, "b n n"]:
    """What each of n places of the view takes from each pixel: the cut resized, then mirrored, then shifted."""
    i = jnp.arange(n, dtype=jnp.int32)[None, :] + shift[:, None]
    seen = (i >= 0) & (i < n)
    if padding == "reflect":
        i, seen = n - 1 - jnp.abs(n - 1 - jnp.abs(i)), jnp.ones_like(seen)
    i = jnp.where(mirrored[:, None], n - 1 - i, i).astype(jnp.float32)
    centre = first[:, None] + (i + 0.5) * (extent / n)[:, None]
    pixel = jnp.arange(n, dtype=jnp.float32)[None, :]
    inside = (pixel >= first[:, None]) & (pixel < (first + extent)[:, None])
    w = jnp.maximum(1 - jnp.abs(pixel[:, None, :] + 0.5 - centre[:, :, None]), 0)
    w = jnp.where(inside[:, None, :], w, 0)
    return jnp.where(seen[:, :, None], w / jnp.sum(w, axis=2, keepdims=True), 0)


def blur_taps(sigma: Float[Array, " b"], on: Bool[Array, " b"], kernel: int) -> Float[Array, "b k"]:
    """exp(-t²/2 sigma²) over its sum for t = -(k-1)/2 … (k-1)/2; where it is off, 1 at t = 0."""
    t = jnp.arange(kernel, dtype=jnp.float32)[None, :] - kernel // 2
    taps = jnp.exp(-(t**2) / (2 * sigma[:, None] ** 2))
    return jnp.where(on[:, None], taps / jnp.sum(taps, axis=1, keepdims=True), (t == 0).astype(jnp.float32))


def blur_weights(taps: Float[Array, "b k"], n: int) -> Float[Array, "b n n"]:
    """The blur along an axis of length n as a matrix; the image is reflected at its edges, which are not repeated."""
    k = taps.shape[1]
    i = np.arange(n)[None, :] + np.arange(k)[:, None] - k // 2
    where = np.eye(n, dtype=np.float32)[n - 1 - np.abs(n - 1 - np.abs(i))]  # (k, n, n): tap t of place i meets pixel j
    return jnp.matmul(taps, jnp.asarray(where.reshape(k, n * n)), precision=Precision.HIGHEST).reshape(-1, n, n)
