"""Checkpoints: pytrees as npz with a manifest of SHA-256, written whole or not at all, and never read without a check.

A checkpoint is a folder `step-00001234/` with `arrays.npz` (one array a leaf, named by its key path) and
`manifest.json`: the step, the run's configuration, shapes and types of the leaves, the digest of the arrays, and its
own. It is written under a hidden name and renamed; a writer that is killed leaves the earlier checkpoints as they are.
A folder has one writer at a time (`experiments.runs.folder` sees to that), and any number of readers.
"""

import io
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import linbyol
from experiments.runs import leaves, manifests
from experiments.runs.manifests import DamageError, differences, listed
from linbyol.checks import InputError
from linbyol.store import FileError, plain, reading

SCHEMA = 1
ARRAYS, MANIFEST = "arrays.npz", "manifest.json"
ASIDE = ".replaced"  # what a checkpoint of the same step is called for the moment in which another takes its place


class Restored(NamedTuple):
    """What a checkpoint held."""

    step: int
    state: Any  # the structure of `like`
    extra: dict[str, Any]
    refused: list[str]  # a sentence for each newer checkpoint that was refused


def save(
    folder: str | Path, step: int, state: Any, *, config: Mapping, extra: Mapping | None = None, keep: int = 3
) -> Path:
    """Write `folder/step-{step:08d}/`, whole or not at all, and keep the last `keep` checkpoints; its path.

    state   a pytree; its leaves are arrays, keys or numbers
    config  plain values that say which run this is; `restore` refuses another
    extra   plain values to get back; numbers that are not finite come back as None

    The checkpoint that is saved becomes the newest: later steps, of a past that was not gone on from, are removed.
    Raises `FileError` where it cannot be written (no space, no permission); the earlier ones are then as they were.
    """
    folder = Path(folder)
    if not (isinstance(step, int) and step >= 0 and isinstance(keep, int) and keep >= 1):
        raise InputError(f"Arguments `step` and `keep` must be at least 0 and 1, but are {step!r} and {keep!r}.")
    found = leaves.named(state)
    described = {name: leaves.describe(name, leaf) for name, leaf in found.items()}
    for name, leaf in found.items():
        if (kind := leaves.implementation(leaf)) is not None:
            described[name]["implementation"] = kind
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **{name: leaves.encode(leaf) for name, leaf in found.items()})
    arrays = archive.getbuffer()
    manifest = manifests.to_bytes(
        {
            "schema": SCHEMA,
            "linbyol": linbyol.__version__,
            "step": step,
            "config": plain(dict(config)),
            "extra": plain(dict(extra or {})),
            "leaves": described,
            "files": {ARRAYS: {"bytes": len(arrays), "sha256": manifests.digest(arrays)}},
        }
    )
    final = folder / f"step-{step:08d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        try:
            _publish({ARRAYS: arrays, MANIFEST: manifest}, final)
        except BaseException:
            _tidy(folder)
            raise
    except OSError as error:
        raise FileError(f"Checkpoint {final} cannot be written: {error.strerror or error}.") from None
    _prune(folder, step, keep)
    return final


def restore(
    folder: str | Path, like: Any, *, config: Mapping | None = None, keep: int | None = None, step: int | None = None
) -> Restored | None:
    """The newest checkpoint that is complete and undamaged, bit by bit; None if there is none at all.

    step    if given, the step whose checkpoint alone is looked at
    like    a state of the same structure, shapes and types; its leaves may be `jax.ShapeDtypeStruct`
    config  if given, the configuration that the checkpoint must have been saved with
    keep    if given, what a killed `save` left is removed, and all but the last so many checkpoints, as it would have

    Raises `InputError` for a checkpoint of another configuration or of other shapes or types, with what differs, and
    `FileError` where there are checkpoints but each is damaged.
    """
    refused: list[str] = []
    for path in checkpoints(folder):
        if step not in (None, step_of(path)):
            continue
        try:
            manifest = read_manifest(path)
            content = manifests.read_bytes(path / ARRAYS, manifest["files"][ARRAYS]["sha256"])
            arrays = _arrays(path, content)
        except DamageError as damage:
            refused.append(str(damage))
            continue
        _check(path, manifest, like, config)
        how = manifest["leaves"]
        state = [
            leaves.decode(name, arrays[name], leaf, how[name].get("implementation"))
            for name, leaf in leaves.named(like).items()
        ]
        structure = jax.tree.structure(like)
        if keep is not None:
            _tidy(Path(folder))
            _prune(Path(folder), step_of(checkpoints(folder)[0]), keep)
        return Restored(manifest["step"], jax.tree.unflatten(structure, state), manifest["extra"], refused)
    if refused:
        raise FileError(f"Folder {folder} has no undamaged checkpoint. {refused[0]}")
    return None


def checkpoints(folder: str | Path) -> list[Path]:
    """Paths of the checkpoints, damaged or not, newest first. Raises `FileError` for a folder that cannot be read."""
    with reading(folder, "Folder"):
        names = [path.name for path in Path(folder).iterdir()] if os.path.lexists(folder) else []
    found = {}
    for name in sorted(names, key=lambda name: not name.endswith(ASIDE)):  # the one that took the place counts
        if match := re.fullmatch(rf"step-(\d{{8,}})|\.step-(\d{{8,}}){re.escape(ASIDE)}", name):
            found[int(match[1] or match[2])] = Path(folder) / name
    return [found[step] for step in sorted(found, reverse=True)]


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of one checkpoint. Raises `DamageError`, or `InputError` for a schema that is not ours."""
    manifest = manifests.read(path / MANIFEST)
    if manifest.get("schema") != SCHEMA:
        raise InputError(f"Checkpoint {path} has schema {manifest.get('schema')!r}, but this linbyol reads {SCHEMA}.")
    if manifest.get("step") != step_of(path):
        raise DamageError(f"File {path / MANIFEST} is of another checkpoint: it says step {manifest.get('step')!r}.")
    return manifest


def step_of(path: Path) -> int:
    """The step of a checkpoint, by its name."""
    return int(re.findall(r"\d+", path.name)[0])


def _check(path: Path, manifest: dict[str, Any], like: Any, config: Mapping | None) -> None:
    """The checkpoint is of this configuration, and fits the state."""
    if config is not None and (clauses := differences(manifest["config"], plain(dict(config)))):
        raise InputError(f"Checkpoint {path} is of another configuration: {listed(clauses)}.")
    asked = {name: leaves.describe(name, leaf) for name, leaf in leaves.named(like).items()}
    there, here = (
        {name: f"{leaf['dtype']} {tuple(leaf['shape'])}" for name, leaf in described.items()}
        for described in (manifest["leaves"], asked)
    )
    if clauses := differences(there, here, str):
        raise InputError(f"Checkpoint {path} does not fit the state: {listed(clauses)}.")


def _arrays(path: Path, content: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # noqa: BLE001 - the digest is right, yet it is no archive: written by something else
        raise DamageError(f"File {path / ARRAYS} is no archive of arrays: {error}.") from None


def _publish(files: Mapping[str, Any], final: Path) -> None:
    """Write the files under a hidden name, force them to the disk, and rename the folder."""
    part = final.with_name(f".{final.name}.part")
    part.mkdir()
    for name, content in files.items():
        with (part / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    _to_disk(part)
    if final.exists():
        final.rename(final.with_name(f".{final.name}{ASIDE}"))
    part.rename(final)
    _to_disk(final.parent)
    shutil.rmtree(final.with_name(f".{final.name}{ASIDE}"), ignore_errors=True)


def _tidy(folder: Path) -> None:
    """Take back a checkpoint that was moved aside and not replaced, and remove what killed writers left."""
    for path in folder.glob(".step-*"):
        name = path.name.removeprefix(".").removesuffix(ASIDE)
        if path.name.endswith(ASIDE) and not (folder / name).exists():
            path.rename(folder / name)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _prune(folder: Path, step: int, keep: int) -> None:
    """Remove what is later than `step`, and all but the last `keep`, each renamed first: none is seen half removed."""
    paths = checkpoints(folder)
    later = [path for path in paths if step_of(path) > step]
    for path in [*later, *paths[len(later) + keep :]]:
        hidden = path.with_name(f".{path.name}.gone")
        with suppress(OSError):  # what cannot be removed now is tried again by the next save
            path.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
