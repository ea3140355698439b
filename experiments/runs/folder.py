"""The folder of a run, NAME-DIGEST8: the same command finds the same folder, and goes on where it was stopped.

config.toml    the settings, whole
run.json       what differs from time to time: status, arguments, versions, device, seconds, commit
metrics.csv    one row a logged step (and seed), the same bytes for the same seed
spectra.jsonl  eigenvalues at measured steps
checkpoints/   what `experiments.runs.checkpoints` writes
snapshots/     networks of chosen steps, kept for good
lock           whose process writes here; the system frees it when that process ends, however it ends
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from experiments import tables
from experiments.runs.records import Objects, Table
from linbyol import claims, store
from linbyol.checks import InputError
from linbyol.store import FileError

SCHEMA = 1
WAY = "put it back, or remove it: the run goes on without it"
Status = Literal["running", "done", "interrupted", "failed"]


@dataclass(frozen=True)
class RunFolder:
    """A run's folder, locked for this process; from `RunFolder.open`, best in a `with` statement."""

    path: Path
    spectra: Objects
    record: dict[str, Any]  # the content of run.json
    began: float
    lock: IO[str]
    notes: list[str] = field(default_factory=list)  # sentences about the data

    @classmethod
    def open(
        cls,
        parent: str | Path,
        name: str,
        settings: Any,
        *,
        seeds: Sequence[int] = (),
        argv: Sequence[str] | None = None,
        data: str | None = None,
    ) -> "RunFolder":
        """Make or find `parent/NAME-DIGEST8/`, and hold it until it is closed or this process ends.

        settings  a frozen dataclass of plain values and tables (`experiments.tables`)
        seeds     for run.json
        argv      for run.json; this process's by default
        data      SHA-256 of the data, which must be that of `data_sha256` in run.json, if it has one

        Raises `InputError` if a living process writes there, `FileError` for a folder that is damaged, was begun with
        other data or cannot be written.
        """
        path = Path(parent) / f"{name}-{tables.digest(settings)}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / "lock").open("a+")
        except OSError as error:
            raise FileError(f"Run folder {path} cannot be made: {error.strerror or error}.") from None
        try:
            _hold(path, lock)
            _tidy(path)
            run = cls(path, *_contents(path, name, settings, seeds, argv), time.perf_counter(), lock)
            run.check_data(data, run.record.get("data_sha256"))
            if data is not None and len(run.record["sessions"]) > 1 and "data_sha256" not in run.record:
                trust = "that they are the same is taken on trust"
                run.notes.append(f"Run folder {path} does not say which data it was begun with; {trust}.")
            run.write()
        except BaseException:
            lock.close()
            raise
        return run

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Done, interrupted (KeyboardInterrupt, SystemExit) or failed; a status that was written before stays."""
        if kind is None:
            self.close("done")
        else:
            with suppress(InputError):  # the first error is the one to tell
                self.close("interrupted" if issubclass(kind, KeyboardInterrupt | SystemExit) else "failed")

    def close(self, status: Status) -> None:
        """Write the status, unless one other than running stands already, and let the folder go."""
        try:
            self.write(status if self.record["status"] == "running" else self.record["status"])
        finally:
            self.lock.close()

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints go."""
        return self.path / "checkpoints"

    @property
    def snapshots(self) -> Path:
        """Where the networks go that stay."""
        return self.path / "snapshots"

    def check_data(self, data: str | None, before: str | None) -> None:
        """Refuse data of another SHA-256 than that of `before`."""
        if None not in (data, before) and data != before:
            raise FileError(
                f"Run folder {self.path} was begun with other data of that name (their SHA-256 differs): bring those "
                "back, or give another folder as `out`."
            )

    def metrics(self, columns: Iterable[str]) -> Table:
        """The table of metrics, as it stands or new."""
        return Table.open(self.path / "metrics.csv", columns)

    def write(self, status: Status = "running", **facts: Any) -> None:
        """Write run.json whole, with the seconds until now and further facts, e.g. images_per_second."""
        session = self.record["sessions"][-1]
        seconds = time.perf_counter() - self.began
        session.update(status=status, stop=_now(), seconds=round(seconds, 3))
        total = round(sum(one["seconds"] for one in self.record["sessions"]), 3)
        self.record.update(facts, status=status, stop=session["stop"], seconds=total)
        store.write_json(self.path / "run.json", self.record)


def read_record(path: str | Path) -> dict[str, Any]:
    """The content of a run.json. Raises `FileError`."""
    try:
        record = json.loads(store.read_bytes(path))
    except FileError:
        raise
    except ValueError as error:
        raise FileError(f"File {path} is not JSON ({error}); {WAY}.") from None
    if not (isinstance(record, dict) and record.get("schema") == SCHEMA and isinstance(record.get("sessions"), list)):
        raise FileError(f"File {path} must be the record of a run, of schema {SCHEMA}; {WAY}.")
    return record


def _hold(path: Path, lock: IO[str]) -> None:
    """Take the lock, or say who has it: a lock of the system, so that a dead owner has none."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "another process"
        raise InputError(f"Run folder {path} is being written by {owner}; wait for it, or stop it.") from None
    except OSError as error:
        raise FileError(f"Run folder {path} cannot be locked: {error.strerror or error}.") from None
    try:
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        lock.flush()
    except OSError as error:
        raise FileError(f"File {path / 'lock'} cannot be written: {error.strerror or error}.") from None


def _tidy(path: Path) -> None:
    """Take away what a writer that was killed left beside its file."""
    for name in ("run.json", "config.toml"):
        for part in path.glob(f".{name}.*"):
            with suppress(OSError):
                part.unlink()


def _contents(
    path: Path, name: str, settings: Any, seeds: Sequence[int], argv: Sequence[str] | None
) -> tuple[Objects, dict[str, Any]]:
    """The files that each run has, checked or made."""
    config, text = path / "config.toml", tables.to_toml(settings)
    if not config.exists():
        store.write_text(config, text)
    elif config.read_bytes() != text.encode():
        what = "is not the configuration that the folder's name stands for"
        raise FileError(f"File {config} {what}; remove it, and it is written anew.")
    about = path / "run.json"
    earlier: dict[str, Any] = read_record(about) if about.exists() else {"start": _now(), "sessions": []}
    for session in earlier["sessions"]:
        if session["status"] == "running":
            session["status"] = "killed"
    environment = claims.environment()
    session = {"start": _now(), "device": environment["device"], "pid": os.getpid(), "host": socket.gethostname()}
    record = {
        "schema": SCHEMA,
        "name": _shown(name),
        "digest": tables.digest(settings),
        "argv": [_shown(str(word)) for word in (sys.argv if argv is None else argv)],
        "seeds": list(seeds),
        "environment": environment,
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "commit": commit(),
    }
    return Objects.open(path / "spectra.jsonl"), {**earlier, **record, "sessions": [*earlier["sessions"], session]}


def commit() -> str | None:
    """The checkout's git commit, with -dirty if files differ from it; None where there is none."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _shown(word: str) -> str:
    """What was typed; bytes that are no UTF-8 as \\udcff."""
    return word.encode("utf-8", "backslashreplace").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
