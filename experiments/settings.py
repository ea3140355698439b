"""Settings read from TOML and from words NAME=VALUE into tables (`experiments.tables`), by cattrs.

None is written "none", in TOML too, which has no word for it. Each value is checked against its field's type.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from functools import reduce
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import cattrs

from experiments.tables import check_belongs, check_known, in_words, kinds, optional, path_of, variants
from linbyol.checks import InputError
from linbyol.store import FileError, read_bytes

Settings = TypeVar("Settings")


class Word(str):
    """A value as it was typed."""

    __slots__ = ()


def read(table: type[Settings], path: str | Path) -> Settings:
    """Settings from a TOML file; what it does not name has its default.

    Raises `FileError` for a file that is not TOML, and `InputError` for an unknown name or a value of a wrong type.
    """
    path = Path(path)
    try:
        found = tomllib.loads(read_bytes(path).decode())
    except FileError:
        raise
    except ValueError as error:
        raise FileError(f"File {path} is not TOML: {str(error).rstrip('.')}.") from None
    where, given = f" in {path}", dict(flattened((table,), found))
    check_known(table, given, where)
    settings = _structured(table, {}, given, where)
    if not found:
        raise FileError(f"File {path} names no setting.")
    return settings


def with_set(settings: Settings, words: Iterable[str]) -> Settings:
    """Settings changed by words like "eta=4e-4", "encoder.widths=64,128", "method=simclr".

    A word that chooses another table keeps what both have. Raises `InputError` for a word without =, a name that is
    unknown, comes twice or belongs to what is not chosen, or a value of a wrong type.
    """
    return with_values(settings, {name: Word(text) for name, text in pairs(type(settings), words).items()})


def pairs(table: type, words: Iterable[str]) -> dict[str, str]:
    """Paths and values of words NAME=VALUE, each path once."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise InputError(f"Setting {word!r} must have the form NAME=VALUE.")
        path = path_of(table, name.strip().replace("-", "_"))
        if path in found:
            raise InputError(f"Setting `{path}` is given twice, as {found[path]!r} and {text.strip()!r}.")
        found[path] = text.strip()
    return found


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Settings with some values changed, by name, which are checked as those of a file."""
    given = {path_of(type(settings), name): value for name, value in values.items()}
    return _structured(type(settings), asdict(settings), given, "")  # type: ignore[call-overload]


def flattened(choices: tuple[type, ...], found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of a file's tables."""
    for name, value in found.items():
        inner = tuple(one for table in choices for one in variants(kinds(table).get(name, str)))
        if inner and isinstance(value, dict):
            yield from flattened(inner, value, f"{path}{name}.")
        else:
            yield path + name, value


def _structured(table: type[Settings], base: dict[str, Any], given: Mapping[str, Any], where: str) -> Settings:
    """The tables with what is given by its path, and else what the base has, or the default."""
    nested: dict[str, Any] = {}
    for path, value in given.items():
        *inner, last = path.split(".")
        reduce(lambda at, name: at.setdefault(name, {}), inner, nested)[last] = value
    merged = _merged((table,), base, nested, where)
    try:
        settings = CONVERTER.structure(merged, table)
    except cattrs.BaseValidationError as error:
        missing, path, kind = min(_faults(error), key=lambda fault: fault[0])
        if missing:
            raise InputError(f"Setting `{path}` has no default, and is missing{where}.") from None
        value = given[path] if path in given else reduce(lambda at, name: at[name], path.split("."), merged)
        raise InputError(f"Setting `{path}`{where} must be {in_words(kind)}, but is {value!r}.") from None
    for path in given:
        check_belongs(settings, path, where)
    return settings


def _merged(
    choices: tuple[type, ...], base: dict[str, Any], given: dict[str, Any], where: str, path: str = ""
) -> dict[str, Any]:
    """Values of the table that is chosen: what is given, and what the base, perhaps of another choice, has too."""
    name = given.get("name", base.get("name"))
    table = next((one for one in choices if len(choices) == 1 or one.name == name), None)
    if table is None:
        names = ", ".join(one.name for one in choices)
        raise InputError(f"Setting `{path}name`{where} must be one of {names}, but is {name!r}.")
    values = base | given | ({"name": name} if len(choices) > 1 else {})
    merged = {}
    for field in fields(table):
        kind, name = kinds(table)[field.name], field.name
        if inner := variants(kind):
            of_it, default = given.get(name, {}), asdict(field.default)
            same = of_it.get("name", default.get("name")) == default.get("name")
            merged[name] = _merged(inner, base.get(name, default if same else {}), of_it, where, f"{path}{name}.")
        elif name in values:
            merged[name] = _prepared(kind, values[name])
    return merged


def _prepared(kind: Any, value: Any) -> Any:
    """A value in which "none" is None, and a word with commas a list."""
    if (rest := optional(kind)) is not None:
        return None if isinstance(value, str) and value.lower() == "none" else _prepared(rest, value)
    if isinstance(value, Word) and get_origin(kind) is tuple:
        inner = value.strip("()[] ").rstrip(",")
        return tuple(Word(part.strip()) for part in inner.split(",")) if inner else ()
    return value


def _plain(value: Any, kind: Any) -> Any:
    if isinstance(value, Word):
        value = {"true": True, "false": False}.get(value.lower()) if kind is bool else kind(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or value != value:
        raise TypeError
    if kind is str:
        value.encode()  # no half of a pair
    return value


def _each(values: Any, kind: Any) -> tuple:
    if not isinstance(values, list | tuple):
        raise TypeError
    return tuple(CONVERTER.structure(value, get_args(kind)[0]) for value in values)


def _one_of(value: Any, kind: Any) -> str:
    if value not in get_args(kind):
        raise ValueError
    return str(value)


CONVERTER = cattrs.Converter()
for plain in (int, float, str, bool):
    CONVERTER.register_structure_hook(plain, _plain)
CONVERTER.register_structure_hook_func(lambda kind: get_origin(kind) is tuple, _each)
CONVERTER.register_structure_hook_func(lambda kind: get_origin(kind) is Literal, _one_of)


def _faults(error: Any, begun: str = "") -> Iterator[tuple[bool, str, Any]]:
    """Of each setting that does not fit, whether it is missing, its path and its type."""
    for inner, note in error.group_exceptions()[0]:
        if isinstance(inner, cattrs.BaseValidationError):
            yield from _faults(inner, f"{begun}{note.name}.")
        else:
            yield isinstance(inner, KeyError), begun + note.name, note.type
