"""Claims that break, and runs that are killed: the others go on, each is told, and what is done is not done again."""

import importlib
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from processes import environment

import experiments.studies
from linbyol import claims
from linbyol.checks import InputError
from linbyol.claims import Claim, Result, Run, Verdict
from linbyol.cli import table
from linbyol.cli.check import _by_cache, run_claims
from linbyol.cli.kept import Kept

HEAD = """
import os, signal, time
import numpy as np
from linbyol.claims import Claim, Verdict, claim, holds_if, undecided
from pathlib import Path

def made(id, check, expected="holds", kind="numeric"):
    def noted(run):
        with Path("checked").open("a") as file: file.write(id + " ")
        return check(run)
    noted.__module__ = __name__
    return Claim(id, f"Title of {id}", "", "", kind, expected, noted)
"""
GOOD = """
def saves(run):
    if run.out: np.savez(run.out / "a.npz", a=run.seed)
    return holds_if(True, a=0.1, b=[1, 2.5])
L1 = made("L1", saves)
L2 = made("L2", lambda run: holds_if(False, seeds=(), c=np.arange(2)), expected="fails")
L10 = made("L10", lambda run: undecided("Six are few."))
"""
BAD = {
    "none": "L3 = made('L3', lambda run: None)",
    "word": "yes = Verdict('holds')\nobject.__setattr__(yes, 'verdict', 'yes')\nL4 = made('L4', lambda run: yes)",
    "error": "L5 = made('L5', lambda run: 1 / 0)",
    "exit": "L6 = made('L6', lambda run: exit(1))",
    "against": "L7 = made('L7', lambda run: holds_if(False))",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that makes a package of claims, its modules by name, importable here and in processes started here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "out" / "arrays").mkdir(parents=True)
    names = []

    def make(**modules):
        names.append(name := f"claims_of_{tmp_path.name}")
        (tmp_path / name).mkdir()
        for module, words in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(
                (HEAD if module != "__init__" else "") + textwrap.dedent(words)
            )
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield make
    for name in [module for module in sys.modules if module.split(".")[0] in names]:
        del sys.modules[name]


def checked():
    """The ids of the checks that ran since the last question."""
    path = Path("checked")
    ids = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return ids


def test_what_cannot_be_collected_is_told_with_its_file_and_the_others_are_there(package, capsys):
    made = package(
        good=GOOD,
        broken="import nothing_of_that_name",
        unfinished="def f(:",
        twice="L1 = made('L1', lambda run: None)\nL11 = made('L11', lambda run: None)",
        unnamed="X = made('first', lambda run: None)\n"
        "L12 = made('L12', lambda run: None)\nobject.__setattr__(L12, 'kind', 'guess')",
    )
    collected = table.Collected.of(made)
    assert [claim.id for claim in collected.claims] == ["L1", "L2", "L10", "L11"]
    assert collected.status == 4
    told = capsys.readouterr().err.splitlines()
    for sentence in (
        f"linbyol: File {made.__name__}/broken.py cannot be imported: ModuleNotFoundError: No module named 'nothing_",
        f"linbyol: File {made.__name__}/unfinished.py cannot be imported: SyntaxError: invalid syntax",
        f"linbyol: Claim L1 stands in {made.__name__}/twice.py though it stands in {made.__name__}/good.py",
        f"linbyol: Claim 'first' in {made.__name__}/unnamed.py must have an id such as B5 or B99c",
        f"linbyol: Claim 'L12' in {made.__name__}/unnamed.py has 'guess' for `kind`, which must be one of symbolic,",
    ):
        assert sum(line.startswith(sentence) for line in told) == 1, sentence
    assert len(told) == 5
    with pytest.raises(InputError, match=r"broken\.py cannot be imported"):
        claims.collect(made)


def test_a_check_that_gives_no_verdict_is_a_crash_with_its_file(package):
    made = package(**BAD)
    found = {claim.id: claim() for claim in claims.collect(made)}
    assert [(v.verdict, v.crashed) for v in found.values()] == [("undecided", True)] * 4 + [("fails", False)]
    assert f"L3 in {made.__name__}/none.py returned None, where it must return a Verdict." in found["L3"].note
    assert f"L4 in {made.__name__}/word.py came to 'yes'" in found["L4"].note


def test_a_line_a_claim_and_what_is_done_is_taken_over(package, tmp_path, capsys):
    chosen = claims.collect(package(good=GOOD, **BAD))
    run, kept = Run(seed=3, out=tmp_path / "out" / "arrays"), Kept(tmp_path / "out", "key")
    first = run_claims(chosen, run, kept=kept)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(chosen) == len(checked())
    assert [line.split()[0] for line in lines] == [f"{i}/8" for i in range(1, 9)]
    assert any("L1     holds" in line and line.endswith("s  Title of L1") for line in lines)
    assert any("L7     fails AGAINST 'holds'" in line for line in lines)
    assert any("L5     undecided (the check broke)" in line for line in lines)
    assert [result.record()["seeds"] for result in first[:3]] == [[3], [], [3]]  # the run's, none, the run's

    again = run_claims(chosen, run, kept=kept)
    settled = ["L1", "L2"]  # what is undecided, broken or against what is expected is checked again
    assert sorted(checked()) == sorted(claim.id for claim in chosen if claim.id not in settled)
    assert capsys.readouterr().err.startswith("linbyol: 2 of 8 claims taken over; --fresh checks them again.\n")
    for one, other in zip(first, again, strict=True):
        if one.claim.id in settled:
            assert one == other  # seconds too: those that were measured
            assert one.record() == other.record()


@pytest.mark.parametrize("harm", ["another key", "array gone", "array changed", "damaged", "forgotten"])
def test_what_does_not_count_is_checked_again(harm, package, tmp_path):
    (chosen,) = [claim for claim in claims.collect(package(good=GOOD)) if claim.id == "L1"]
    run, kept = Run(out=tmp_path / "out" / "arrays"), Kept(tmp_path / "out", "key")
    run_claims([chosen], run, kept=kept)
    run_claims([chosen], run, kept=kept)
    assert checked() == ["L1"]
    array, piece = run.out / "a.npz", tmp_path / "out" / "kept" / "L1.json"
    {
        "another key": lambda: None,
        "array gone": array.unlink,
        "array changed": lambda: np.savez(array, a=5),
        "damaged": lambda: piece.write_bytes(piece.read_bytes()[:-20]),
        "forgotten": kept.forget,
    }[harm]()
    run_claims([chosen], run, kept=kept._replace(key="other") if harm == "another key" else kept)
    assert checked() == ["L1"]
    assert np.load(array)["a"] == 0


def test_a_process_that_dies_takes_one_claim_with_it(package, tmp_path, capsys):
    killer = """
        L21 = made('L21', lambda run: holds_if(True))
        L22 = made('L22', lambda run: os.kill(os.getpid(), signal.SIGKILL))
        L23 = made('L23', lambda run: holds_if(True))
    """
    chosen = claims.collect(package(good=GOOD, killer=killer, **{name: BAD[name] for name in ("exit", "none")}))
    results = run_claims(chosen, Run(out=tmp_path / "out" / "arrays"), 2, Kept(tmp_path / "out", "key"))
    found = {result.claim.id: result.verdict for result in results}
    assert list(found) == ["L1", "L2", "L3", "L6", "L10", "L21", "L22", "L23"]
    assert found["L22"] == Verdict("undecided", note="The check broke: its process was ended by SIGKILL.", crashed=True)
    assert sorted(checked()) == sorted(found)  # each once
    assert {id for id, verdict in found.items() if verdict.crashed} == {"L3", "L6", "L22"}
    assert sorted(path.stem for path in (tmp_path / "out" / "kept").iterdir()) == ["L1", "L2", "L21", "L23"]
    assert len(capsys.readouterr().err.splitlines()) == 8
    assert table.status(results) == 4


def test_a_run_that_is_killed_goes_on_from_there(package, tmp_path):
    slow = "\n".join(
        f"L{i} = made('L{i}', lambda run: time.sleep(0.2) or holds_if(True, i={i}))" for i in range(30, 40)
    )
    made = package(slow=slow)
    program = (
        f"import {made.__name__} as made\nfrom linbyol.claims import *\nfrom linbyol.cli.check import run_claims\n"
        "from linbyol.cli.kept import Kept\nrun_claims(collect(made), Run(), kept=Kept(Path('out'), 'key'))"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    seen = [process.stderr.readline() for _ in range(3)]
    process.send_signal(signal.SIGKILL)
    seen += process.communicate(timeout=60)[1].splitlines()
    assert 3 <= len(seen) < 10
    began = checked()
    results = run_claims(claims.collect(made), Run(), kept=Kept(tmp_path / "out", "key"))
    assert [result.verdict.numbers for result in results] == [{"i": i} for i in range(30, 40)]
    assert 10 - len(checked()) in (len(seen), len(began))  # one may be kept and not yet told


def test_a_worker_ends_with_its_parent(package, tmp_path):
    made = package(long="L50 = made('L50', lambda run: time.sleep(600))\n", other="L51 = made('L51', lambda run: None)")
    program = (
        f"import {made.__name__} as made\nfrom linbyol.claims import *\nfrom linbyol.cli.check import run_claims\n"
        "if __name__ == '__main__': run_claims(collect(made), Run(), 2)"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    while "L50" not in (Path("checked").read_text() if Path("checked").exists() else ""):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)  # the workers hold the pipe as long as they live


def test_only_what_is_settled_as_expected_is_kept():
    def settled(expected, verdict):
        return Result(Claim("L0", "", "", "", "numeric", expected, lambda run: None), Verdict(verdict)).settled

    assert settled("holds", "holds")
    assert settled("fails", "fails")
    assert settled("open", "fails")
    assert not settled("holds", "fails")
    assert not settled("holds", "undecided")
    assert not settled("holds", "not run")


def test_claims_whose_files_read_one_cache_are_checked_in_one_process():
    groups = _by_cache(claims.collect(experiments.studies))
    files = [{claim.check.__module__.rpartition(".")[2] for claim in group} for group in groups.values()]
    assert {"overlay", "step_size", "fresh_views"} in files
    assert {"deep_digits"} in files
