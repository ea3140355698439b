"""What an augmentation may do to an image, and the recipes of the papers: numbers only."""

from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

from linbyol.checks import InputError, check_choice, check_numbers

Pair = tuple[float, float]
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Recipe:
    """Probabilities and ranges of the parts, in the order in which they act; 0 or None turns one off and costs nothing.

    Probabilities are per image, values of pixels in [0, 1]. What a part draws does not depend on whether the others are
    on, so an ablation sees the same crops. Raises `InputError` for a number that cannot be.
    """

    crop: Pair | None = None  # share of the area that is cut out and resized to the whole: least, most
    aspect: Pair = (3 / 4, 4 / 3)  # width over height of the cut, log-uniform: least, most
    flip: float = 0.0  # probability of left for right
    shift: int = 0  # whole pixels, uniform in -shift … shift along each axis
    padding: str = "zero"  # what a shift brings in: "zero", or "reflect" (the edge itself is not repeated)
    jitter: float = 0.0  # probability of the colour jitter: the four below, each once, in a random order
    brightness: float = 0.0  # the factor is uniform in [max(0, 1 - brightness), 1 + brightness]; the next two alike
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0  # the shift is uniform in [-hue, hue] turns, hue at most 1/2
    grey: float = 0.0  # probability of dropping the colours
    blur: float = 0.0  # probability of a Gaussian blur
    kernel: int = 9  # its taps along each axis, odd
    sigma: Pair = (0.1, 2.0)  # its standard deviation in pixels, uniform: least, most
    solarise: float = 0.0  # probability of x -> 1 - x where x >= threshold
    threshold: float = 0.5
    noise: float = 0.0  # standard deviation of Gaussian noise on every value, which may leave [0, 1]
    mean: Numbers | None = None  # subtracted in the end: one number, or one a channel
    std: Numbers | None = None  # divided by in the end

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))


BOUNDS = {  # least, most, and whether the least itself is allowed; all else is at least 0
    "crop": (0, 1, False), "aspect": (0, inf, False), "sigma": (0, inf, False), "flip": (0, 1, True),
    "jitter": (0, 1, True), "hue": (0, 0.5, True), "grey": (0, 1, True), "blur": (0, 1, True), "kernel": (1, inf, True),
    "solarise": (0, 1, True), "threshold": (0, 1, True), "mean": (-inf, inf, True), "std": (0, inf, False),
}  # fmt: skip
PAIRS, WHOLE, OPTIONAL = ("crop", "aspect", "sigma"), ("shift", "kernel"), ("crop", "mean", "std")


def _check(name: str, value: Any) -> None:
    """One sentence about a value that a recipe cannot hold."""
    if name == "padding":
        return check_choice(name, value, ("zero", "reflect"))
    if value is None and name in OPTIONAL:
        return None
    tuples = name in PAIRS or name in ("mean", "std")
    if tuples != isinstance(value, tuple) or value == ():
        raise InputError(f"Argument `{name}` must be a {'tuple of numbers' if tuples else 'number'}, but is {value!r}.")
    check_numbers(name, value)
    if name in PAIRS and (len(value) != 2 or value[0] > value[1]):
        raise InputError(f"Argument `{name}` must be a pair (least, most), but is {value}.")
    if name in WHOLE and not isinstance(value, int):
        raise InputError(f"Argument `{name}` must be a whole number, but is {value!r}.")
    if name == "kernel" and value % 2 == 0:
        raise InputError(f"Argument `kernel` must be odd, but is {value}.")
    least, most, closed = BOUNDS.get(name, (0, inf, True))
    for x in value if tuples else (value,):
        if x < least or (x == least and not closed):
            raise InputError(f"Argument `{name}` must be {'at least' if closed else 'more than'} {least}, but is {x}.")
        if x > most:
            raise InputError(f"Argument `{name}` must be at most {most}, but is {x}.")
    return None


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

# What every SimCLR and BYOL recipe shares: torchvision's RandomResizedCrop by default, flips, jitter and greys.
CROPPED = Recipe(crop=(0.08, 1.0), flip=0.5, jitter=0.8, grey=0.2)
WEAK = replace(CROPPED, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)  # SimCLR's strength 0.5
STRONG = replace(CROPPED, brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)  # and 1
PAPER = replace(WEAK, saturation=0.2)  # BYOL's Table 6 (arXiv 2006.07733)

RECIPES = {
    "none": Recipe(),
    "noise": Recipe(noise=0.1),
    "digits": Recipe(crop=(0.5, 1.0), noise=0.1),  # 8 × 8 grey, ours: no flip, as 2 and 5 would meet
    "digits-shift": Recipe(shift=1, noise=0.1),  # gentler: a pixel is much
    "fashion": Recipe(crop=(0.3, 1.0), flip=0.5, jitter=0.8, brightness=0.4, contrast=0.4),  # 28 × 28 grey, ours
    # The released code of Tian et al. (jitter 0.4 0.4 0.4 0.1, no blur).
    "cifar-byol": replace(WEAK, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010)),
    # SimCLR on CIFAR at strength 0.5, normalised as in lightly, whose loader Ben-Shaul's code uses.
    "cifar-simclr": replace(WEAK, **IMAGENET),
    # The released code of Tian et al. on STL-10: always blurred (int(0.1 · 96) = 9 taps), never normalised.
    "stl-byol": replace(STRONG, blur=1.0, kernel=9),
    # SimCLR's recipe for ImageNet (strength 1, blur for half the images) with a kernel of a tenth of 96 pixels.
    "stl-simclr": replace(STRONG, blur=0.5, kernel=9, **IMAGENET),
    # BYOL's own two distributions, one a view, with a kernel of a tenth of 96 pixels for the 23 of 224.
    "stl-byol-first": replace(PAPER, blur=1.0, kernel=9, **IMAGENET),
    "stl-byol-second": replace(PAPER, blur=0.1, kernel=9, solarise=0.2, **IMAGENET),
}
