"""One file a figure: `data(fast, results)` computes or reads numbers, `draw(data)` gives a matplotlib figure."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from linbyol.checks import check_choice


def names() -> list[str]:
    """The figures there are: modules of this folder that have `data` and `draw`."""
    return [name for _, name, _ in pkgutil.iter_modules(__path__) if _is_figure(module(name))]


def module(name: str) -> ModuleType:
    """A figure's module, with its data, draw and CAPTION."""
    return importlib.import_module(f"{__name__}.{name}")


def make(name: str, *, fast: bool = False, out: str | Path, results: str | Path | None = None) -> list[Path]:
    """Compute and draw one figure, write out/NAME.pdf and out/NAME.png, and give their paths.

    fast     coarser grids and shorter times: the same picture, seconds sooner
    out      a folder that exists
    results  folder with the arrays of an earlier run (overlay.npz); by default those that came with the project

    Theory is computed in the precision that JAX has; the tolerances need float64 (jax_enable_x64). Raises `InputError`
    for an unknown name and `FileError` where a file cannot be read or written; nothing is half-written.
    """
    from figures.style import save

    check_choice("name", name, names())
    figure = module(name)
    numbers = figure.data(fast, None if results is None else Path(results))
    return save(figure.draw(numbers), Path(out) / name)


def _is_figure(module: ModuleType) -> bool:
    return hasattr(module, "data") and hasattr(module, "draw")
