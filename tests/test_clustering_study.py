"""The studies of clusters: one small training measured from end to end, and the rule that comes to verdicts."""

import json
from collections import namedtuple

import jax
import numpy as np
import pytest

from experiments.clustering import information, losses, maps, modes, records
from experiments.clustering.__main__ import main
from experiments.clustering.kept import data_of, trained
from experiments.clustering.sizes import size_of
from experiments.networks import split
from experiments.studies.clustering import evidence, loss_split, through_training
from experiments.studies.clustering import information as compressed
from experiments.studies.clustering.evidence import Study, at_least, judged, monotone, near
from linbyol.claims import Run
from linbyol.representation import ncc, ridge_probe

Estimate = namedtuple("Estimate", (*information.READ, "ceiling"))


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """Records and runs of the smallest size."""
    folder = tmp_path_factory.mktemp("clustering")
    with jax.enable_x64(False):
        arguments = ["digits", "--size", "smoke", "--out", str(folder / "out"), "--runs", str(folder / "runs")]
        assert main(arguments) == 0
        yield folder, arguments


@pytest.fixture(scope="module")
def training(smoke):
    """The training behind the records."""
    size = size_of("digits", "smoke")
    return trained(size, "vicreg", data_of(size, "digits"), smoke[0] / "runs" / "digits-smoke")


def test_one_pass_measures_every_block_and_target(smoke):
    folder, _ = smoke
    record = records.read(records.place(folder / "out", "digits", "smoke", "vicreg"))
    about, arrays = record
    assert about["layers"] == ["block1", "block2", "projector"]
    assert about["targets"] == ["samples", "classes", "noise 1"]
    assert (about["epochs"], about["seeds"]) == ([0, 1, 2], [0, 1, 2])
    shape = (3, 3, 3, 3)
    for name in ("ncc_train", "ncc_test", "linear", "balanced", "cdnv"):
        assert arrays[name].shape == shape
        assert np.isfinite(arrays[name]).all(), name
    assert set(about["seconds"]) == {"training", "measuring"}
    assert about["environment"]["versions"]["jax"] == jax.__version__


def test_what_is_measured_is_what_the_kept_network_gives(smoke, training):
    folder, _ = smoke
    plan, dataset = training.session.plan, training.session.dataset
    net = list(training.networks(2))[1]
    h = [np.asarray(net.encoder(part.images / np.float32(255), False)[0]) for part in (dataset.train, dataset.test)]
    assert plan.recipe.mean is None  # so that an image is its bytes over 255
    labels = dataset.train.labels, dataset.test.labels[:100]
    record = records.read(records.place(folder / "out", "digits", "smoke", "vicreg"))
    at = lambda name: record.arrays[name][1, 2, 1, 1]  # noqa: E731
    assert at("ncc_test") == pytest.approx(ncc(h[0], labels[0], h[1][:100], labels[1]), abs=0.011)  # one image of 100
    probe = ridge_probe(h[0], labels[0], h[1][:100], labels[1], alpha=1e-3).accuracy
    assert at("linear") == pytest.approx(probe, abs=0.011)


def test_an_untrained_network_has_statistics_and_a_trained_one_has_moved(training):
    first, last = (next(iter(training.networks(epoch))) for epoch in (0, 2))
    means = [np.concatenate([np.ravel(x) for x in jax.tree.leaves(split(net[:2])[1])]) for net in (first, last)]
    assert np.abs(means[0]).max() > 0.1
    apart = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), split(first[:2])[0], split(last[:2])[0])
    assert max(jax.tree.leaves(apart)) > 1e-3


def test_a_study_that_is_done_is_not_done_again(smoke, monkeypatch):
    _, arguments = smoke
    monkeypatch.setattr("experiments.clustering.studying.trained", None)  # would raise if it were called
    assert main(arguments) == 0
    assert main(["digits", "--size", "huge"]) == 2


def test_terms_of_the_loss_are_those_of_the_table(training):
    found = losses.losses(training)
    whole = sum(found[name] for name in ("invariance", "variance", "covariance"))
    assert np.allclose(found["loss"], whole, rtol=1e-5)
    lines = [line.split(",") for line in (training.path / "metrics.csv").read_text().splitlines()]
    place = {name: lines[0].index(name) for name in ("step", "seed", "invariance")}
    row = next(line for line in lines[1:] if line[place["step"]] == "4" and line[place["seed"]] == "2")
    assert found["invariance"][2, list(found["epoch"]).index(2.0)] == float(row[place["invariance"]])


def test_modes_of_features_that_are_known():
    """Axis 0 carries two classes and views share it; axis 1 is noise of each view; axis 2 is shared noise."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 5000)
    shared, own = rng.normal(size=10_000), rng.normal(size=(2, 10_000))
    z = np.stack([np.column_stack([6.0 * labels - 3, own[v], 2 * shared]) for v in (0, 1)])
    Wp = np.diag([0.5, 0.1, 0.3])
    found = modes._of_lane(z, z @ Wp.T, labels, Wp)
    noise = 4 / np.sqrt(10_000)
    assert found["F"] == pytest.approx([9, 4, 1], rel=2 * noise)
    assert found["shared"] == pytest.approx([1, 1, 0], abs=2 * noise)
    assert found["classes"] == pytest.approx([1, 0, 0], abs=noise)
    assert found["p"] == pytest.approx([0.5, 0.3, 0.1], abs=noise)
    assert found["split"][2] == pytest.approx(found["split"][0] - found["split"][1], abs=1e-12)


def made_up(**arrays):
    """A study of four seeds with one training."""
    about = {"seeds": [0, 1, 2, 3], "seconds": {"training": 60.0}, "targets": ["classes"], "layers": ["block1"]}
    return Study("digits", {"vicreg": records.Record(about, {name: np.asarray(x) for name, x in arrays.items()})})


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1.0, 1.1, 0.9, 1.0], "holds"),
        ([-1.0, -1.1, -0.9, -1.0], "fails"),
        ([1.0, -0.5, 0.2, 0.1], "undecided"),
        ([1.0, np.nan, 1.0, 1.0], "undecided"),
        ([1.0, 1.0], "undecided"),  # two seeds
        (1, "holds"),
        (-1, "fails"),
        (0, "undecided"),
    ],
)
def test_an_effect_counts_beyond_two_spreads(monkeypatch, values, verdict):
    monkeypatch.setattr(evidence, "study_of", lambda data, size: made_up() if data == "digits" else Study(data, {}))
    effects = {"good": np.array([2.0, 2.1, 2.0, 1.9]), "this": np.array(values) if np.ndim(values) else values}
    found = judged(Run(), lambda r: effects)
    assert found.verdict == verdict
    assert (found.seeds, found.numbers["data"]) == ((0, 1, 2, 3), "digits")
    json.dumps(found.numbers["effects"])


def test_what_was_never_run_says_by_which_command(monkeypatch):
    monkeypatch.setattr(evidence, "study_of", lambda data, size: Study(data, {}))
    for needs, command in ((("vicreg",), "cifar100 --size cpu"), (("byol",), "digits --size cpu")):
        found = judged(Run(), lambda r: {}, needs=needs)
        assert (found.verdict, found.note.endswith(command)) == ("not run", True)
    assert judged(Run(size="full"), lambda r: {}).note.endswith("cifar100 --size full")


def test_words_of_the_claims():
    tight, loose = np.array([0.99, 1.0, 1.01, 1.0]), np.array([1.2, 1.21, 1.2, 1.19])
    assert (near(tight, 1), near(loose, 1)) == (1, -1)
    assert (at_least(tight), at_least(-tight), at_least(np.array([-0.2, 0.1, -0.1, -0.05]))) == (1, -1, 1)
    noise = 0.01 * np.random.default_rng(0).normal(size=(4, 5))
    assert monotone(np.arange(5) + noise) == 1
    assert monotone(-np.arange(5) + noise) == -1
    assert monotone(np.zeros((4, 5)) + noise) != 1


def test_shares_of_a_loss_that_falls_and_of_one_that_does_not():
    parts = {"a": np.array([[5.0, 4.0]] * 3), "b": np.array([[9.0, 6.0]] * 3)}
    assert loss_split.shares(parts)["a"] == pytest.approx([0.25] * 3)
    assert np.isnan(loss_split.shares({name: x[:, ::-1] for name, x in parts.items()})["a"]).all()


def test_what_a_curve_gains_after_another_has_saturated():
    first, second = np.array([[0.1, 0.96, 1.0]] * 3), np.array([[0.1, 0.2, 0.5]] * 3)
    assert through_training.after_saturation(first, second) == pytest.approx([0.3] * 3)
    assert through_training.after_saturation(second, first) == pytest.approx([0.0] * 3)


def test_information_is_of_the_encoders_output_under_two_noises(training):
    """Noise of a quarter of the total variance: of the features at that epoch, or of the untrained network's."""
    seen = []

    def estimate(x, z, *, key, noise):
        seen.append((x, z, jax.random.key_data(key).tolist()))
        return Estimate(value=z.mean(), spread=0.1, shuffled=0.0, untrained=0.2, channel=1.0, noise=noise, ceiling=4.0)

    found = information.information(training, estimate)
    images = training.session.dataset.train.images
    assert found["value"].shape == (len(training.seeds), len(training.epochs), 2)
    assert all(np.array_equal(x, images.reshape(len(images), -1)) for x, _, _ in seen)
    assert len({tuple(key) for _, _, key in seen}) == len(seen)
    variances = np.array([np.var(z, axis=0).sum() for _, z, _ in seen]).reshape(len(training.epochs), -1, 2)
    assert found["noise"][..., 0] == pytest.approx(variances[..., 0].T / 4, rel=1e-5)
    assert np.all(found["noise"][..., 1] == found["noise"][:, :1, 0])
    assert found["ceiling"] == 4
    known = found["known"].transpose(1, 0, 2).ravel()
    most = [
        np.linalg.slogdet(np.eye(z.shape[1]) + np.cov(z.T, bias=True) / v)[1] / 2
        for (_, z, _), v in zip(seen, found["noise"].transpose(1, 0, 2).ravel(), strict=True)
    ]  # of a Gaussian of this covariance; the estimate has 1,200 draws of a variance of a few
    assert np.all((known > 0) & (known < np.add(most, 0.2)))


def test_maps_are_of_five_of_each_level_and_keep_who_is_whose_neighbour(training, rng):
    found = maps.maps(training)
    assert set(found) == {"map.samples", "labels.samples", "map.classes", "labels.classes"}
    labels, dataset = found["labels.classes"], training.session.dataset
    expected = [min(60, np.sum(dataset.test.labels == c)) for c in range(5)]
    assert np.bincount(labels).tolist() == expected
    assert np.bincount(found["labels.samples"]).tolist() == [60] * 5
    assert found["map.samples"].shape == (2, 300, 2)
    np.testing.assert_allclose(found["map.classes"].std(axis=(1, 2)), 1, rtol=1e-3)  # of sums in float32
    apart = 9 * np.eye(3, 8)[np.arange(60) % 3] + rng.standard_normal((60, 8))
    place = maps.placed(apart)
    assert ncc(place, np.arange(60) % 3, place, np.arange(60) % 3) == 1
    np.testing.assert_array_equal(place, maps.placed(apart))


def test_information_through_known_noise_is_that_of_a_gaussian_channel():
    """Of Gaussian features: ½ Σ log(1 + λ/noise), within 4 standard errors of 4 · 3,000 draws of variance k/2."""
    rng, scales = np.random.default_rng(0), np.array([2.0, 1.0, 0.5])
    z = 7 + rng.standard_normal((3000, 3)) * scales
    exact = 0.5 * np.sum(np.log1p(scales**2 / 0.8))
    assert information.through_noise(z, 0.8, rng) == pytest.approx(exact, abs=4 * np.sqrt(3 / 2 / 12_000))
    apart = 100.0 * np.eye(40)
    assert information.through_noise(apart, 1.0, rng) == pytest.approx(np.log(40), rel=1e-12)
    assert information.through_noise(np.ones((40, 3)), 1.0, rng) == pytest.approx(0, abs=1e-12)


def test_information_near_its_ceiling_settles_nothing(monkeypatch):
    epochs = np.array([0, 1, 2, 4])
    falling = np.array([3.0, 2.5, 2.0, 1.5]) + 0.01 * np.arange(4)[:, None]  # four seeds
    cdnv = np.stack([np.stack([4 * falling], axis=-1)] * 2, axis=2)  # (S, E, B, T)
    for values, ceiling, missed, fell, together in (
        (falling, 5.0, 0.1, "holds", "holds"), (falling, 3.5, 0.1, "undecided", "undecided"),
        (falling, 5.0, 2.0, "undecided", "undecided"), (falling[:, ::-1], 5.0, 0.1, "fails", "fails"),
    ):  # fmt: skip
        lead = records.Record(
            {"layers": ["block1", "projector"], "targets": ["classes"], "epochs": epochs, "seeds": [0, 1, 2, 3],
             "seconds": {"training": 60.0}, "images": [5000, 100]},
            {"cdnv": cdnv, "ncc_train": 1 / cdnv},
        )  # fmt: skip
        arrays = {name: np.stack([values] * 2, axis=-1) for name in information.READ} | {"ceiling": np.array(ceiling)}
        arrays["known"] = arrays["value"] + missed
        study = Study("digits", {"vicreg": lead, "information": records.Record(lead.about, arrays)})
        monkeypatch.setattr(
            evidence, "study_of", lambda data, size, study=study: study if data == "digits" else Study(data, {})
        )
        assert compressed.compression(Run()).verdict == fell
        assert compressed.with_clustering(Run()).verdict == together
