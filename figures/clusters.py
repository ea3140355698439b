"""Records of the studies of clusters, as figures read them: one training of one data set."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linbyol.store import read_arrays, read_json

SHIPPED = Path(__file__).parent.parent / "experiments" / "results"
LABELS = {"samples": "samples", "classes": "classes", "superclasses": "superclasses"}
COLOURS = {"samples": "#0072B2", "classes": "#D55E00", "superclasses": "#332288"}


class Record(NamedTuple):
    """What was measured, and how."""

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def curve(self, quantity: str, target: str, layer: int = -1) -> np.ndarray:
        """(S, E) of one block, by default the last, or of "projector" at layer = blocks."""
        blocks = len(self.blocks)
        return self.arrays[quantity][:, :, layer % blocks, self.about["targets"].index(target)]

    def depth(self, quantity: str, target: str) -> np.ndarray:
        """(S, E, blocks)"""
        return self.arrays[quantity][:, :, : len(self.blocks), self.about["targets"].index(target)]

    @property
    def blocks(self) -> list[str]:
        """Names of the blocks."""
        return [name for name in self.about["layers"] if name != "projector"]

    @property
    def targets(self) -> list[str]:
        """The semantic levels that there are."""
        return [name for name in LABELS if name in self.about["targets"]]

    @property
    def images(self) -> str:
        """What it was trained on."""
        about = self.about
        return f"{about['data']}, {about['images'][0]} images of {about['pixels']} × {about['pixels']}"

    @property
    def constants(self) -> str:
        """What was held constant."""
        about, config = self.about, self.about["config"]
        how = f"{config['method']['name']}, {config['run']['epochs']} epochs, batch {config['run']['batch']}"
        return (
            f"{self.images}; {how}; seeds {min(about['seeds'])} to {max(about['seeds'])}: mean and standard deviation."
        )


def read(results: Path | None, data: str, training: str, study: str = "clustering") -> Record:
    """A record of the folder `results`, if it has records of the study, else as it came with the project."""
    folder = SHIPPED if results is None or not (results / study).exists() else results
    path = folder / study / f"{data}-cpu" / training
    return Record(read_json(path.with_suffix(".json")), read_arrays(path.with_suffix(".npz")))


def constants(records: Iterable[Record]) -> str:
    """What was held constant in each of several data sets."""
    parts = [f"{record.images}, {record.about['config']['run']['epochs']} epochs" for record in records]
    return "; ".join(parts) + "; mean and standard deviation of seeds."


def band(ax: Any, x: Any, values: np.ndarray, **look: Any) -> None:
    """Mean and standard deviation over the first axis."""
    mean, width = values.mean(axis=0), values.std(axis=0, ddof=1)
    ax.plot(x, mean, linewidth=1.3, **look)
    ax.fill_between(x, mean - width, mean + width, color=look["color"], alpha=0.18, linewidth=0)
