"""What the parser refuses, and what nobody foresaw: one sentence each, its exit status, and never a traceback."""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import environment

from linbyol import cli

USAGE = {
    ("simulte",): "There is no command 'simulte'; did you mean simulate?",
    ("nothing",): "There is no command 'nothing'; there are prove, simulate,",
    ("",): "There is no command ''; there are prove, simulate,",
    ("--nonsense",): "There is no option --nonsense; see `linbyol --help`.",
    ("simulate", "modes", "--etta", "1"): "There is no option --etta; did you mean --eta?",
    ("simulate", "modes", "--jsn=1"): "There is no option --jsn; did you mean --json?",
    ("data", "moments", "--vews", "3"): "There is no option --vews; did you mean --views?",
    ("data", "fetch", "--views", "3"): "There is no option --views; see `linbyol data --help`.",
    ("simulate", "modes", "--eta=1", "--eta", "2"): "Option --eta is given twice.",
    ("data", "moments", "x.npz", "-o", "a.npz", "--out", "b.npz"): "Option --out is given twice.",
    ("simulate", "modes", "--out", ""): "Argument '' is empty; see `linbyol simulate --help`.",
    ("reproduce", "--out="): "Argument '--out=' is empty; see `linbyol reproduce --help`.",
    ("simulate", "modes", "extra"): "Argument 'extra' is one too many; see `linbyol simulate --help`.",
    ("simulate",): "One of weights, symmetric, modes, amplitudes, jepa, mae, sigreg, bhep, vicreg must be given; see",
    ("data",): "One of moments, modes, fetch, list must be given; see `linbyol data --help`.",
    ("data", "moments"): "PATH and --out PATH must be given; see `linbyol data --help`.",
    ("data", "moments", "x.npz", "-o"): "Option --out must have a value; see `linbyol data --help`.",
    ("simulate", "modes", "--eta"): "Option --eta must have a value; see `linbyol simulate --help`.",
    ("phase", "--x", "eta", "1"): "Option --x must have 3 values; see `linbyol phase --help`.",
    ("phase", "--x", "eta", "1", "x"): "Option --x cannot be 'eta' '1' 'x'; see `linbyol phase --help`.",
    ("simulate", "modes", "--eta", "x"): "Option --eta must be a number, but is 'x'; see `linbyol simulate --help`.",
    ("simulate", "modes", "--d", "1e3"): "Option --d must be a whole number, but is '1e3'; see `linbyol",
    ("reproduce", "--size", "huge"): "Argument --size must be one of smoke, cpu, full, but is 'huge'.",
    ("doctor", "x" * 200): f"Argument {'x' * 200!r} is one too many; see `linbyol doctor --help`.",
}  # fmt: skip


@pytest.mark.parametrize("arguments", USAGE, ids=lambda words: " ".join(words)[:40])
def test_a_usage_error_is_one_line(arguments, capsys):
    assert cli.run(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"linbyol: {USAGE[arguments]}")
    assert err.count("\n") == 1


@dataclass(frozen=True)
class Broken:
    """A verb in which an error comes that nobody foresaw."""

    error: BaseException

    def run(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("seven\nlines of text"), "Something unforeseen went wrong (ValueError: seven)."),
        (OverflowError("int too large"), "Something unforeseen went wrong (OverflowError: int too large)."),
        (RecursionError(), "Something unforeseen went wrong (RecursionError)."),
        (MemoryError("40 GiB"), "Memory does not suffice (MemoryError: 40 GiB)."),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory."), "Memory does not suffice (RuntimeError: RESOURCE_"),
        (ModuleNotFoundError("No module named 'grain'", name="grain"), "Package `grain` is missing (ModuleNotFound"),
        (SystemExit(1), "Something unforeseen went wrong (SystemExit: 1)."),
        (ConnectionError("reset"), "Something unforeseen went wrong (ConnectionError: reset)."),
    ],
)
def test_whatever_goes_wrong_exits_4_with_the_traceback_in_a_file(error, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "old").touch()
    assert cli.guarded(Broken(error)) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"linbyol: {words}")
    assert err.count("\n") == 1
    path = Path(re.search(r"The traceback is in (.*)\.$", err.strip())[1])
    assert path.parent == tmp_path
    assert type(error).__name__ in (text := path.read_text())
    assert "raise self.error" in text


def test_a_traceback_that_cannot_be_kept_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert cli.guarded(Broken(ValueError("seven"))) == 4
    assert capsys.readouterr().err.endswith("The traceback could not be kept: No such file or directory.\n")


def test_files_that_cannot_be_used_exit_3(capsys):
    assert cli.guarded(Broken(PermissionError(13, "Permission denied", "/a/b"))) == 3
    assert capsys.readouterr().err == "linbyol: File /a/b cannot be used: Permission denied.\n"


def ended(*arguments, **pipes):
    """The exit status and standard error of a process of its own."""
    command = [sys.executable, "-m", "linbyol", *arguments]
    result = subprocess.run(command, env=environment(), stderr=subprocess.PIPE, text=True, **pipes)
    return result.returncode, result.stderr


def test_output_that_cannot_be_written_exits_3_and_a_reader_who_left_is_no_error():
    with Path("/dev/full").open("w") as full:
        assert ended("--help", stdout=full) == (3, "linbyol: The output cannot be used: No space left on device.\n")
    command = f"{sys.executable} -m linbyol train --help | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], env=environment(), stderr=subprocess.PIPE)
    assert (result.returncode, result.stderr) == (0, b"")
