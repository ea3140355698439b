"""A run in its folder: prepared, taken up where a checkpoint left it, trained, and its results written."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.datasets import load
from experiments.runs import checkpoints
from experiments.runs.folder import RunFolder
from experiments.runs.records import Objects, Table
from experiments.trainer.loop import Outcome, alarms, columns, train
from experiments.trainer.options import Options
from experiments.trainer.session import Session, prepare, put
from experiments.trainer.state import State, sharding
from linbyol.progress import bar


class Ran(NamedTuple):
    """What became of a run."""

    path: Path
    outcome: Outcome
    refused: list[str]  # sentences about checkpoints that could not be used
    alarms: list[str]  # sentences about collapse
    signal: int | None = None  # that interrupted it


class Folder:
    """Rows, spectra and checkpoints in a run's folder."""

    def __init__(self, run: RunFolder, o: Options, table: Table) -> None:
        self.run, self.o, self.table = run, o, table

    @property
    def spectra(self) -> Objects:
        return self.run.spectra

    def row(self, row: dict[str, Any]) -> None:
        self.table.append(row)

    def spectrum(self, line: dict[str, Any]) -> None:
        self.spectra.append(line)

    def save(self, step: int, state: State) -> None:
        sizes = {"metrics": self.table.size, "spectra": self.spectra.size}
        self.run.write()  # a run that is killed keeps its seconds
        checkpoints.save(self.run.checkpoints, step, state, config=asdict(self.o), extra=sizes, keep=self.o.keep)

    def restore(self, like: State) -> tuple[int, State, list[str]]:
        """The newest good checkpoint, with the files cut to what they were then; or the beginning."""
        found = checkpoints.restore(self.run.checkpoints, like, config=asdict(self.o))
        if found is None:
            self.table.cut()
            self.spectra.cut()
            return 0, like, []
        self.table.cut(found.extra["metrics"])
        self.spectra.cut(found.extra["spectra"])
        return found.step, found.state, found.refused


class Silent:
    """Where a process that is not the first of several puts its rows."""

    def row(self, row: dict[str, Any]) -> None:
        pass

    def spectrum(self, line: dict[str, Any]) -> None:
        pass

    def save(self, step: int, state: State) -> None:
        pass


def run(name: str, o: Options, out: Path, *, data: Path | None = None, argv: list[str] | None = None) -> Ran:
    """Train in out/NAME-DIGEST, going on from its newest checkpoint; the first process alone writes.

    Run under `jax.enable_x64(o.precision == "float64")`. SIGTERM and SIGUSR1 save and end the run with status
    "interrupted", and so does an interrupt from the keyboard; a second one ends it at once.
    """
    session = prepare(o, load(o.data, folder=data, first=o.first))
    state = session.start()
    if jax.process_index() > 0:
        step, state = _shared(session, 0, state)
        with until_signalled() as stopped:
            outcome = train(session, state, step, Silent(), stopped=lambda: bool(stopped))
        return Ran(out, outcome, [], [], next(iter(stopped), None))
    with RunFolder.open(out, name, o, seeds=o.seeds, argv=argv) as folder:
        sink = Folder(folder, o, folder.metrics(columns(session, state)))
        step, state, refused = _taken_up(session, sink, state)
        with until_signalled() as stopped, bar("training", session.plan.total) as advance:
            advance(None, step)
            outcome = train(session, state, step, sink, stopped=lambda: bool(stopped), show=advance)
        if outcome.status == "done" and not outcome.results:  # it was done before
            outcome = outcome._replace(results=folder.record.get("results", []))
        facts = {"results": outcome.results, "step": outcome.step, "steps": session.plan.total}
        if outcome.pace.images:
            facts |= {
                "images_per_second": outcome.pace.images_per_second,
                "compile_seconds": outcome.pace.compile_seconds,
            }
        folder.write(outcome.status, **facts)
        return Ran(folder.path, outcome, refused, alarms(outcome.results), next(iter(stopped), None))


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
