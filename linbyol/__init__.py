"""linbyol: the learning dynamics of BYOL-like self-supervised learning, made executable.

`import linbyol` is light: the modules that `dir(linbyol)` lists are loaded when they are first named.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = [
    "alignment", "assumptions", "claims", "ensemble", "equations", "equilibria", "exact", "explain", "fit",
    "fixed_points", "images", "integrate", "losses", "phase", "plot", "predictors", "representation", "runs",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"linbyol.{name}")
    raise AttributeError(f"module 'linbyol' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
