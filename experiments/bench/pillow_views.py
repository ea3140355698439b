"""Views of one image by Pillow, as torchvision's transforms make them: what a data loader's workers do.

Only Pillow and NumPy, so that a contender needs no torchvision. Random numbers are those of `random`, which a loader
seeds for each worker.
"""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from experiments.bench.tensor_views import MEAN, STD


def cifar_view(image: Image.Image) -> np.ndarray:
    """Recipe "cifar-byol": cut and resize, flip, jitter (0.4, 0.4, 0.4, 0.1), grey; normalised, (3, h, w) float32."""
    image = random_resized_crop(image)
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    if random.random() < 0.8:
        image = jitter(image, 0.4, 0.4, 0.4, 0.1)
    if random.random() < 0.2:
        image = Image.merge("RGB", (image.convert("L"),) * 3)
    x = np.array(image, np.float32).transpose(2, 0, 1) / np.float32(255)
    return (x - np.array(MEAN, np.float32)[:, None, None]) / np.array(STD, np.float32)[:, None, None]


def digits_view(image: Image.Image) -> np.ndarray:
    """Recipe "digits-shift": a shift of at most one pixel, zeros coming in, and noise of 0.1; (1, h, w) float32."""
    w, h = image.size
    left, top = random.randint(0, 2), random.randint(0, 2)
    image = ImageOps.expand(image, 1).crop((left, top, left + w, top + h))
    noise = np.random.default_rng(random.getrandbits(64)).standard_normal((1, h, w), np.float32)
    return np.array(image, np.float32)[None] / np.float32(255) + np.float32(0.1) * noise


VIEWS: dict[str, Callable[[Image.Image], np.ndarray]] = {"cifar-byol": cifar_view, "digits-shift": digits_view}


def random_resized_crop(image: Image.Image) -> Image.Image:
    """A share of the area in [0.08, 1] at a ratio in [3/4, 4/3], bilinear to the whole; central if ten draws fail."""
    w, h = image.size
    for _ in range(10):
        area = w * h * random.uniform(0.08, 1)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < width <= w and 0 < height <= h:
            left, top = random.randint(0, w - width), random.randint(0, h - height)
            break
    else:
        width, height = min(w, round(h * 4 / 3)), min(h, round(w * 4 / 3))
        left, top = (w - width) // 2, (h - height) // 2
    return image.resize((w, h), Image.Resampling.BILINEAR, (left, top, left + width, top + height))


def jitter(image: Image.Image, brightness: float, contrast: float, saturation: float, hue: float) -> Image.Image:
    """The four changes, each once, in a random order."""
    factor = lambda reach: random.uniform(max(0, 1 - reach), 1 + reach)  # noqa: E731
    steps: list[Callable[[Any], Any]] = [
        lambda image: ImageEnhance.Brightness(image).enhance(factor(brightness)),
        lambda image: ImageEnhance.Contrast(image).enhance(factor(contrast)),
        lambda image: ImageEnhance.Color(image).enhance(factor(saturation)),
        lambda image: turned(image, random.uniform(-hue, hue)),
    ]
    for step in random.sample(steps, 4):
        image = step(image)
    return image


def turned(image: Image.Image, turns: float) -> Image.Image:
    """Every hue moved by so many turns, in Pillow's bytes of hue, saturation and value."""
    h, s, v = image.convert("HSV").split()
    moved = np.array(h, np.uint8) + np.uint8(int(turns * 255) % 256)  # bytes wrap around, as hues do
    return Image.merge("HSV", (Image.fromarray(moved), s, v)).convert("RGB")
