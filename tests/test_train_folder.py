"""A run's folder: it belongs to its data, and what was deleted from it is told with a way out, or is not missed."""

import signal
from contextlib import contextmanager

import numpy as np
import pytest

from experiments.runs.folder import read_record
from experiments.settings import with_values
from experiments.trainer import runner
from experiments.trainer.choices import LinearEncoder
from experiments.trainer.options import Data, Optimiser, Options, Projector, Recording, Run
from linbyol.runs import files as run_files
from linbyol.store import FileError


@contextmanager
def told_at_once():
    yield [signal.SIGTERM]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """An archive of images, and another one of its name."""
    path, rng = tmp_path_factory.mktemp("data") / "own.npz", np.random.default_rng(5)
    images, labels = rng.integers(0, 256, (80, 4, 4, 1), dtype=np.uint8), np.arange(80) % 4
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture
def o(data):
    return Options(
        data=Data(name=str(data), augment="none"),
        encoder=LinearEncoder(d=4),
        projector=Projector(widths=()),
        optimiser=Optimiser(lr=0.01),
        run=Run(batch=32, epochs=2, precision="float64", seeds=(0, 1)),
        record=Recording(evaluate=1, probes=("ridge",), final=("ridge",)),
    )


@pytest.fixture
def done(o, tmp_path):
    return runner.run("own", o, tmp_path)


def again(done, o):
    return runner.run("own", o, done.path.parent)


def test_a_finished_run_is_read_from_what_is_there(done, o):
    """From run.json, from metrics.csv, and if both are gone it says so; nothing is made anew."""
    assert done.untrained[1]["seed"] == 1
    for result in done.outcome.results:  # what the probe chose stands beside its accuracy
        assert result["ridge_at_edge"] == (result["ridge_alpha"] in (1e-5, 1.0))
    assert done.untrained[1]["ridge"] == pytest.approx(run_files.read(done.path).columns["ridge"][1], abs=0)
    (done.path / "metrics.csv").rename(done.path / "away.csv")
    found = again(done, o)
    assert found.outcome.results == read_record(done.path / "run.json")["results"] == done.outcome.results
    assert found.untrained == done.untrained
    assert not (done.path / "metrics.csv").exists()
    with pytest.raises(FileError, match=r"has no metrics\.csv, .*: put it back, or train again in another folder"):
        run_files.read(done.path)
    (done.path / "away.csv").rename(done.path / "metrics.csv")
    (done.path / "run.json").unlink()
    found = again(done, o)
    rows = lambda results: [(r["seed"], r["ridge"]) for r in results]  # noqa: E731
    assert rows(found.outcome.results) == rows(done.outcome.results)
    assert found.notes == []
    for name in ("run.json", "metrics.csv"):
        (done.path / name).unlink()
    (note,) = again(done, o).notes
    assert note.startswith("The results stand neither in run.json nor in metrics.csv of ")


def test_other_data_of_the_same_name_are_refused(done, o, data):
    kept, before = data.read_bytes(), (done.path / "run.json").read_bytes()
    with np.load(data) as archive:
        images, labels = archive["images"], archive["labels"]
    changes = {"images": images + np.uint8(images == 7), "labels": np.where(np.arange(80) == 3, 0, labels)}
    try:
        for name, changed in changes.items():
            np.savez(data, **{"images": images, "labels": labels, name: changed})
            with pytest.raises(FileError, match=r"was begun with other data of that name .*: bring those back"):
                again(done, o)
            assert (done.path / "run.json").read_bytes() == before
        (done.path / "run.json").unlink()  # the checkpoint knows it too
        with pytest.raises(FileError, match="was begun with other data of that name"):
            again(done, o)
    finally:
        data.write_bytes(kept)
    assert again(done, o).outcome.status == "done"


@pytest.mark.usefixtures("done")  # the program is compiled
def test_an_interrupted_run_does_not_go_on_without_its_table(o, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(runner, "until_signalled", told_at_once)
        stopped = runner.run("own", with_values(o, {"keep": 3}), tmp_path)
    assert (stopped.outcome.status, stopped.signal) == ("interrupted", signal.SIGTERM)
    assert 0 < stopped.outcome.step < 4
    table = stopped.path / "metrics.csv"
    whole = table.read_bytes()
    table.unlink()
    way = f"; put it back as it was, or remove {stopped.path} to train from the beginning."
    with pytest.raises(FileError) as refused:
        again(stopped, with_values(o, {"keep": 3}))
    assert str(refused.value) == f"File {table} is gone{way}"
    assert not table.exists()
    table.write_bytes(whole[: whole.index(b"\n") + 1])
    with pytest.raises(FileError) as refused:
        again(stopped, with_values(o, {"keep": 3}))
    assert str(refused.value).endswith(way)
    table.write_bytes(whole)
    assert again(stopped, with_values(o, {"keep": 3})).outcome.status == "done"
