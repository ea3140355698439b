"""Views: the linear map is scipy's, and each view depends on its own key alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from experiments.linear.digits import digits, whitened
from linbyol.checks import InputError
from linbyol.images.views import Augmentation, bank, moved, views_of


def test_a_moved_image_is_scipys_affine_transform(key):
    image = jax.random.normal(key, (8, 11, 1))
    angle, shift = 0.17, np.array([0.6, -1.3])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = np.array([3.5, 5.0])
    theirs = scipy.ndimage.affine_transform(
        np.asarray(image[..., 0]), turn, offset=centre - turn @ centre + shift, order=1, mode="grid-constant"
    )
    ours = moved(image, jnp.asarray(shift), jnp.asarray(angle))
    np.testing.assert_allclose(ours[..., 0], theirs, atol=1e-12)  # rounding


def test_channels_are_moved_alike_and_linearly_so_centred_images_have_centred_views(key):
    a, b = jax.random.normal(key, (2, 8, 8, 1))
    where = jnp.array([0.4, -0.7]), jnp.array(0.1)
    both = moved(jnp.concatenate([a, 2 * a - 3 * b], axis=2), *where)
    np.testing.assert_allclose(both[..., :1], moved(a, *where), atol=1e-13)  # rounding
    np.testing.assert_allclose(both[..., 1:], 2 * moved(a, *where) - 3 * moved(b, *where), atol=1e-13)


def test_without_augmentation_a_view_is_its_image(key):
    images = jax.random.normal(key, (4, 6, 7, 3))
    seen = bank(key, images, Augmentation(shift=0.0, rotate=0.0, noise=0.0), 2)
    np.testing.assert_allclose(seen[:, 1], images.reshape(4, -1), atol=1e-13)  # rounding of sin 0, cos 0


def test_shifts_stay_within_their_bound_and_fill_with_zero(key):
    images = jnp.zeros((100, 9, 9, 1)).at[:, 4, 4].set(1.0)
    seen = bank(key, images, Augmentation(shift=2.0, rotate=0.0, noise=0.0), 2).reshape(200, 9, 9)
    assert jnp.max(jnp.abs(seen[:, [0, 1, 7, 8]])) == 0  # at most 2 pixels away, and bilinear reaches no third
    np.testing.assert_allclose(seen.sum(axis=(1, 2)), 1, atol=1e-12)  # inside, bilinear weights add up to 1
    rows = np.asarray(seen.sum(axis=2)) @ np.arange(9.0) - 4
    assert abs(rows.mean()) < 4 * 2 / np.sqrt(3 * 200)  # uniform in [-2, 2]: 4 standard errors
    assert 1.8 < np.abs(rows).max() <= 2 + 1e-12  # of 200 draws some are large: all below 0.9 with probability 7e-10


def test_rotations_are_uniform_within_their_bound_in_degrees(key):
    """Of a ramp along the columns: bilinear is exact there, and a view's slopes are cos and -sin of its angle."""
    ramp = jnp.asarray(np.tile(np.arange(-4.0, 5.0)[:, None], (100, 9, 1, 1)))
    seen = np.asarray(bank(key, ramp, Augmentation(shift=0.0, rotate=30.0, noise=0.0), 2)).reshape(200, 9, 9)
    np.testing.assert_allclose(seen[:, 4, 4], 0, atol=1e-12)  # about the centre
    np.testing.assert_allclose(np.hypot(seen[:, 5, 4], seen[:, 4, 5]), 1, atol=1e-12)
    angles = np.rad2deg(np.arctan2(-seen[:, 5, 4], seen[:, 4, 5]))
    assert abs(angles.mean()) < 4 * 30 / np.sqrt(3 * 200)  # uniform in [-30, 30]: 4 standard errors
    assert abs(angles.std() - 30 / np.sqrt(3)) < 4 * np.sqrt(0.2 / 200) * 30 / np.sqrt(3)  # kurtosis 1.8
    assert 27 < np.abs(angles).max() <= 30 + 1e-9  # of 200 draws some are large


def test_noise_has_its_standard_deviation(key):
    seen = bank(key, jnp.zeros((20, 20, 20, 1)), Augmentation(shift=1.0, rotate=10.0, noise=0.3), 2)
    assert abs(float(seen.std()) / 0.3 - 1) < 4 / np.sqrt(2 * seen.size)  # 4 standard errors


@pytest.mark.optimised
def test_a_view_depends_on_its_image_and_index_not_on_its_batch(key):
    images = jax.random.normal(key, (9, 4, 4, 1))
    how = Augmentation()
    whole = bank(key, images, how, 3)
    part = views_of(key, images[6:], jnp.array([6, 7, 8]), how, 3)
    np.testing.assert_allclose(whole[6:], part, atol=1e-14)  # one compilation against another: last bits
    np.testing.assert_array_equal(whole, bank(key, images, how, 3))
    assert float(jnp.abs(whole[:, 0] - whole[:, 1]).min(axis=1).max()) > 0  # the views of an image differ
    assert whole.shape == (9, 3, 16)


def test_digits_are_centred_and_in_the_range_of_their_pixels():
    images, labels, mean = digits()
    assert images.shape == (1797, 8, 8, 1)
    assert set(labels.tolist()) == set(range(10))
    np.testing.assert_allclose(images.mean(axis=0), 0, atol=1e-15)
    assert (images + mean).min() == 0
    assert (images + mean).max() == 1


def test_whitened_rows_have_unit_second_moment():
    rows = whitened(digits().images.reshape(1797, 64), 8)
    np.testing.assert_allclose(rows.T @ rows / 1797, np.eye(8), atol=1e-12)  # rounding


@pytest.mark.parametrize(
    ("images", "how", "number", "message"),
    [
        (jnp.ones((2, 8, 8)), Augmentation(), 2, r"`images` must have shape \(N, h, w, c\).*\(2, 8, 8\)"),
        (jnp.ones((0, 8, 8, 1)), Augmentation(), 2, r"`images` must have shape.*\(0, 8, 8, 1\)"),
        (
            jnp.full((2, 3, 3, 1), jnp.nan),
            Augmentation(),
            2,
            r"`images` must be finite, but images\[0, 0, 0, 0\] = nan",
        ),
        (jnp.ones((2, 3, 3, 1)), Augmentation(noise=-0.1), 2, "`noise` must be at least 0, but is -0.1"),
        (jnp.ones((2, 3, 3, 1)), Augmentation(shift=jnp.inf), 2, "`shift` must be finite"),
        (jnp.ones((2, 3, 3, 1)), Augmentation(), 0, "`views` must be a positive whole number, but is 0"),
    ],
)
def test_bad_images_and_settings_get_their_sentence(key, images, how, number, message):
    with pytest.raises(InputError, match=message):
        bank(key, images, how, number)
