"""Checkpoints: bit by bit or not at all, whoever is killed, whatever is damaged, and however little space is left."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.runs import checkpoints, manifests
from experiments.runs.checkpoints import restore, save
from linbyol.checks import InputError
from linbyol.store import FileError
from tests.processes import environment, largest_file

CONFIG = {"eta": 4e-4, "widths": (64, 128), "rule": "direct", "target": None}

WRITERS = """
import os, sys
import numpy as np
from experiments.runs.checkpoints import save
for first in map(int, sys.stdin):  # one writer after the other, each in a process of its own
    writer = os.fork()
    if writer == 0:
        for step in range(first, 10**6):
            save(sys.argv[1], step, {"x": np.full(100_000, step), "y": [np.full(7, -step), step]}, config={"eta": 0.1})
            if step == first + 1:
                print(os.getpid(), flush=True)
    assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == -9
    print("killed", flush=True)
"""


class Layer(eqx.Module):
    W: jax.Array
    b: jax.Array | None
    width: int = eqx.field(static=True)


class Mode(NamedTuple):
    p: jax.Array
    tau: float


def state(seed=0):
    """One leaf of each kind that a trainer has."""
    a, b = jax.random.split(jax.random.key(seed))
    layers = (Layer(jax.random.normal(a, (3, 2), jnp.float32), None, 3), Layer(jnp.ones(2, jnp.bfloat16) / 3, b, 2))
    return {
        "params": layers,
        "optimiser": optax.adam(1e-3).init(layers[0].W),
        "modes": [Mode(jnp.array([jnp.nan, -0.0, jnp.inf]), 0.1), None],
        "seen": np.arange(5, dtype=np.uint8),
        "key": jax.random.split(a, 2),
        "step": 2**40 + seed,
        "empty": jnp.zeros((0, 4)),
    }


def bits(tree):
    return [
        (str(leaf.dtype), np.asarray(jax.random.key_data(leaf) if str(leaf.dtype)[:3] == "key" else leaf).tobytes())
        if hasattr(leaf, "dtype")
        else leaf
        for leaf in jax.tree.leaves(tree)
    ]


def small(step):
    return {"x": np.arange(30.0) + step, "y": np.full(3, step, np.int8)}


@pytest.fixture
def folder(tmp_path):
    """Two checkpoints; the damage will be done to the newer one."""
    for step in (10, 20):
        save(tmp_path, step, small(step), config=CONFIG, extra={"size": step})
    return tmp_path


def fell_back(folder, *, file):
    """The newer is refused, with the file's name, and the older is used."""
    found = restore(folder, small(0), config=CONFIG)
    assert (found.step, found.extra, bits(found.state)) == (10, {"size": 10}, bits(small(10)))
    (sentence,) = found.refused
    assert str(folder / "step-00000020" / file) in sentence
    assert sentence.endswith(".")
    return True


def test_every_kind_of_leaf_comes_back_bit_by_bit(tmp_path):
    saved = state(3)
    path = save(tmp_path / "new", 1234, saved, config=CONFIG, extra={"size": 17, "loss": float("nan"), "best": 0.1})
    assert path == tmp_path / "new" / "step-00001234"
    found = restore(tmp_path / "new", state(0), config=CONFIG)
    assert found.step == 1234
    assert found.extra == {"size": 17, "loss": None, "best": 0.1}
    assert found.refused == []
    assert jax.tree.structure(found.state) == jax.tree.structure(saved)
    assert bits(found.state) == bits(saved)
    for ours, theirs in zip(jax.tree.leaves(found.state), jax.tree.leaves(saved), strict=True):
        assert isinstance(ours, jax.Array) == isinstance(theirs, jax.Array)


def test_a_state_of_shapes_is_enough(tmp_path):
    save(tmp_path, 0, state(3), config=CONFIG)
    like = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, state()))  # seen, step and tau as JAX arrays
    like["step"], like["seen"] = 0, state()["seen"]
    like["modes"][0] = like["modes"][0]._replace(tau=0.0)
    assert bits(restore(tmp_path, like).state) == bits(state(3))


def test_a_replicated_state_goes_back_to_all_its_devices(tmp_path):
    code = """
import sys, numpy as np, jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from experiments.runs.checkpoints import restore, save
mesh = jax.make_mesh((2,), ("d",), axis_types=(AxisType.Auto,))
W = jax.device_put(jnp.arange(6.0), NamedSharding(mesh, P()))
rows = jax.device_put(jnp.arange(6.0), NamedSharding(mesh, P("d")))
save(sys.argv[1], 5, (W, rows), config={})
pairs = list(zip(restore(sys.argv[1], (W, rows)).state, (W, rows), strict=True))
print(jax.device_count(), *(f.sharding == a.sharding and np.array_equal(f, a) for f, a in pairs))
"""
    said = run(code, tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert said.split() == ["2", "True", "True"]


def test_the_last_few_are_kept_and_the_saved_one_is_the_newest(tmp_path):
    assert restore(tmp_path, small(0)) is None
    assert restore(tmp_path / "absent", small(0)) is None
    for step in range(5):
        save(tmp_path, step, small(step), config=CONFIG, keep=2)
    assert names(tmp_path) == ["step-00000003", "step-00000004"]
    save(tmp_path, 3, small(7), config=CONFIG, keep=2)  # gone on from 2, say: the past that was left goes
    assert names(tmp_path) == ["step-00000003"]
    assert bits(restore(tmp_path, small(0)).state) == bits(small(7))


def test_the_same_state_gives_the_same_bytes(tmp_path):
    one, two = (save(tmp_path / name, 5, state(1), config=CONFIG) for name in "ab")
    for file in ("arrays.npz", "manifest.json"):
        assert (one / file).read_bytes() == (two / file).read_bytes()


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_a_flipped_bit_anywhere_is_refused(folder, file):
    """Zip headers, array headers, data, central directory, end of archive; every byte of the manifest."""
    path = folder / "step-00000020" / file
    whole = path.read_bytes()
    assert restore(folder, small(0), config=CONFIG).step == 20
    for i in range(0, len(whole), 1 if file == "manifest.json" else 3):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :])
        assert fell_back(folder, file=file)


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_what_is_cut_or_lost_is_refused(folder, file):
    path = folder / "step-00000020" / file
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], whole + b"\n"):
        path.write_bytes(content)
        assert fell_back(folder, file=file)
    path.unlink()
    assert fell_back(folder, file=file)
    path.mkdir()
    assert fell_back(folder, file=file)


def test_an_edited_manifest_is_refused(folder):
    path = folder / "step-00000020" / "manifest.json"
    whole = path.read_bytes()
    for old, new in [(b'"step": 20', b'"step": 21'), (b"0.0004", b"0.0005"), (b"\n", b"\n "), (b"{", b"[{")]:
        assert old in whole
        path.write_bytes(whole.replace(old, new, 1))
        assert fell_back(folder, file="manifest.json")
    other = (folder / "step-00000010" / "manifest.json").read_bytes()
    path.write_bytes(other)  # whole, but of another step
    assert fell_back(folder, file="manifest.json")


def test_without_any_whole_checkpoint_there_is_an_error(folder):
    for path in folder.glob("step-*/arrays.npz"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileError, match=r"no undamaged checkpoint\. File .*step-00000020/arrays.npz .*SHA-256"):
        restore(folder, small(0))


def test_a_damaged_checkpoint_is_replaced_when_its_step_comes_again(folder):
    (folder / "step-00000020" / "arrays.npz").unlink()
    save(folder, 20, small(20), config=CONFIG, keep=2)
    assert restore(folder, small(0)).step == 20
    assert names(folder) == ["step-00000010", "step-00000020"]


@pytest.mark.parametrize("replacing", [False, True])
def test_a_writer_that_died_between_two_renames_lost_nothing(folder, replacing):
    newest = folder / "step-00000020"
    aside = newest.rename(folder / ".step-00000020.replaced")
    if replacing:
        shutil.copytree(aside, newest)
    assert restore(folder, small(0)).step == 20
    save(folder, 30, small(30), config=CONFIG)
    assert names(folder) == ["step-00000010", "step-00000020", "step-00000030"]


def test_other_configurations_shapes_and_types_are_told_apart(folder):
    other = {**CONFIG, "eta": 1e-3, "rule": "copy", "rho": 0.3}
    with pytest.raises(InputError) as refused:
        restore(folder, small(0), config=other)
    assert str(refused.value).endswith(
        "step-00000020 is of another configuration: `eta` is 0.0004 there and 0.001 here; "
        "`rule` is 'direct' there and 'copy' here; `rho` is absent there and 0.3 here."
    )
    assert not isinstance(refused.value, FileError)
    assert restore(folder, small(0)).step == 20  # who asks for no configuration gets any
    like = {"x": np.zeros(30, np.float32), "z": np.zeros((2, 3))}
    with pytest.raises(InputError) as refused:
        restore(folder, like)
    assert str(refused.value).endswith(
        "step-00000020 does not fit the state: `state[x]` is float64 (30,) there and float32 (30,) here; "
        "`state[y]` is int8 (3,) there and absent here; `state[z]` is absent there and float64 (2, 3) here."
    )


def test_many_differences_are_counted(tmp_path):
    save(tmp_path, 1, small(1), config={f"c{i}": i for i in range(9)})
    with pytest.raises(InputError, match=r"`c5` is 5 there and 6 here; and 3 more\.$"):
        restore(tmp_path, small(0), config={f"c{i}": i + 1 for i in range(9)})


def test_another_schema_is_named(folder):
    path = folder / "step-00000020" / "manifest.json"
    manifest = manifests.read(path)
    path.write_bytes(manifests.to_bytes({**manifest, "schema": 2}))
    with pytest.raises(InputError, match=r"step-00000020 has schema 2, but this linbyol reads 1\."):
        restore(folder, small(0))


def test_leaves_that_cannot_be_kept_are_named(tmp_path):
    for leaf in (jax.nn.relu, "text", np.array([None])):
        with pytest.raises(InputError, match=r"`state\[net\]\[0\]` must be an array or a number, but is"):
            save(tmp_path, 1, {"net": [leaf]}, config={})
    with pytest.raises(InputError, match=r"two leaves that are both called `state\[a\]\[b\]`"):
        save(tmp_path, 1, {"a": {"b": 1.0}, "a][b": 2.0}, config={})
    with pytest.raises(InputError, match="`step` and `keep` must be at least 0 and 1, but are -1 and 3"):
        save(tmp_path, -1, small(0), config={})
    assert names(tmp_path) == []


def test_float64_needs_its_switch(tmp_path):
    save(tmp_path, 1, {"x": jnp.zeros(2)}, config={})
    with jax.enable_x64(False), pytest.raises(InputError, match="float64 in the checkpoint, which needs jax_enable"):
        restore(tmp_path, {"x": jax.ShapeDtypeStruct((2,), np.dtype("float64"))})


def test_killed_at_random_moments(tmp_path):
    """SIGKILL, 25 times, while saving: all that stands under a final name is whole, and the newest is restored."""
    clock, newest, leftovers = random.Random(5), -1, 0
    like = {"x": np.zeros(100_000, int), "y": [np.zeros(7, int), 0]}
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS, tmp_path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    ) as writers:  # fmt: skip
        for _ in range(25):
            writers.stdin.write(f"{newest + 1}\n")
            writers.stdin.flush()
            writer = int(writers.stdout.readline())  # two checkpoints stand
            time.sleep(clock.uniform(0, 0.03))
            os.kill(writer, signal.SIGKILL)
            assert writers.stdout.readline() == "killed\n"
            leftovers += len(list(tmp_path.glob(".step-*")))
            found = restore(tmp_path, like, config={"eta": 0.1})
            assert found.refused == []
            assert found.step > newest
            newest = found.step
            assert found.state["y"][1] == newest
            assert (found.state["x"] == newest).all()
            for path in tmp_path.glob("step-*"):
                arrays = checkpoints.read_manifest(path)["files"]["arrays.npz"]
                assert manifests.read_bytes(path / "arrays.npz", arrays["sha256"])
        writers.stdin.close()
    assert writers.returncode == 0
    assert leftovers >= 5  # the kills did fall into savings
    save(tmp_path, newest + 1, like, config={"eta": 0.1})
    assert not list(tmp_path.glob(".step-*"))
    assert len(names(tmp_path)) == 3


def assert_refused_and_intact(folder, reason, like=None):
    """The save of step 30 fails in one sentence; what was there is there."""
    with pytest.raises(InputError) as refused:
        save(folder, 30, {"x": np.zeros(10**6)} if like is None else like, config=CONFIG)
    assert str(refused.value) == f"Checkpoint {folder / 'step-00000030'} cannot be written: {reason}."
    assert names(folder) == ["step-00000010", "step-00000020"]
    assert not list(folder.glob(".*"))
    assert restore(folder, small(0), config=CONFIG).step == 20


def test_a_file_that_may_not_grow_leaves_all_as_it_was(folder):
    for size in (0, 100, 5000):
        with largest_file(size):
            assert_refused_and_intact(folder, "File too large")


def test_a_full_disk_leaves_all_as_it_was(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        for step in (10, 20):
            save(tmp_path, step, small(step), config=CONFIG)
        assert_refused_and_intact(tmp_path, "No space left on device")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@contextmanager
def a_mere_user():
    """Root is refused nothing; so be somebody else."""
    if root := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_without_permission_leaves_all_as_it_was():
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    try:
        for step in (10, 20):
            save(folder, step, small(step), config=CONFIG)
        folder.chmod(0o555)
        with a_mere_user():
            assert_refused_and_intact(folder, "Permission denied")
            with pytest.raises(InputError, match=r"runs/step-00000030 cannot be written: Permission denied\.$"):
                save(folder / "runs", 30, small(30), config=CONFIG)
        folder.chmod(0o000)
        with a_mere_user(), pytest.raises(FileError, match="cannot be read: Permission denied"):
            restore(folder, small(0))
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    path = tmp_path / "checkpoints"
    path.write_text("")
    with pytest.raises(InputError, match=r"checkpoints/step-00000001 cannot be written: File exists\."):
        save(path, 1, small(1), config=CONFIG)
    with pytest.raises(FileError, match="checkpoints cannot be read: Not a directory"):
        restore(path, small(1))


def test_manifests_are_json_that_people_can_read(folder):
    manifest = json.loads((folder / "step-00000020" / "manifest.json").read_text())
    assert manifest["leaves"]["state[y]"] == {"shape": [3], "dtype": "int8"}
    assert manifest["config"] == {**CONFIG, "widths": [64, 128]}
    with np.load(folder / "step-00000020" / "arrays.npz") as archive:
        np.testing.assert_array_equal(archive["state[x]"], small(20)["x"])


def names(folder):
    return sorted(path.name for path in folder.glob("step-*"))


def run(code, *arguments, **variables):
    """What a program of its own prints; fails where it does."""
    command, pipes = [sys.executable, "-c", code, *map(str, arguments)], {"stdout": subprocess.PIPE, "text": True}
    return subprocess.run(command, env=environment(**variables), check=True, **pipes).stdout


def test_a_save_that_was_killed_before_it_removed_the_oldest_is_finished_by_the_next_restore(tmp_path):
    for step in (1, 2, 3, 4):
        save(tmp_path, step, np.full(2, step), config={}, keep=9)
    assert restore(tmp_path, np.zeros(2, int)).step == 4
    assert len(checkpoints.checkpoints(tmp_path)) == 4
    (tmp_path / "step-00000004" / "arrays.npz").write_bytes(b"")
    (tmp_path / "step-00000001").rename(tmp_path / ".step-00000001.gone")  # as if killed within the removal
    found = restore(tmp_path, np.zeros(2, int), keep=2)
    assert (found.step, [path.name for path in checkpoints.checkpoints(tmp_path)]) == (
        3,
        ["step-00000004", "step-00000003"],
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000003", "step-00000004"]
