"""Settings of a run: frozen dataclasses of plain values, read from TOML and from words `name=value`, and written back.

A field is an int, float, str, bool, a `Literal`, a tuple of such, or one of them or None. None is written "none", in
TOML too, which has no word for it. Each value is checked against its field's type before anything is computed.
"""

import difflib
import hashlib
import json
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from linbyol.checks import InputError
from linbyol.store import FileError, read_bytes

Settings = TypeVar("Settings")


def read(cls: type[Settings], path: str | Path) -> Settings:
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
    values = _checked(cls, found, _fit, f" in {path}")
    for field in fields(cls):  # type: ignore[arg-type]
        if _required(field) and field.name not in values:
            raise InputError(f"Setting `{field.name}` has no default, and is missing in {path}.")
    if not values:
        raise FileError(f"File {path} names no setting.")
    return cls(**values)


def with_set(settings: Settings, words: Iterable[str]) -> Settings:
    """Settings changed by words like "eta=4e-4", "widths=64,128", "target=none".

    Raises `InputError` for a word without =, a name that is unknown or comes twice, or a value of a wrong type.
    """
    return with_values(settings, dict(pairs(words)), parse=_parse)


def pairs(words: Iterable[str]) -> list[tuple[str, str]]:
    """Names and values of words NAME=VALUE, each name once."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise InputError(f"Setting {word!r} must have the form NAME=VALUE.")
        if name in found:
            raise InputError(f"Setting `{name}` is given twice, as {found[name]!r} and {text.strip()!r}.")
        found[name] = text.strip()
    return list(found.items())


def with_values(settings: Settings, values: Mapping[str, Any], *, parse: Callable | None = None) -> Settings:
    """Settings with some values changed, which are checked as those of a file."""
    return replace(settings, **_checked(type(settings), values, parse or _fit, ""))  # type: ignore[type-var]


def to_toml(settings: Any) -> str:
    """All settings as TOML, one a line, in the order of the fields; `read` gives back an equal value."""
    values = _checked(type(settings), {f.name: getattr(settings, f.name) for f in fields(settings)}, _fit, "")
    return "".join(f"{name} = {_written(value)}\n" for name, value in values.items())


def digest(settings: Any) -> str:
    """Eight hexadecimal digits that say which settings these are."""
    return hashlib.sha256(to_toml(settings).encode()).hexdigest()[:8]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean `eta`?", or the names there are."""
    known = list(known)
    found = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean `{found[0]}`?" if found else f"; known are {', '.join(f'`{word}`' for word in known)}."


class _WrongError(Exception):
    """A value that does not fit; the message says what it must be."""


def _checked(cls: Any, values: Mapping[str, Any], fit: Callable[[Any, Any], Any], where: str) -> dict[str, Any]:
    """The values as their fields want them."""
    hints = get_type_hints(cls)
    known = {field.name: hints[field.name] for field in fields(cls)}
    found = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f"Unknown setting `{name}`{where}{nearest(name, known)}")
        try:
            found[name] = fit(known[name], value)
        except _WrongError as wrong:
            raise InputError(f"Setting `{name}`{where} must be {wrong}, but is {value!r}.") from None
    return found


def _fit(kind: Any, value: Any) -> Any:
    """A TOML value, or the value of a field, as its field's type wants it."""
    if (rest := _optional(kind)) is not None:
        if value is None or value == "none":
            return None
        return _or_none(_fit, rest, value)
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _WrongError(_name(kind))
        return _each(_fit, kind, value)
    if get_origin(kind) is Literal:
        same = [word for word in get_args(kind) if word == value and type(word) is type(value)]
        if not same:
            raise _WrongError(_name(kind))
        return same[0]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind or value != value:
        raise _WrongError(_name(kind))
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _WrongError(f"{_name(kind)} in UTF-8")
    return value


def _parse(kind: Any, text: str) -> Any:
    """A word of the command line as its field's type wants it."""
    if (rest := _optional(kind)) is not None:
        return None if text.lower() == "none" else _or_none(_parse, rest, text)
    if get_origin(kind) is tuple:
        inner = text.strip("()[] ").rstrip(",")
        return _each(_parse, kind, [part.strip() for part in inner.split(",")] if inner else [])
    if get_origin(kind) is Literal:
        same = [word for word in get_args(kind) if str(word) == text]
        if not same:
            raise _WrongError(_name(kind))
        return same[0]
    try:
        return _fit(kind, READERS[kind](text))
    except (ValueError, KeyError):
        raise _WrongError(_name(kind)) from None


READERS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    str: str,
    bool: lambda text: {"true": True, "false": False}[text.lower()],
}
NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _name(kind: Any) -> str:
    """What a value must be, in words."""
    if (rest := _optional(kind)) is not None:
        return f"{_name(rest)} or none"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return f"a list, each {_name(inner[0])}"
        return f"a list of {len(inner)}: {', '.join(map(_name, inner))}"
    return NAMES[kind]


def _each(fit: Callable[[Any, Any], Any], kind: Any, values: Any) -> tuple:
    """Each value of a tuple, by its own type."""
    inner = get_args(kind)
    inner = (inner[0],) * len(values) if inner[-1] is Ellipsis else inner
    try:
        return tuple(fit(part, value) for part, value in zip(inner, values, strict=True))
    except (ValueError, _WrongError):
        raise _WrongError(_name(kind)) from None


def _or_none(fit: Callable[[Any, Any], Any], kind: Any, value: Any) -> Any:
    try:
        return fit(kind, value)
    except _WrongError as wrong:
        raise _WrongError(f"{wrong} or none") from None


def _optional(kind: Any) -> Any:
    """X of `X | None`, None for other types."""
    if get_origin(kind) not in (Union, types.UnionType):
        return None
    rest = [part for part in get_args(kind) if part is not types.NoneType]
    if len(rest) != 1 or len(get_args(kind)) != 2:
        raise TypeError(f"A setting's type must be plain, or plain or None, but is {kind}.")
    return rest[0]


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if value is None or isinstance(value, str):  # JSON's escapes are TOML's, but for DEL
        return json.dumps("none" if value is None else value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)
