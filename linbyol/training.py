"""The trainer from Python: train a network, or take up a run, and ask it for its table, spectra and features.

    from linbyol.training import train
    run = train("digits-byol", epochs=20, seeds=(0,))
    run.metrics["loss"], run.spectra[-1].arrays["F"], run.features(images, block=1)

What is trained, and how, stands in the trees that travel with the package (`linbyol.trees`); this is their door.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from linbyol import trees

__all__ = ["load_run", "train"]


def train(
    settings: str | Path | Mapping[str, Any],
    data: Mapping[str, Any] | tuple | str | Path | None = None,
    *,
    out: str | Path = "runs",
    tell: Callable[[dict[str, Any]], None] | None = None,
    **changes: Any,
) -> Any:
    """Train in out/NAME-DIGEST, as `linbyol train` does, and give the run; the same call goes on where it was stopped.

    settings  a preset's name, a TOML file, or a mapping of settings: {"method": {"name": "simclr"}, "run.epochs": 5}
    data      images of your own, (images, labels) or (train_images, train_labels, test_images, test_labels), arrays
              (N, h, w) or (N, h, w, c) of bytes or of floats from 0 to 1, with labels that are numbers from 0 or names;
              they are kept in `out`. Or the folder that holds the data sets. None: the data that the settings name.
    tell      called with each row of metrics.csv, a dictionary, as it is written
    changes   settings by name: epochs=20, lr=0.1, seeds=(0, 1); where a name is not unique, in the mapping

    The result has .metrics (columns), .spectra, .results, .network, .features(images, block=None), .path, and
    .lane(seed) where several were trained. Raises `InputError` and `FileError` in a sentence each.
    """
    trees.provide()
    from experiments.trainer import trained

    return trained.train(settings, data, out=out, tell=tell, **changes)


def load_run(path: str | Path, *, data: str | Path | None = None) -> Any:
    """The run in a folder that `linbyol train` or `train` made, as `train` gives it; nothing is trained.

    data  folder with the data sets, if not where they are looked for
    """
    trees.provide()
    from experiments.trainer import trained

    trained.options_of(path)
    return trained.Trained(Path(path), data=None if data is None else Path(data))
