"""The ranges of settings, which stand beside their defaults: whole numbers, numbers, and the constants of a lane."""

from collections.abc import Iterable
from dataclasses import Field, dataclass, field
from typing import Any

import numpy as np

from experiments.tables import leaves
from linbyol.checks import InputError

COUNT = 2**31 - 1  # steps and seeds are 32 bits on the device
WIDEST, DEEPEST = 10**6, 1000

table = dataclass(frozen=True, kw_only=True)  # of settings


def whole(default: Any, least: int = 0, most: int = COUNT) -> Any:
    """A whole number, or several."""
    return field(default=default, metadata={"whole": (least, most)})


def widths(*default: int, least: int = 1) -> Any:
    """Widths of so many layers at least."""
    return field(default=default, metadata={"whole": (1, WIDEST), "length": (least, DEEPEST)})


def number(default: float | None, *, positive: bool = False, most: float | None = None, **facts: Any) -> Any:
    """A finite number that is not negative."""
    return field(default=default, metadata={"positive": positive, "most": most, **facts})


def constant(default: float | None, **bounds: Any) -> Any:
    """A number that may differ from lane to lane, and is traced."""
    return number(default, constant=True, **bounds)


def check_ranges(settings: Any, precision: str) -> None:
    """Refuse the first value that is out of its range."""
    for path, found, value in leaves(settings):
        if "whole" in found.metadata:
            least, most = found.metadata["whole"]
            for one in _each(value):
                if not least <= one <= most:
                    raise InputError(f"Setting `{path}` must be whole, from {least} to {most}, but is {one}.")
        if "length" in found.metadata and not found.metadata["length"][0] <= len(value) <= found.metadata["length"][1]:
            least, most = found.metadata["length"]
            raise InputError(f"Setting `{path}` must be {least} to {most} numbers, but is {len(value)}.")
        if "most" in found.metadata and value is not None:
            check_number(path, found, value, precision)


def check_number(path: str, found: Field, value: float, precision: str, where: str = "") -> None:
    """A number is finite and in its range, in the precision of the parameters too."""
    most = found.metadata["most"] or float(np.finfo("float64" if precision == "float64" else "float32").max)
    if found.metadata["positive"] and not 0 < value <= most:
        raise InputError(f"Setting `{path}`{where} must be positive and at most {most:.3g}, but is {value:g}.")
    if not 0 <= value <= most:
        raise InputError(f"Setting `{path}`{where} must be from 0 to {most:.3g}, but is {value:g}.")


def _each(value: Any) -> Iterable[int]:
    return value if isinstance(value, tuple) else () if value is None else (value,)
