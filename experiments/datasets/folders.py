"""A data set of the user's own: a folder of images, one folder a class."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from experiments.datasets.pictures import SUFFIXES, check, read
from experiments.datasets.splits import Dataset, Split, divided, split_of
from linbyol.store import FileError

PARTS = (("train", "test"), ("train", "val"))  # the second as ImageNet has it
JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems leave behind; and all that begins with a dot


def read_folder(folder: Path, first: int | None) -> Dataset:
    """From train/CLASS/*.png and test/CLASS/*.png (or val/), or CLASS/*.png, of which a fifth of each is for testing.

    Images must have one size; if all are grey they have one channel, else three. They stand as their EXIF orientation
    says; of several frames the first is taken. Classes are in the order of their names, images in an order that a hash
    of their names decides, so that the first ones are of all classes. What is left out is told in `notes`, but for
    hidden files and folders. Raises `FileError`.
    """
    roots, left = _roots(folder)
    names = sorted({path.name for root in roots for path in _seen(root, left) if path.is_dir()})
    found = [_files(root, names, left) for root in roots]
    for root, (files, _) in zip(roots, found, strict=True):
        if not files:
            raise FileError(f"Folder {root} holds no images CLASS/*.png (or {', '.join(SUFFIXES[1:])}).")
    if len(roots) == 1:
        files, labels = found[0]
        found = [([files[i] for i in index], labels[index]) for index in divided(folder, labels)]
    elif only := sorted(set(found[1][1].tolist()) - set(found[0][1].tolist())):
        raise FileError(f"Class {_shown(names[only[0]])!r} of {roots[1]} has no images in {roots[0]}.")
    found = [(files[:first], labels[:first]) for files, labels in found]
    channels, frames = check([path for files, _ in found for path in files])
    if frames:
        left["images' later frames"] = frames
    splits = (split_of(folder, read(files, channels), labels, len(names)) for files, labels in found)
    train, test = splits
    classes = tuple(map(_shown, names))
    return Dataset(folder.resolve().name, Split(*train), Split(*test), classes, notes=_notes(folder, left))


def _roots(folder: Path) -> tuple[list[Path], Counter]:
    """The folders of the splits, or the folder itself; and what else lies beside them."""
    for parts in PARTS:
        if all((folder / part).is_dir() for part in parts):
            rest = [path for path in folder.iterdir() if path.name not in parts and not _is_junk(path)]
            return [folder / part for part in parts], Counter(_kind(path) for path in rest)
    if (folder / "train").is_dir():
        raise FileError(f"Folder {folder} has train/, but neither test/ nor val/ beside it.")
    return [folder], Counter()


def _seen(place: Path, left: Counter) -> Iterator[Path]:
    """What lies in a folder that holds classes; files there belong to no class."""
    for path in sorted(place.iterdir()):
        if not _is_junk(path):
            if not path.is_dir():
                left[_kind(path)] += 1
            yield path


def _files(root: Path, names: list[str], left: Counter) -> tuple[list[Path], np.ndarray]:
    """Paths and labels, in the order of a hash of CLASS/NAME."""
    found = []
    for label, name in enumerate(names):
        for path in (root / name).iterdir() if (root / name).is_dir() else ():
            if _is_junk(path):
                continue
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.append((hashlib.sha256(os.fsencode(f"{name}/{path.name}")).digest(), path, label))
            else:
                left[_kind(path)] += 1
    found.sort()
    return [path for _, path, _ in found], np.array([label for *_, label in found], np.int32)


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name in JUNK


def _kind(path: Path) -> str:
    """What something that is left out is called."""
    if path.is_dir():
        return "sub-folders"
    if path.suffix.lower() in SUFFIXES:
        return "images beside the classes"
    return f"files {_shown(path.suffix)}" if path.suffix else "files without suffix"


def _notes(folder: Path, left: Counter) -> tuple[str, ...]:
    if not left:
        return ()
    what = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
    return (f"Of folder {_shown(str(folder))} this is left out: {what}.",)


def _shown(name: str) -> str:
    """A name for people; bytes that are no UTF-8 as \\xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
