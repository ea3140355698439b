"""`linbyol features`: what a run's networks make of its images at every block, and why a folder cannot be read."""

import json
from dataclasses import asdict

import jax
import numpy as np
import pytest
import safetensors.numpy
from training_runs import preset

from experiments import settings, tables
from experiments.datasets import load
from experiments.runs import checkpoints
from experiments.trainer import saved
from experiments.trainer.options import Options
from experiments.trainer.session import prepare
from linbyol import cli
from linbyol.embeddings import writing


def folder(parent, **changes):
    """A run that has its settings and nothing else yet."""
    parent.mkdir()
    o = settings.read(Options, preset(parent, **changes))
    (parent / "config.toml").write_text(tables.to_toml(o))
    return parent, o


def made_up(o, rng=np.random.default_rng(11)):  # noqa: B008 - other numbers each time
    """A state of the run's shapes; no program is compiled for it."""
    like = jax.eval_shape(prepare(o, load("digits", first=o.data.first), jax.devices()).start)
    return jax.tree.map(lambda x: rng.normal(size=x.shape).astype(x.dtype), like)


def arrays(path):
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def command(*words, capsys):
    code = cli.run(["features", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """A run of two seeds that has checkpoints of steps 4 and 8, and the W of both lanes in each."""
    run, o = folder(tmp_path_factory.mktemp("linear") / "run", seeds="[3, 5]", epochs=4)
    maps = {}
    for step in (4, 8):
        state = made_up(o)
        checkpoints.save(run / "checkpoints", step, state, config=asdict(o))
        maps[step] = state.online.encoder.body.layers[0].weight
    return run, maps


@pytest.mark.parametrize(("suffix", "words", "step", "lane"), [
    (".npz", ["--seed", 5], 8, 1), (".safetensors", ["--seed", 3, "--step", 4], 4, 0), (".npz", ["--lane", 1], 8, 1),
])  # fmt: skip
def test_features_of_a_linear_encoder_are_its_map_of_the_images(linear, suffix, words, step, lane, tmp_path, capsys):
    run, maps = linear
    out = tmp_path / f"h{suffix}"
    code, told, err = command(run, "-o", out, *words, capsys=capsys)
    assert (code, err) == (0, "")
    assert f"step {step}, epoch {step / 2:g}, seed {(3, 5)[lane]}" in told
    found = arrays(out) if suffix == ".npz" else safetensors.numpy.load_file(out)
    images = load("digits", first=128)
    ids = []
    for name, part in {"train": images.train, "test": images.test}.items():
        x = part.images.reshape(128, 64) / 255
        h = found[f"{name}/block1/h"]
        np.testing.assert_allclose(h, x @ maps[step][lane].T, rtol=1e-4, atol=1e-4)  # float32, 64 products
        np.testing.assert_array_equal(found[f"{name}/labels"], part.labels)
        ids += found[f"{name}/ids"].tolist()
    assert len(set(ids)) == 256
    assert float(found["epoch"]) == step / 2
    about = json.loads(out.with_suffix(".json").read_text())
    assert (about["step"], about["lane"], about["layers"]) == (step, lane, {"block1/h": 8})
    assert about["environment"]["versions"]["jax"] == jax.__version__
    assert str(tmp_path) not in str(found.get("config", ""))


def test_what_is_written_is_analysed(linear, tmp_path, capsys):
    """Two checkpoints of a run: nearest centres by NumPy, the epochs in their order, rows paired by their ids."""
    run, maps = linear
    for step in (4, 8):
        assert command(run, "-o", tmp_path / f"{step}.npz", "--seed", 5, "--step", step, capsys=capsys)[0] == 0
    assert cli.run(["analyze", str(tmp_path / "8.npz"), str(tmp_path / "4.npz"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "paired by position" not in err
    found = json.loads(out)
    assert [one["epoch"] for one in found["layers"]] == [2, 4]
    images = load("digits", first=128)
    for epoch, step in ((2, 4), (4, 8)):
        train, test = (part.images.reshape(128, 64) / 255 @ maps[step][1].T for part in (images.train, images.test))
        centres = np.stack([train[images.train.labels == c].mean(axis=0) for c in range(10)])
        nearest = ((test[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        (ncc,) = [m["value"] for m in found["measures"] if (m["measure"], m["epoch"]) == ("ncc", epoch)]
        assert ncc == pytest.approx(np.mean(nearest == images.test.labels), abs=1.5 / 128)  # float32: a tie or none


def test_the_untrained_network_has_fresh_statistics_and_a_projector_comes_last(tmp_path, capsys):
    """Block 1 by NumPy: normalised by the mean, over the two training batches, of mean and variance (n - 1)."""
    changes = {"encoder.name": '"mlp"', "encoder.widths": "[12, 6]", "projector.widths": "[5]"}
    changes |= {"d": None, "rule.name": None}
    run, _ = folder(tmp_path / "run", **changes)
    code, out, _ = command(run, "-o", tmp_path / "h.npz", "--step", 0, "--json", capsys=capsys)
    assert code == 0
    assert json.loads(out)["layers"] == {"block1/h": 12, "block2/h": 6, "projector/z": 5}
    assert json.loads(out)["batch_norm"] == "refreshed at step 0"
    found = arrays(tmp_path / "h.npz")
    with saved.opened(run, step=0) as at:
        layer = at.state.online.encoder.body.layers[0].layers[0]
        W, b = (np.asarray(a, np.float64) for a in (layer.weight, layer.bias))
    images = load("digits", first=128)
    to_rows = lambda part: part.images.reshape(128, 64) / 255 @ W.T + b  # noqa: E731
    batches = to_rows(images.train).reshape(2, 64, 12)
    mean, var = batches.mean(axis=1).mean(axis=0), batches.var(axis=1, ddof=1).mean(axis=0)
    expected = np.maximum((to_rows(images.test) - mean) / np.sqrt(var + 1e-5), 0)
    np.testing.assert_allclose(found["test/block1/h"], expected, rtol=1e-4, atol=1e-4)  # float32, over a small spread


def test_blocks_of_pixels_are_pooled_or_flat(tmp_path, capsys):
    run, _ = folder(tmp_path / "run", **{"encoder.name": '"conv"', "d": None, "encoder.widths": "[3, 4]",
                    "rule.name": None, "first": 64})  # fmt: skip
    shapes = {}
    for name, words in {"pooled": [], "flat": ["--flat"]}.items():
        assert command(run, "-o", tmp_path / f"{name}.npz", "--step", 0, *words, capsys=capsys)[0] == 0
        shapes[name] = {n: x for n, x in arrays(tmp_path / f"{name}.npz").items() if n.startswith("test/b")}
    assert {n: x.shape for n, x in shapes["pooled"].items()} == {"test/block1/h": (64, 3), "test/block2/h": (64, 4)}
    assert {n: x.shape for n, x in shapes["flat"].items()} == {"test/block1/h": (64, 192), "test/block2/h": (64, 64)}
    for name, flat in shapes["flat"].items():
        pooled = flat.reshape(64, -1, shapes["pooled"][name].shape[1]).mean(axis=1)
        np.testing.assert_allclose(shapes["pooled"][name], pooled, rtol=1e-5, atol=1e-6)  # float32, 64 pixels
    np.testing.assert_array_equal(arrays(tmp_path / "flat.npz")["test/encoder/h"], shapes["pooled"]["test/block2/h"])


def test_what_is_no_run_or_has_no_such_step_is_told_in_a_sentence(linear, tmp_path, capsys):
    run, _ = linear
    out = tmp_path / "h.npz"
    (tmp_path / "empty").mkdir()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.toml").write_text("[data]\nname = 'digits'\n[encoder]\ndepth = 3\n")
    new, _ = folder(tmp_path / "new")
    other, _ = folder(tmp_path / "other", seeds="[3, 5]", epochs=4)
    (other / "run.json").write_text(json.dumps({"schema": 1, "sessions": [], "data_sha256": "0" * 64}))
    checks = {
        (tmp_path / "absent",): (3, "is not that of a run: it does not exist."),
        (tmp_path / "empty",): (3, "is not that of a run: it holds no config.toml."),
        (tmp_path / "old" / "config.toml",): (3, "is not that of a run: it is no folder."),
        (tmp_path / "old",): (3, "was not made by this version of linbyol: unknown setting `encoder.depth` in "),
        (new,): (3, "holds no checkpoint yet; step 0 is the untrained network."),
        (other,): (3, "was trained on other data of that name (their SHA-256 differs): bring those back, or say"),
        (run, "--step", 5, "--seed", 3): (3, "holds no checkpoint of step 5, but of 4, 8; step 0 is the untrained net"),
        (run,): (2, "Argument `seed` must say which of the run's 2 lanes is meant (0: seed 3; 1: seed 5)."),
        (run, "--seed", 4): (2, "Argument `seed` must be that of a lane (0: seed 3; 1: seed 5), but is 4."),
        (run, "--lane", 2): (2, "Argument `lane` must be one of 0: seed 3; 1: seed 5, but is 2."),
        (run, "--lane", 1, "--seed", 3): (2, "Argument `seed` has no effect with --lane."),
    }  # fmt: skip
    for words, (status, sentence) in checks.items():
        code, told, err = command(*words, "-o", out, capsys=capsys)
        assert (code, told, err.count("\n")) == (status, "", 1), (words, err)
        assert sentence in err, (words, err)
    assert not list(tmp_path.glob("*h*.npz"))
    code, _, err = command(run, "-o", tmp_path / "h.txt", capsys=capsys)
    assert (code, "must end in .npz, .safetensors" in err) == (2, True)
    newest = max((run / "checkpoints").glob("step-*"))
    kept = (newest / "arrays.npz").read_bytes()
    (newest / "arrays.npz").write_bytes(kept[:-9])
    try:
        code, _, err = command(run, "-o", out, "--seed", 3, capsys=capsys)  # the one before, with a word on it
        assert code == 0
        assert "step-00000008" in err
        code, _, err = command(run, "-o", out, "--seed", 3, "--step", 8, capsys=capsys)
        assert (code, "has no undamaged checkpoint" in err) == (3, True)
    finally:
        (newest / "arrays.npz").write_bytes(kept)


def test_features_that_are_not_finite_are_not_written(tmp_path, capsys):
    run, o = folder(tmp_path / "run")
    state = jax.tree.map(lambda x: np.full_like(x, np.nan) if x.ndim == 2 else x, made_up(o))
    checkpoints.save(run / "checkpoints", 2, state._replace(broken=np.int32(1)), config=asdict(o))
    code, out, err = command(run, "-o", tmp_path / "h.npz", capsys=capsys)
    assert (code, out) == (4, "")
    what = "Features of lane 0 (seed 0) are not finite in block1/h at step 2"
    assert err == f"linbyol: {what}: its loss ceased to be so at step 1.\n"
    assert not (tmp_path / "h.npz").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_archive_grows_by_rows_and_leaves_nothing_when_it_fails(tmp_path, monkeypatch):
    rows = np.arange(12.0).reshape(6, 2)
    for suffix, read in {".npz": arrays, ".safetensors": safetensors.numpy.load_file}.items():
        path = tmp_path / f"h{suffix}"
        for _ in range(2):
            with writing.growing(path, {"a": 1}) as file:
                file.put("epoch", np.array(3.0))
                file.put("odd", np.arange(3, dtype=np.float32))
                for i in range(0, 6, 4):
                    file.append("h", rows[i : i + 4])
            before = path.read_bytes()
        assert path.read_bytes() == before
        found = read(path)
        np.testing.assert_array_equal(found["h"], rows)
        assert (float(found["epoch"]), found["odd"].dtype) == (3.0, np.float32)
        with pytest.raises(ValueError, match="rows of h"), writing.growing(path) as file:  # noqa: PT012
            file.append("h", rows)
            file.append("h", rows[:, :1])
        assert path.read_bytes() == before
    with safetensors.safe_open(tmp_path / "h.safetensors", "np") as file:
        assert json.loads(file.metadata()["config"]) == {"a": 1}
    assert json.loads(str(arrays(tmp_path / "h.npz")["config"])) == {"a": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["h.npz", "h.safetensors"]
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: writing.shutil._ntuple_diskusage(2e9, 1e9, 1e9))
    with pytest.raises(writing.FileError, match=r"would need 2 GB on the way, but its disk has 1 GB left\."):
        writing.check_space(tmp_path / "h.npz", 1_000_000_001)
