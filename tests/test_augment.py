"""Augmentation: every operation is that of an independent implementation (Pillow, SciPy, colorsys), in every order."""

import colorsys
import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
from PIL import Image, ImageEnhance, ImageOps

from experiments.augment import RECIPES, Recipe, augment, colour, geometry, pipeline

ROUNDING = 3e-6  # float32 in ours, float64 in theirs, a dozen operations on numbers up to 1


def pixels(seed, b, h, w, c):
    """Bytes that hold every kind of colour: any, grey, black, white, and two equal channels."""
    x = np.random.default_rng(seed).integers(0, 256, (b, h, w, c), dtype=np.uint8)
    x[:, 0, 0], x[:, 0, 1], x[:, 1, 0] = 0, 255, 130
    x[:, 1, 1, : c - 1] = 200
    return x


def rows_first(x):
    """(b, h, w, c) bytes to what the operations take: (b, h, c, w) float32 in [0, 1]."""
    return jnp.asarray(x.swapaxes(2, 3), jnp.float32) / 255


def cut_by_pillow(image, top, left, height, width):
    """torchvision's resized crop: cut, then bilinear to the old size, in Pillow's float32, channel by channel."""
    box = (int(left), int(top), int(left + width), int(top + height))
    planes = [Image.fromarray(np.ascontiguousarray(plane, np.float32)) for plane in np.moveaxis(image, 2, 0)]
    size = planes[0].size
    return np.stack([np.asarray(p.crop(box).resize(size, Image.Resampling.BILINEAR)) for p in planes], axis=2)


def jitter_by_hand(image, name, amount):
    """One operation of torchvision's ColorJitter on (h, w, 3) in float64; the hue by Python's colorsys."""
    luma = image @ np.array([0.299, 0.587, 0.114])
    if name == "hue":
        turned = [colorsys.rgb_to_hsv(*pixel) for pixel in image.reshape(-1, 3)]
        return np.array([colorsys.hsv_to_rgb((h + amount) % 1, s, v) for h, s, v in turned]).reshape(image.shape)
    other = {"brightness": 0.0, "contrast": luma.mean(), "saturation": luma[..., None]}[name]
    return np.clip(amount * image + (1 - amount) * other, 0, 1)


def blur_by_scipy(image, sigma, kernel):
    """scipy's Gaussian filter of each channel; its "mirror" does not repeat the edge."""
    return scipy.ndimage.gaussian_filter(image, sigma, mode="mirror", radius=kernel // 2, axes=(0, 1))


def test_cuts_are_pillows_crop_and_bilinear_resize():
    images = pixels(0, 6, 11, 8, 3) / 255
    cuts = np.array([[0, 0, 11, 8], [0, 0, 1, 1], [10, 7, 1, 1], [2, 3, 5, 4], [4, 0, 7, 3], [1, 1, 9, 7]])
    top, left, height, width = jnp.asarray(cuts.T, jnp.float32)

    @jax.jit
    def cut(x):
        still, off = jnp.zeros(6, jnp.int32), jnp.zeros(6, bool)
        rows = geometry.weights(11, top, height, still, off, "zero")
        return geometry.resample(x, rows, geometry.weights(8, left, width, still, off, "zero"))

    ours = cut(jnp.asarray(images.swapaxes(2, 3), jnp.float32)).swapaxes(2, 3)
    for mine, image, place in zip(ours, images, cuts, strict=True):
        np.testing.assert_allclose(mine, cut_by_pillow(image, *place), atol=ROUNDING)
    np.testing.assert_array_equal(ours[0], images[0].astype(np.float32))  # the whole image: weights 0 and 1


@pytest.mark.parametrize("padding", ["zero", "reflect"])
def test_a_view_is_mirrored_then_shifted_as_by_numpy(padding):
    shifts = np.array([(shift, flip) for shift in range(-3, 4) for flip in (0, 1)], np.int32)
    b, n = len(shifts), 6
    whole = jnp.full(b, n, jnp.float32), jnp.asarray(shifts[:, 0]), jnp.asarray(shifts[:, 1] == 1)
    found = jax.jit(geometry.weights, static_argnums=(0, 5))(n, jnp.zeros(b, jnp.float32), *whole, padding)
    line = np.arange(1.0, n + 1, dtype=np.float32)
    for matrix, (shift, flip) in zip(found, shifts, strict=True):
        theirs = np.pad(line[::-1] if flip else line, 3, mode="constant" if padding == "zero" else padding)
        np.testing.assert_array_equal(matrix @ line, theirs[3 + shift : 3 + shift + n])


@pytest.mark.parametrize("kernel", [1, 5, 9])
def test_the_blur_is_scipys_and_off_it_is_nothing(kernel):
    images = pixels(1, 4, 9, 6, 3) / 255
    sigma, on = np.array([0.1, 0.7, 2.0, 1.0], np.float32), np.array([True, True, True, False])

    @jax.jit
    def blurred(x):
        taps = geometry.blur_taps(jnp.asarray(sigma), jnp.asarray(on), kernel)
        return geometry.resample(x, geometry.blur_weights(taps, 9), geometry.blur_weights(taps, 6))

    ours = blurred(jnp.asarray(images.swapaxes(2, 3), jnp.float32)).swapaxes(2, 3)
    for i in range(3):
        np.testing.assert_allclose(ours[i], blur_by_scipy(images[i], float(sigma[i]), kernel), atol=ROUNDING)
    np.testing.assert_array_equal(ours[3], images[3].astype(np.float32))


def test_grey_is_pillows_up_to_its_bytes():
    x = pixels(2, 1, 16, 16, 3)
    ours = 255 * colour.grey(rows_first(x))[0]
    np.testing.assert_allclose(ours, np.asarray(Image.fromarray(x[0]).convert("L")), atol=0.51)  # it rounds to bytes
    np.testing.assert_array_equal(colour.grey(rows_first(x[..., :1])), rows_first(x[..., :1])[:, :, 0])


@pytest.mark.parametrize(
    ("enhance", "means"),
    [(ImageEnhance.Brightness, (0, 0)), (ImageEnhance.Contrast, (0, 1)), (ImageEnhance.Color, (1, 0))],
)
def test_steps_are_pillows_enhancements_up_to_its_bytes(enhance, means):
    x = pixels(3, 1, 16, 16, 3)
    for f in (0.0, 0.35, 1.0, 1.8):
        how = jnp.array([[f, (1 - f) * means[0], (1 - f) * means[1]]], jnp.float32)
        ours = 255 * colour.step(rows_first(x), how)[0].swapaxes(1, 2)
        theirs = np.asarray(enhance(Image.fromarray(x[0])).enhance(f), np.float64)
        # Pillow rounds the grey to a byte (half a byte, weighted by 1 - f), the result down (one byte)
        assert np.abs(ours - theirs).max() <= 1.01 + 0.51 * abs(1 - f)


def test_hue_is_colorsyss_on_every_kind_of_colour():
    image = np.array(list(itertools.product((0, 0.2, 0.55, 1), repeat=3))).reshape(8, 8, 3)  # ties, greys, pure colours
    turns = np.array([0, 0.1, -0.37, 0.5, -0.5, 1 / 3])
    x = jnp.asarray(np.repeat(image.swapaxes(1, 2)[None], len(turns), 0), jnp.float32)
    ours = jax.jit(colour.turn_hue)(x, jnp.asarray(turns, jnp.float32)).swapaxes(2, 3)
    for mine, turn in zip(ours, turns, strict=True):
        np.testing.assert_allclose(mine, jitter_by_hand(image, "hue", turn), atol=ROUNDING)


def test_jitter_runs_its_four_operations_in_each_of_the_24_orders():
    recipe = Recipe(jitter=1.0, brightness=0.8, contrast=1.4, saturation=0.9, hue=0.3)  # contrast: from 0, not -0.4
    low, high = np.array([0.2, 0, 0.1, -0.3]), np.array([1.8, 2.4, 1.9, 0.3])
    orders = list(itertools.permutations(range(4)))
    rng = np.random.default_rng(4)
    images, strength = pixels(4, 25, 5, 4, 3), rng.uniform(size=(25, 4))
    images[:] = images[0]
    strength[:] = strength[0]
    order = np.concatenate([np.argsort(orders, axis=1) / 4, [[0.1, 0.2, 0.3, 0.4]]])  # the rank of each operation
    on = np.arange(25) < 24
    draws = [jnp.asarray(a, jnp.float32) for a in (strength, order)]
    ours = jax.jit(colour.jitter, static_argnums=4)(rows_first(images), jnp.asarray(on), *draws, recipe).swapaxes(2, 3)
    for mine, names in zip(ours, orders, strict=False):
        theirs = images[0] / 255
        for i in names:
            theirs = jitter_by_hand(theirs, colour.JITTER[i], low[i] + (high[i] - low[i]) * strength[0, i])
        np.testing.assert_allclose(mine, theirs, atol=10 * ROUNDING)  # factors up to 2.4, one after the other
    np.testing.assert_allclose(ours[24], images[0] / 255, atol=ROUNDING)  # off
    apart = np.abs(ours[:24, None] - ours[None, :24]).max(axis=(2, 3, 4)) + np.eye(24)
    assert apart.min() > 0.01  # each order is seen


def test_jitter_of_grey_images_is_brightness_and_contrast():
    recipe = Recipe(jitter=1.0, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    x = pixels(5, 2, 6, 6, 1)
    strength, order = jnp.full((2, 4), 0.9, jnp.float32), jnp.array([[0, 1, 2, 3], [1, 0, 3, 2]], jnp.float32)
    ours = jax.jit(colour.jitter, static_argnums=4)(rows_first(x), jnp.ones(2, bool), strength, order, recipe)
    for mine, image, names in zip(ours, x, (("brightness", "contrast"), ("contrast", "brightness")), strict=True):
        theirs = np.repeat(image / 255, 3, axis=2)
        for name in names:
            theirs = jitter_by_hand(theirs, name, 0.6 + 0.8 * 0.9)
        np.testing.assert_allclose(mine[:, 0], theirs[..., 0], atol=ROUNDING)


def test_solarisation_is_pillows():
    x = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    ours = colour.solarised(rows_first(x), jnp.ones(1, bool), 0.5)[0, :, 0]
    theirs = np.asarray(ImageOps.solarize(Image.fromarray(x[0, ..., 0]), 128))
    np.testing.assert_allclose(255 * ours, theirs, atol=1e-4)  # rounding of 255 - x
    np.testing.assert_array_equal(colour.solarised(rows_first(x), jnp.zeros(1, bool), 0.5), rows_first(x))


def test_the_whole_is_its_parts_in_torchvisions_order(key):
    """All parts but the noise, from the draws on, by the independent implementations."""
    recipe = replace(RECIPES["stl-byol-second"], kernel=5, blur=0.6, solarise=0.5, grey=0.4, shift=1, padding="reflect")
    b, h, w = 16, 12, 9
    images, index = pixels(6, b, h, w, 3), jnp.arange(b) + 40
    draws = jax.tree.map(lambda a: np.asarray(a, np.float64), pipeline.draw(key, index))
    cuts = np.stack(geometry.random_cut(*pipeline.draw(key, index)[:3], recipe, h, w), axis=1)
    ours = augment(key, images, index, recipe)
    low, high = np.array([0.6, 0.6, 0.8, -0.1]), np.array([1.4, 1.4, 1.2, 0.1])
    count = np.zeros(5)
    for i in range(b):
        flipped, jittered, greyed, blurred, solarised = here = draws.on[i] < [0.5, 0.8, 0.4, 0.6, 0.5]
        count += here
        x = np.clip(cut_by_pillow(images[i] / 255, *cuts[i]).astype(float), 0, 1)
        x = x[:, ::-1] if flipped else x
        down, right = np.floor(draws.shift[i] * 3).astype(int)  # 0, 1, 2 of a frame of 1
        x = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="reflect")[down : down + h, right : right + w]
        for j in np.argsort(draws.order[i]) if jittered else ():
            x = jitter_by_hand(x, colour.JITTER[j], low[j] + (high[j] - low[j]) * draws.strength[i, j])
        x = np.repeat(x @ np.array([[0.299], [0.587], [0.114]]), 3, axis=2) if greyed else x
        x = blur_by_scipy(x, 0.1 + 1.9 * draws.sigma[i, 0], 5) if blurred else x
        near = solarised & (np.abs(x - 0.5) < ROUNDING)  # either side, by rounding
        x = np.where(x >= 0.5, 1 - x, x) if solarised else x
        theirs = (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        np.testing.assert_allclose(np.where(near, theirs, ours[i]), theirs, atol=10 * ROUNDING)  # over std
    assert ((count > 0) & (count < b)).all()  # each part was both on and off
