"""Docstrings, plain text as they are written here, made into what Sphinx reads: backticks become code, tables stay."""

import re
from typing import Any

TABLE = re.compile(r"\s*\S.*\S {2,}\S")  # a name, a gap, a meaning


def plain(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Change the lines of one docstring in place."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    lines[:] = [line for block in blocks if block for line in [*_shown(block), ""]]


def _shown(block: list[str]) -> list[str]:
    if any(TABLE.fullmatch(line) for line in block) or any(line.startswith(("    ", "\t")) for line in block):
        return ["::", "", *(f"    {line}" for line in block)]
    return [_escaped(line) for line in block]


def _escaped(line: str) -> str:
    """What is in backticks is code; every other sign of markup is itself."""
    parts = re.split(r"`([^`]+)`", line.lstrip())
    plain = [re.sub(r"([\\*_|`])", r"\\\1", part) for part in parts[::2]]
    code = [f"``{part}``" for part in parts[1::2]]
    joined = plain[0]
    for word, text in zip(code, plain[1:], strict=True):
        joined += ("\\ " if joined[-1:].isalnum() else "") + word + ("\\ " if text[:1].isalnum() else "") + text
    return joined


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True}
