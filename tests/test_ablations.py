"""The paper's tables on networks: the rule of the verdict on planted numbers, and one small training read back."""

import json

import jax
import numpy as np
import pytest
from scipy.stats import ttest_1samp

import experiments.studies.ablations
import figures
from experiments.ablations.__main__ import main
from experiments.ablations.sizes import SIZES, size_of
from experiments.clustering import records
from experiments.studies.ablations import alignment, evidence, symmetric
from experiments.studies.ablations.evidence import Study, judged
from experiments.studies.ablations.statistics import interval, verdict_of
from linbyol.claims import Run, collect
from linbyol.published import PUBLISHED

CLAIMS = collect(experiments.studies.ablations)


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ({"a": [1.0, 1.1, 0.9], "b": [3.0, 2.0, 4.0]}, "holds"),
        ({"a": [1.0, 1.1, 0.9], "b": [3.0, -2.0, 4.0]}, "undecided"),  # 0 is in b's interval
        ({"a": [1.0, 1.1, 0.9], "b": [-3.0, -3.1, -2.9]}, "fails"),
        ({"a": [-1.0, -1.4, -0.5]}, "undecided"),  # p = 0.065 of SciPy's test: the interval spans 0
        ({"a": [-1.0, -1.4, -0.6]}, "fails"),  # p = 0.049
        ({"a": [1.0, 1.4, 0.6], "b": [-1.0, -1.4, -0.6]}, "undecided"),  # p = 0.049 is above 5 %/2
        ({"a": [1.0, 1.1]}, "undecided"),  # two seeds are too few
        ({"a": [1.0, np.nan, 1.0]}, "undecided"),
        ({"a": [1.0, 1.0, 1.0]}, "holds"),
        ({"a": [0.0, 0.0, 0.0]}, "undecided"),
        ({}, "undecided"),
    ],
)
def test_planted_effects_get_their_verdict(effects, verdict):
    assert verdict_of({name: np.array(values) for name, values in effects.items()}) == verdict


def test_intervals_are_those_of_students_test():
    """Zero lies on the end of the interval whose level is the p-value of SciPy's test."""
    values = np.random.default_rng(0).normal(0.5, 1, 6)
    p = ttest_1samp(values, 0).pvalue
    assert min(np.abs(interval(values, p)[1:])) < 1e-12
    other = ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(values)[1:] == pytest.approx([other.low, other.high], rel=1e-12)


def test_a_true_effect_of_zero_is_seldom_taken_for_one():
    """Of 500 draws of five seeds without effect 2.5 % hold and 2.5 % fail: within 4 standard errors."""
    rng = np.random.default_rng(1)
    found = [verdict_of({"a": rng.normal(size=5)}) for _ in range(500)]
    bound = 4 * np.sqrt(0.025 * 0.975 / 500)
    assert found.count("holds") / 500 == pytest.approx(0.025, abs=bound)
    assert found.count("fails") / 500 == pytest.approx(0.025, abs=bound)


def planted(**accuracies):
    """Records of three seeds: training -> (constants, ridge accuracies of the seeds) of each lane, seeds slowest."""
    about = {"seconds": {"training": 60.0}, "environment": {"device": "cpu"}, "config": {"encoder": {"name": "mlp"}}}
    found = {}
    for training, settings in accuracies.items():
        lanes = [{"seed": s} | constants for s in (0, 1, 2) for constants, _ in settings]
        ridge = [values[s] for s in (0, 1, 2) for _, values in settings]
        arrays = {"ridge": np.array(ridge), "untrained_ridge": np.full(len(lanes), 0.5)}
        found[training] = records.Record(about | {"lanes": lanes}, arrays)
    return Study(found)


@pytest.mark.parametrize(("fall", "verdict"), [(0.3, "holds"), (0.05, "fails"), (0.1, "undecided")])
def test_the_crash_of_a_symmetric_predictor_is_read_from_its_lanes(fall, verdict, monkeypatch):
    """Planted: a fall without moving average, none with; the lane of each constant is found by its value."""
    noise = np.array([0.001, -0.002, 0.001])
    where = [{"eta": eta, "gamma_a": slow} for slow in (0.0, 0.99) for eta in (0.0, 0.01)]
    usual = lambda a: np.where(a["eta"] > 0, 0.9, 0.2)  # noqa: E731 - without decay anything: it must not matter
    regular = [(a, usual(a) + np.zeros(3)) for a in where]
    falls = [(a, usual(a) - (fall if a["gamma_a"] == 0 else 0) + noise) for a in where]
    monkeypatch.setattr(evidence, "study_of", lambda data, size: planted(regular=regular, symmetric=falls))
    found = symmetric.crash(Run())
    assert found.verdict == verdict, found
    assert found.numbers["ours"]["no EMA, decay 0.01, symmetric"][0] == pytest.approx(100 * (0.9 - fall), abs=0.01)
    assert found.numbers["published"]["1 layer, no EMA, sym"] == [36.62, 1.85]


def test_without_records_a_claim_names_the_command(monkeypatch):
    monkeypatch.setattr(evidence, "study_of", lambda data, size: Study({}))
    found = judged(Run(size="full"), lambda r: {}, needs=("regular",), rows=lambda r: {})
    assert found.verdict == "not run"
    assert "python -m experiments.ablations stl10 --size full --only regular" in found.note


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.id in PUBLISHED], ids=lambda c: c.id)
def test_published_numbers_support_the_statement(claim):
    found = claim(Run())
    assert found.verdict in ("holds", "fails", "undecided", "not run")
    assert found.numbers["published"] == {label: list(value) for label, value in PUBLISHED[claim.id].items()}
    assert all(d["difference"] > 0 for d in found.numbers.get("above", {}).values())
    # "hardly differ": within 3 points, where the crashes and collapses of the tables are tens of points
    assert all(abs(d["difference"]) < 3 for d in found.numbers.get("close", {}).values())


def test_all_published_tables_have_a_claim():
    assert {c.id for c in CLAIMS} >= set(PUBLISHED)


@pytest.mark.parametrize("key", SIZES, ids=" ".join)
def test_every_training_of_every_size_has_settings_that_can_be_run(key):
    for o in size_of(*key).trainings.values():
        o.check()


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The record of the smallest size, and its run."""
    folder = tmp_path_factory.mktemp("ablations")
    jax.config.update("jax_disable_most_optimizations", True)
    with jax.enable_x64(False):
        arguments = ["digits", "--size", "smoke", "--out", str(folder / "out"), "--runs", str(folder / "runs")]
        assert main(arguments) == 0
        yield folder, arguments
    jax.config.update("jax_disable_most_optimizations", False)


def test_a_record_has_each_lane_as_the_run_has_it(smoke, monkeypatch):
    folder, arguments = smoke
    record = evidence.study_of("digits", "smoke", folder / "out").records["regular"]
    assert record.about["environment"]["versions"]["jax"] == jax.__version__
    (run,) = (folder / "runs" / "digits-smoke").iterdir()
    results = json.loads((run / "run.json").read_text())["results"]
    for i, (lane, row) in enumerate(zip(record.about["lanes"], results, strict=True)):
        assert (lane["seed"], lane["eta"], lane["gamma_a"]) == (row["seed"], row["sweep_eta"], row["sweep_gamma_a"])
        assert record.arrays["ridge"][i] == pytest.approx(row["ridge"], rel=1e-6)
        assert record.arrays["rank"][i, -1] == pytest.approx(row["rank"], rel=1e-6)
    lines = [json.loads(line) for line in (run / "spectra.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["step"] == lines[-1]["step"]]
    assert record.arrays["F"][:, -1] == pytest.approx(np.array([line["F"] for line in last]), rel=1e-6)
    assert record.arrays["balance_norm"].shape == (12, 3)
    norms = record.arrays["balance_norm"] / record.arrays["balance_norm"][:, :1]
    assert np.all(norms[:, 0] == 1)
    assert np.ptp(norms[:, -1]) > 0
    monkeypatch.setattr("experiments.ablations.studying.trained", None)  # would raise if it were called
    assert main(arguments) == 0
    assert main(["digits", "--size", "huge"]) == 2
    assert main([*arguments, "--only", "none"]) == 2


def test_the_balance_of_a_lane_is_that_of_the_table(smoke):
    """The table has ‖G - WpᵀWp‖/‖G‖, the record ‖G - WpᵀWp‖: their quotient is the norm of G of the last layer."""
    folder, _ = smoke
    record = evidence.study_of("digits", "smoke", folder / "out").records["regular"]
    G = record.arrays["balance_norm"][:, -1] / record.arrays["balance"][:, -1]
    assert np.isfinite(G).all()
    assert G.min() > 0.1
    assert np.allclose(G[::6], G[::6].mean(), rtol=0.5)  # the same layer in two seeds


def test_eigenvalues_that_grow_and_shrink_are_counted(monkeypatch):
    study = planted(regular=[({"eta": 0.0, "gamma_a": 0.9}, [0.5] * 3)])
    F = np.array([[[1.0, 2, 3], [0.5, 2.5, 9]]] * 3)
    study.records["regular"].arrays["F"] = F
    assert [x.tolist() for x in alignment.moving(study)] == [[2.0] * 3, [1.0] * 3]


def test_figures_show_the_lanes_of_their_constants():
    """Against the records, read by hand: which lanes, and what they hold."""
    tables, curves = figures.module("published_tables").data(), figures.module("network_alignment").data()
    record = evidence.study_of("digits", "cpu").records["alpha_p"]
    slow = [i for i, lane in enumerate(record.about["lanes"]) if lane["alpha_p"] == 0.25]
    assert tables["Fig. 6"]["ours"][0] == pytest.approx(100 * record.arrays["ridge"][slow])
    assert tables["Table 3"]["published"][2].tolist() == list(PUBLISHED["B123"]["1 layer, no EMA, sym"])
    assert {rows["ours"].shape[1] for rows in tables.values()} == {5}
    regular = evidence.study_of("digits", "cpu").records["regular"]
    lanes = [(lane["eta"], lane["gamma_a"]) for lane in regular.about["lanes"]]
    usual = [i for i, lane in enumerate(lanes) if lane == (0.01, 0.99)]
    assert np.array_equal(curves["F"], regular.arrays["F"][usual].astype(float))
