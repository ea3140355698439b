"""What can befall a run: killed, told to stop, a loss that is not finite, a full disk, damaged checkpoints."""

import json
import os
import random
import re
import shutil
import signal
import time

import pytest
from training_runs import final_state, finish, folder, preset, start

from experiments import presets
from experiments.tables import digest

KILLS = int(os.environ.get("LINBYOL_KILLS", "2"))  # more of them for a measurement


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nothing befell, and its final arrays."""
    out = tmp_path_factory.mktemp("whole")
    code, _, err = finish(start(preset(out), "--out", out / "runs"))
    assert code == 0, err
    return out / "runs"


def same(a, b):
    """Rows, spectra and the last checkpoint have the same bytes."""
    for name in ("metrics.csv", "spectra.jsonl"):
        assert (folder(a) / name).read_bytes() == (folder(b) / name).read_bytes(), name
    x, y = final_state(a), final_state(b)
    assert x.keys() == y.keys()
    assert all(x[name].tobytes() == y[name].tobytes() for name in x)


def wait_for_rows(path, number, process):
    """Until the table has so many lines, or the process has ended."""
    while process.poll() is None and not (path.exists() and path.read_bytes().count(b"\n") >= number):
        time.sleep(0.002)


def test_killed_at_random_moments_a_run_ends_with_the_same_bits(whole, tmp_path):
    rng, out, killed = random.Random(KILLS), tmp_path / "runs", 0
    for moment in [0.9 * (i + rng.random()) / KILLS for i in range(KILLS)]:
        process = start(preset(tmp_path), "--out", out)
        table = out / folder(whole).name / "metrics.csv"
        wait_for_rows(table, 2 + int(20 * moment), process)  # of 22 lines
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        killed += finish(process)[0] == -signal.SIGKILL
    assert killed > 0
    code, _, err = finish(start(preset(tmp_path), "--out", out))
    assert code == 0, err
    same(out, whole)
    record = json.loads((folder(out) / "run.json").read_text())
    statuses = [session["status"] for session in record["sessions"]]
    assert 0 < statuses.count("killed") <= killed  # one may have been killed before it opened the folder
    assert set(statuses) == {"killed", "done"}


def test_sigterm_and_a_full_disk_lose_nothing_and_the_same_command_goes_on(tmp_path):
    """SIGTERM saves and exits 143. Then no file may grow beyond 8 kB, and a checkpoint is larger: one sentence.

    The run would take hours, so that it cannot end before the signal; what it wrote until it was stopped for the
    second time is how a shorter run of its kind begins.
    """
    out, endless = tmp_path / "runs", preset(tmp_path, epochs=10**6)
    name, options = presets.preset(str(endless))
    place = out / f"{name}-{digest(options)}"

    def told_to_stop(rows):
        process = start(endless, "--out", out)
        wait_for_rows(place / "metrics.csv", rows, process)
        process.send_signal(signal.SIGTERM)
        code, words, err = finish(process)
        assert code == 143, err
        assert "the same command goes on from there" in words
        assert json.loads((place / "run.json").read_text())["status"] == "interrupted"
        return (place / "metrics.csv").read_bytes()

    first = told_to_stop(4)
    saved = sorted((place / "checkpoints").glob("step-*"))
    assert saved
    code, _, err = finish(start(endless, "--out", out, largest=8192))
    assert code == 3, err
    sentence = [line for line in err.splitlines() if line.startswith("linbyol: ")]
    assert len(sentence) == 1
    assert "cannot be written" in sentence[0]
    assert sorted((place / "checkpoints").glob("step-*")) == saved
    second = told_to_stop(first.count(b"\n") + 4)
    assert second.startswith(first)
    steps = int(second.splitlines()[-1].split(b",")[0])
    code, _, err = finish(start(preset(tmp_path, epochs=steps // 2 + 1), "--out", tmp_path / "shorter"))
    assert code == 0, err
    shorter = folder(tmp_path / "shorter")
    assert (shorter / "metrics.csv").read_bytes().startswith(second)
    assert (shorter / "spectra.jsonl").read_bytes().startswith((place / "spectra.jsonl").read_bytes())


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(whole, tmp_path):
    out = tmp_path / "runs"
    shutil.copytree(whole, out)
    newest = max((folder(out) / "checkpoints").glob("step-*")) / "arrays.npz"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    code, _, err = finish(start(preset(tmp_path), "--out", out))
    assert code == 0, err
    assert "arrays.npz" in err
    same(out, whole)


def test_a_loss_that_is_not_finite_exits_4_and_keeps_the_last_good_checkpoint(tmp_path):
    out = tmp_path / "runs"
    code, _, err = finish(
        start(preset(tmp_path, loss='"l2"', lr="1e25", momentum="0.0", save=1, epochs=3), "--out", out)
    )
    assert code == 4, err
    assert err.startswith("linbyol: The loss is not finite from step ")
    assert err.count("\n") == 1
    assert json.loads((folder(out) / "run.json").read_text())["status"] == "failed"
    step = int(err.split("from step ")[1].split()[0])
    saved = sorted(int(path.name[5:]) for path in (folder(out) / "checkpoints").glob("step-*"))
    assert all(number <= step for number in saved)
    assert f"; the checkpoint of step {saved[-1]} is kept." in err


def test_a_lane_that_diverges_is_named_and_the_others_end(tmp_path):
    """The exit status of a single run whose loss is not finite, now and when the command is typed again."""
    settings = preset(tmp_path, loss='"l2"', momentum="0.0", epochs=3, final='["ridge"]')
    command = (settings, "--out", tmp_path / "runs", "--sweep", "lr=0.05,1e25", "--json")
    for _ in range(2):
        code, words, err = finish(start(*command))
        assert code == 4, err
        (sentence,) = err.splitlines()
        assert re.fullmatch(
            r"linbyol: The loss is not finite from step \d+ on in lane seed 0, lr = 1e\+25; the other lanes go on\.",
            sentence,
        )
        found = json.loads(words)
        assert found["status"] == "done"
        assert [first >= 0 for first in found["broken"]] == [False, True]
        assert found["summary"][0]["trained"]["ridge"]["mean"] == found["results"][0]["ridge"] > 0
        assert found["summary"][1]["trained"] == {}


def test_a_finished_run_says_so_and_trains_no_more(whole, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in (folder(whole) / "checkpoints").rglob("*")}
    code, words, err = finish(start(preset(tmp_path), "--out", whole))
    assert code == 0, err
    assert str(folder(whole)) in words
    assert before == {path: path.stat().st_mtime_ns for path in (folder(whole) / "checkpoints").rglob("*")}
