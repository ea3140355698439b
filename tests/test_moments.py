"""Moments: a bank's are its expectations over all pairs; those of fresh views are unbiased and know their error."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.checks import InputError, check_constants
from linbyol.equations import weights_flow
from linbyol.images import moments_of_file
from linbyol.images.moments import feasible, moments_of_bank, moments_of_images, moments_of_views, read_moments
from linbyol.images.views import Augmentation, views_of
from linbyol.integrate.arguments import prepare
from linbyol.store import FileError, write_arrays
from theory.proving.instances import weights

ROUNDING = 1e-12


@pytest.fixture
def bank(key):
    return jax.random.normal(key, (5, 3, 4)) + 2 * jax.random.normal(jax.random.fold_in(key, 1), (5, 1, 4))


def test_moments_of_a_bank_are_its_expectations_over_all_pairs_of_views(bank):
    m = moments_of_bank(bank)
    N, V, n = bank.shape
    same, different = np.zeros((n, n)), np.zeros((n, n))
    for i in range(N):
        for u in range(V):
            same += np.outer(bank[i, u], bank[i, u]) / (N * V)  # E x1 x1ᵀ = X + X_aug
            for v in range(V):
                different += np.outer(bank[i, u], bank[i, v]) / (N * V * V)  # E x1 x2ᵀ = X
    np.testing.assert_allclose(m.X, different, atol=ROUNDING)
    np.testing.assert_allclose(m.X + m.X_aug, same, atol=ROUNDING)
    assert (m.images, m.views) == (5, 3)
    assert float(jnp.abs(m.X_error).max()) == float(jnp.abs(m.X_aug_error).max()) == 0


def test_fresh_views_are_corrected_for_being_few(bank):
    """All V^V samples of V views of a bank, with replacement: the mean of the estimates is the bank's moment."""
    exact = moments_of_bank(bank)
    V = bank.shape[1]
    choices = jnp.stack(jnp.meshgrid(*[jnp.arange(V)] * V, indexing="ij"), -1).reshape(-1, V)
    found = [moments_of_views([bank[:, choice]]) for choice in choices]
    np.testing.assert_allclose(np.mean([m.X for m in found], axis=0), exact.X, atol=ROUNDING)
    np.testing.assert_allclose(np.mean([m.X_aug for m in found], axis=0), exact.X_aug, atol=ROUNDING)
    naive = np.mean([moments_of_bank(bank[:, choice]).X for choice in choices], axis=0)
    assert np.abs(naive - exact.X).max() > 0.1  # without the correction X would hold X_aug/V too much


def test_errors_are_those_of_independent_images(key):
    """Gaussian images with covariance S and noise N: entries scatter around the truth as their errors say."""
    a, b = jax.random.split(key)
    S, noise = jnp.diag(jnp.array([1.0, 0.5, 0.2])), 0.3
    x = jax.random.normal(a, (4000, 1, 3)) @ jnp.sqrt(S)
    m = moments_of_views([x + noise * jax.random.normal(b, (4000, 4, 3))])
    for found, error, truth in ((m.X, m.X_error, S), (m.X_aug, m.X_aug_error, noise**2 * jnp.eye(3))):
        z = np.asarray((found - truth) / error)[np.triu_indices(3)]
        assert np.abs(z).max() < 4  # six entries, 4 standard errors
    # Var of a sample variance: 2 S²/N, here with the views' own share in X: (S + noise²/4)² 2/N
    np.testing.assert_allclose(
        m.X_error[0, 0], (1 + noise**2 / 4) * np.sqrt(2 / 4000), rtol=0.1
    )  # its own scatter: 4 %
    np.testing.assert_allclose(m.X_aug_error[0, 0], noise**2 * np.sqrt(2 / 3 / 4000), rtol=0.1)


def test_moments_and_errors_are_the_mean_and_its_standard_error_over_images(bank):
    """In NumPy, image by image: Cov with divisor V - 1, x̄ x̄ᵀ - Cov/V, and σ/√N with divisor N - 1."""
    views = np.asarray(bank)
    cov = np.array([np.cov(x, rowvar=False) for x in views])
    X = np.array([np.outer(x.mean(0), x.mean(0)) for x in views]) - cov / views.shape[1]
    m = moments_of_views([bank])
    np.testing.assert_allclose(m.X, X.mean(0), atol=ROUNDING)
    np.testing.assert_allclose(m.X_aug, cov.mean(0), atol=ROUNDING)
    np.testing.assert_allclose(m.X_error, X.std(0, ddof=1) / np.sqrt(5), atol=ROUNDING)
    np.testing.assert_allclose(m.X_aug_error, cov.std(0, ddof=1) / np.sqrt(5), atol=ROUNDING)
    assert (m.images, m.views) == (5, 3)


@pytest.mark.optimised
def test_how_images_are_cut_into_batches_does_not_matter(key):
    bank = jax.random.normal(key, (9, 3, 4))
    one, many = moments_of_views([bank]), moments_of_views([bank[:1], bank[1:5], bank[5:]])
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_images_are_streamed_with_their_own_index(key):
    images = jax.random.normal(key, (9, 4, 4, 1))
    draw = lambda batch, index: views_of(key, batch, index, Augmentation(), 3)  # noqa: E731
    whole, pieces = moments_of_images(images, draw, batch=9), moments_of_images(images, draw, batch=3)
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-14)  # last bits of views compiled for other batches


def test_moments_are_constants_of_the_flow(key, bank):
    k = moments_of_bank(bank).constants(alpha_p=2.0, beta=0.4, eta=0.01)
    _, accepted = prepare(weights_flow, weights(key, d=2, n=4), k)  # the door of `integrate`
    assert jnp.array_equal(accepted.X, k.X)


def test_feasible_moments_are_the_nearest_without_negative_eigenvalues(key):
    few = moments_of_views([jax.random.normal(key, (3, 2, 6))])  # fewer images than pixels: X has both signs
    near, removed = feasible(few)
    s, U = np.linalg.eigh(few.X)
    assert s[0] < -0.1
    np.testing.assert_allclose(removed, s[0], atol=ROUNDING)
    np.testing.assert_allclose(near.X, (U * np.maximum(s, 0)) @ U.T, atol=ROUNDING)  # the projection in Frobenius norm
    again, nothing = feasible(near._replace(X=near.X + jnp.eye(6), X_aug=near.X_aug + jnp.eye(6)))
    np.testing.assert_array_equal(again.X, near.X + jnp.eye(6))
    assert nothing == 0


def test_integer_views_are_read_as_numbers():
    bank = np.arange(24).reshape(2, 3, 4) % 5
    np.testing.assert_allclose(moments_of_bank(bank).X, moments_of_bank(bank.astype(float)).X)
    np.testing.assert_allclose(moments_of_views([bank]).X, moments_of_views([bank.astype(float)]).X)


def test_a_file_of_images_gives_the_moments_of_its_views(tmp_path, key):
    bytes_ = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1), dtype=np.uint8)
    write_arrays(tmp_path / "images.npz", {"images": bytes_})
    m, mean = moments_of_file(tmp_path / "images.npz", views=3, shift=0.5, rotate=5.0, noise=0.2, seed=7)
    images = bytes_ / 255
    np.testing.assert_allclose(mean, images.mean(axis=0), atol=ROUNDING)
    views = views_of(jax.random.key(7), jnp.asarray(images - mean), jnp.arange(9), Augmentation(0.5, 5.0, 0.2), 3)
    np.testing.assert_allclose(m.X, moments_of_views([views]).X, atol=ROUNDING)
    assert m.X.shape == (16, 16)


def test_a_file_of_grey_images_needs_no_channel_and_no_name(tmp_path):
    grey = np.random.default_rng(0).normal(size=(9, 4, 4))
    write_arrays(tmp_path / "a.npz", {"anything": grey})
    write_arrays(tmp_path / "b.npz", {"images": grey[..., None]})
    a, b = (moments_of_file(tmp_path / name, views=3)[0] for name in ("a.npz", "b.npz"))
    np.testing.assert_array_equal(a.X, b.X)


def test_a_file_of_views_is_centred_by_the_mean_of_all(tmp_path, bank):
    write_arrays(tmp_path / "views.npz", {"views": np.asarray(bank) + 5})
    m, mean = moments_of_file(tmp_path / "views.npz", batch=2)
    np.testing.assert_allclose(mean, bank.mean(axis=(0, 1)) + 5, atol=ROUNDING)
    np.testing.assert_allclose(m.X, moments_of_views([bank - bank.mean(axis=(0, 1), keepdims=True)]).X, atol=1e-11)


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (jnp.ones((2, 3)), r"must have shape \(N, V, n\), none of them 0, but has shape \(2, 3\)"),
        (jnp.ones((0, 3, 4)), r"must have shape .* has shape \(0, 3, 4\)"),
        (jnp.ones((5, 1, 4)), "must hold at least 2 views an image, but holds 1"),
        (jnp.ones((1, 2, 4)), "at least two images"),
        (jnp.ones((2, 2, 2)).at[1, 0, 1].set(jnp.inf), r"must be finite, but views\[1, 0, 1\] = inf"),
    ],
)
def test_bad_views_get_their_sentence(views, message):
    with pytest.raises(InputError, match=message):
        moments_of_views([views])


def test_no_views_and_changing_views_get_their_sentence():
    with pytest.raises(InputError, match="at least one batch of images, but is empty"):
        moments_of_views([])
    with pytest.raises(InputError, match=r"must keep its shape \(V, n\) = \(2, 4\), but has \(3, 4\)"):
        moments_of_views([jnp.ones((2, 2, 4)), jnp.ones((2, 3, 4))])
    with pytest.raises(InputError, match="`batch` must be a positive whole number, but is 0"):
        moments_of_images(jnp.ones((2, 4)), lambda images, index: images[:, None], batch=0)
    with pytest.raises(InputError, match=r"`bank` must be finite"):
        moments_of_bank(jnp.full((2, 2, 2), jnp.nan))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.ones((3, 4))}, r"`images` of .* must have shape \(N, h, w\) or \(N, h, w, c\).*\(3, 4\)"),
        ({"images": np.ones((0, 4, 4))}, r"none of them 0, but has shape \(0, 4, 4\)"),
        ({"images": np.full((3, 4, 4), np.nan)}, "`images` of .* must be finite, but has 48 that are not"),
        ({"images": np.ones((3, 4, 4), complex)}, "must be real numbers, but has dtype complex128"),
        ({"images": np.full((3, 4, 4), "x")}, "must be real numbers, but has dtype <U1"),
        ({"a": np.ones((3, 4, 4)), "b": np.ones(1)}, "must hold one array, `images` or `views`, but holds a, b"),
        ({}, "must hold one array, `images` or `views`, but holds nothing"),
        ({"views": np.ones((3, 1, 4))}, "`views` must hold at least 2 views an image, but holds 1"),
    ],
)
def test_bad_files_get_their_sentence(tmp_path, arrays, message):
    write_arrays(tmp_path / "bad.npz", arrays)
    with pytest.raises(InputError, match=message):
        moments_of_file(tmp_path / "bad.npz")


def test_files_that_are_no_archive_get_their_sentence(tmp_path):
    with pytest.raises(FileError, match=r"none\.npz cannot be read: No such file"):
        moments_of_file(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(FileError, match=r"text\.npz is not a readable npz archive: it is no archive"):
        moments_of_file(tmp_path / "text.npz")
    write_arrays(tmp_path / "good.npz", {"images": np.ones((3, 4, 4))})
    with pytest.raises(InputError, match="`views` must be at least 2, but is 1"):
        moments_of_file(tmp_path / "good.npz", views=1)
    with pytest.raises(InputError, match="`rotate` must be at least 0, but is -3"):
        moments_of_file(tmp_path / "good.npz", rotate=-3.0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int32"])
def test_moments_of_a_file_pass_the_door_of_the_flows(tmp_path, dtype):
    """Fewer images than pixels: most eigenvalues of X are 0, and rounding would take half of them below."""
    images = np.random.default_rng(1).integers(0, 200, (12, 6, 6)).astype(dtype)
    write_arrays(tmp_path / "images.npz", {"images": images})
    unbiased, _ = moments_of_file(tmp_path / "images.npz", views=3)
    near, removed = feasible(unbiased)
    assert removed < 0
    assert near.X.dtype == near.X_aug.dtype == np.float64
    for saved in (np.float64, np.float32):  # float32: its own rounding is no negative eigenvalue
        write_arrays(tmp_path / "m.npz", {"X": np.asarray(near.X, saved), "X_aug": np.asarray(near.X_aug, saved)})
        X, X_aug = read_moments(tmp_path / "m.npz")
        check_constants(near._replace(X=X, X_aug=X_aug).constants(eta=0.1))
        np.testing.assert_allclose(X, near.X, rtol=0, atol=20 * np.finfo(saved).eps * np.abs(near.X).max())
        np.testing.assert_array_equal(X, X.T)


def test_views_of_any_precision_are_summed_in_float64():
    """Views that float16 holds exactly: their moments are those of the same numbers in float64, to the last bit."""
    views = np.random.default_rng(2).integers(-8, 8, (7, 3, 5)) / 8
    for found in (moments_of_views, lambda batches: moments_of_bank(batches[0])):
        exact = found([views])
        for dtype in (np.float16, np.float32):
            np.testing.assert_array_equal(found([views.astype(dtype)]).X, exact.X)
            np.testing.assert_array_equal(found([views.astype(dtype)]).X_error, exact.X_error)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.eye(2)}, "must hold the array `X_aug`"),
        ({"X": np.eye(2), "X_aug": np.eye(3)}, r"`X_aug` must have the shape of X, \(2, 2\), but has \(3, 3\)"),
        ({"X": np.ones((2, 3)), "X_aug": np.eye(2)}, r"`X` must be a square matrix \(n, n\), but has shape \(2, 3\)"),
        ({"X": np.eye(2), "X_aug": np.diag([1, -1e-3])}, "`X_aug` must be positive semidefinite.* -0.001"),
        ({"X": np.array([[1, 0.5], [0, 1]]), "X_aug": np.eye(2)}, "`X` must be symmetric"),
        ({"X": np.full((2, 2), np.nan), "X_aug": np.eye(2)}, r"`X` must be finite, but X\[0, 0\] = nan"),
        ({"X": np.eye(2, dtype=complex), "X_aug": np.eye(2)}, "`X` must be real, but has dtype complex128"),
        (
            {"X": np.zeros((0, 0)), "X_aug": np.zeros((0, 0))},
            r"`X` must be a square matrix \(n, n\), but has shape \(0, 0\)",
        ),
    ],
)
def test_moments_that_are_none_get_their_sentence(tmp_path, arrays, message):
    write_arrays(tmp_path / "m.npz", arrays)
    with pytest.raises(FileError, match=message):
        read_moments(tmp_path / "m.npz")
