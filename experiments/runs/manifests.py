"""Manifests: plain values as JSON in one fixed form that carries its own SHA-256, so that no byte can change unseen."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from linbyol.store import reading

ABSENT = object()
SHOWN = 6  # differences that a sentence lists


class DamageError(Exception):
    """A file that is not what was written; the message is one sentence with its name."""


def digest(content: bytes | memoryview) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def to_bytes(values: Mapping[str, Any]) -> bytes:
    """The JSON of plain values, with the digest of all of it but the digest itself."""
    inner = _json(values)
    return (_json({**values, "sha256": digest(inner.encode())}) + "\n").encode()


def read(path: Path) -> dict[str, Any]:
    """The values of a manifest. Raises `DamageError` unless each byte is the one that `to_bytes` gives for them."""
    content = read_bytes(path)
    try:
        values = json.loads(content)
        del values["sha256"]
        whole = to_bytes(values) == content
    except Exception:  # noqa: BLE001 - arbitrary bytes break in many ways
        raise DamageError(f"File {path} is no manifest.") from None
    if not whole:
        raise DamageError(f"File {path} is not what was written: its SHA-256 differs.")
    return values


def read_bytes(path: Path, sha256: str | None = None) -> bytes:
    """A file's content, of this SHA-256 if one is given. Raises `DamageError`."""
    with reading(path, error=DamageError):
        content = path.read_bytes()
    if sha256 is not None and digest(content) != sha256:
        raise DamageError(f"File {path} is not what was written: its SHA-256 differs.")
    return content


def differences(there: Any, here: Any, show: Callable[[Any], str] = repr, name: str = "") -> list[str]:
    """One clause for each plain value that differs, by its dotted name."""
    if isinstance(there, dict) and isinstance(here, dict):
        dot = f"{name}." if name else ""
        pairs = [
            (there.get(key, ABSENT), here.get(key, ABSENT), f"{dot}{key}") for key in dict.fromkeys([*there, *here])
        ]
        return [clause for a, b, key in pairs for clause in differences(a, b, show, key)]
    if there == here and isinstance(there, bool) == isinstance(here, bool):
        return []
    a, b = ("absent" if value is ABSENT else show(value) for value in (there, here))
    return [f"`{name}` is {a} there and {b} here"]


def listed(clauses: list[str]) -> str:
    """The clauses in one sentence's part, the first few of them."""
    rest = len(clauses) - SHOWN
    return "; ".join(clauses[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
