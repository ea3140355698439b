"""theory, experiments and figures: they stand beside the package in a checkout, and travel inside it in a wheel."""

import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import linbyol
from linbyol.checks import InputError

TREES = ("theory", "experiments", "figures")


def provide() -> Path:
    """Make theory, experiments and figures importable, and return the folder that holds them: a checkout's goes first.

    Raises `InputError` where they are missing, of another version, or hidden by packages of the same names.
    """
    folder = _checkout() or _carried()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    for name in TREES:
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).parent if spec and spec.origin else None
        if found is None or found.resolve() != (folder / name).resolve():
            where = f", in {found.parent}," if found else ""
            raise InputError(f"Another package called `{name}`{where} hides linbyol's; import it in another process.")
    return folder


def _checkout() -> Path | None:
    """The project's root, where linbyol is imported from a checkout of it."""
    root = Path(linbyol.__file__).parent.parent
    return root if (root / "pyproject.toml").is_file() and _complete(root) else None


def _carried() -> Path:
    """The folder inside the installed package."""
    folder = Path(linbyol.__file__).parent / "_tree"
    again = "install linbyol again"
    if not _complete(folder):
        missing = ", ".join(name for name in TREES if not (folder / name / "__init__.py").is_file())
        raise InputError(f"This installation of linbyol lacks {missing}; {again}, or use a checkout of the project.")
    try:
        installed = version("linbyol")
    except PackageNotFoundError:  # unpacked by hand
        return folder
    if installed != linbyol.__version__:
        raise InputError(f"linbyol is {linbyol.__version__}, but was installed as {installed}; {again}.")
    return folder


def _complete(folder: Path) -> bool:
    return all((folder / name / "__init__.py").is_file() for name in TREES)
