"""What was held constant in a study, from the JSON beside its arrays."""

import json
from pathlib import Path
from typing import Any

from linbyol.store import FileError, reading


def read(path: Path) -> dict[str, Any]:
    """A JSON file whole; raises `FileError`."""
    try:
        with reading(path):
            return json.loads(path.read_text())
    except ValueError as error:
        raise FileError(f"File {path} is no JSON: {error}.") from None


def config(arrays: Path) -> dict[str, Any]:
    """The settings of the study that left these arrays; none where it left no JSON."""
    path = arrays.with_suffix(".json")
    return read(path)["config"] if path.exists() else {}
