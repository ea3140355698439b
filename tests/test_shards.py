"""Sweeps on disk: killed, resumed, damaged, shared by processes; and many devices against one."""

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest

from linbyol.checks import InputError
from linbyol.ensemble import sweeps as shards
from linbyol.ensemble.compiled import EnsembleResult
from linbyol.equations import Amplitudes
from linbyol.store import FileError, write_arrays

ENGINE = """
import sys
import jax
jax.config.update("jax_enable_x64", True)
import numpy as np
from experiments.bench.workload import take, workload
from linbyol.ensemble import sweeps as shards
from linbyol.ensemble import solve_amplitudes
Y, K = workload(9000, seed=2)
def work(start, stop):
    part = slice(start, stop)
    return shards.record(solve_amplitudes(take(Y, part), take(K, part), 20.0, chunk=1024))
"""

SLOW = """
import sys, time
import numpy as np
from linbyol.ensemble import sweeps as shards
def work(start, stop):
    time.sleep(0.01)
    return {"x": np.sqrt(np.arange(start, stop))}
shards.sweep(work, 1000, sys.argv[1], shard=25, config={"root": 2})
"""


def squares(start, stop):
    return {"x": np.arange(start, stop) ** 2, "odd": np.arange(start, stop) % 2 == 1}


def python(code, *arguments, devices=1, **variables):
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        **variables,
    }
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment)


def finish(*processes):
    """Wait, and never leave a process behind: after jax.distributed has begun, SIGTERM is not heard."""
    try:
        assert [process.wait(240) for process in processes] == [0] * len(processes)
    finally:
        for process in processes:
            process.kill()


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.npz"))}


def test_a_sweep_covers_every_index_once(tmp_path):
    assert shards.sweep(squares, 103, tmp_path, shard=10) == 11
    manifest = shards.merge(tmp_path)
    assert manifest["total"] == 103
    assert [(row["start"], row["stop"]) for row in manifest["shards"]] == [
        (i, min(i + 10, 103)) for i in range(0, 103, 10)
    ]
    x = np.concatenate([part["x"] for part in shards.read(tmp_path, "x")])
    assert np.array_equal(x, np.arange(103) ** 2)
    assert shards.sweep(squares, 103, tmp_path, shard=10) == 0  # nothing is missing


def test_hosts_share_the_work(tmp_path):
    assert [shards.sweep(squares, 100, tmp_path, shard=10, host=h, hosts=3) for h in range(3)] == [4, 3, 3]
    straight = tmp_path / "straight"
    shards.sweep(squares, 100, straight, shard=10)
    assert contents(tmp_path) == contents(straight)


def test_the_place_is_what_the_scheduler_says(monkeypatch):
    for name in (
        "SLURM_ARRAY_TASK_COUNT",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_MIN",
        "SLURM_NTASKS",
        "SLURM_PROCID",
    ):
        monkeypatch.delenv(name, raising=False)
    assert shards.place() == (0, 1)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert shards.place() == (3, 4)
    for name, value in (("COUNT", "5"), ("ID", "12"), ("MIN", "10")):
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    assert shards.place() == (2 * 4 + 3, 20)


def test_killed_at_random_moments_and_resumed(tmp_path):
    """SIGKILL after a random while, eight times; what then stands is what a straight run writes, byte for byte."""
    clock, folder, straight = random.Random(1), tmp_path / "killed", tmp_path / "straight"
    finish(python(SLOW, straight))
    for _ in range(8):
        process = python(SLOW, folder)
        while not list(folder.glob("shard-*")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(clock.uniform(0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for path in folder.glob("*.json"):
            json.loads(path.read_text())  # no file stands half written
    if len(contents(folder)) < 40:
        with pytest.raises(FileError, match=r"lacks \d+ of 40 shards"):
            shards.merge(folder)
    finish(python(SLOW, folder))
    assert contents(folder) == contents(straight)
    assert shards.merge(folder) == shards.merge(straight)
    assert not list(folder.glob(".shard-*"))


@pytest.mark.parametrize("damage", ["flip", "cut", "lost", "json"])
def test_a_damaged_shard_is_refused_and_done_again(tmp_path, damage):
    shards.sweep(squares, 40, tmp_path, shard=10)
    whole = contents(tmp_path)
    shards.merge(tmp_path)
    path = tmp_path / "shard-000002.npz"
    if damage == "flip":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "lost":
        path.unlink()
    else:
        path.with_suffix(".json").write_text("{")
    with pytest.raises(FileError, match=r"the first is shard-000002\.npz"):
        shards.merge(tmp_path)
    if damage != "json":
        with pytest.raises(FileError, match=r"shard-000002\.npz"):
            list(shards.read(tmp_path))
    assert shards.sweep(squares, 40, tmp_path, shard=10) == 1
    assert contents(tmp_path) == whole


def test_what_is_read_is_what_was_merged(tmp_path):
    """A shard that was written anew after the merge is whole, and passes for missing no more; but it is another."""
    shards.sweep(squares, 40, tmp_path, shard=10)
    manifest = shards.merge(tmp_path)
    for row in manifest["shards"]:
        assert row["sha256"] == hashlib.sha256((tmp_path / row["file"]).read_bytes()).hexdigest()
    assert json.loads((tmp_path / "manifest.json").read_text()) == manifest
    write_arrays(tmp_path / "shard-000001.npz", {"x": np.arange(10), "odd": np.ones(10, bool)})
    parts = shards.read(tmp_path)
    assert set(next(parts)) == {"x", "odd"}
    with pytest.raises(FileError, match=r"shard-000001\.npz is not the one that was merged: its SHA-256 differs"):
        next(parts)


def test_an_ensemble_is_recorded_by_name():
    """Leaves (t, N) have N first; p alone is called p."""
    one, two = jnp.arange(3.0), jnp.asarray(np.arange(6.0).reshape(2, 3))
    how = [jnp.asarray(x) for x in ([True, False, True], [5, 6, 7], [1, 2, 3], [0.1, 0.2, 0.3])]
    found = shards.record(EnsembleResult(Amplitudes(one, 2 * one, 3 * one), *how, {"collapse": 7 * one}))
    assert list(found) == ["w", "wp", "wa", "ok", "steps", "rejected", "error", "time_of_collapse"]
    for name, expected in zip(found, (one, 2 * one, 3 * one, *how, 7 * one), strict=True):
        assert np.array_equal(found[name], expected)
    assert np.array_equal(shards.record(EnsembleResult(two, *how, {}))["p"], two.T)


def test_another_sweep_is_refused(tmp_path):
    shards.sweep(squares, 40, tmp_path, shard=10, config={"eta": 0.1})
    with pytest.raises(FileError, match=r"holds another sweep: its `config` is \{'eta': 0\.1\}, not \{'eta': 0\.2\}"):
        shards.sweep(squares, 40, tmp_path, shard=10, config={"eta": 0.2})
    with pytest.raises(FileError, match="its `shard` is 10, not 20"):
        shards.sweep(squares, 40, tmp_path, shard=20, config={"eta": 0.1})


def test_the_door(tmp_path):
    for arguments, sentence in [
        ({"total": -1}, "`total` must be a whole number of at least 0, but is -1"),
        ({"shard": 0}, "`shard` must be a whole number of at least 1, but is 0"),
        ({"host": 3, "hosts": 2}, "`host` must be at least 0 and below hosts = 2, but is 3"),
        ({"work": lambda a, b: {"x": np.zeros(3)}}, "`x` has shape (3,)"),
    ]:
        with pytest.raises(InputError) as refused:
            shards.sweep(**({"work": squares, "total": 40, "folder": tmp_path, "shard": 10} | arguments))
        assert sentence in str(refused.value)
    assert shards.sweep(squares, 0, tmp_path / "empty") == 0
    assert shards.merge(tmp_path / "empty")["shards"] == []


def test_eight_devices_and_two_processes_give_the_same_bits(tmp_path):
    """Eight forced devices against one, and two processes that found each other on loopback: every byte."""
    alone, eight, two = (tmp_path / name for name in ("alone", "eight", "two"))
    run = ENGINE + "shards.sweep(work, 9000, sys.argv[1], shard=4500)"
    finish(python(run, alone))
    finish(python(run + "\nassert jax.device_count() == 8", eight, devices=8))
    killed = tmp_path / "killed"  # as soon as one of its two shards stands, then resumed on other devices
    process = python(run, killed)
    while not list(killed.glob("shard-*.json")) and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    finish(python(run, killed, devices=2))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    join = (
        "import jax, sys\n"
        f"jax.distributed.initialize('127.0.0.1:{port}', 2, int(sys.argv[2]), initialization_timeout=120)\n"
    )
    check = "\nassert shards.place() == (int(sys.argv[2]), 2)\njax.distributed.shutdown()"
    finish(*(python(join + run + check, two, i, devices=2) for i in range(2)))
    assert contents(alone) == contents(eight) == contents(two) == contents(killed)
    made = [json.loads((two / f"shard-00000{i}.json").read_text())["host"] for i in range(2)]
    assert made == [0, 1]
