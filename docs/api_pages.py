"""The pages of the API, written from what the modules hand out: each name once, where it is defined."""

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from plain_docstrings import plain

INTRODUCTION = """# The API

What `import linbyol` offers, module by module; each loads when it is first named. Shapes, units, errors and sources
stand in each entry.
"""
EXACT = """# Exact solutions

Closed forms are what integrators, engine and trainer are tested against, and `linbyol` uses them wherever they exist.
"""


def write(folder: Path) -> None:
    """api.md and exact.md in a folder."""
    import linbyol

    names = [name for name in [*linbyol.__all__, "training"] if name != "exact"]
    sections = [f"## linbyol.{name}\n\n{_entries(importlib.import_module(f'linbyol.{name}'))}" for name in names]
    (folder / "api.md").write_text("\n".join([INTRODUCTION, *sections]), encoding="utf-8")
    exact = importlib.import_module("linbyol.exact")
    (folder / "exact.md").write_text(f"{EXACT}\n{_entries(exact)}", encoding="utf-8")


def _entries(module: ModuleType) -> str:
    known = [name for name in vars(module) if not name.startswith("_")]
    found = [name for name in known if _is_its_own(getattr(module, name), module.__name__)]
    kinds = {name: "autoclass" if inspect.isclass(getattr(module, name)) else "autofunction" for name in found}
    listed = "\n".join(f".. {kind}:: {module.__name__}.{name}" for name, kind in kinds.items())
    said = (module.__doc__ or "").strip().splitlines()
    plain(None, "module", module.__name__, module, None, said)
    return "\n".join(["```{eval-rst}", *said, "", listed, "```", ""])


def _is_its_own(value: Any, name: str) -> bool:
    place = getattr(value, "__module__", None) or ""
    return (inspect.isfunction(value) or inspect.isclass(value)) and f"{place}.".startswith(f"{name}.")
