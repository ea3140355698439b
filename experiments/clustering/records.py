"""What a study leaves: one npz of arrays and one JSON of how they were made for each training, whole or not at all."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.clustering.kept import Trained
from linbyol.claims import environment
from linbyol.store import read_arrays, read_json, write_arrays, write_json

SHIPPED = Path(__file__).parent.parent / "results" / "clustering"


class Record(NamedTuple):
    """A training as it was measured."""

    about: dict[str, Any]  # layers, targets, epochs, seeds, seconds, configuration, environment
    arrays: dict[str, np.ndarray]

    def axis(self, name: str, value: str) -> int:
        """The place of a layer or a target set."""
        return self.about[name].index(value)

    @property
    def minutes(self) -> float:
        """Of training and measuring together."""
        return sum(self.about["seconds"].values()) / 60


def place(folder: Path, data: str, size: str, training: str) -> Path:
    """The path of a record, without its suffix."""
    return folder / f"{data}-{size}" / training


def write(path: Path, training: Trained, found: dict[str, Any], seconds: float, about: dict[str, Any]) -> None:
    """The JSON comes last: where it is, the record is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("layers", "targets")
    arrays = {name: np.asarray(x) for name, x in found.items() if name not in names}
    arrays = {name: x.astype(np.float32) if x.dtype.kind == "f" else x for name, x in arrays.items()}
    write_arrays(path.with_suffix(".npz"), arrays)
    trained = read_json(training.path / "run.json")
    record = {
        **about,
        "training": training.name,
        "seeds": training.seeds,
        "lanes": [lane.scalars | {"seed": lane.seed} for lane in training.session.lanes],
        "epochs": training.epochs,
        **{name: found[name] for name in names if name in found},
        "features": "means over pixels, not normalised, running statistics, refreshed at epoch 0",
        "seconds": {"training": trained["seconds"], "measuring": round(seconds, 1)},
        "config": asdict(training.session.o),
        "environment": environment(),
    }
    write_json(path.with_suffix(".json"), record)


def read(path: Path) -> Record | None:
    """The record, or None if there is none."""
    if not path.with_suffix(".json").exists():
        return None
    return Record(read_json(path.with_suffix(".json")), read_arrays(path.with_suffix(".npz")))
