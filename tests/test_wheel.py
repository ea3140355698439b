"""The built wheel, unpacked in an empty folder: every verb works there, and an editable install copies nothing."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import hatchling.build
import pytest

ROOT = Path(__file__).parent.parent
VERBS = [  # each in turn in one process, with its exit status; the cheapest that shows it at work
    (["simulate", "modes", "--t1", "5", "--points", "11", "--d", "2", "--out", "modes.npz", "--json"], 0),
    (["explain", "--eta", "-1"], 2),
    (["phase", "--points", "3", "3", "--json"], 0),
    (["fit", "nowhere.npz"], 3),
    (["prove", "--only", "B38"], 0),
    (["reproduce", "--only", "B108", "--jobs", "1"], 0),
    (["figure", "directpred_window", "--fast"], 0),
    (["explore", "--json"], 0),
    (["report", "nowhere"], 3),
    (["train", "--list"], 0),
    (["train", "digits-linear", "--dry-run"], 0),
    (["data", "list"], 0),
    (["doctor"], 0),
    (["plot", "nowhere"], 3),
    (["bench", "--only", "nobody", "--trajectories", "1"], 2),
]
RUN = """
import json, sys
site, root, verbs = sys.argv[1:]
sys.path[:] = [site] + [p for p in sys.path if p not in ("", root)]
import linbyol
assert linbyol.__file__.startswith(site), linbyol.__file__
assert "equations" in dir(linbyol) and "jax" not in sys.modules
import linbyol.cli
for words, status in json.loads(verbs):
    found = linbyol.cli.run(words)
    assert found == status, (words, found)
    print("worked:", *words[:1], flush=True)
assert all(sys.modules[name].__file__.startswith(site) for name in ("theory", "experiments", "figures"))
assert linbyol.exact.parabola is sys.modules["linbyol.exact"].parabola
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without the network: the build backend stands in the environment (extra `dev`)."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_every_verb_works_from_the_wheel(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(site)
    empty.mkdir()
    command = [sys.executable, "-I", "-c", RUN, str(site), str(ROOT), json.dumps(VERBS)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=empty)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("worked:") == len(VERBS)
    assert {path.name for path in site.iterdir() if "dist-info" not in path.name} == {
        "linbyol"
    }  # no `theory` beside it


def test_trees_that_are_missing_or_hidden_are_told_in_a_sentence(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import linbyol.trees\ntry: linbyol.trees.provide()\n"
    code += "except linbyol.checks.InputError as error: print(error)"

    def said():
        result = subprocess.run([sys.executable, "-I", "-c", code, str(site)], capture_output=True, text=True)
        return result.stdout + result.stderr

    assert said() == ""
    (metadata,) = site.glob("*.dist-info/METADATA")
    metadata.write_text(metadata.read_text().replace("\nVersion: ", "\nVersion: 9"))
    assert "was installed as 9" in said()
    (site / "linbyol" / "_tree" / "figures" / "__init__.py").unlink()
    assert said().startswith("This installation of linbyol lacks figures;")


def test_an_editable_install_copies_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    name = hatchling.build.build_editable(str(tmp_path))
    names = zipfile.ZipFile(tmp_path / name).namelist()
    assert [n for n in names if "dist-info" not in n] == ["_linbyol.pth"]
