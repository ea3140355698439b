"""Where data sets lie, and where what was decoded from them may be kept."""

import os
from pathlib import Path


def data_folder(folder: str | Path | None = None) -> Path:
    """The folder given, else $LINBYOL_DATA_DIR, else $XDG_DATA_HOME/linbyol, else ~/.local/share/linbyol."""
    return Path(folder or os.environ.get("LINBYOL_DATA_DIR") or _home("XDG_DATA_HOME", ".local/share"))


def cache_folder() -> Path:
    """$LINBYOL_CACHE_DIR, else $XDG_CACHE_HOME/linbyol, else ~/.cache/linbyol."""
    return Path(os.environ.get("LINBYOL_CACHE_DIR") or _home("XDG_CACHE_HOME", ".cache"))


def _home(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback) / "linbyol"
