"""A run read back from its folder: settings, data, and the networks of one lane at a step that was saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import settings
from experiments.datasets import load
from experiments.datasets.splits import sha256_of
from experiments.runs import checkpoints
from experiments.runs.folder import read_record
from experiments.trainer.lanes import swept
from experiments.trainer.options import Options
from experiments.trainer.sentences import unseen
from experiments.trainer.session import Session, prepare
from experiments.trainer.state import State
from linbyol.checks import InputError
from linbyol.store import FileError, blaming


class Saved(NamedTuple):
    """A run at a step."""

    path: Path
    session: Session
    step: int
    state: State
    notes: list[str]  # sentences about data, and about checkpoints that could not be used

    @property
    def epoch(self) -> float:
        return self.step / self.session.plan.steps


def options_of(folder: str | Path) -> Options:
    """The settings of a run. Raises `FileError` for what is no run's folder, or one of another version."""
    folder = Path(folder)
    config = folder / "config.toml"
    if not config.is_file():
        reason = "holds no config.toml" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
        raise FileError(f"Folder {folder} is not that of a run: it {reason}.")
    try:
        options = settings.read(Options, config)
        options.check()
    except FileError:
        raise
    except InputError as error:
        why = f"{str(error)[:1].lower()}{str(error)[1:]}"
        raise FileError(f"Run folder {folder} was not made by this version of linbyol: {why}") from None
    return options


@contextmanager
def opened(folder: str | Path, *, step: int | None = None, data: Path | None = None) -> Iterator[Saved]:
    """The run at a step that has a checkpoint, by default the newest, or at step 0; in its own precision while open.

    data  folder with the data sets, if not where they are looked for

    The folder is only read, and may be that of a run that goes on. Raises `FileError` where it cannot be: no such
    step, damaged checkpoints, or other data than those that it was trained on.
    """
    folder, o = Path(folder), options_of(folder)
    with jax.enable_x64(o.run.precision == "float64"):
        dataset = load(o.data.name, folder=data, first=o.data.first)
        session = prepare(o, dataset, devices=jax.devices()[:1])
        images, labels = np.asarray(session.data.images), np.asarray(session.data.labels)
        found = sha256_of(images, labels, *dataset.test[:2])
        record = read_record(folder / "run.json") if (folder / "run.json").is_file() else {}
        _check_data(folder, found, record.get("data_sha256"))
        notes = [*dataset.notes, *unseen(dataset)]
        if step == 0:
            yield Saved(folder, session, 0, session.start(), notes)
            return
        with blaming(folder):
            like = jax.eval_shape(session.start)
            restored = checkpoints.restore(folder / "checkpoints", like, config=asdict(o), step=step)
        if restored is None:
            raise FileError(f"Run folder {folder} {_what_there_is(folder, step)}; step 0 is the untrained network.")
        _check_data(folder, found, restored.extra.get("data_sha256"))
        yield Saved(folder, session, restored.step, restored.state, [*notes, *restored.refused])


def lane_number(session: Session, seed: int | None = None, lane: int | None = None) -> int:
    """The place of the lane with this seed, or of this number. Raises `InputError` unless it is one, and lists them."""
    names = swept(session.o)
    words = [one.label(names) for one in session.lanes]
    if lane is not None and lane < len(words):
        return lane
    found = [i for i, one in enumerate(session.lanes) if seed in (None, one.seed) and lane is None]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{i}: {word}" for i, word in enumerate(words[:20])) + ("; …" if len(words) > 20 else "")
    if lane is not None:
        raise InputError(f"Argument `lane` must be one of {listed}, but is {lane}.")
    if not found:
        raise InputError(f"Argument `seed` must be that of a lane ({listed}), but is {seed}.")
    way = "lane" if names else "seed"
    raise InputError(f"Argument `{way}` must say which of the run's {len(words)} lanes is meant ({listed}).")


def _check_data(folder: Path, found: str, before: Any) -> None:
    if before not in (None, found):
        way = "bring those back, or say where they are with `data`"
        raise FileError(f"Run folder {folder} was trained on other data of that name (their SHA-256 differs): {way}.")


def _what_there_is(folder: Path, step: int | None) -> str:
    steps = sorted(map(checkpoints.step_of, checkpoints.checkpoints(folder / "checkpoints")))
    if not steps:
        return "holds no checkpoint yet"
    return f"holds no checkpoint of step {step}, but of {', '.join(map(str, steps))}"
