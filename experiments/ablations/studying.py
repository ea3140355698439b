"""All trainings of a size, and of each one record; what is there already is not made again."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.ablations.measuring import measured
from experiments.ablations.sizes import size_of
from experiments.clustering import records
from experiments.clustering.kept import data_of, trained
from linbyol.checks import check_choice

SHIPPED = Path(__file__).parent.parent / "results" / "ablations"


def study(
    data: str, name: str, out: Path, runs: Path, *, only: Sequence[str] = (), show: Callable[[str], None] = print
) -> None:
    """Records in `out`, runs in `runs`. Raises `InputError` and `FileError`."""
    size = size_of(data, name)
    for training in only:
        check_choice("only", training, tuple(size.trainings))
    dataset = data_of(size, data)
    about = {"data": data, "size": name, "images": [len(dataset.train.images), len(dataset.test.images)]}
    for training in only or size.trainings:
        path = records.place(out, data, name, training)
        if records.read(path) is not None:
            continue
        show(f"{data} {name}: {training}")
        done = trained(size, training, dataset, runs / f"{data}-{name}")
        began = time.perf_counter()
        records.write(path, done, measured(done), time.perf_counter() - began, about)
