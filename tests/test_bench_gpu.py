"""What is measured on a card, small and on a CPU: it needs little, rows are kept and taken up, and faults are seen."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments.bench.gpu import __main__ as door
from experiments.bench.gpu import agreement, directpred, images, resnet18
from experiments.bench.gpu.record import Clock, Record, Row, make
from linbyol.store import FileError, write_json

ROOT = Path(__file__).parent.parent
HIDDEN = (
    "tyro", "pooch", "requests", "PIL", "matplotlib", "sympy", "beartype", "cattrs", "msgspec", "tomlkit", "tomli_w",
)  # fmt: skip
HOOK = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HIDDEN!r}:
            raise ModuleNotFoundError(f"{{name}} is hidden", name=name)

sys.meta_path.insert(0, Hidden())
"""


def test_all_of_it_runs_small_with_the_libraries_of_a_card(tmp_path):
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINBYOL")}
    environment |= {"PYTHONPATH": str(tmp_path / "hook"), "HOME": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    hidden = subprocess.run([sys.executable, "-c", "import tyro"], env=environment, capture_output=True, text=True)
    assert "tyro is hidden" in hidden.stderr
    words = [sys.executable, "-m", "experiments.bench.gpu", "--tiny", "--out", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=590)
    assert done.returncode == 0, done.stderr[-2000:]
    record = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert record == json.loads(done.stdout)
    rows = {row["name"]: row for row in record["rows"]}
    assert {name.partition(":")[0] for name in rows} == set(door.PARTS)
    assert {row["status"] for row in rows.values()} == {"done"}

    assert all(row["ok"] for name, row in rows.items() if name.startswith("doctor") and "device" not in name)
    assert rows["doctor: device"]["tf32"] is False
    assert 0 < rows["doctor: flows"]["float32"] < 1e-5
    for dtype, target in (("float32", 1e-4), ("float64", 1e-6)):
        row = rows[f"ensemble: {dtype}, 64 trajectories"]
        for one in row["contenders"].values():
            assert min(point["error_max"] for point in one["points"]) <= target
            assert one["per_second"] == max(
                p["trajectories_per_second"] for p in one["points"] if p["error_max"] <= target
            )
        ours, theirs = row["contenders"].values()
        assert row["times_diffrax"] == ours["per_second"] / theirs["per_second"]
    row = rows["resnet18: BYOL beside PyTorch"]
    rate = row["images_per_second"]["linbyol"]
    assert row["of_peak"] == rate * row["operations_per_image"] / row["peak_operations_per_second"]
    assert row["operations_per_image"] > 2 * 9 * 3 * 4 * 64  # of the first convolution alone, forward, one view
    assert "skipped" in row["torch"]["torch"] or row["times_torch"] > 0
    row = rows["lanes: mlp, 2 seeds"]
    assert row["times"] == row["images_per_second"]["together"] / row["images_per_second"]["one"] > 0
    epochs = [rows[f"directpred: seed 0, epoch {i}"] for i in range(3)]
    assert [row["step"] for row in epochs] == [0, 4, 8]
    assert all(np.isfinite(row["loss"]) for row in epochs[1:])
    (result,) = rows["directpred: seed 0"]["results"]
    assert result["linear_paper"] == epochs[2]["linear_paper"]
    assert 0 <= result["linear_paper"] <= 1


def test_directpred_ends_in_time_and_goes_on(tmp_path):
    record = Record(tmp_path, {})

    class AnEpoch(Clock):
        def has(self, seconds):
            return "directpred: seed 0, epoch 1" not in record.rows

    with jax.enable_x64(False):
        (row,) = directpred.rows(True, tmp_path, record)
        (skipped,) = make([row], record, Clock(time.monotonic()), print)
        first = row.make(AnEpoch(time.monotonic()), lambda found: None)
        last = row.make(Clock(time.monotonic() + 600), lambda found: None)
    assert skipped["status"] == "skipped: 0 s left"
    assert first["status"] == "interrupted at epoch 1.0"
    assert first["results"] == [dict.fromkeys(("knn", "linear_paper"), "skipped: 0 s left")]
    assert (last["begun_at_epoch"], last["epoch"]) == (1, 2)
    assert "status" not in last
    assert 0 <= last["results"][0]["linear_paper"] <= 1
    assert [name for name in record.rows if "epoch" in name] == [f"directpred: seed 0, epoch {i}" for i in range(3)]


def test_rows_are_kept_made_again_if_they_failed_and_begun_only_in_time(tmp_path):
    made = []

    def row(name, rank=0, needs=0.0, ok=True):
        def task(clock, keep):
            made.append(name)
            keep({"half": 1})
            kept = {row["name"]: row for row in json.loads((tmp_path / "gpu.json").read_text())["rows"]}
            assert kept[name]["status"] == "under way"
            if not ok:
                raise ValueError(f"{name} is broken")
            return {"whole": 2}

        return Row(name, rank, needs, task)

    clock = Clock(time.monotonic() + 60)
    first = make([row("b", 1, ok=False), row("a"), row("c", 2, needs=100)], Record(tmp_path, {}), clock, print)
    assert made == ["a", "b"]
    assert [r["status"] for r in first] == ["done", "failed", "skipped: 60 s left"]
    assert first[1]["half"] == 1
    assert first[1]["why"] == "ValueError: b is broken"
    second = make([row("a"), row("b")], Record(tmp_path, {}), clock, print)
    assert made == ["a", "b", "b"]
    assert [r["status"] for r in second] == ["done", "done"]
    kept = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert [r["name"] for r in kept] == ["a", "b", "c"]
    (tmp_path / "gpu.json").write_text("{")
    with pytest.raises(FileError, match=r"gpu\.json is not a record of rows"):
        Record(tmp_path, {})


def test_a_card_that_leaves_the_cpus_numbers_is_noticed():
    exact = np.linspace(1, 2, 5)

    def on(where, compute, dtype, products, off=0.0):
        rounded = exact.astype(dtype).astype(float) * (1 + 1e-7 * (dtype == "float32"))
        return [rounded + (off if where == "card" and dtype == "float32" else 0)]

    for off, ok in ((0.0, True), (1e-5, True), (3e-5, False), (np.nan, False)):
        found = agreement.agreement(None, on=lambda *asked, off=off: on(*asked, off=off))
        assert found["ok"] is ok
        assert found["float64"] == 0
    assert agreement.distance([np.array([np.nan, np.inf])], [np.array([np.nan, np.inf])]) == 0
    assert agreement.distance([np.array([1.0, 2.0])], [np.array([1.0, np.inf])]) == np.inf


def test_pytorch_that_is_not_ready_in_time_is_left_out(monkeypatch):
    monkeypatch.setattr(resnet18, "Torch", lambda *words, **how: Late())
    closed = []

    class Late:
        about = None

        def ready(self, seconds):
            return False

        def close(self):
            closed.append(self)

    class Fixed:
        compile_seconds = 1.0

        def __init__(self, o, data):
            pass

        def __call__(self, steps):
            return 100.0

        def operations(self):
            return 5.0

    monkeypatch.setattr(resnet18, "Ready", Fixed)
    monkeypatch.setattr(resnet18, "product_rate", lambda dtype, tiny: 1000.0)
    row = resnet18.beside(True, "python", Clock(time.monotonic() + 3), lambda found: None)
    assert row["torch"] == {"torch": {"skipped": "skipped: 3 s left"}}
    assert row["of_peak"] == 0.5
    assert row["times_torch"] is None
    assert len(closed) == 1


def test_images_are_real_where_they_lie_and_said_to_be_made_up_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("LINBYOL_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    data, what = images.images((50_000, 32, 3))
    assert data.train.images.shape == (50_000, 32, 32, 3)
    assert what.startswith("made up: Data set cifar10 is not in")


def test_the_door_refuses_in_a_sentence(tmp_path, capsys):
    for words, said in ((["--minutes", "0"], "--minutes must be positive"), (["--only", "doctr"], "invalid choice")):
        with pytest.raises(SystemExit) as status:
            door.asked(["--out", str(tmp_path), *words])
        assert status.value.code == 2
        assert said in capsys.readouterr().err
    write_json(tmp_path / "gpu.json", {"rows": []})
    assert Record(tmp_path, {}).rows == {}
