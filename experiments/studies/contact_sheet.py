"""What augmentation does to real images: each part alone, and views by the recipes.

The copy in experiments/results is what `python -m experiments.studies.contact_sheet experiments/results` leaves (seed
0, half a minute on two cores). The images are those that scikit-learn carries, so nothing is downloaded: a photograph
of a flower, at the sizes of STL-10 and CIFAR-10, and a digit. Bytes in contact_sheet.npz, each row the image itself and
then ten views, not normalised, clipped to [0, 1]; what is drawn at 96 pixels is kept at half:

    part_names   (11,)              "image" and the names of the parts
    parts        (11, 48, 48, 3)    each part alone, of 16 draws the one that changes the image most
    stl-byol, stl-byol-second  (11, 48, 48, 3)   views by these recipes of the flower
    cifar-byol   (11, 32, 32, 3)    of the flower at 32 pixels
    digits       (11, 8, 8, 1)      of the digits
"""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from experiments.augment import RECIPES, Recipe, augment
from experiments.datasets import load
from linbyol.claims import environment
from linbyol.store import write_arrays, write_json

STRONG = RECIPES["stl-byol"]
PARTS = {
    "crop": Recipe(crop=STRONG.crop), "flip": Recipe(flip=1.0), "brightness": Recipe(jitter=1.0, brightness=0.8),
    "contrast": Recipe(jitter=1.0, contrast=0.8), "saturation": Recipe(jitter=1.0, saturation=0.8),
    "hue": Recipe(jitter=1.0, hue=0.2), "grey": Recipe(grey=1.0), "blur": Recipe(blur=1.0),
    "solarise": Recipe(solarise=1.0), "noise": Recipe(noise=0.1),
}  # fmt: skip
IMAGES = {"stl-byol": 96, "stl-byol-second": 96, "cifar-byol": 32, "digits": 8}  # recipe: pixels
FLOWER = (130, 0, 557, 427)  # of flower.jpg, 640 × 427: left, upper, right, lower
DIGIT = 3
VIEWS, DRAWS = len(PARTS), 16


def image_of(size: int) -> np.ndarray:
    """(size, size, c) bytes: the flower, or at 8 pixels the digit."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    if size == 8:
        return load("digits").train.images[DIGIT]
    photograph = Image.fromarray(load_sample_image("flower.jpg"))
    return np.asarray(photograph.resize((size, size), Image.Resampling.LANCZOS, box=FLOWER))


def bytes_of(views) -> np.ndarray:
    """Values in [0, 1] as bytes."""
    return np.asarray(jnp.round(255 * jnp.clip(views, 0, 1)), np.uint8)


def halved(images: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels, where an image has more than 48."""
    b, h, w, c = images.shape
    return images if h <= 48 else images.reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4)).round().astype(np.uint8)


def views_by(key, image: np.ndarray, recipe: Recipe, number: int) -> np.ndarray:
    """(number, h, w, c) bytes: views of one image, as if it were `number` of them, for the eye: not normalised."""
    batch = np.repeat(image[None], number, axis=0)
    return bytes_of(augment(key, batch, jnp.arange(number), replace(recipe, mean=None, std=None)))


def most_changed(key, image: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Of 16 views the one that is furthest from the image."""
    views = views_by(key, image, recipe, DRAWS)
    return views[np.argmax(np.square(views.astype(float) - image).mean((1, 2, 3)))]


def sheet(key) -> dict[str, np.ndarray]:
    """The arrays of contact_sheet.npz."""
    images = {name: image_of(size) for name, size in IMAGES.items()}
    image = images["stl-byol"]
    parts = [image] + [most_changed(key, image, recipe) for recipe in PARTS.values()]
    rows = {
        name: halved(np.concatenate([image[None], views_by(jax.random.fold_in(key, i), image, RECIPES[name], VIEWS)]))
        for i, (name, image) in enumerate(images.items())
    }
    return {"part_names": np.array(["image", *PARTS]), "parts": halved(np.stack(parts)), **rows}


def leave(folder: Path, seed: int = 0) -> None:
    """contact_sheet.npz, which the same seed repeats byte for byte, and contact_sheet.json with how it was made."""
    began = time.perf_counter()
    write_arrays(folder / "contact_sheet.npz", sheet(jax.random.key(seed)))
    config = {"images": IMAGES, "parts": {name: asdict(recipe) for name, recipe in PARTS.items()}}
    config |= {"recipes": {name: asdict(RECIPES[name]) for name in IMAGES}}
    record = {"study": "contact_sheet", "seed": seed, "config": config, "environment": environment()}
    write_json(folder / "contact_sheet.json", record | {"seconds": round(time.perf_counter() - began, 1)})


if __name__ == "__main__":
    leave(Path(sys.argv[1]))
