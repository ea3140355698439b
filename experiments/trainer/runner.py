"""A run in its folder: prepared, taken up where a checkpoint left it, trained, and its results written."""

import csv
import math
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.datasets import Dataset, load
from experiments.datasets.splits import sha256_of
from experiments.runs import checkpoints
from experiments.runs.folder import RunFolder
from experiments.runs.records import Table
from experiments.trainer.loop import Outcome, train
from experiments.trainer.measures import Measures
from experiments.trainer.options import PROBES, Options
from experiments.trainer.report import columns, here
from experiments.trainer.sentences import alarms, at_edges, broken_lanes, unseen
from experiments.trainer.session import Session, prepare, put
from experiments.trainer.state import State, sharding
from linbyol.progress import bar
from linbyol.runs import files as run_files
from linbyol.store import FileError, read_bytes

Tell = Callable[[dict[str, Any]], None]  # of a row of metrics.csv


class Ran(NamedTuple):
    """What became of a run."""

    path: Path | None  # None of a process that is not the first of several
    outcome: Outcome
    untrained: list[dict[str, Any]]  # of each lane, at step 0
    notes: list[str]  # sentences about data and checkpoints that could not be used
    alarms: list[str]  # sentences about collapse
    words: list[str]  # these, and about lanes that diverged and probes at the edge of their grid
    signal: int | None = None  # that interrupted it


class Folder:
    """Rows, spectra and checkpoints in a run's folder."""

    def __init__(
        self,
        run: RunFolder,
        session: Session,
        columns: tuple[str, ...],
        data: str,
        tell: Tell | None = None,
        snapshots: Collection[int] = (),
    ) -> None:
        self.run, self.session, self.columns, self.data = run, session, columns, data
        self.tell, self.snapshots = tell, snapshots
        self.table: Table | None = None  # opened where the run goes on

    def row(self, row: dict[str, Any]) -> None:
        self.table.append(row)
        if self.tell is not None:
            self.tell(row)

    def spectrum(self, line: dict[str, Any]) -> None:
        self.run.spectra.append(line)

    def save(self, step: int, state: State) -> None:
        o = self.session.o
        extra = {"metrics": self.table.size, "spectra": self.run.spectra.size, "data_sha256": self.data}
        self.run.write()  # a run that is killed keeps its seconds
        if step in self.snapshots:
            kept = state.online, state.online_statistics
            checkpoints.save(self.run.snapshots, step, kept, config=asdict(o), keep=len(self.snapshots))
        checkpoints.save(self.run.checkpoints, step, state, config=asdict(o), extra=extra, keep=o.record.keep)

    def restore(self, like: State) -> tuple[int, State, list[str]]:
        """The newest good checkpoint, with the files cut to what they were then; or the beginning.

        Raises `FileError` for a checkpoint of other data, and for files that are gone or shorter than they were then,
        unless the run is done: then nothing more is written.
        """
        o = self.session.o
        found = checkpoints.restore(self.run.checkpoints, like, config=asdict(o), keep=o.record.keep)
        if found is None:
            self.table = self.run.metrics(self.columns)
            self.table.cut()
            self.run.spectra.cut()
            return 0, like, []
        self.run.check_data(self.data, found.extra.get("data_sha256"))
        if not self._is_done(found):
            path = self.run.path
            try:
                if not (path / run_files.METRICS).exists():
                    raise FileError(f"File {path / run_files.METRICS} is gone.")
                self.table = self.run.metrics(self.columns)
                self.table.cut(found.extra["metrics"])
                self.run.spectra.cut(found.extra["spectra"])
            except FileError as error:
                way = f"put it back as it was, or remove {path} to train from the beginning"
                raise FileError(f"{str(error).rstrip('.')}; {way}.") from None
        return found.step, found.state, found.refused

    def _is_done(self, found: checkpoints.Restored) -> bool:
        return found.step == self.session.plan.total and not np.any(here(found.state.tally.count))

    def rows(self, step: int) -> list[dict[str, Any]]:
        """Measures and accuracies that metrics.csv holds of a step, a lane each; nothing if it cannot be read."""
        wanted = (*Measures._fields, *PROBES)
        with suppress(FileError, ValueError, TypeError):
            lines = csv.DictReader(read_bytes(self.run.path / run_files.METRICS).decode().splitlines())
            found = [line for line in lines if float(line["step"]) == step]
            cells = [{n: float(x) for n, x in line.items() if x and (_is_lane(n) or n in wanted)} for line in found]
            return [{n: x for n, x in line.items() if math.isfinite(x)} for line in cells]
        return []


def _is_lane(name: str) -> bool:
    """Whether the column says which lane a row is of."""
    return name == "seed" or name.startswith("sweep_")


class Silent:
    """Where a process that is not the first of several puts its rows."""

    def row(self, row: dict[str, Any]) -> None:
        pass

    def spectrum(self, line: dict[str, Any]) -> None:
        pass

    def save(self, step: int, state: State) -> None:
        pass


def run(
    name: str,
    o: Options,
    out: Path,
    *,
    data: Path | None = None,
    argv: list[str] | None = None,
    tell: Tell | None = None,
    dataset: Dataset | None = None,
    snapshots: Collection[int] = (),
) -> Ran:
    """Train in out/NAME-DIGEST, going on from its newest checkpoint; the first process alone writes, and tells of rows.

    dataset    in place of the one that the options name
    snapshots  steps, of those that are saved, whose network stays in snapshots/ whatever becomes of the checkpoints

    Run under `jax.enable_x64(o.run.precision == "float64")`. SIGTERM and SIGUSR1 save and end the run with status
    "interrupted", and so does an interrupt from the keyboard; a second one ends it at once.
    """
    dataset = load(o.data.name, folder=data, first=o.data.first) if dataset is None else dataset
    session = prepare(o, dataset)
    if jax.process_index() > 0:
        step, state = _shared(session, 0, session.start())
        with until_signalled() as stopped:
            outcome = train(session, state, step, Silent(), stopped=lambda: bool(stopped))
        return Ran(None, outcome, [], [], [], [], next(iter(stopped), None))
    sha256 = sha256_of(here(session.data.images), here(session.data.labels), *dataset.test[:2])
    with RunFolder.open(out, name, o, seeds=o.run.seeds, argv=argv, data=sha256) as folder:
        state = session.start()
        sink = Folder(folder, session, columns(session, state), sha256, tell, snapshots)
        step, state, refused = _taken_up(session, sink, state)
        folder.write(data_sha256=sha256)  # the checkpoint has said that it is the same
        notes = [*dataset.notes, *unseen(dataset), *folder.notes, *refused]
        with until_signalled() as stopped, bar("training", session.plan.total) as advance:
            advance(None, step)
            outcome = train(session, state, step, sink, stopped=lambda: bool(stopped), show=advance)
        if outcome.status == "done" and o.record.final and not outcome.results:  # it was done before
            earlier = folder.record.get("results", []) if folder.record.get("step") == outcome.step else []
            outcome = outcome._replace(results=earlier or sink.rows(outcome.step))
            if not outcome.results:
                where = f"neither in run.json nor in metrics.csv of {folder.path}"
                notes.append(f"The results stand {where}; remove it to train from the beginning.")
        untrained = sink.rows(0) or folder.record.get("untrained", [])
        collapse = alarms(outcome.results, untrained)
        words = [*collapse, *at_edges(outcome.results)]
        if any(first >= 0 for first in outcome.broken):
            words = [broken_lanes(session, outcome.broken, None), *words]
        facts = {"results": outcome.results, "untrained": untrained, "step": outcome.step}
        facts |= {"steps": session.plan.total, "broken": outcome.broken}
        if outcome.pace.images:
            facts |= {
                "images_per_second": outcome.pace.images_per_second,
                "compile_seconds": outcome.pace.compile_seconds,
            }
        folder.write(outcome.status, **facts)
        return Ran(folder.path, outcome, untrained, notes, collapse, words, next(iter(stopped), None))


@contextmanager
def until_signalled() -> Iterator[list[int]]:
    """A list that SIGTERM, SIGUSR1 or SIGINT fills; the second signal does what it did before."""
    numbers = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    before, seen = {}, []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        restore()

    def restore() -> None:
        for n in numbers:
            signal.signal(n, before[n])
        signal.set_wakeup_fd(listener)

    listener = signal.set_wakeup_fd(-1)  # nobody ends the process while it saves
    before = {n: signal.signal(n, note) for n in numbers}
    try:
        yield seen
    finally:
        restore()


def _taken_up(session: Session, sink: Folder, state: State) -> tuple[int, State, list[str]]:
    step, found, refused = sink.restore(jax.eval_shape(lambda: state))
    return *_shared(session, step, state if step == 0 else found), refused


def _shared(session: Session, step: int, state: State) -> tuple[int, State]:
    """The first process's step and state on the devices of all."""
    if jax.process_count() > 1:
        step, state = multihost_utils.broadcast_one_to_all((np.int32(step), state))
    if step == 0 and jax.process_count() == 1:
        return 0, state
    return int(step), jax.tree.map(lambda x: put(np.asarray(x), sharding(session.plan)), state)
