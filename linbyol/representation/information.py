"""What every estimate of mutual information hands out, and the door for its two sides."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.checks import InputError, check_nonnegative, check_numbers
from linbyol.representation.features import feature_rows, whole

DETERMINISTIC = (
    "noise = 0: if z is a function of x, I(X; Z) is infinite for continuous x, and the entropy of z (at most log N) on "
    "N samples; the estimate then measures the estimator"
)


class Information(NamedTuple):
    """An estimate of I(X; Z) in nats, with what it must be read beside.

    Where it sits at its ceiling (`at_ceiling`), it says no more than that the information is at least of that order.
    """

    value: float  # the mean of `values`
    spread: float  # their standard deviation (divisor seeds - 1), or a standard error where there are no seeds
    values: Float[np.ndarray, " seeds"]  # on held-out rows each, capped at the ceiling
    ceiling: float  # log N of the N rows that a value is read from: more than that these cannot tell
    shuffled: float | None  # the same estimate where z is dealt anew to the rows of x, so that the truth is 0
    untrained: float | None  # the same held-out value of the critics before their first step
    control: float | None  # the same estimate for an untrained network's features, where they were given
    channel: float | None  # ½ log det(I + Cov(z)/noise), exact for a Gaussian z, else the most that z can carry
    noise: float  # variance of the Gaussian noise added to each entry of z
    convention: str
    notes: tuple[str, ...]
    steps: tuple[int, ...] = ()  # after how many steps the validation rows stopped each seed
    rows: tuple[int, int, int] = (0, 0, 0)  # of training, validation and the held-out value, a seed

    @property
    def bits(self) -> float:
        """The value in bits."""
        return self.value / float(np.log(2))

    @property
    def at_ceiling(self) -> bool:
        """Whether the value is within one nat of the ceiling: there the held-out pairs are too few to tell."""
        return self.value > self.ceiling - 1


def sides(x: Any, z: Any, *, least: int, name: str = "z") -> tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N d"]]:
    """x and z in float64, one row a sample (what has more axes, or one, is laid out in rows), of equal length."""
    x, z = _rows("x", x, least), _rows(name, z, least)
    if len(x) != len(z):
        raise InputError(f"Argument `{name}` must have one row for each of the {len(x)} of `x`, but has {len(z)}.")
    return x, z


def check_noise(noise: Any) -> float:
    """A variance of at least 0."""
    if np.ndim(noise) != 0 or isinstance(noise, bool):
        raise InputError(f"Argument `noise` must be one number, the variance of the noise, but is {noise!r}.")
    check_numbers("noise", noise)
    check_nonnegative("noise", noise)
    return float(noise)


def constant(h: np.ndarray) -> bool:
    """Whether all rows are the same."""
    return bool((h == h[:1]).all())


def _rows(name: str, h: Any, least: int) -> np.ndarray:
    shape = np.shape(h)
    if len(shape) != 2 and len(shape) > 0 and shape[0] > 0:
        h = np.reshape(h, (shape[0], -1))
    return whole(name, feature_rows(name, h, least=least))
