"""What an explanation consists of, whatever the model."""

from collections.abc import Iterable
from typing import NamedTuple


class Change(NamedTuple):
    """At this value of one constant, all else as it is, the outcome turns."""

    constant: str
    now: float
    turns_at: float


class Account(NamedTuple):
    """The outcome of one mode.

    survives   whether it ends at a positive rest, not at 0; None where it cannot be told (null in JSON)
    reason     the condition that decides, one sentence with its numbers
    condition  its name
    numbers    what the sentence was read from
    changes    values at which the outcome turns
    """

    survives: bool | None
    reason: str
    condition: str
    numbers: dict[str, float]
    changes: list[Change]


def apart(a: float, b: float) -> tuple[str, str]:
    """Both numbers with four digits, or as many as tell them apart."""
    for digits in range(4, 18):
        words = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if words[0] != words[1]:
            break
    return words


def listed(modes: Iterable[int]) -> str:
    """Modes by their numbers, the first being 1: `mode 2`, `modes 1, 3`."""
    names = [str(i + 1) for i in modes]
    return f"mode{'s' * (len(names) > 1)} {', '.join(names)}"
