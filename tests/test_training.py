"""The trainer from Python, on arrays of one's own: six lines, and what they give."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from linbyol.checks import InputError
from linbyol.store import FileError, read_arrays
from linbyol.training import load_run, train

SETTINGS = {
    "data.augment": "none", "encoder": {"name": "mlp", "widths": (12, 6)}, "projector.widths": (5,),
    "method.predictor.rule.name": "direct", "run": {"epochs": 2, "batch": 32, "seeds": (0, 3)},
    "record": {"evaluate": 0, "probes": (), "final": ("ridge",)},
}  # fmt: skip


@pytest.fixture(scope="module")
def images():
    """128 digits as floats from 0 to 1, their names, and ten more for afterwards."""
    digits = load_digits()
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    return digits.images[:138] / 16, names[digits.target[:138]]


@pytest.fixture(scope="module")
def run(images, tmp_path_factory):
    rows = []
    found = train(SETTINGS, (images[0][:128], images[1][:128]), out=tmp_path_factory.mktemp("runs"), tell=rows.append)
    found.__dict__["rows"] = rows
    return found


def test_what_a_run_gives(run, images):
    lane = run.lane(3)
    assert len(run.metrics["loss"]) == 2 * len(lane.metrics["loss"]) == len(run.__dict__["rows"])
    told = [row.get("loss", np.nan) for row in run.__dict__["rows"]]  # the untrained network has none
    assert np.isfinite(told).sum() >= 4
    assert told == pytest.approx(run.metrics["loss"], nan_ok=True)
    assert {one.lane.seed for one in run.spectra} == {0, 3}
    assert lane.spectra[-1].arrays["F"].shape == (5,)
    assert [one["seed"] for one in run.results] == [0, 3]
    h = lane.features(images[0][128:])
    assert h.shape == (10, 6)
    assert np.abs(lane.features(images[0][128:], block=2) - h).max() < 1e-6
    assert lane.features(images[0][128:], block=1).shape == (10, 12)
    assert lane.features(images[0][128:], "projector").shape == (10, 5)
    assert np.abs(run.lane(0).features(images[0][128:]) - h).max() > 1e-3


def test_the_network_computes_the_features(run, images):
    from experiments.augment import RECIPES, plain

    lane = run.lane(3)
    encoder, projector = lane.network
    found = np.rint(255 * images[0][128:, ..., None]).astype(np.uint8)
    h, _ = encoder(plain(found, RECIPES["none"], np.float32), False)
    assert np.abs(np.asarray(h) - lane.features(found)).max() < 1e-5
    assert np.asarray(projector(h, False)[0]).shape == (10, 5)


def test_a_saved_run_is_the_same(run, images):
    again = load_run(run.path)
    assert np.array_equal(again.metrics["loss"], run.metrics["loss"], equal_nan=True)
    assert np.array_equal(again.lane(0).features(images[0][:5]), run.lane(0).features(images[0][:5]))
    assert json.loads((run.path / "run.json").read_text())["status"] == "done"


def test_the_same_call_trains_nothing_anew(run, images):
    before = (run.path / "metrics.csv").stat().st_mtime_ns
    rows = []
    again = train(SETTINGS, (images[0][:128], images[1][:128]), out=run.path.parent, tell=rows.append)
    assert (again.path, rows) == (run.path, [])
    assert (run.path / "metrics.csv").stat().st_mtime_ns == before


def test_names_and_floats_are_kept_as_they_were_given(run, images):
    (path,) = run.path.parent.glob("data-*.npz")
    assert np.array_equal(read_arrays(path)["labels"], images[1][:128])


REFUSED = {
    "block": (lambda run, x: run.lane(0).features(x, block=7), 'must be None, 1 to 2 or "projector", but is 7.'),
    "size": (lambda run, x: run.lane(0).features(x[:, :4]), "Argument `images` must have shape (N, 8, 8, 1)"),
    "range": (lambda run, x: run.lane(0).features(2 * x + 1), "Argument `images` must be bytes, or floats from 0 to 1"),
    "lane": (lambda run, x: run.features(x), "Argument `seed` must say which of the run's 2 lanes is meant"),
    "seed": (lambda run, x: run.lane(9).features(x), "Argument `seed` must be that of a lane"),
    "setting": (lambda run, x: train(SETTINGS, (x, x), out=run.path.parent, epohs=3), "Unknown setting `epohs`"),
    "data": (lambda run, x: train(SETTINGS, (x, x, x), out=run.path.parent), "`data` must be (images, labels)"),
    "preset": (lambda run, x: train("digits-bylo", out=run.path.parent), "Unknown preset `digits-bylo`"),
    "no run": (lambda run, x: load_run(run.path.parent), "is not that of a run: it holds no config.toml"),
    "nowhere": (lambda run, x: load_run(run.path / "no"), "is not that of a run: it does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(run, images, name):
    call, said = REFUSED[name]
    with pytest.raises((InputError, FileError)) as refused:
        call(run, images[0][128:])
    assert said in str(refused.value)
