"""The gate of output: what a verb will write is looked at before anything is computed."""

import os
from collections.abc import Iterable
from pathlib import Path

from linbyol.checks import InputError
from linbyol.store import FileError, destination

ARCHIVE = (".npz",)  # with a JSON of the same name beside it
RECORD = (".json",)
PICTURE = (".png", ".pdf", ".svg")
EMBEDDINGS = (".npz", ".safetensors")  # with a JSON of the same name beside it
PAGE = (".html",)
Wanted = tuple[str | Path | None, tuple[str, ...]]  # a path and its suffixes


def check_outputs(*, inputs: Iterable[str | Path | None] = (), **wanted: Wanted) -> None:
    """Each option's file can be written: check_outputs(inputs=[init], out=(out, ARCHIVE), plot=(plot, PICTURE)).

    A path of None is not wanted. Raises `InputError` for a suffix that the format has not, for `-`, and for a file that
    is an input or another output as well; `FileError` for what is no regular file, or a folder that cannot be written.
    """
    files = []
    for option, (path, suffixes) in wanted.items():
        if path is None:
            continue
        path = Path(path)
        check_name(option, path, suffixes)
        check_writable(path)
        files.append((option, path))
        if suffixes in (ARCHIVE, EMBEDDINGS):
            check_writable(path.with_suffix(".json"))
            files.append((f"the JSON beside `{option}`", path.with_suffix(".json")))
    for i, (option, path) in enumerate(files):
        name = option if " " in option else f"`{option}`"
        for other in inputs:
            if other is not None and same(path, other):
                raise InputError(f"File {path} would be overwritten by {name}, but is read: give another name.")
        for _, earlier in files[:i]:
            if same(path, earlier):
                raise InputError(f"File {path} would be written twice, the second time by {name}: give another name.")


def check_name(option: str, path: str | Path, suffixes: tuple[str, ...]) -> None:
    """The path is that of a file of a format, and none that must not be replaced."""
    if str(path) == "-":
        raise InputError(f"Argument `{option}` must be a file, but is -; --json prints to standard output.")
    destination(path)
    check_suffix(option, path, suffixes)


def check_suffix(option: str, path: str | Path, suffixes: tuple[str, ...]) -> None:
    """The path ends as its format does."""
    if Path(path).suffix not in suffixes:
        raise InputError(f"Argument `{option}` must end in {', '.join(suffixes)}, but is {path}.")


def check_writable(path: str | Path) -> None:
    """The path is a regular file or none yet, and its folder takes files. Raises `FileError`."""
    folder = destination(path).parent
    if not folder.is_dir():
        raise FileError(f"File {path} cannot be written: there is no folder {folder}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"File {path} cannot be written: its folder takes no files (permission denied).")


def make_folder(path: str | Path) -> Path:
    """The folder, made if need be, and one that takes files. Raises `FileError`."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise FileError(f"Folder {path} cannot be made: {getattr(error, 'strerror', None) or error}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise FileError(f"Folder {path} takes no files: permission denied.")
    return path


def same(one: str | Path, other: str | Path) -> bool:
    """Whether two paths are one file, by links too; whether they would be, where there is none yet."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
