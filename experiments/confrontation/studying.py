"""All trainings of a size, and of each one record with its verdict; what is there already is not made again."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.clustering import records
from experiments.clustering.kept import data_of, trained
from experiments.clustering.sizes import Size
from experiments.confrontation.measuring import measured
from experiments.confrontation.sizes import size_of
from experiments.studies.confrontation.verdicts import summary, verdict
from linbyol.checks import check_choice

SHIPPED = Path(__file__).parent.parent / "results" / "confrontation"


def study(
    data: str, name: str, out: Path, runs: Path, *, only: Sequence[str] = (), show: Callable[[str], None] = print
) -> None:
    """Records in `out`, runs in `runs`. Raises `InputError` and `FileError`."""
    found = size_of(data, name)
    for training in only:
        check_choice("only", training, tuple(found))
    options = {training: c.options for training, c in found.items()}
    size = Size(trainings=options, epochs=(), first=next(iter(options.values())).data.first)
    dataset = data_of(size, data)
    about = {"data": data, "size": name, "images": [len(dataset.train.images), len(dataset.test.images)]}
    for training in only or found:
        path = records.place(out, data, name, training)
        if records.read(path) is None:
            show(f"{data} {name}: {training}")
            done, c = trained(size, training, dataset, runs / f"{data}-{name}"), found[training]
            began = time.perf_counter()
            arrays = measured(done, c)
            more = about | {"first": c.first, "views": c.views, "steps": done.session.plan.steps}
            records.write(path, done, arrays, time.perf_counter() - began, more)
        record = records.read(path)
        assert record is not None
        for line in summary(training, verdict(record)):
            show(line)
