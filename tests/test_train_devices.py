"""Several devices and several processes train what one device trains, to the rounding of sums in another order."""

import numpy as np
import pytest
from training_runs import final_state, finish, free_port, preset, start

ROUNDING = 1e-5  # float32, tens of steps: sums over the batch in another order
SETTINGS = {  # batch normalisation and views, so that statistics and random numbers are shared too
    "encoder": '"mlp"', "d": None, "encoder.widths": "[16]", "projector.widths": "[8]", "augment": '"digits"',
    "epochs": 6, "save": 100, "log": 6, "measure": 100,
}  # fmt: skip


def trained(tmp_path, name, *, seeds="[0]", devices=1):
    out = tmp_path / name
    out.mkdir(parents=True)
    settings = preset(out, seeds=seeds, **SETTINGS)
    code, _, err = finish(start(settings, "--out", out / "runs", devices=devices))
    assert code == 0, err
    return final_state(out / "runs")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("alone"), "alone")


def difference(a, b):
    """The largest difference of two states, each array's as a share of its largest entry or of 1."""
    assert {name: x.shape for name, x in a.items()} == {name: x.shape for name, x in b.items()}
    size = lambda x: max(float(np.abs(x).max(initial=0)), 1.0)  # noqa: E731
    return max(np.abs(x.astype(float) - b[name].astype(float)).max(initial=0) / size(b[name]) for name, x in a.items())


def test_eight_devices_share_a_batch(alone, tmp_path):
    assert difference(trained(tmp_path, "eight", devices=8), alone) < ROUNDING


def test_eight_devices_share_eight_lanes(alone, tmp_path):
    found = trained(tmp_path, "lanes", seeds="[0, 1, 2, 3, 4, 5, 6, 7]", devices=8)
    assert difference({name: found[name][0] for name in found}, alone) < ROUNDING


def test_two_processes_of_two_devices_train_together(alone, tmp_path):
    port = free_port()
    settings = preset(tmp_path, seeds="[0]", **SETTINGS)
    where = ("--distributed", "--coordinator", f"127.0.0.1:{port}", "--processes", 2)
    processes = [start(settings, "--out", tmp_path / "runs", *where, "--process", i, devices=2) for i in range(2)]
    for code, _, err in [finish(process) for process in processes]:
        assert code == 0, err
    assert difference(final_state(tmp_path / "runs"), alone) < ROUNDING
