"""What an augmentation draws: the laws of torchvision's draws, and a view that depends on its key and index alone."""

import itertools
from dataclasses import replace
from math import inf, nan

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from experiments.augment import RECIPES, Recipe, augment, geometry, pipeline, plain
from linbyol.checks import InputError

NUMBER = 20000
NOISY = replace(RECIPES["cifar-byol"], noise=0.1)
SIZES = {"digits": (8, 1), "fashion": (28, 1)}  # pixels and channels; CIFAR's and STL-10's by their names


@pytest.fixture(scope="module")
def draws():
    """What 20,000 images draw."""
    return pipeline.draw(jax.random.key(5), jnp.arange(NUMBER))


def images(b, h=9, w=8, c=3):
    return np.random.default_rng(0).integers(0, 256, (b, h, w, c), dtype=np.uint8)


def cut_by_hand(rng, h, w, scale, aspect):
    """RandomResizedCrop.get_params of torchvision, one image: (top, left, height, width) and the attempts it took."""
    for attempt in range(10):
        area, ratio = h * w * rng.uniform(*scale), np.exp(rng.uniform(*np.log(aspect)))
        width, height = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < width <= w and 0 < height <= h:
            return rng.integers(0, h - height + 1), rng.integers(0, w - width + 1), height, width, attempt
    if w / h < aspect[0]:
        height, width = round(w / aspect[0]), w
    else:
        height, width = (h, round(h * aspect[1])) if w / h > aspect[1] else (h, w)
    return (h - height) // 2, (w - width) // 2, height, width, 10


def test_every_draw_is_uniform_and_apart_from_the_others(draws):
    table = np.concatenate(draws, axis=1)
    bound = 2.2 / np.sqrt(NUMBER)  # Kolmogorov's law: passed with probability 1e-4 each
    assert max(scipy.stats.kstest(column, "uniform").statistic for column in table.T) < bound
    correlation = np.corrcoef(table.T) - np.eye(table.shape[1])
    assert np.abs(correlation).max() < 5 / np.sqrt(NUMBER)  # 703 pairs: one beyond 5 deviations with probability 4e-4


def test_the_24_orders_of_the_jitter_are_equally_likely(draws):
    orders = np.argsort(draws.order, axis=1) @ np.array([64, 16, 4, 1])
    names, count = np.unique(orders, return_counts=True)
    assert len(names) == 24
    assert np.abs(count - NUMBER / 24).max() < 4 * np.sqrt(NUMBER / 24)


@pytest.mark.parametrize(
    ("h", "w", "scale", "aspect"),
    [(32, 32, (0.08, 1.0), (3 / 4, 4 / 3)), (28, 28, (0.3, 1.0), (3 / 4, 4 / 3)), (20, 36, (0.5, 1.0), (0.5, 1.2))],
)
def test_cuts_have_the_law_of_torchvisions(draws, h, w, scale, aspect):
    recipe = Recipe(crop=scale, aspect=aspect)
    top, left, height, width = ours = np.stack(geometry.random_cut(*draws[:3], recipe, h, w)).astype(float)
    assert (ours == ours.round()).all()
    assert ((height >= 1) & (width >= 1) & (top >= 0) & (left >= 0) & (top + height <= h) & (left + width <= w)).all()
    rng, number = np.random.default_rng(1), 8000
    theirs = np.array([cut_by_hand(rng, h, w, scale, aspect) for _ in range(number)], float).T
    assert theirs[4].max() >= 2  # attempts did fail
    for measure in (
        lambda t, x, a, b: a * b, lambda t, x, a, b: np.log(b / a), lambda t, x, a, b: t / (h - a + 1),
        lambda t, x, a, b: x / (w - b + 1), lambda t, x, a, b: np.log(b / a) * (t + x),
    ):  # fmt: skip
        mine, other = measure(*ours), measure(*theirs[:4])
        error = np.sqrt(mine.var() / NUMBER + other.var() / number)
        assert abs(mine.mean() - other.mean()) < 4 * error
        assert scipy.stats.ks_2samp(mine, other).statistic < 2.2 * np.sqrt(1 / NUMBER + 1 / number)


def test_large_cuts_have_uniform_area_and_log_uniform_aspect(draws):
    cut = geometry.random_cut(*draws[:3], Recipe(crop=(0.2, 0.4)), 2000, 2000)  # these always fit
    area, ratio = np.asarray(cut.height * cut.width) / 2000**2, np.log(cut.width / cut.height)
    bound = 2.2 / np.sqrt(NUMBER) + 0.003  # rounded sides: ½ of 700 pixels
    assert scipy.stats.kstest(area, "uniform", (0.2, 0.2)).statistic < bound
    wide = np.log(4 / 3)
    assert scipy.stats.kstest(ratio, "uniform", (-wide, 2 * wide)).statistic < bound


@pytest.mark.parametrize(("h", "w"), [(10, 40), (40, 10), (12, 12)])
def test_where_no_attempt_fits_the_cut_is_central(h, w):
    never = np.ones((1, 10), np.float32), np.full((1, 10), 0.999, np.float32), np.zeros((1, 2), np.float32)
    found = geometry.random_cut(*map(jnp.asarray, never), Recipe(crop=(0.99, 1.0)), h, w)
    assert [int(x[0]) for x in found] == list(
        cut_by_hand(np.random.default_rng(0), h, w, (1.0, 1.0), (3 / 4, 4 / 3))[:4] if h != w else (0, 0, 12, 12)
    )


def test_flips_greys_and_solarisations_have_their_rates(key):
    rates = {"flip": 0.3, "grey": 0.2, "solarise": 0.1}
    x = np.zeros((NUMBER, 1, 2, 3), np.float32)
    x[:, 0] = [0.3, 0.0, 0.0], [1.0, 0.8, 0.8]  # left, right: a view of them betrays what was done
    left, right = np.moveaxis(augment(key, x, jnp.arange(NUMBER), Recipe(**rates))[:, 0], 1, 0)
    found = {
        "flip": left[:, 1] > right[:, 1],
        "grey": np.abs(left[:, 0] - left[:, 1]) < 1e-6,
        "solarise": np.maximum(left, right).max(axis=1) < 0.5,
    }
    for name, p in rates.items():
        assert abs(found[name].mean() - p) < 4 * np.sqrt(p * (1 - p) / NUMBER), name
    assert np.abs(np.corrcoef([*found.values()]) - np.eye(3)).max() < 4 / np.sqrt(NUMBER)


def test_brightness_is_uniform_where_it_is_on(key):
    recipe = Recipe(jitter=0.8, brightness=0.4)
    views = np.asarray(augment(key, np.full((NUMBER, 1, 1, 1), 0.5, np.float32), jnp.arange(NUMBER), recipe))[
        :, 0, 0, 0
    ]
    on = views != 0.5
    assert abs(on.mean() - 0.8) < 4 * np.sqrt(0.8 * 0.2 / NUMBER)
    assert scipy.stats.kstest(views[on] / 0.5, "uniform", (0.6, 0.8)).statistic < 2.2 / np.sqrt(0.8 * NUMBER)


def test_shifts_are_uniform_and_noise_is_gaussian(key):
    x = np.zeros((NUMBER, 5, 5, 1), np.float32)
    x[:, 2, 2] = 1
    views = np.asarray(augment(key, x, jnp.arange(NUMBER), Recipe(shift=1)))
    count = views.sum(axis=0)[1:4, 1:4].ravel()
    assert count.sum() == NUMBER
    assert np.abs(count - NUMBER / 9).max() < 4 * np.sqrt(NUMBER / 9)
    views = np.asarray(augment(key, x[:800], jnp.arange(800), Recipe(noise=0.2)) - x[:800]).ravel()
    assert scipy.stats.kstest(views, "norm", (0, 0.2)).statistic < 2.2 / np.sqrt(views.size)


@pytest.mark.optimised
def test_a_view_depends_on_its_key_and_index_not_on_its_batch(key):
    x, index = images(12), jnp.arange(12) + 30
    whole = augment(key, x, index, NOISY)
    np.testing.assert_array_equal(whole, augment(key, x, index, NOISY))
    mixed = np.array([7, 2, 9, 0])
    part = augment(key, x[mixed], index[mixed], NOISY)
    np.testing.assert_allclose(part, whole[mixed], atol=2e-5)  # one compilation against another: last bits, over std
    same = augment(key, np.repeat(x[:1], 12, 0), index, NOISY)
    assert min(np.abs(a - b).max() for a, b in itertools.combinations(np.asarray(same), 2)) > 0.1
    other = augment(jax.random.fold_in(key, 1), x, index, NOISY)
    assert np.abs(np.asarray(other - whole)).max(axis=(1, 2, 3)).min() > 0.1


def test_the_noise_has_columns_of_its_own():
    assert sum(n + n % 2 for n in pipeline.WIDTHS) <= pipeline.NOISE


@pytest.mark.parametrize("key", [jax.random.key(0, impl="rbg"), jax.random.split(jax.random.key(0), 2)])
def test_a_key_of_another_kind_or_several_are_refused(key):
    with pytest.raises(InputError, match="`key` must be one key of the default kind"):
        augment(key, images(3), jnp.arange(3), NOISY)


def test_views_map_over_keys_and_images_as_one_by_one(key):
    x, index = images(8).reshape(2, 4, 9, 8, 3), jnp.arange(8).reshape(2, 4)
    keys = jax.random.split(key, 2)
    mapped = jax.vmap(lambda key, x, i: augment(key, x, i, NOISY))(keys, jnp.asarray(x), index)
    for i in range(2):
        np.testing.assert_allclose(mapped[i], augment(keys[i], x[i], index[i], NOISY), atol=2e-5)  # last bits, over std


def test_a_part_that_is_turned_on_leaves_the_others_draws(key):
    x, index = images(64), jnp.arange(64)
    cuts = Recipe(crop=(0.2, 1.0), flip=0.5)
    both = augment(key, x, index, replace(cuts, solarise=0.5, threshold=0.9))
    alone = augment(key, x, index, cuts)
    same = np.asarray(jnp.abs(both - alone).max(axis=(1, 2, 3)) < 1e-5)
    off = np.asarray(pipeline.draw(key, index).on[:, 4] >= 0.5)
    assert same[off].all()
    assert 0 < off.sum() < 64


def test_without_parts_a_view_is_the_plain_image(key):
    x = images(3)
    normalised = Recipe(mean=(0.5, 0.4, 0.3), std=(0.2,))
    theirs = (x / 255 - [0.5, 0.4, 0.3]) / 0.2
    for view in (augment(key, x, jnp.arange(3), normalised), plain(x, normalised)):
        assert view.dtype == jnp.float32  # with x64 on
        np.testing.assert_allclose(view, theirs, atol=1e-6)  # float32, over std
    np.testing.assert_allclose(plain(x, RECIPES["none"]), x / 255, atol=1e-7)  # XLA divides by multiplying
    np.testing.assert_allclose(plain(x / 255, normalised), theirs, atol=1e-6)
    assert plain(x, normalised, jnp.bfloat16).dtype == jnp.bfloat16


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_keep_shape_and_dtype(name, key):
    n, c = SIZES.get(name, (96 if name.startswith("stl") else 32, 3))
    for dtype in (jnp.uint8, jnp.float64):
        batch = jax.ShapeDtypeStruct((4, n, n, c), dtype)
        view = jax.eval_shape(lambda x: augment(key, x, jnp.arange(4), RECIPES[name], jnp.bfloat16), batch)
        assert (view.shape, view.dtype) == (batch.shape, jnp.bfloat16)


def test_recipes_hold_the_numbers_of_their_sources():
    """The recipes of the released code of Tian et al., and of Ben-Shaul et al."""
    jitter = lambda r: (r.jitter, r.brightness, r.contrast, r.saturation, r.hue)  # noqa: E731
    weak, strong = (0.8, 0.4, 0.4, 0.4, 0.1), (0.8, 0.8, 0.8, 0.8, 0.2)
    for name, found in (("cifar-byol", weak), ("cifar-simclr", weak), ("stl-byol", strong), ("stl-simclr", strong)):
        recipe = RECIPES[name]
        assert jitter(recipe) == found
        assert (recipe.crop, recipe.aspect, recipe.flip, recipe.grey) == ((0.08, 1), (3 / 4, 4 / 3), 0.5, 0.2)
        assert (recipe.shift, recipe.noise, recipe.solarise) == (0, 0, 0)
    assert [RECIPES[name].blur for name in ("cifar-byol", "cifar-simclr", "stl-byol", "stl-simclr")] == [0, 0, 1, 0.5]
    assert (RECIPES["stl-byol"].kernel, RECIPES["stl-byol"].sigma) == (9, (0.1, 2.0))
    assert RECIPES["stl-byol"].mean is RECIPES["stl-byol"].std is None
    assert RECIPES["cifar-byol"].mean == (0.4914, 0.4822, 0.4465)
    assert RECIPES["cifar-byol"].std == (0.2023, 0.1994, 0.2010)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flip": 1.5}, "`flip` must be at most 1, but is 1.5"),
        ({"jitter": -0.1}, "`jitter` must be at least 0, but is -0.1"),
        ({"brightness": nan}, "`brightness` must be finite"),
        ({"noise": "much"}, "`noise` must be a real number or array, but is 'much'"),
        ({"hue": 0.6}, "`hue` must be at most 0.5, but is 0.6"),
        ({"crop": (0.0, 1.0)}, "`crop` must be more than 0, but is 0"),
        ({"crop": 0.5}, "`crop` must be a tuple of numbers, but is 0.5"),
        ({"crop": (0.9, 0.2)}, r"`crop` must be a pair \(least, most\), but is \(0.9, 0.2\)"),
        ({"sigma": (1.0, 2.0, 3.0)}, "`sigma` must be a pair"),
        ({"flip": (0.5,)}, r"`flip` must be a number, but is \(0.5,\)"),
        ({"kernel": 8}, "`kernel` must be odd, but is 8"),
        ({"shift": 1.5}, "`shift` must be a whole number, but is 1.5"),
        ({"padding": "wrap"}, "`padding` must be one of zero, reflect, but is 'wrap'"),
        ({"std": (0.2, 0.0, 0.2)}, "`std` must be more than 0, but is 0"),
        ({"std": (inf,)}, r"`std\[0\]` must be finite, but it is inf"),
        ({"mean": ()}, r"`mean` must be a tuple of numbers, but is \(\)"),
    ],
)
def test_a_recipe_that_cannot_be_gets_its_sentence(settings, message):
    with pytest.raises(InputError, match=message):
        Recipe(**settings)


@pytest.mark.parametrize(
    ("batch", "index", "recipe", "message"),
    [
        (np.zeros((2, 8, 8), np.uint8), 2, Recipe(), r"`images` must have shape \(b, h, w, c\).*\(2, 8, 8\)"),
        (np.zeros((2, 8, 8, 2), np.uint8), 2, Recipe(), r"with c = 1 or 3, but has shape \(2, 8, 8, 2\)"),
        (np.zeros((2, 8, 8, 3), np.int32), 2, Recipe(), "`images` must be uint8, .* but has dtype int32"),
        (np.zeros((2, 8, 8, 3), np.uint8), 3, Recipe(), r"`index` must have shape \(2,\), but has shape \(3,\)"),
        (
            np.zeros((2, 8, 4, 3), np.uint8),
            2,
            Recipe(blur=1.0),
            r"`kernel` = 9 reaches beyond images of \(8, 4\) pixels",
        ),
        (np.zeros((2, 8, 8, 3), np.uint8), 2, Recipe(shift=8), r"`shift` = 8 reaches beyond images of \(8, 8\) pixels"),
        (np.zeros((2, 8, 8, 1), np.uint8), 2, RECIPES["cifar-byol"], "`mean` must hold 1 number, .* but holds 3"),
    ],
)
def test_a_batch_that_does_not_fit_gets_its_sentence(key, batch, index, recipe, message):
    with pytest.raises(InputError, match=message):
        augment(key, batch, jnp.arange(index), recipe)
