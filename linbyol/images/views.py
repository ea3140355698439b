"""Views of images: random shifts, small rotations and noise, on the device that holds the images.

The map from an image to a view is linear, up to the noise, and fills with 0 what lies outside; so the views of centred
images are centred. What is drawn for an image depends on the key and the image's index, not on its batch.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float, Int

from linbyol.checks import InputError, check_count, check_numbers, concrete


class Augmentation(NamedTuple):
    """How far a view may be from its image; each draw is uniform, but for the noise, which is Gaussian."""

    shift: float | Array = 1.0  # largest shift along each axis, in pixels; bilinear between pixels
    rotate: float | Array = 10.0  # largest rotation about the centre, in degrees
    noise: float | Array = 0.1  # standard deviation of the noise on each pixel, in the images' unit


def moved(image: Float[Array, "h w c"], shift: Float[Array, " 2"], angle: Float[Array, ""]) -> Float[Array, "h w c"]:
    """The image rotated about its centre by `angle` (radians) and shifted (pixels), bilinear, 0 outside."""
    h, w, _ = image.shape
    rows, columns = jnp.meshgrid(jnp.arange(h) - (h - 1) / 2, jnp.arange(w) - (w - 1) / 2, indexing="ij")
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    where = [  # each pixel of the view looks there
        cos * rows + sin * columns + (h - 1) / 2 + shift[0],
        cos * columns - sin * rows + (w - 1) / 2 + shift[1],
    ]
    return jax.vmap(lambda channel: map_coordinates(channel, where, order=1, mode="constant"), 2, 2)(image)


@functools.partial(jax.jit, static_argnums=4)
def views_of(
    key: Array, images: Float[Array, "b h w c"], index: Int[Array, " b"], how: Augmentation, number: int
) -> Float[Array, "b v n"]:
    """`number` views of each image, flattened; `index` names the images, and decides what is drawn for each."""

    def of_one(image: Array, i: Array) -> Array:
        for_place, for_noise = jax.random.split(jax.random.fold_in(key, i))
        place = jax.random.uniform(for_place, (number, 3), image.dtype, -1, 1)
        noise = jax.random.normal(for_noise, (number, image.size), image.dtype)
        # Where XLA fuses the draws with what uses them, it would draw again for every pixel.
        place, noise = jax.lax.optimization_barrier((place, noise))
        move = lambda place: moved(image, how.shift * place[:2], jnp.deg2rad(how.rotate * place[2]))  # noqa: E731
        return jax.vmap(move)(place).reshape(number, -1) + how.noise * noise

    return jax.vmap(of_one)(images, index)


def bank(key: Array, images: Float[Array, "N h w c"] | Any, how: Augmentation, number: int) -> Float[Array, "N v n"]:
    """A fixed bank of `number` views of every image. Raises `InputError` for bad images or settings."""
    check_images(images)
    check_augmentation(how, number)
    return views_of(key, jnp.asarray(images), jnp.arange(images.shape[0]), how, number)


def check_augmentation(how: Augmentation, number: int) -> None:
    """Shift, rotation and noise are finite and not negative, and there is at least one view."""
    for name, value in how._asdict().items():
        x = concrete(value)
        check_numbers(name, value)
        if x is not None and (x < 0).any():
            raise InputError(f"Argument `{name}` must be at least 0, but is {float(x.min()):.10g}.")
    check_count("views", number)


def check_images(images: Any) -> None:
    """Images are finite, (N, h, w, c), and there is at least one pixel."""
    shape = jnp.shape(images)
    if len(shape) != 4 or 0 in shape:
        raise InputError(f"Argument `images` must have shape (N, h, w, c), none of them 0, but has shape {shape}.")
    check_numbers("images", images)
