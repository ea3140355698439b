"""What was held constant in a study, from the JSON beside its arrays."""

from pathlib import Path
from typing import Any

from linbyol.store import read_json


def config(arrays: Path) -> dict[str, Any]:
    """The settings of the study that left these arrays; none where it left no JSON."""
    path = arrays.with_suffix(".json")
    return read_json(path)["config"] if path.exists() else {}
