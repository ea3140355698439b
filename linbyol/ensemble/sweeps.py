"""Sweeps larger than memory, over many hosts: shards on disk that are pure functions of their index.

A sweep is a folder: `sweep.json` says what is swept, and each shard is `shard-000012.npz`, with its SHA-256 and what
made it in `shard-000012.json`. Hosts share nothing but the folder: a lost host costs its unfinished shard, and whoever
starts the same sweep again does what is missing. `merge` checks that all is there, and writes `manifest.json`.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from linbyol import claims, store
from linbyol.checks import InputError
from linbyol.ensemble.compiled import EnsembleResult
from linbyol.outputs import make_folder
from linbyol.progress import bar
from linbyol.store import FileError, read_json, reading

Work = Callable[[int, int], dict[str, Any]]  # (start, stop) -> arrays with the leading axis stop - start

SHARD = 1 << 18  # trajectories: seconds of work, 20 MB


def sweep(
    work: Work,
    total: int,
    folder: str | Path,
    *,
    shard: int = SHARD,
    host: int | None = None,
    hosts: int | None = None,
    config: dict | None = None,
    progress: bool = False,
) -> int:
    """Do this host's missing shards of a sweep over `total` indices; the number done.

    work      (start, stop) -> arrays with the leading axis stop - start, the same whenever it is called: e.g.
              `lambda a, b: record(solve_amplitudes(*points(a, b), 100.0))`
    folder    where the shards go, shared by all hosts; made if need be
    host      which of `hosts` this is, from 0; by default what SLURM or `jax.distributed` say, else 0 of 1
    config    plain values that say what is swept; a folder of another sweep is refused
    progress  a bar over the shards of all hosts

    Raises `InputError` for bad arguments, and `FileError` for a folder that holds another sweep.
    """
    folder = make_folder(folder)
    for name, value in (("total", total), ("shard", shard)):
        if not (isinstance(value, int) and value >= (name == "shard")):
            raise InputError(
                f"Argument `{name}` must be a whole number of at least {int(name == 'shard')}, but is {value!r}."
            )
    host, hosts = place() if host is None and hosts is None else (host or 0, hosts or 1)
    if not 0 <= host < hosts:
        raise InputError(f"Argument `host` must be at least 0 and below hosts = {hosts}, but is {host}.")
    _claim(folder, {"total": total, "shard": shard, "config": store.plain(config or {})})
    mine = [i for i in range(host, shards(total, shard), hosts) if not valid(folder, i)]
    with bar("shards", shards(total, shard), progress) as advance:
        shown = 0
        for i in mine:
            _write(folder, i, work, *bounds(i, total, shard), host)
            done = sum(1 for _ in folder.glob("shard-*.json"))  # over all hosts
            for _ in range(done - shown):
                advance()
            shown = max(shown, done)
    return len(mine)


def merge(folder: str | Path) -> dict:
    """Verify that every shard is there and whole, and write `manifest.json`; its content.

    Raises `FileError` with the first shard that is missing or damaged.
    """
    folder = Path(folder)
    asked = _asked(folder)
    count = shards(asked["total"], asked["shard"])
    bad = [i for i in range(count) if not valid(folder, i)]
    if bad:
        raise FileError(
            f"Folder {folder} lacks {len(bad)} of {count} shards, or they are damaged; the first is {name(bad[0])}.npz."
        )
    for part in folder.glob(".shard-*"):  # what a killed writer left
        part.unlink(missing_ok=True)
    rows = [
        {"file": f"{name(i)}.npz", **{key: _about(folder, i)[key] for key in ("start", "stop", "sha256")}}
        for i in range(count)
    ]
    manifest = {**asked, "shards": rows}
    store.write_json(folder / "manifest.json", manifest)
    return manifest


def read(folder: str | Path, *names: str) -> Iterator[dict[str, np.ndarray]]:
    """The arrays of one shard after the other, of a merged sweep; each file is checked against the manifest."""
    folder = Path(folder)
    for row in read_json(folder / "manifest.json")["shards"]:
        if _digest(folder / row["file"]) != row["sha256"]:
            raise FileError(f"File {folder / row['file']} is not the one that was merged: its SHA-256 differs.")
        arrays = store.read_arrays(folder / row["file"], *names)
        yield {key: arrays[key] for key in names or arrays}


def record(found: EnsembleResult) -> dict[str, Any]:
    """An ensemble as arrays with the leading axis N: the fields of y, ok, steps, rejected, error, events by name."""
    fields = found.y._asdict() if hasattr(found.y, "_asdict") else {"p": found.y}
    ys = {key: np.moveaxis(np.asarray(leaf), -1, 0) for key, leaf in fields.items()}
    how = {"ok": found.ok, "steps": found.steps, "rejected": found.rejected, "error": found.error}
    return {**ys, **how, **{f"time_of_{key}": t for key, t in found.events.items()}}


def place() -> tuple[int, int]:
    """(host, hosts): tasks of a SLURM job array times those of a job step, or the processes of `jax.distributed`."""
    number = lambda key, default: int(os.environ.get(key, str(default)))  # noqa: E731
    jobs = number("SLURM_ARRAY_TASK_COUNT", 1)
    job = number("SLURM_ARRAY_TASK_ID", 0) - number("SLURM_ARRAY_TASK_MIN", 0)
    tasks, task = number("SLURM_NTASKS", 1), number("SLURM_PROCID", 0)
    if jobs * tasks > 1:
        return job * tasks + task, jobs * tasks
    return jax.process_index(), jax.process_count()


def shards(total: int, shard: int) -> int:
    """How many shards there are."""
    return -(-total // shard)


def bounds(i: int, total: int, shard: int) -> tuple[int, int]:
    """First index of a shard, and the one after its last."""
    return i * shard, min((i + 1) * shard, total)


def name(i: int) -> str:
    """Of a shard's files, without what comes after the dot."""
    return f"shard-{i:06d}"


def valid(folder: Path, i: int) -> bool:
    """Whether a shard is there and what was written."""
    try:
        return _digest(folder / f"{name(i)}.npz") == _about(folder, i)["sha256"]
    except (FileError, KeyError):
        return False


def _write(folder: Path, i: int, work: Work, start: int, stop: int, host: int) -> None:
    """Arrays first: a shard without its JSON counts as missing."""
    began = time.perf_counter()
    arrays = {key: np.asarray(value) for key, value in work(start, stop).items()}
    for key, value in arrays.items():
        if value.shape[:1] != (stop - start,):
            raise InputError(
                f"Argument `work` must return arrays with the leading axis {stop - start}, "
                f"but `{key}` has shape {value.shape}."
            )
    path = folder / f"{name(i)}.npz"
    path.with_suffix(".json").unlink(missing_ok=True)
    store.write_arrays(path, arrays)
    made = {"seconds": time.perf_counter() - began, "host": host, "environment": claims.environment()}
    store.write_json(path.with_suffix(".json"), {"start": start, "stop": stop, "sha256": _digest(path), **made})


def _claim(folder: Path, asked: dict) -> None:
    """The folder is this sweep's, or becomes it."""
    if not (folder / "sweep.json").exists():
        store.write_json(folder / "sweep.json", asked)
    found = _asked(folder)
    for key, value in asked.items():
        if found.get(key) != value:
            raise FileError(f"Folder {folder} holds another sweep: its `{key}` is {found.get(key)!r}, not {value!r}.")


def _asked(folder: Path) -> dict:
    return read_json(folder / "sweep.json")


def _about(folder: Path, i: int) -> dict:
    return read_json(folder / f"{name(i)}.json")


def _digest(path: Path) -> str:
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
