"""The forms in which a data set may lie in a data folder, tried in order, and where it was found."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from experiments.datasets import cifar, digits, idx, stl10
from experiments.datasets.places import data_folder
from experiments.datasets.splits import Dataset
from linbyol.store import FileError

Shapes = dict[str, tuple[int, ...]]


class Layout(NamedTuple):
    """One form of one data set."""

    what: str
    pattern: str  # what is there if the set is there in this form
    read: Callable[[Path, int | None], Dataset]
    shapes: Callable[[Path], Shapes]  # without decoding


def _whole(train: int, test: int, *shape: int) -> Callable[[Path], Shapes]:
    return lambda folder: {"train": (train, *shape), "test": (test, *shape)}


_cifar = _whole(50000, 10000, 32, 32, 3)


def _cifar_layouts(python: cifar.Files, binary: cifar.Files, dashed: str) -> tuple[Layout, ...]:
    archives = ((python, f"{dashed}-python.tar.gz"), (binary, f"{dashed}-binary.tar.gz"))
    return (
        Layout("folder", f"{python.folder}/{python.test}", partial(cifar.read_folder, python), _cifar),
        Layout("binary folder", f"{binary.folder}/{binary.test}", partial(cifar.read_folder, binary), _cifar),
        *(Layout("archive", name, partial(cifar.read_archive, files, name), _cifar) for files, name in archives),
    )


def _stl10_shapes(folder: Path) -> Shapes:
    labelled = _whole(5000, 8000, 96, 96, 3)(folder)
    unlabelled = folder / stl10.FOLDER / "unlabeled_X.bin"
    return labelled | ({"unlabelled": (100000, 96, 96, 3)} if unlabelled.exists() else {})


LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "digits": (Layout("scikit-learn", "", digits.read_digits, _whole(1437, 360, 8, 8, 1)),),
    "fashion-mnist": (
        Layout("folder", f"{idx.FOLDER}/*-ubyte*", idx.read_fashion_mnist, _whole(60000, 10000, 28, 28, 1)),
    ),
    "cifar10": _cifar_layouts(cifar.CIFAR10, cifar.CIFAR10_BINARY, "cifar-10"),
    "cifar100": _cifar_layouts(cifar.CIFAR100, cifar.CIFAR100_BINARY, "cifar-100"),
    "stl10": (
        Layout("folder", f"{stl10.FOLDER}/test_X.bin", stl10.read_folder, _stl10_shapes),
        Layout("archive", stl10.ARCHIVE, stl10.read_archive, _whole(5000, 8000, 96, 96, 3)),
    ),
}


def search(name: str, folder: str | Path | None = None) -> tuple[Path, Layout] | None:
    """The data folder and the first layout in it that the set has, or None."""
    where = data_folder(folder)
    for layout in LAYOUTS[name]:
        if not layout.pattern or next(where.glob(layout.pattern), None) is not None:
            return where, layout
    return None


def find(name: str, folder: str | Path | None = None) -> tuple[Path, Layout]:
    """`search`, or one sentence that says where the set is missing and how to get it."""
    if found := search(name, folder):
        return found
    where = data_folder(folder)
    raise FileError(
        f"Data set {name} is not in {where}: `linbyol data fetch {name}` gets it, LINBYOL_DATA_DIR moves the folder."
    )


def inventory(folder: str | Path | None = None) -> list[dict[str, Any]]:
    """For each known set its name, and the form, place and shapes in which it is found, or None; nothing is decoded.

    `problem` is the sentence that reading it would end with, if its file names already show one.
    """
    rows = []
    for name in LAYOUTS:
        row: dict[str, Any] = dict.fromkeys(("name", "form", "where", "train", "test", "unlabelled", "problem"))
        row["name"] = name
        if found := search(name, folder):
            where, layout = found
            row["form"] = layout.what
            row["where"] = str(where / layout.pattern.split("*")[0].rstrip("/")) if layout.pattern else None
            try:
                row |= layout.shapes(where)
            except FileError as error:
                row["problem"] = str(error)
        rows.append(row)
    return rows
