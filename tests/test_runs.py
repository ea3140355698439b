"""Run folders: one writer, whole lines, and a killed run that ends with the bytes of an uninterrupted one."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

import linbyol
from experiments.runs import folder as runs
from experiments.runs.folder import RunFolder, read_record
from experiments.runs.records import Objects, Table
from experiments.settings import read
from experiments.tables import digest
from linbyol.checks import InputError
from linbyol.store import FileError
from tests.processes import environment, largest_file


@dataclass(frozen=True)
class Small:
    eta: float = 0.1
    rule: str = "direct"


TRAINER = """
import os, sys, time
import numpy as np
from experiments.runs.checkpoints import restore, save
from experiments.runs.folder import RunFolder
from linbyol import claims
from tests.test_runs import Small

claims.environment = lambda: {"device": "none"}  # saves the time to start JAX

def train(parent):
    with RunFolder.open(parent, "walk", Small(), seeds=[0]) as run:
        metrics = run.metrics(["step", "seed", "loss", "knn"])
        found = restore(run.checkpoints, np.zeros(1000), config={"eta": 0.1}, keep=3)
        print(os.getpid(), flush=True)
        start, x = (found.step, found.state) if found else (0, np.zeros(1000))
        metrics.cut(found.extra["metrics"] if found else None)
        run.spectra.cut(found.extra["spectra"] if found else None)
        for step in range(start, 40):
            x = x + np.random.default_rng(step).normal(size=1000)
            measured = {"knn": x.max()} if step % 3 == 0 else {}
            metrics.append(*({"step": step, "seed": s, "loss": x.std(), **measured} for s in range(2)))
            if step % 2 == 0:
                run.spectra.append({"step": step, "seed": 0, "F": np.sort(x[:8])})
            if step % 5 == 4:
                sizes = {"metrics": metrics.size, "spectra": run.spectra.size}
                save(run.checkpoints, step + 1, x, config={"eta": 0.1}, extra=sizes)
                run.write(images_per_second=time.perf_counter())

for parent in sys.stdin:
    trainer = os.fork()
    if trainer == 0:
        train(parent.strip())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(trainer, 0)[1]), flush=True)
"""


def test_killed_at_random_moments_and_resumed(tmp_path):
    """SIGKILL at two dozen random moments; each run that gets to its end has the bytes of an uninterrupted one."""
    clock, kills, ends = random.Random(3), 0, 0
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-c", TRAINER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as trainers:

        def train(parent, patience=None):
            print(parent, file=trainers.stdin, flush=True)
            trainer = int(trainers.stdout.readline())
            if patience is not None:
                time.sleep(patience)
                with suppress(ProcessLookupError):  # it was done already
                    os.kill(trainer, signal.SIGKILL)
            return int(trainers.stdout.readline())

        assert train(straight) == 0
        whole = contents(straight)
        assert set(whole) > {"metrics.csv", "spectra.jsonl", "config.toml", "checkpoints/step-00000040/arrays.npz"}
        assert whole["metrics.csv"].count(b"\n") == 81
        statuses = []
        while kills < 24 or ends < 1:
            assert train(killed, clock.uniform(0, 0.05) if kills < 24 else None) in (0, -signal.SIGKILL)
            statuses = [session["status"] for session in record(killed)["sessions"]]
            kills += statuses[-1] == "running"
            if statuses[-1] == "done":
                ends += 1
                assert set(statuses[:-1]) <= {"killed"}
                assert contents(killed) == whole
                shutil.rmtree(killed)
        trainers.stdin.close()
    assert trainers.returncode == 0


def folder_of(parent):
    return parent / f"walk-{digest(Small())}"


def record(parent):
    return read_record(folder_of(parent) / "run.json")


def contents(parent):
    """All that the same seed gives the same bytes of."""
    paths = (path for path in folder_of(parent).rglob("*") if path.is_file())
    found = {str(path.relative_to(folder_of(parent))): path.read_bytes() for path in paths}
    return {name: content for name, content in found.items() if name not in ("run.json", "lock")}


def test_the_same_command_finds_the_same_folder(tmp_path):
    with RunFolder.open(tmp_path / "runs", "digits", Small(), seeds=[3, 4], argv=["linbyol", "\udcff"]) as run:
        path = run.path
        assert path == tmp_path / "runs" / f"digits-{digest(Small())}"
        assert run.checkpoints == path / "checkpoints"
        assert read_record(path / "run.json")["status"] == "running"
        run.write(images_per_second=12.5)
    assert read(Small, path / "config.toml") == Small()
    first = read_record(path / "run.json")
    assert first["status"] == "done"
    assert (first["seeds"], first["argv"]) == ([3, 4], ["linbyol", r"\udcff"])
    assert (first["images_per_second"], first["environment"]["linbyol"]) == (12.5, linbyol.__version__)
    assert first["environment"]["versions"]["jax"]
    assert "XLA_FLAGS" in first
    with RunFolder.open(tmp_path / "runs", "digits", Small()) as run:
        assert run.path == path
    second = read_record(path / "run.json")
    assert len(second["sessions"]) == 2
    assert second["start"] == first["start"]
    assert second["seconds"] >= first["seconds"]
    with RunFolder.open(tmp_path / "runs", "digits", Small(eta=0.2)) as run:
        assert run.path != path


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted"), (ZeroDivisionError, "failed")],
)
def test_the_status_says_how_it_ended(tmp_path, error, status):
    with pytest.raises(error), RunFolder.open(tmp_path, "digits", Small()) as run:
        raise error
    assert read_record(run.path / "run.json")["status"] == status
    with RunFolder.open(tmp_path, "digits", Small()) as run:
        run.write("interrupted")  # by the trainer, which then leaves in order
    assert read_record(run.path / "run.json")["status"] == "interrupted"


def test_two_processes_never_write_the_same_run(tmp_path):
    code = """
import sys, time
from experiments.runs.folder import RunFolder
from tests.test_runs import Small
run = RunFolder.open(sys.argv[1], "digits", Small())
print("open", flush=True)
time.sleep(600)
"""
    owner = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, env=environment())
    try:
        assert owner.stdout.readline() == b"open\n"
        with pytest.raises(InputError, match=rf"being written by process {owner.pid} on \S+; wait for it, or stop it"):
            RunFolder.open(tmp_path, "digits", Small())
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    run = RunFolder.open(tmp_path, "digits", Small())  # the dead one is followed
    with run, pytest.raises(InputError, match=f"process {os.getpid()} on"):
        RunFolder.open(tmp_path, "digits", Small())
    sessions = read_record(run.path / "run.json")["sessions"]
    assert [session["status"] for session in sessions] == ["killed", "done"]
    assert [session["pid"] for session in sessions] == [owner.pid, os.getpid()]


def test_a_folder_that_was_meddled_with_is_told(tmp_path):
    with RunFolder.open(tmp_path, "digits", Small()) as run:
        path = run.path
    config, about = path / "config.toml", path / "run.json"
    whole = config.read_bytes(), about.read_bytes()
    config.write_bytes(whole[0].replace(b"0.1", b"0.2"))
    with pytest.raises(
        FileError, match=r"config\.toml is not the configuration that the folder's name stands for; remove it, and it"
    ):
        RunFolder.open(tmp_path, "digits", Small())
    config.write_bytes(whole[0])
    for content, sentence in [(b"{", "is not JSON"), (b"[]", "must be the record of a run, of schema 1")]:
        about.write_bytes(content)
        with pytest.raises(FileError, match=rf"run\.json {sentence}"):
            RunFolder.open(tmp_path, "digits", Small())
    about.write_bytes(whole[1])
    RunFolder.open(tmp_path, "digits", Small()).close("done")  # the lock was let go each time
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/digits-.* cannot be made: Not a directory"):
        RunFolder.open(tmp_path / "file", "digits", Small())


def test_a_folder_belongs_to_its_data(tmp_path):
    """Other data are refused before anything is written; a run that does not say which it had is trusted, in a note."""
    with RunFolder.open(tmp_path, "digits", Small()) as run:
        assert run.notes == []
    with RunFolder.open(tmp_path, "digits", Small(), data="1a") as run:
        (note,) = run.notes
        assert note.endswith("does not say which data it was begun with; that they are the same is taken on trust.")
        run.write(data_sha256="1a")
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(FileError, match="was begun with other data of that name"):
        RunFolder.open(tmp_path, "digits", Small(), data="2b")
    assert (run.path / "run.json").read_bytes() == before
    with RunFolder.open(tmp_path, "digits", Small(), data="1a") as run:
        assert run.notes == []


def test_the_commit_is_that_of_the_checkout(monkeypatch):
    found = runs.commit()
    assert found is None or set(found.removesuffix("-dirty")) <= set("0123456789abcdef")
    monkeypatch.setenv("PATH", "")
    assert runs.commit() is None


def test_numbers_are_short_and_come_back_bit_by_bit(tmp_path):
    table = Table.open(tmp_path / "m.csv", ["step", "x", "y", "z", "w"])
    third = np.float32(1) / 3
    table.append({"step": 7, "x": third, "y": 1 / 3, "z": jnp.bfloat16(0.1), "w": True}, {"step": np.int64(8)})
    table.append({"step": 9, "x": float("nan"), "y": -np.inf, "w": jnp.asarray(2.5e-7, jnp.float32)})
    lines = (tmp_path / "m.csv").read_text().split("\n")
    assert lines[0] == "step,x,y,z,w"
    assert lines[1] == "7,0.33333334,0.3333333333333333,0.100097656,1"
    assert lines[2:] == ["8,,,,", "9,nan,-inf,,2.5e-07", ""]
    assert np.float32(lines[1].split(",")[1]) == third
    lines = Objects.open(tmp_path / "s.jsonl")
    lines.append(
        {"step": 3, "F": np.array([third, np.nan], np.float32), "Wp": jnp.eye(2), "name": "a", "none": jnp.zeros(0)}
    )
    text = (tmp_path / "s.jsonl").read_text()
    assert text == '{"step": 3, "F": [0.33333334, null], "Wp": [[1.0, 0.0], [0.0, 1.0]], "name": "a", "none": []}\n'


def test_a_table_goes_on_from_a_size(tmp_path):
    path = tmp_path / "m.csv"
    table = Table.open(path, ["step", "loss"])
    table.append({"step": 1, "loss": 0.5})
    size, whole = table.size, path.read_bytes()
    assert size == len(whole)
    table.append({"step": 2, "loss": 0.25}, {"step": 3})
    with path.open("ab") as file:
        file.write(b"4,0.1")  # torn by a kill
    table = Table.open(path, ["step", "loss"])
    assert path.read_bytes() == whole + b"2,0.25\n3,\n"
    table.cut(size)
    assert path.read_bytes() == whole
    with pytest.raises(FileError, match=r"m\.csv has 16 bytes, but must go on from byte 99\."):
        table.cut(99)
    with pytest.raises(FileError, match=r"m\.csv has no end of a line at byte 13, from which"):
        table.cut(13)
    table.cut()
    assert path.read_bytes() == b"step,loss\n"
    path.write_bytes(b"step,l")
    assert Table.open(path, ["step", "loss"]).size == 11 - 1


def test_wrong_rows_and_tables_get_their_sentence(tmp_path):
    table = Table.open(tmp_path / "m.csv", ["step", "loss"])
    before = table.size
    for row, sentence in [
        ({"lss": 1}, r"m\.csv has no column `lss`\."),
        ({"loss": "low"}, r"Column `loss` must get a number, but gets 'low'\."),
        ({"loss": np.zeros(2)}, r"Column `loss` must get a number, but gets array\(\[0\., 0\.\]\)\."),
    ]:
        with pytest.raises(InputError, match=sentence):
            table.append({"step": 1}, row)
    assert table.size == before
    with pytest.raises(FileError, match=r"m\.csv begins with 'step,loss', not with 'step,lr,loss'\."):
        Table.open(tmp_path / "m.csv", ["step", "lr", "loss"])
    for columns in (["step", "step"], ["a,b"], [""]):
        with pytest.raises(InputError, match="`columns` must be different words"):
            Table.open(tmp_path / "n.csv", columns)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="folder cannot be read: Is a directory"):
        Objects.open(tmp_path / "folder")


def test_a_full_disk_leaves_whole_lines(tmp_path):
    table = Table.open(tmp_path / "m.csv", ["step", "loss"])
    table.append({"step": 1, "loss": 0.5})
    whole = (tmp_path / "m.csv").read_bytes()
    with largest_file(len(whole) + 10), pytest.raises(InputError, match=r"m\.csv cannot be written: File too large\."):
        table.append(*({"step": step, "loss": 0.1} for step in range(9)))  # some of it fits
    assert (tmp_path / "m.csv").read_bytes() == whole
    table.append({"step": 2})
    assert (tmp_path / "m.csv").read_bytes() == whole + b"2,\n"
