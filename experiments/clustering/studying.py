"""All trainings of a size, and of each one record; what is there already is not made again."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from experiments.clustering import records
from experiments.clustering.information import information
from experiments.clustering.kept import Trained, data_of, trained
from experiments.clustering.losses import losses
from experiments.clustering.maps import maps
from experiments.clustering.measuring import measure
from experiments.clustering.modes import modes
from experiments.clustering.partitions import partitions
from experiments.clustering.sizes import Size, size_of
from experiments.clustering.target_sets import TargetSet, labelled, noisy, semantic
from experiments.datasets import Dataset

LEADING = "vicreg"  # is measured on random targets, partitions and information as well
LABELLER = "supervised"
FURTHER: dict[str, Callable[[Trained], dict[str, Any]]] = {"maps": maps, "information": information}  # its records


def study(
    data: str, name: str, out: Path, runs: Path, *, only: Sequence[str] = (), show: Callable[[str], None] = print
) -> None:
    """Records in `out`, runs in `runs`. Raises `InputError` and `FileError`."""
    size = size_of(data, name)
    dataset = data_of(size, data)
    folder = runs / f"{data}-{name}"
    about = {
        "data": data,
        "size": name,
        "images": [len(dataset.train.images), min(size.test, len(dataset.test.images))],
    }
    about |= {"pixels": dataset.train.images.shape[1], "samples": [size.samples, size.views, size.fresh]}
    for training in size.trainings:
        path = records.place(out, data, name, training)
        if (only and training not in only) or records.read(path) is not None:
            continue
        show(f"{data} {name}: {training}")
        done = trained(size, training, dataset, folder)
        began = time.perf_counter()
        found = measured(size, dataset, done, folder, show)
        records.write(path, done, found, time.perf_counter() - began, about)
    for further, rule in FURTHER.items():
        path = records.place(out, data, name, further)
        if not size.further or (only and further not in only) or records.read(path) is not None:
            continue
        show(f"{data} {name}: {further} of {LEADING}")
        done = trained(size, LEADING, dataset, folder)
        began = time.perf_counter()
        records.write(path, done, rule(done), time.perf_counter() - began, about)


def measured(
    size: Size, dataset: Dataset, training: Trained, folder: Path, show: Callable[[str], None]
) -> dict[str, Any]:
    """All arrays of a training, the parts' names before a dot."""
    supervised = training.session.o.method.name == "supervised"
    targets: list[list[TargetSet]] = [semantic(dataset, size.test) for _ in training.seeds]
    if training.name == LEADING:
        labels: list[list[TargetSet]] = [[] for _ in training.seeds]
        if LABELLER in size.trainings:
            labels = labelled(trained(size, LABELLER, dataset, folder), size)
        for lane, seed in enumerate(training.seeds):
            targets[lane] += [*noisy(dataset, size, seed), *labels[lane]]
    found = measure(size, training, targets, samples=not supervised, show=show)
    found |= {f"loss.{name}": x for name, x in losses(training).items()}
    if not supervised:
        found |= {f"modes.{name}": x for name, x in modes(training).items()}
    if training.name == LEADING:
        found |= {f"partitions.{name}": x for name, x in partitions(size, training).items()}
    return found
