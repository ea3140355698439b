"""Lists on the command line: `--only A B --only C` names all three, not what the last flag names alone."""

from collections.abc import Iterable
from itertools import chain
from typing import TypeVar

import tyro

T = TypeVar("T")
Repeated = tyro.conf.UseAppendAction[tuple[tuple[T, ...], ...]]  # what each flag names


def flat(flags: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """What all the flags name, in their order."""
    return tuple(chain.from_iterable(flags))
