"""Presets are complete, can run, and say what they are; the words of `linbyol train` are answered in one sentence."""

import json
from dataclasses import replace

import pytest

from experiments import presets
from experiments.augment import RECIPES
from experiments.datasets import NAMES
from linbyol.cli import run

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
    assert name.startswith(options.data)
    assert options.data in NAMES
    assert options.augment in RECIPES
    header = [line for line in (presets.FOLDER / f"{name}.toml").read_text().splitlines() if line.startswith("#")]
    assert len(header) >= 3
    assert any(line.startswith(f"# linbyol train {name}") for line in header)


def test_the_papers_runs_have_the_papers_numbers():
    """As the released code has them by default, and as the tables say."""
    for name in ("cifar10-resnet18-byol", "cifar10-resnet18-directpred", "stl10-resnet18-directpred"):
        o = presets.preset(name)[1]
        assert (o.lr, o.momentum, o.eta, o.batch, o.epochs, o.gamma_a) == (0.03, 0.9, 4e-4, 128, 100, 0.996)
        assert o.projector == (512, 128)
        assert o.projector_norm == "batch-no-affine"
        assert o.target == "independent"
    o = presets.preset("cifar10-resnet18-directpred")[1]
    assert (o.rule, o.eps, o.rho, o.freq, o.form, o.floor) == ("direct", 0.1, 0.3, 1, "code", 1e-4)
    o = presets.preset("cifar10-resnet18-directcopy")[1]
    assert (o.rule, o.eps, o.rho, o.lr) == ("copy", 0.3, 0.5, 0.02)
    o = presets.preset("cifar100-res5-vicreg")[1]
    assert (o.encoder, o.layers, o.widths, o.invariance, o.variance, o.covariance) == ("res", 5, (250,), 25, 25, 1)


def test_only_predictors_that_rules_can_set_are_set():
    for name in presets.names():
        o = presets.preset(name)[1]
        assert replace(o).rule == "learned" or o.predictor == "linear"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["digits-byl"], 2, "linbyol: Unknown preset `digits-byl`; did you mean `digits-byol`?"),
        ([], 2, "linbyol: Argument `preset` is missing; `linbyol train --list` shows the presets."),
        (["digits-byol", "--set", "etta=1"], 2, "linbyol: Unknown setting `etta`; did you mean `eta`?"),
        (["digits-byol", "--set", "eta=x"], 2, "linbyol: Setting `eta` must be a number, but is 'x'."),
        (["digits-byol", "--rule", "dirct"], 2, "linbyol: Setting `rule` must be one of learned, symmetric, direct"),
        (["digits-byol", "--rule", "direct"], 2, "linbyol: Setting `predictor` must be linear for rule direct"),
        (["digits-byol", "--sweep", "etta=1,2"], 2, "linbyol: Setting `sweep` must name one of lr, momentum, eta"),
        (["digits-byol", "--set"], 2, "linbyol: Argument `set` names nothing."),
        (["digits-byol", "--sweep"], 2, "linbyol: Argument `sweep` names nothing."),
        (["digits-byol", "--seeds", "--seeds", "1"], 2, "linbyol: Argument `seeds` names nothing."),
        (["digits-byol", "--seeds", "4294967296"], 2, "linbyol: Setting `seeds` must be whole, from 0 to 2147483647"),
        (["digits-byol", "--epochs", "3", "--set", "epochs=4"], 2, "linbyol: Setting `epochs` is given twice, as '4'"),
        (
            ["digits-byol", "--rule", "set", "--set", "rule=copy"],
            2,
            "linbyol: Setting `rule` is given twice",
        ),
        (["digits-byol", "--seeds", "1", "--set", "seeds=2"], 2, "linbyol: Setting `seeds` is given twice, by `set`"),
        (["digits-byol", "--sweep", "lr=1", "--set", "lr=2"], 2, "linbyol: Setting `lr` is given twice, by `set` and"),
        (["digits-byol", "--sweep", "lr=1", "--sweep", "lr=2"], 2, "linbyol: Setting `sweep` names `lr` twice."),
        (["digits-byol", "--set", "eps=0.2"], 2, "linbyol: Setting `eps` has no effect here: it belongs to rule"),
        (["digits-byol", "--set", "encoder=res", "widths=8,8"], 2, "linbyol: Setting `widths` must be one number for"),
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
        (["digits-byol", "--dry-run", "--set", "batch=5000"], 2, "linbyol: Setting `batch` must be at most the number"),
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
    found = {name: shown["settings"][name] for name in ("method", "momentum", "predictor", "sweep", "seeds")}
    assert found == {
        "method": "simsiam", "momentum": 0.5, "predictor": "none", "sweep": ["eta=0,1e-3", "lr=1,2"],
        "seeds": [3, 4, 5],
    }  # fmt: skip
    assert shown["lanes"] == 12
