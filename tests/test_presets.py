"""Presets are complete, can run, and say what they are; the words of `linbyol train` are answered in one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import presets
from experiments.augment import RECIPES
from experiments.bench.gpu import directpred
from experiments.datasets import NAMES
from experiments.settings import with_set
from experiments.trainer.choices import (
    ConvEncoder,
    Copy,
    Direct,
    LinearPredictor,
    Res,
    Set,
    Simclr,
    Simsiam,
    Target,
    Vicreg,
)
from experiments.trainer.options import Optimiser, Projector
from linbyol.cli import run

RESULTS = Path(presets.__path__[0]).parent / "results"
REQUIRED = {
    "digits-linear", "digits-byol", "digits-directpred", "cifar10-resnet18-byol", "cifar10-resnet18-directpred",
    "cifar10-resnet18-directcopy", "cifar10-resnet18-simsiam", "cifar100-res5-vicreg", "cifar100-res5-simclr",
    "stl10-resnet18-byol", "stl10-resnet18-directpred",
}  # fmt: skip


def test_the_presets_are_there():
    assert set(presets.names()) >= REQUIRED


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_what_it_is_and_can_run(name):
    found, options = presets.preset(name)
    options.check()
    assert found == name
    assert name.startswith(options.data.name)
    assert options.data.name in NAMES
    assert options.data.augment in RECIPES
    header = [line for line in (presets.FOLDER / f"{name}.toml").read_text().splitlines() if line.startswith("#")]
    assert len(header) >= 3
    assert any(line.startswith(f"# linbyol train {name}") for line in header)


def test_the_papers_runs_have_the_papers_numbers():
    """As the released code has them by default, and as the tables say."""
    for name in ("cifar10-resnet18-byol", "cifar10-resnet18-directpred", "stl10-resnet18-directpred"):
        o = presets.preset(name)[1]
        assert o.optimiser == Optimiser(lr=0.03, momentum=0.9, eta=4e-4)
        assert (o.run.batch, o.run.epochs) == (128, 100)
        assert o.projector == Projector(widths=(512, 128), norm="batch-no-affine")
        assert o.method.target == Target(gamma_a=0.996, start="independent")
    o = presets.preset("cifar10-resnet18-directpred")[1]
    assert o.method.predictor.rule == Direct(eps=0.1, rho=0.3, freq=1, form="code", floor=1e-4)
    o = presets.preset("cifar10-resnet18-directcopy")[1]
    assert o.method.predictor.rule == Copy(eps=0.3, rho=0.5)
    assert o.optimiser.lr == 0.02
    o = presets.preset("cifar100-res5-vicreg")[1]
    assert o.encoder == Res(layers=5, width=250)
    assert o.method == Vicreg(invariance=25, variance=25, covariance=1)


def test_what_is_measured_on_a_card_is_the_preset():
    """Where nothing reads a preset, its settings stand in Python."""
    o = directpred.settings(tiny=False)
    assert replace(o, record=directpred.PUBLISHED.record) == presets.preset(directpred.PRESET)[1]


def test_another_choice_keeps_what_both_have():
    """So that a preset of one method is a beginning for the others."""
    byol = presets.preset("digits-byol")[1]
    simclr = with_set(byol, ["method=simclr", "temperature=0.2"])
    simclr.check()
    assert simclr == replace(byol, method=Simclr(temperature=0.2))
    ruled = with_set(byol, ["predictor=linear", "rule=set", "eps=0.2"])
    ruled.check()
    assert ruled == replace(byol, method=replace(byol.method, predictor=LinearPredictor(rule=Set(eps=0.2))))
    direct = presets.preset("digits-directpred")[1]
    copied = with_set(direct, ["rule=copy", "method=simsiam", "encoder=conv"])
    copied.check()
    assert copied.method == Simsiam(predictor=LinearPredictor(rule=Copy(eps=0.1, rho=0.3)))
    assert copied.encoder == ConvEncoder(widths=(256, 32))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["digits-byl"], 2, "linbyol: Unknown preset `digits-byl`; did you mean `digits-byol`?"),
        ([], 2, "linbyol: Argument `preset` is missing; `linbyol train --list` shows the presets."),
        (["digits-byol", "--set", "etta=1"], 2, "linbyol: Unknown setting `etta`; did you mean `optimiser.eta`?"),
        (["digits-byol", "--set", "eta=x"], 2, "linbyol: Setting `optimiser.eta` must be a number, but is 'x'."),
        (
            ["digits-directpred", "--rule", "dirct"],
            2,
            "linbyol: Setting `method.predictor.rule.name` must be one of learned",
        ),
        (
            ["digits-byol", "--rule", "direct"],
            2,
            "linbyol: Setting `method.predictor.rule.name` belongs to predictor linear",
        ),
        (["digits-byol", "--sweep", "etta=1,2"], 2, "linbyol: Unknown setting `etta`; did you mean `optimiser.eta`?"),
        (["digits-byol", "--set"], 2, "linbyol: Argument `set` names nothing."),
        (["digits-byol", "--sweep"], 2, "linbyol: Argument `sweep` names nothing."),
        (["digits-byol", "--seeds", "--seeds", "1"], 2, "linbyol: Argument `seeds` names nothing."),
        (
            ["digits-byol", "--seeds", "4294967296"],
            2,
            "linbyol: Setting `run.seeds` must be whole, from 0 to 2147483647",
        ),
        (
            ["digits-byol", "--epochs", "3", "--set", "epochs=4"],
            2,
            "linbyol: Setting `run.epochs` is given twice, as '4'",
        ),
        (
            ["digits-byol", "--rule", "set", "--set", "rule=copy"],
            2,
            "linbyol: Setting `method.predictor.rule.name` is given twice",
        ),
        (
            ["digits-byol", "--seeds", "1", "--set", "seeds=2"],
            2,
            "linbyol: Setting `run.seeds` is given twice, by `set`",
        ),
        (
            ["digits-byol", "--sweep", "lr=1", "--set", "lr=2"],
            2,
            "linbyol: Setting `optimiser.lr` is given twice, by `set` and",
        ),
        (
            ["digits-byol", "--sweep", "lr=1", "--sweep", "lr=2"],
            2,
            "linbyol: Setting `run.sweep` names `optimiser.lr` twice.",
        ),
        (
            ["digits-byol", "--set", "eps=0.2"],
            2,
            "linbyol: Setting `method.predictor.rule.eps` belongs to predictor linear, not",
        ),
        (
            ["digits-byol", "--set", "encoder=res", "encoder.widths=8"],
            2,
            "linbyol: Setting `encoder.widths` belongs to",
        ),
        (
            ["digits-byol", "--set", "temprature=1"],
            2,
            "linbyol: Unknown setting `temprature`; did you mean `method.temp",
        ),
        (
            ["digits-byol", "--set", "temperature=1"],
            2,
            "linbyol: Setting `method.temperature` belongs to method simclr,",
        ),
        (
            ["digits-byol", "--set", "predictor_hidden=8"],
            2,
            "linbyol: Setting `predictor_hidden` is `method.predictor.",
        ),
        (["digits-directpred", "--set", "alpha_p=2"], 2, "linbyol: Setting `optimiser.alpha_p` has no effect here: it"),
        (["digits-byol", "--list"], 2, "linbyol: Argument `preset` has no effect with --list."),
        (["--list", "--seeds", "1"], 2, "linbyol: Argument `seeds` has no effect with --list."),
        (["digits-byol", "--process", "0"], 2, "linbyol: Argument `process` has no effect without --distributed."),
        (["digits-byol", "--distributed", "--processes", "2"], 2, "linbyol: Arguments `coordinator`, `processes` and"),
        (
            ["digits-byol", "--distributed", "--dry-run"],
            2,
            "linbyol: Argument `distributed` has no effect with",
        ),
        (["none.toml"], 3, "linbyol: File none.toml cannot be read: No such file or directory."),
        (
            ["digits-byol", "--dry-run", "--set", "batch=5000"],
            2,
            "linbyol: Setting `run.batch` must be at most the number",
        ),
        (
            ["digits-byol", "--dry-run", "--set", "data=cifar11"],
            2,
            "linbyol: There is no data set (and no file) 'cifar11'",
        ),
        (["cifar10-conv-byol", "--dry-run", "--data", "nowhere"], 3, "linbyol: "),
        (["digits-byol", "--dry-run", "--data", "nowhere"], 2, "linbyol: Argument `data` has no effect for 'digits'"),
        (["digits-byol", "--dry-run", "--set", "data="], 2, "linbyol: Setting `data` must name a data set (digits, "),
    ],
)
def test_words_that_cannot_be_are_answered_in_one_sentence(capsys, words, code, sentence):
    assert run(["train", *words]) == code
    error = capsys.readouterr().err
    assert error.startswith(sentence)
    assert error.count("\n") == 1


def test_the_list_and_the_dry_run_train_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["train", "--list"]) == 0
    assert "digits-directpred" in capsys.readouterr().out
    assert run(["train", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["presets"]
    assert [preset["name"] for preset in listed] == presets.names()
    assert listed[-1]["about"].startswith("DirectPred: Table 8, STL-10")
    assert run(["train", "digits-byol", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "gamma_a = 0.99\n" in shown
    assert "# steps: 1,100" in shown
    assert list(tmp_path.iterdir()) == []


def test_flags_that_come_twice_both_count(capsys):
    words = (
        "--set method=simsiam momentum=0.5 --set predictor=none --sweep eta=0,1e-3 --sweep lr=1,2 --seeds 3 --seeds 4 5"
    )
    assert run(["train", "digits-byol", *words.split(), "--dry-run", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    tables = shown["settings"]
    assert tables["method"] == {
        "name": "simsiam", "loss": "cosine", "symmetric": True, "stop_gradient": True, "predictor": {"name": "none"},
    }  # fmt: skip
    assert tables["optimiser"]["momentum"] == 0.5
    assert (tables["run"]["sweep"], tables["run"]["seeds"]) == (["eta=0,1e-3", "lr=1,2"], [3, 4, 5])
    assert shown["lanes"] == 12


def test_lejepa_learns_on_cifar10():
    """The kept record of a short run: with three seeds the ridge probe is above untrained by more than two spreads."""
    kept = json.loads((RESULTS / "cifar10_lejepa.json").read_text())
    before, after = (np.array(kept[when]["ridge"]) for when in ("untrained", "trained"))
    assert len(before) == len(after) == len(kept["seeds"]) == 3
    assert after.mean() - before.mean() > 2 * max(before.std(ddof=1), after.std(ddof=1))
