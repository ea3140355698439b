"""The lanes of a run: one training for each seed and combination of swept constants, all in one program."""

import math
from typing import Any, NamedTuple

import numpy as np

from linbyol.checks import InputError

SCALARS = (  # constants that may differ from lane to lane, and are traced
    "lr", "momentum", "eta", "alpha_p", "eta_p", "gamma_a", "rho", "eps", "exponent", "temperature", "redundancy",
    "invariance", "variance", "covariance",
)  # fmt: skip
POSITIVE = ("lr", "alpha_p", "temperature")
SHARES = ("rho", "gamma_a")  # at most 1
LANES = 2**16


class Lane(NamedTuple):
    """One training of a run: its seed and its scalar constants."""

    seed: int
    scalars: dict[str, float]

    def label(self, names: tuple[str, ...] = ()) -> str:
        """Which lane it is: its seed, and its values of the constants that are swept."""
        return ", ".join([f"seed {self.seed}", *(f"{name} = {self.scalars[name]:g}" for name in names)])


def swept(o: Any) -> tuple[str, ...]:
    """Names of the constants that differ from lane to lane."""
    return tuple(text.partition("=")[0] for text in o.sweep)


def lanes(o: Any) -> list[Lane]:
    """A lane for each seed and combination of swept values; the last sweep varies fastest, seeds slowest."""
    sweeps = {}
    for text in o.sweep:
        name, _, values = text.partition("=")
        if name not in SCALARS:
            raise InputError(f"Setting `sweep` must name one of {', '.join(SCALARS)}, but is {text!r}.")
        if name in sweeps:
            raise InputError(f"Setting `sweep` names `{name}` twice.")
        try:
            sweeps[name] = [float(value) for value in values.split(",")]
        except ValueError:
            raise InputError(f"Setting `sweep` must read NAME=NUMBER,NUMBER,…, but is {text!r}.") from None
        for x in sweeps[name]:
            check_constant(o, name, x, " in `sweep`")
        if len(set(sweeps[name])) < len(sweeps[name]):
            raise InputError(f"Setting `sweep` must give each lane another value, but is {text!r}.")
    if (number := math.prod(map(len, sweeps.values())) * len(o.seeds)) > LANES:
        raise InputError(f"Settings `seeds` and `sweep` must give at most {LANES} lanes, but give {number}.")
    found = [{name: _scalar(o, name) for name in SCALARS}]
    for name, numbers in sweeps.items():
        found = [scalars | {name: x} for scalars in found for x in numbers]
    if "eta_p" not in sweeps and o.eta_p is None:
        found = [scalars | {"eta_p": scalars["eta"]} for scalars in found]
    return [Lane(seed, scalars) for seed in o.seeds for scalars in found]


def _scalar(o: Any, name: str) -> float:
    value = o.eta if name == "eta_p" and o.eta_p is None else getattr(o, name)
    return float(value)


def check_constant(o: Any, name: str, value: float, where: str = "") -> None:
    """A constant is a finite number of its range, in the precision of the parameters too."""
    most = 1.0 if name in SHARES else float(np.finfo("float64" if o.precision == "float64" else "float32").max)
    if name in POSITIVE and not 0 < value <= most:
        raise InputError(f"Setting `{name}`{where} must be positive and at most {most:.3g}, but is {value:g}.")
    if not 0 <= value <= most:
        raise InputError(f"Setting `{name}`{where} must be from 0 to {most:.3g}, but is {value:g}.")
