"""A user's own images: read from an archive, centred, and their X and X_aug measured under random views."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.checks import InputError
from linbyol.images.moments import Moments, check_views, moments_of_images, moments_of_views
from linbyol.images.views import Augmentation, check_augmentation, views_of
from linbyol.store import FileError, read_arrays


def moments_of_file(
    path: str | Path,
    *,
    views: int = 8,
    shift: float = 1.0,
    rotate: float = 10.0,
    noise: float = 0.1,
    seed: int = 0,
    batch: int = 256,
) -> tuple[Moments, np.ndarray]:
    """Unbiased X and X_aug of the images in an npz archive, with standard errors, and the mean that was subtracted.

    The archive holds one array, or one that is called `images` or `views`:
    images  (N, h, w) or (N, h, w, c); views of them are made here (`linbyol.images.views`), with 0 outside after
            centring;
            the mean is that of the images, (h, w, c), and n = h w c.
    views   (N, V, n), V ≥ 2 flattened views an image, made elsewhere; views, shift, rotate, noise and seed are unused,
            and the mean is that of all views, (n,).
    Unsigned bytes are scaled by 1/255 first; `noise` is in the unit that results, `shift` in pixels, `rotate` in
    degrees. The same seed gives the same bits, whatever `batch`. Raises `FileError` for what cannot be read and
    `InputError` for what cannot be used.
    """
    name, array = _find(path)
    if name == "views":
        check_views("views", array, least=2)
        mean = array.mean(axis=(0, 1))
        starts = range(0, len(array), batch)
        return moments_of_views(jnp.asarray(array[a : a + batch] - mean) for a in starts), mean
    how = Augmentation(shift, rotate, noise)
    check_augmentation(how, views)
    if views < 2:
        raise InputError(f"Argument `views` must be at least 2, but is {views}.")
    images = array[..., None] if array.ndim == 3 else array
    if images.ndim != 4 or 0 in images.shape:
        raise FileError(
            f"Array `{name}` of {path} must have shape (N, h, w) or (N, h, w, c), none of them 0, "
            f"but has shape {array.shape}."
        )
    mean = images.mean(axis=0)
    key = jax.random.key(seed)
    draw = lambda batch, index: views_of(key, batch, index, how, views)  # noqa: E731
    return moments_of_images(jnp.asarray(images - mean), draw, batch=batch), mean


def _find(path: str | Path) -> tuple[str, np.ndarray]:
    """The array of the archive and the name it goes by, in float64 and finite, bytes scaled."""
    arrays = read_arrays(path)
    names = [name for name in arrays if name in ("images", "views")] or list(arrays)
    if len(names) != 1:
        found = ", ".join(arrays) or "nothing"
        raise FileError(f"File {path} must hold one array, `images` or `views`, but holds {found}.")
    array = arrays[names[0]]
    if array.dtype.kind not in "fiu":
        raise FileError(f"Array `{names[0]}` of {path} must be real numbers, but has dtype {array.dtype}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise FileError(
            f"Array `{names[0]}` of {path} must be finite, but has {(~np.isfinite(array)).sum()} that are not."
        )
    if array.dtype == np.uint8:
        return names[0], array / 255
    return names[0], array.astype(np.float64)
