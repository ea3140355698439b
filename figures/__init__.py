"""One file a figure: `data(fast, results)` computes or reads numbers, `draw(data)` gives a matplotlib figure."""

import ast
import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

from linbyol import store
from linbyol.checks import check_choice


def names() -> list[str]:
    """The figures there are: files of this folder that define `data` and `draw`. Nothing is imported for it."""
    defined = {name: {getattr(node, "name", "") for node in nodes} for name, nodes in _sources().items()}
    return [name for name, known in defined.items() if {"data", "draw"} <= known]


def module(name: str) -> ModuleType:
    """A figure's module, with its data, draw, CAPTION and the CLAIMS that it shows."""
    return importlib.import_module(f"{__name__}.{name}")


def of_claim(id: str) -> list[str]:
    """The figures that show what a claim says: those that name it in their CLAIMS. Nothing is imported for it."""
    return [name for name, claims in _claims().items() if id in claims]


def make(name: str, *, fast: bool = False, out: str | Path, results: str | Path | None = None) -> list[Path]:
    """Compute and draw one figure, write out/NAME.pdf, .png and .csv (the numbers drawn), and give their paths.

    fast     coarser grids and shorter times: the same picture, seconds sooner
    out      a folder that exists
    results  folder with the arrays of an earlier run (overlay.npz); by default those that came with the project

    Theory is computed in the precision that JAX has; the tolerances need float64 (jax_enable_x64). Raises `InputError`
    for an unknown name and `FileError` where a file cannot be read or written; nothing is half-written.
    """
    from figures.drawn import table
    from figures.style import save

    check_choice("name", name, names())
    figure = module(name)
    numbers = figure.data(fast, None if results is None else Path(results))
    drawn = figure.draw(numbers)
    written = save(drawn, Path(out) / name)
    store.write_text(path := Path(out) / f"{name}.csv", table(drawn))
    return [*written, path]


def _claims() -> dict[str, tuple[str, ...]]:
    return {
        name: ast.literal_eval(node.value)
        for name, nodes in _sources().items()
        for node in nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CLAIMS"
    }


@cache
def _sources() -> dict[str, list[ast.stmt]]:
    """The statements of each file of this folder."""
    return {path.stem: ast.parse(path.read_text()).body for path in sorted(Path(__file__).parent.glob("*.py"))}
