"""`linbyol explain RUN`: whether a network collapsed or will, by which condition, and what its loss says of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from sklearn.datasets import load_digits

from experiments.trainer import diagnosis
from experiments.trainer.choices import Barlow, Byol, Isoloss, NoPredictor, Simclr, Simsiam, Vicreg
from experiments.trainer.flow_time import rates
from experiments.trainer.lanes import lanes
from experiments.trainer.loss_meaning import meaning
from experiments.trainer.options import Options
from linbyol import cli
from linbyol.training import train

LR, MOMENTUM, ETA, GAMMA = 0.02, 0.5, 0.1, 0.9
SETTINGS = {
    "data": {"augment": "none"},
    "encoder": {"name": "linear", "d": 6},
    "projector": {"widths": []},
    "method": {"loss": "l2", "symmetric": True, "target": {"gamma_a": GAMMA}},
    "optimiser": {"lr": LR, "momentum": MOMENTUM, "eta": ETA},
    "run": {"epochs": 10, "batch": 64, "seeds": [3, 4]},
    "record": {"evaluate": 0, "probes": [], "final": []},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two seeds of linear BYOL on images of one class, and the images."""
    digits = load_digits()
    images = digits.images[digits.target == 3][:144] / 16
    data = images[:128], np.zeros(128, int), images[128:], np.zeros(16, int)
    return train(SETTINGS, data, out=tmp_path_factory.mktemp("explained")).path, images[:128]


@pytest.fixture
def copy(run, tmp_path):
    return Path(shutil.copytree(run[0], tmp_path / "run"))


def explained(*words, capsys):
    code = cli.run(["explain", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def alive(p, s, tau, lambda_d, lambda_s, r):
    """Eqs. 104-106 with decay to t = 3000, by SciPy."""

    def flow(t, y):
        w, wp, wa = y
        e = wa * lambda_d - wp * w * lambda_s
        return [wp * e - r.eta * w, e * w - r.eta * wp, r.beta * (w - wa)]

    end = solve_ivp(flow, (0, 3000), [s**0.5, p, tau * s**0.5], method="LSODA", rtol=1e-8, atol=1e-12).y[:, -1]
    return end[0] ** 2 > 1e-6


def test_modes_and_their_fates_are_those_of_the_weights(run, capsys):
    path, images = run
    code, out, _ = explained(path, "--json", capsys=capsys)
    assert code == 0
    lanes_ = json.loads(out)["lanes"]
    newest = max((path / "checkpoints").glob("step-*"))
    with np.load(newest / "arrays.npz") as archive:
        arrays = {name: archive[name].astype(float) for name in archive.files}
    find = lambda *words: next(x for name, x in arrays.items() if all(w in name for w in words) and x.ndim == 3)  # noqa: E731
    x = (np.rint(images * 255) / 255).reshape(128, -1)  # bytes, as they are kept
    assert [one["lane"] for one in lanes_] == ["seed 3", "seed 4"]
    for i, one in enumerate(lanes_):
        W, Wp, Wa = find("online", "encoder")[i], find("online", "predictor")[i], find("target", "encoder")[i]
        X = x.T @ x / len(x)
        F, U = np.linalg.eigh(W @ X @ W.T)
        F, U = F[::-1], U[:, ::-1]
        lambda_d = np.sum((X @ W.T @ U) ** 2, axis=0) / F  # views are the images, so that λ_s = λ_d
        p = np.sum(U * (Wp @ U), axis=0)
        tau = np.sum(U * (Wa @ X @ W.T @ U), axis=0) / F
        found = one["modes"]
        large = F / F[0] > 1e-5  # the others are rounding
        assert large.sum() >= 2
        np.testing.assert_allclose(np.array(found["F"])[large], F[large], rtol=2e-4)
        np.testing.assert_allclose(np.array(found["p"])[large], p[large], atol=1e-4)
        np.testing.assert_allclose(np.array(found["eta_c"])[large], lambda_d[large] / 4, rtol=2e-3)
        r = rates(Options(method=Byol(loss="l2")), lanes(settings_of())[0].scalars)
        assert (r.time, r.eta) == (2 * LR / (1 - MOMENTUM), ETA / 2)
        lives = [alive(p[j], F[j] / lambda_d[j], tau[j], lambda_d[j], lambda_d[j], r) for j in np.flatnonzero(large)]
        assert list(np.array(found["lives"])[large]) == lives
        assert 0 < sum(lives) < len(F)


def settings_of():
    return replace(
        Options(),
        method=Byol(loss="l2", target=replace(Byol().target, gamma_a=GAMMA)),
        optimiser=replace(Options().optimiser, lr=LR, momentum=MOMENTUM, eta=ETA),
    )


def test_it_says_which_condition_fails_and_what_to_change(run, capsys):
    code, out, _ = explained(run[0], "--seed", 4, capsys=capsys)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "Seed 4: done, step 20 of 20 (epoch 10)."
    assert "½‖prediction - target‖²" in out
    assert "neither shows a collapse nor excludes one" in out
    assert any("weight decay is too large" in line and "setting `eta` below" in line for line in lines)


USUAL = Options()


@pytest.mark.parametrize(
    ("method", "expected", "words"),
    [
        (Byol(), 0.0, "a mean cosine of 0.25 (code that minimises -cos shows -0.25, and its -1 is 0 here)"),
        (Byol(loss="l2"), 0.0, "neither shows a collapse nor excludes one"),
        (Isoloss(), -2.0, "its value is no distance"),  # -2 + 1, twice
        (Simclr(temperature=0.5), np.log(2 * 128 - 1), "tells of a collapse, and should fall"),
        (Vicreg(), 25 * (1 - 1e-2), "tells of a collapse, and should fall"),  # γ - √eps
        (Barlow(), 8.0, "tells of a collapse, and should fall"),  # Σ(1 - 0)² over 8 features
    ],
)
def test_the_loss_is_told_beside_that_of_one_point(method, expected, words):
    o = replace(USUAL, method=method)
    found = meaning(o, lanes(o)[0].scalars, 8, 5.0, 3.0)
    assert np.isclose(found.collapsed, expected, rtol=1e-5, atol=1e-6)
    assert words in " ".join(found.sentences)


def test_without_stop_gradient_a_small_loss_may_be_a_collapse():
    o = replace(USUAL, method=Simsiam(stop_gradient=False))
    found = meaning(o, lanes(o)[0].scalars, 8, 2.0, 0.01)
    assert "what falls towards it may be a collapse" in " ".join(found.sentences)
    told = [text for applies, text in diagnosis.CONDITIONS if applies(o)]
    assert len(told) == 1
    assert "Theorem 2" in told[0]
    assert [
        text for applies, text in diagnosis.CONDITIONS if applies(replace(USUAL, method=Byol(predictor=NoPredictor())))
    ]


@pytest.mark.parametrize(
    ("std", "rank", "verdict"),
    [(0.01, 1.1, "have collapsed:"), (0.15, 3.0, "are on their way"), (0.9, 1.2, "use few dimensions"),
     (0.9, 5.0, "have not collapsed:")],
)  # fmt: skip
def test_the_verdict_is_of_the_table_not_of_the_loss(copy, capsys, std, rank, verdict):
    head, *rows = [line.split(",") for line in (copy / "metrics.csv").read_text().splitlines()]
    for row in rows[2:]:
        row[head.index("embedding_std")], row[head.index("rank")] = str(std), str(rank)
    (copy / "metrics.csv").write_text("".join(",".join(row) + "\n" for row in [head, *rows]))
    code, out, _ = explained(copy, "--seed", 3, capsys=capsys)
    assert code == 0
    assert verdict in out.splitlines()[1]


def only_settings(folder):
    for path in folder.iterdir():
        if path.name != "config.toml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def without_spectra(folder):
    (folder / "spectra.jsonl").write_text("")


def of_another_version(folder):
    with (folder / "config.toml").open("a") as file:
        file.write("\n[later]\nsetting = 1\n")


def broken_results(folder):
    (folder / "run.json").write_text('{"schema": 1, "resu')


def torn_checkpoints(folder):
    for path in (folder / "checkpoints").glob("*/arrays.npz"):
        path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (only_settings, "holds settings alone: it has not been trained yet."),
        (without_spectra, "holds no spectra yet"),
        (of_another_version, "was not made by this version of linbyol"),
        (broken_results, "run.json is not JSON"),
        (torn_checkpoints, "has no undamaged checkpoint"),
    ],
)
def test_what_cannot_be_explained_gets_one_sentence(copy, capsys, harm, sentence):
    harm(copy)
    code, out, err = explained(copy, capsys=capsys)
    assert (code, out) == (3, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_an_interrupted_run_says_so(copy, capsys):
    """The newest checkpoint is in the middle of an epoch, and a row of the table was torn."""
    newest = max((copy / "checkpoints").glob("step-*"))
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    shutil.rmtree(newest)
    with (copy / "metrics.csv").open("a") as file:
        file.write("20,10.0,3,0.0")
    code, out, _ = explained(copy, "--seed", 3, capsys=capsys)
    assert code == 0
    assert "interrupted, step" in out.splitlines()[0]
    assert "goes on from there" in out.splitlines()[0]


def test_what_is_neither_flow_nor_run_gets_one_sentence(run, tmp_path, capsys):
    for words, code, sentence in [
        (("mdoes",), 2, "Argument `about` must be one of modes, jepa"),
        ((tmp_path,), 3, "is not that of a run: it holds no config.toml"),
        ((run[0], "--eta", "0.1"), 2, "Argument `eta` has no effect for a run, which has its own."),
        (("modes", "--seed", "1"), 2, "Argument `seed` has no effect for modes, only for a run."),
        ((run[0], "--seed", "9"), 2, "Argument `seed` must be that of a lane"),
    ]:
        found, out, err = explained(*words, capsys=capsys)
        assert (found, out) == (code, "")
        assert sentence in err
        assert err.count("\n") == 1
