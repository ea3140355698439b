"""Files of images as arrays of one shape, upright, checked by their heads before any is decoded."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from linbyol.store import FileError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP")
GREY, COLOUR = ("1", "L"), ("1", "L", "LA", "P", "RGB", "RGBA")  # Pillow's modes of eight bits or less
LARGEST = 4096  # pixels a side
ORIENTATION = 0x0112  # the EXIF tag: 1 upright, 2 to 8 mirrored or turned
UPRIGHT = {  # how each is set upright: axes of (h, w, c) that are reversed, after rows and columns have changed places
    2: (False, (1,)),
    3: (False, (0, 1)),
    4: (False, (0,)),
    5: (True, ()),
    6: (True, (1,)),
    7: (True, (0, 1)),
    8: (True, (0,)),
}


def check(paths: list[Path]) -> tuple[int, int]:
    """Channels of all images, 1 or 3, and the number of frames after the first, from the heads alone.

    All must have one size, upright.
    """
    size: tuple[int, int] | None = None
    channels, frames = 1, 0
    for path in paths:
        with _open(path) as image:
            if image.mode not in COLOUR:
                raise FileError(f"Image {path} must have 8 bits a channel, grey or colour, but has mode {image.mode}.")
            if max(image.size) > LARGEST:
                raise FileError(f"Image {path} is {_words(image.size)}, but may have at most {LARGEST} a side.")
            here = image.size[::-1] if _orientation(image) in (5, 6, 7, 8) else image.size
            size = size or here
            if here != size:
                raise FileError(
                    f"Image {path} is {_words(here)}, but {paths[0]} is {_words(size)}: all must have one size."
                )
            channels = channels if image.mode in GREY else 3
            frames += _frames(path, image) - 1
    return channels, frames


def read(paths: list[Path], channels: int) -> np.ndarray:
    """uint8 (N, h, w, c)."""
    images = []
    for path in paths:
        try:
            with _open(path) as image:
                turned, reversed_axes = UPRIGHT.get(_orientation(image), (False, ()))
                pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
                pixels = pixels.reshape(*pixels.shape[:2], channels)
                images.append(np.flip(pixels.swapaxes(0, 1) if turned else pixels, reversed_axes))
        except FileError:
            raise
        except Exception as error:  # noqa: BLE001 - Pillow has many errors for a damaged image
            raise FileError(f"Image {path} cannot be read: {str(error).rstrip('.')}.") from None
    return np.stack(images)


def _orientation(image: Any) -> int:
    """How the image was held: 1 if its head does not say."""
    if image.format == "PNG" and "exif" not in image.info:  # Pillow would decode it to look further
        return 1
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF of any bytes: what cannot be read says nothing
        return 1


def _frames(path: Path, image: Any) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # noqa: BLE001 - as above
        raise FileError(f"Image {path} cannot be read: {str(error).rstrip('.')}.") from None


def _open(path: Path) -> Any:
    """The image, of which only the head is read yet."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"):  # of size, which is checked here
            return Image.open(path, formats=FORMATS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise FileError(f"Image {path} cannot be read: it is no image, or a damaged one.") from None


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]} pixels"
