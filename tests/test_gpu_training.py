"""The measurements for a GPU, small and on a CPU: rows are kept and taken up, and what they count is right."""

import json
import time

import jax
import numpy as np
import pytest

from experiments.gpu import carry, checks, gradients, ready, rows, training
from experiments.networks import ENCODERS
from linbyol.checks import InputError
from linbyol.store import write_json


def asked(command, tmp_path, *words):
    return training.settings([command, "--tiny", "--no-torch", "--out", str(tmp_path), *words])


def test_operations_are_those_of_resnet18():
    # 555,417,600 multiply-adds, as is well known, of which the stem has 1,769,472 and no gradient at the image
    heads = 4 * (512 * 512 + 512 * 128) + 3 * 128 * 128
    assert ready.resnet18_operations(32, 64) == 4 * (4 * 555_417_600 - 1_769_472 + heads)
    net = jax.eval_shape(lambda: ENCODERS["resnet18"](jax.random.key(0), (8, 8, 3), width=4))
    kernels = [x.shape for x in jax.tree.leaves(net) if len(x.shape) == 4]
    side = lambda k: 8 * 4 // max(k[3], 4)  # noqa: E731 - the side of what a kernel gives, its channels say
    products = [np.prod(k) * side(k) ** 2 for k in kernels]
    heads = 4 * (32 * 512 + 512 * 128) + 3 * 128 * 128
    assert ready.resnet18_operations(8, 4) == 4 * (4 * sum(products) - 3 * 4 * 9 * 64 + heads)


def test_rows_are_kept_made_again_if_they_failed_and_begun_only_in_time(tmp_path):
    a = asked("checks", tmp_path)
    asked_for = []

    def task(name, ok):
        def made(until):
            asked_for.append(name)
            if not ok:
                raise ValueError(f"{name} is broken")
            return {"ok": True}

        return name, made

    first = training.measured("checks", [task("a", True), task("b", False)], a)
    assert [row["status"] for row in first["rows"]] == ["done", "failed"]
    assert first["rows"][1]["why"] == "ValueError: b is broken"
    second = training.measured("checks", [task("a", True), task("b", True)], a)
    assert asked_for == ["a", "b", "b"]
    assert second["ok"]
    assert json.loads((tmp_path / "training-checks.json").read_text()) == second
    a.minutes = 0.0
    time.sleep(0.01)
    third = training.measured("checks", [task("a", True), task("c", True)], a)
    assert [row["status"] for row in third["rows"]] == ["done", "done", "no time was left"]
    assert rows.agreed([{"ok": True}, {"ok": False}]) == rows.agreed([]) == {"ok": False}


def test_directpred_is_interrupted_and_goes_on(tmp_path):
    with jax.enable_x64(False):
        ((_, task),) = rows.directpred(asked("directpred", tmp_path, "--seeds", "3"))
        stopped = task(time.monotonic())
        done = task(time.monotonic() + 600)
    assert stopped["status"] == "interrupted"
    assert stopped["step"] < done["step"] == done["steps"] == 8
    assert done["status"] == "done"
    (result,) = done["results"]
    assert rows.accuracies([done])["accuracies"]["linear_paper"] == {
        "mean": result["linear_paper"], "std": None, "seeds": 1
    }  # fmt: skip


def test_the_gradients_at_a_kernel_are_one():
    row = gradients.measure("stage 1", 2, tiny=True)
    assert max(row["relative_difference"].values()) < 2**-7  # products in bfloat16, sums of 128 of them and more
    assert row["operations"] == 2 * 9 * 4 * 4 * 64 * 2 * 2


def test_a_curve_that_leaves_the_cpus_is_noticed(monkeypatch):
    for offset, ok in ((5e-5, True), (2e-4, False)):

        def process(case, precisions, matmul="default", *, steps, tiny, platform="", flags="", offset=offset):
            off = 0.0 if platform else offset
            return {p: {"losses": [1.0, 2.0 + off + (1e-5 if p == "float32" else 0.0)]} for p in precisions}

        monkeypatch.setattr(checks, "process", process)
        assert checks.losses("byol, mlp", 2, True)["ok"] is ok


def test_a_data_set_travels_in_two_parts(tmp_path):
    place = tmp_path / "cifar10"
    place.mkdir()
    sizes = {"train-00000-00002": 40, "train-00002-00004": 30, "test-00000-00003": 20}
    for name, size in sizes.items():
        (place / f"{name}.med.xz").write_bytes(bytes(size))
    with pytest.raises(InputError, match="must hold batches"):
        carry.divided(place)
    for name in carry.NEEDED:
        write_json(place / name, {})
    (place / "filenames.txt.xz").write_bytes(bytes(99))
    found = [path for part in carry.copy(tmp_path, tmp_path / "out") for path in part.rglob("*") if path.is_file()]
    assert sorted(path.name for path in found) == sorted([*carry.NEEDED, *(f"{name}.med.xz" for name in sizes)])
    with pytest.raises(InputError, match="two parts of 45 bytes, but one would have"):
        carry.divided(place, 45)
