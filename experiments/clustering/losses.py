"""The terms of the loss along a training, as its table has them."""

import csv
from typing import Any

import numpy as np

from experiments.clustering.kept import Trained
from linbyol.runs import files
from linbyol.store import FileError, read_bytes

APART = ("step", "epoch", "seed", "lr")


def losses(training: Trained) -> dict[str, Any]:
    """epoch (t,), and loss and each of its terms (S, t), weighted, means over the steps since the row before.

    Lanes are in the order of the run. Raises `FileError` where the table is not whole.
    """
    path = training.path / files.METRICS
    rows = list(csv.DictReader(read_bytes(path).decode().splitlines()))
    rows = [row for row in rows if row["loss"]]
    lanes = len(training.seeds)
    names = [name for name in rows[0] if all(row[name] for row in rows) and name not in APART]
    names = [name for name in names if not name.startswith("sweep_")]
    if len(rows) % lanes:
        raise FileError(f"File {path} must hold a row for each lane and step, but holds {len(rows)} of {lanes} lanes.")
    table = {name: np.array([float(row[name]) for row in rows]).reshape(-1, lanes).T for name in names}
    return {"epoch": np.array([float(row["epoch"]) for row in rows[::lanes]]), **table}
