"""Real images as bytes: known data sets, folders of images and npz archives, each read without trust.

    data = load("cifar10")                       # data.train.images uint8 (50000, 32, 32, 3), data.train.labels int32
    data = load("cifar100", first=2000)          # the first 2000 images of each split
    data = load("photographs/")                  # a folder of CLASS/*.png

A known set is looked for in `folder`, else in $LINBYOL_DATA_DIR, else in $XDG_DATA_HOME/linbyol or
~/.local/share/linbyol, in any layout of `layouts`: as torchvision unpacks it, or as its authors pack it. Nothing is
downloaded here: `linbyol data fetch NAME` does that (`experiments.datasets.fetch`).
"""

from pathlib import Path

from experiments.datasets.splits import Dataset, Split

__all__ = ["NAMES", "Dataset", "Split", "check_name", "load"]

NAMES = ("digits", "fashion-mnist", "cifar10", "cifar100", "stl10")


def load(name: str, *, folder: str | Path | None = None, first: int | None = None) -> Dataset:
    """The data set of that name, or of that path; only the first images of each split where `first` says so.

    A path leads to a folder of images (train/CLASS/*.png and test/CLASS/*.png, or val/, or CLASS/*.png, split here) or
    to an npz archive (train_images, train_labels, test_images, test_labels, or images, labels, split here). The splits
    made here are stratified and the same each time. Raises `FileError` for files that are missing or not what they
    should be, and `InputError` for an unknown name.
    """
    from linbyol.checks import InputError, check_count

    if first is not None:
        check_count("first", first)
    if not name:
        raise InputError(f"Setting `data` must name a data set ({', '.join(NAMES)}), a folder or an npz archive.")
    path = Path(name)
    if name not in NAMES and path.is_dir():
        from experiments.datasets.folders import read_folder

        return read_folder(path, first)
    if name not in NAMES and path.is_file():
        from experiments.datasets.arrays import read_archive

        return read_archive(path, first)
    check_name(name)
    from experiments.datasets.layouts import find

    where, layout = find(name, folder)
    return layout.read(where, first)


def check_name(name: str) -> None:
    """Refuse a name that no data set has, with the nearest one that there is."""
    import difflib

    from linbyol.checks import InputError

    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": known are {', '.join(NAMES)}."
        raise InputError(f"There is no data set (and no file) {name!r}{hint}")
