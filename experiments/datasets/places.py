"""Where data sets lie."""

import os
from pathlib import Path


def data_folder(folder: str | Path | None = None) -> Path:
    """The folder given, else $LINBYOL_DATA_DIR, else $XDG_DATA_HOME/linbyol, else ~/.local/share/linbyol."""
    usual = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "linbyol"
    return Path(folder or os.environ.get("LINBYOL_DATA_DIR") or usual)
