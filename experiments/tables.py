"""Tables of settings: frozen dataclasses of plain values and of further tables; their names, and how they are written.

A field is an int, float, str, bool, a `Literal` of words, a tuple[X, ...] of one, one of them or None, a table, or one
of several tables that differ in their field `name`. A setting's path says where it stands, `method.temperature`. Its
end is enough where no other path ends so, and a table's own word stands for its name: `method` for `method.name`.
"""

import difflib
import hashlib
import json
import types
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from linbyol.checks import InputError

NAMES = {int: "a whole number", float: "a number", str: "a text in UTF-8", bool: "true or false"}


@cache
def kinds(table: type) -> dict[str, Any]:
    """The type of each field."""
    hints = get_type_hints(table)
    return {field.name: hints[field.name] for field in fields(table)}


def variants(kind: Any) -> tuple[type, ...]:
    """The tables that a field of this type may hold; none if it holds a plain value."""
    return tuple(part for part in (get_args(kind) or (kind,)) if is_dataclass(part))


@cache
def paths(table: type) -> tuple[str, ...]:
    """Of all settings that the table may have, whichever of its tables are chosen."""
    found: dict[str, None] = {}
    for name, kind in kinds(table).items():
        inner = [f"{name}.{path}" for variant in variants(kind) for path in paths(variant)]
        found |= dict.fromkeys(inner if variants(kind) else [name])
    return tuple(found)


def leaves(table: Any, path: str = "") -> Iterator[tuple[str, Field, Any]]:
    """Path, field and value of each setting."""
    for field in fields(table):
        value = getattr(table, field.name)
        if is_dataclass(value):
            yield from leaves(value, f"{path}{field.name}.")
        else:
            yield path + field.name, field, value


def path_of(table: type, name: str) -> str:
    """The path that a name stands for. Raises `InputError` unless it is one."""
    found, now = _meant(table, name), getattr(table, "RENAMED", {}).get(name)
    if len(found) == 1:
        return found[0]
    if now:
        raise InputError(f"Setting `{name}` is `{now}` now.")
    if found := found or [path for path in paths(table) if path.startswith(f"{name}.")]:
        raise InputError(f"Setting `{name}` may be {either([f'`{path}`' for path in found])}; write which.")
    raise InputError(f"Unknown setting `{name}`{_nearest_path(table, name)}")


def check_known(table: type, names: Iterable[str], where: str) -> None:
    """Refuse what is no path, with the nearest, or with the paths of those that stand as before there were tables."""
    unknown = [name for name in names if name not in paths(table)]
    renamed = {name: [path] for name, path in getattr(table, "RENAMED", {}).items()}
    now = [(name, renamed.get(name) or _meant(table, name)) for name in unknown if "." not in name]
    if words := ", ".join(f"`{name}` as `{found[0]}`" for name, found in now if found):
        raise InputError(f"Settings stand in tables now{where}: write {words}.")
    for name in unknown:
        raise InputError(f"Unknown setting `{name}`{where}{_nearest_path(table, name)}")


def _meant(table: type, name: str) -> list[str]:
    """The paths that end so, or the one that is it."""
    known = paths(table)
    whole = [path for path in (name, f"{name}.name") if path in known]
    return whole[:1] or [path for path in known if f".{path}".endswith((f".{name}", f".{name}.name"))]


def _nearest_path(table: type, name: str) -> str:
    """The end of a sentence about an unknown setting, which may be like a path or like the end of one."""
    like = {path.removesuffix(".name").rpartition(".")[2]: path for path in reversed(paths(table))}
    like |= {path: path for path in paths(table)}
    found = difflib.get_close_matches(name, like, 1, 0.5)
    return nearest(like[found[0]] if found else name, paths(table))


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean `eta`?", or the names there are."""
    known = list(known)
    found = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean `{found[0]}`?" if found else f"; known are {', '.join(f'`{word}`' for word in known)}."


def check_belongs(settings: Any, path: str, where: str = "") -> None:
    """Refuse a setting that these tables lack, with those that have it."""
    table, choices, last = settings, (type(settings),), ""
    for part in path.split("."):
        if part not in kinds(type(table)):
            owners = either(choice.name for choice in choices if part in kinds(choice))
            raise InputError(f"Setting `{path}`{where} belongs to {last} {owners}, not to {table.name}.")
        table, choices, last = getattr(table, part), variants(kinds(type(table))[part]), part


def either(words: Iterable[str]) -> str:
    """Words as "a, b or c"."""
    *most, last = words
    return " or ".join(filter(None, [", ".join(most), last]))


def to_toml(settings: Any) -> str:
    """All settings as TOML, the plain ones of a table first, in the order of the fields."""
    return "\n".join(_sections(settings, "")).lstrip() + "\n"


def digest(settings: Any) -> str:
    """Eight hexadecimal digits that say which settings these are."""
    return hashlib.sha256(to_toml(settings).encode()).hexdigest()[:8]


def _sections(table: Any, path: str) -> Iterator[str]:
    inner = {name for name in kinds(type(table)) if is_dataclass(getattr(table, name))}
    if path:
        yield f"\n[{path}]"
    dot = f"{path}." if path else ""
    for name, kind in kinds(type(table)).items():
        if name not in inner:
            yield f"{name} = {_written(kind, getattr(table, name), dot + name)}"
    for name in kinds(type(table)):
        if name in inner:
            yield from _sections(getattr(table, name), dot + name)


def _written(kind: Any, value: Any, path: str) -> str:
    kind = optional(kind) or kind
    if isinstance(value, tuple) and get_origin(kind) is tuple:
        return f"[{', '.join(_written(get_args(kind)[0], one, path) for one in value)}]"
    if value is None or isinstance(value, str):  # JSON's escapes are TOML's, but for DEL
        if value is None or kind is str or value in get_args(kind):
            return json.dumps("none" if value is None else value, ensure_ascii=False).replace("\x7f", "\\u007F")
    elif kind is float and type(value) is int:
        return repr(float(value))
    elif type(value) is kind:
        return str(value).lower() if kind is bool else repr(value)
    raise InputError(f"Setting `{path}` must be {in_words(kind)}, but is {value!r}.")


def optional(kind: Any) -> Any:
    """X of `X | None`, None for other types."""
    rest = [part for part in get_args(kind) if part is not types.NoneType]
    return rest[0] if get_origin(kind) in (Union, types.UnionType) and len(rest) == 1 else None


def in_words(kind: Any) -> str:
    """What a value must be."""
    if (rest := optional(kind)) is not None:
        return f"{in_words(rest)} or none"
    if variants(kind):
        return "a table"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a list, each {in_words(get_args(kind)[0])}"
    return NAMES[kind]
