"""What lives in the tree beside the package: theory, experiments, figures. The installed wheel has none of it."""

from pathlib import Path

import linbyol
from linbyol.checks import InputError


def require_checkout(verb: str) -> Path:
    """The project's root, or one sentence where linbyol was installed without its tree."""
    root = Path(linbyol.__file__).parent.parent
    if not all((root / name / "__init__.py").exists() for name in ("theory", "experiments", "figures")):
        raise InputError(
            f"`linbyol {verb}` needs a checkout of the project, and this linbyol was installed without one."
        )
    return root
