"""The gate of what a user types: each number in its range, no option empty or without effect, in every verb.

A verb declares the ranges beside its options (`seed: Seed = default(0)`), and has a method `idle` where some of them
depend on others: pairs of an option and why it has no effect.
"""

import dataclasses
import math
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Between:
    """A range of numbers, its ends included."""

    least: float | int = -math.inf
    most: float | int = math.inf

    def problem(self, number: float | int) -> str:
        """What the number must be instead, if it is out of the range."""
        if number < self.least:
            return f"at least {self.least:.10g}"
        return f"at most {self.most:.10g}" if number > self.most else ""


@dataclasses.dataclass(frozen=True)
class Above:
    """All numbers above one that is not included."""

    edge: float | int

    def problem(self, number: float | int) -> str:
        """What the number must be instead, if it is out of the range."""
        return "" if number > self.edge else "positive" if self.edge == 0 else f"above {self.edge:.10g}"


LARGEST_SEED = 2**32 - 1  # of a JAX key in either precision
Count = Annotated[int, Between(1, 2**63 - 1)]
Seed = Annotated[int, Between(0, LARGEST_SEED)]
AtLeastZero = Annotated[float, Between(0)]
Positive = Annotated[float, Above(0)]


class _Default:
    """What a user has not typed."""


_KINDS: dict[type, Any] = {kind: type(kind.__name__, (kind, _Default), {}) for kind in (int, float, str, tuple)}


def default(value: T) -> T:
    """The value, told from the same one typed by a user."""
    return _KINDS[type(value)](value)


def given(command: Any) -> set[str]:
    """The names of the options that a user has typed, of those whose default is None, empty, False or `default(…)`."""
    values = {field.name: getattr(command, field.name) for field in dataclasses.fields(command)}
    return {
        name
        for name, value in values.items()
        if not (isinstance(value, _Default) or value is None or value is False or value == ())
    }


def checked(command: Any) -> Any:
    """The command with plain values. Raises `InputError` for the first option that cannot be used."""
    from linbyol.checks import InputError

    hints = get_type_hints(type(command), include_extras=True)
    values = {field.name: (getattr(command, field.name), field.default) for field in dataclasses.fields(command)}
    for name, (value, usual) in values.items():
        if value is not usual and (problem := _problem(name, value, hints[name])):
            raise InputError(problem)
    for name, why in getattr(command, "idle", tuple)():
        if name in given(command):
            raise InputError(f"Argument `{name}` has no effect {why}.")
    return dataclasses.replace(command, **{name: _plain(value) for name, (value, _) in values.items()})


def flag(name: str) -> str:
    """The option as it is typed."""
    return "--" + name.replace("_", "-")


def _problem(name: str, value: Any, hint: Any) -> str:
    """What is wrong with a value, a sentence, if anything is."""
    words = [str(item) for item in _leaves(value) if isinstance(item, str | Path)]
    if value == () or (isinstance(value, tuple) and () in value):
        return f"Argument `{name}` names nothing."
    if any(not word.strip() for word in words):
        return f"Argument `{name}` must not be empty."
    if odd := [word for word in words if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in word)]:
        return f"Argument `{name}` must be text without control characters, in UTF-8, but is {odd[0]!a}."
    if twice := [word for i, word in enumerate(words) if word in words[:i]]:
        return f"Argument `{name}` names {twice[0]} twice."
    for number in _leaves(value):
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        if isinstance(number, float) and not math.isfinite(number):
            return f"Argument `{name}` must be finite, but is {number}."
        for bound in _bounds(hint):
            if instead := bound.problem(number):
                return f"Argument `{name}` must be {instead}, but is {_word(number)}."
    return ""


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _bounds(hint: Any) -> Iterator[Between | Above]:
    for part in (*getattr(hint, "__metadata__", ()), *get_args(hint)):
        if isinstance(part, Between | Above):
            yield part
        elif part is not hint:
            yield from _bounds(part)


def _word(number: float | int) -> str:
    return str(number) if isinstance(number, int) else f"{number:.10g}"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return checked(value)
    for kind in _KINDS:
        if isinstance(value, kind) and isinstance(value, _Default):
            return kind(value)
    return value
