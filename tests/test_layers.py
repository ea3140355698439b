"""The house holds: who may import whom, and what a name may be."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("linbyol", "theory", "experiments", "figures")
MAY_IMPORT = {
    "linbyol": {"linbyol"},
    "linbyol/cli": {"linbyol", "theory", "experiments", "figures"},
    "theory": {"linbyol", "theory"},
    "experiments": {"linbyol", "experiments"},
    "figures": {"linbyol", "theory", "figures"},
}
FLOORS = (  # of linbyol: a module imports from its own package and from the floors below it
    {"checks", "extremes", "interrupts", "machine", "origins", "outputs", "plot", "progress", "store"}
    | {"claims", "doctor", "published", "trees"},
    {"equations"},
    {"alignment", "assumptions", "cubic", "explorer", "losses", "orbits", "predictors", "representation", "runs"},
    {"fixed_points"},
    {"embeddings", "integrate", "equilibria", "families", "images", "rest"},
    {"ensemble", "exact"},
    {"moving_target", "phase"},
    {"data_modes", "explain", "fit", "training"},
    {"cli", "__init__"},
    {"__main__"},
)


def files(*packages):
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path):
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", files(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_layers(path):
    relative = str(path.relative_to(ROOT))
    doors = relative.startswith("linbyol/cli/") or relative == "linbyol/training.py"
    layer = "linbyol/cli" if doors else relative.split("/")[0]
    for name in imported(path):
        top = name.split(".")[0]
        if top in PACKAGES:
            assert top in MAY_IMPORT[layer], f"{relative} imports {name}"
        if layer != "linbyol/cli" and relative != "linbyol/__main__.py":
            assert not name.startswith("linbyol.cli"), f"{relative} imports the command line"


def room(name):
    """The module or package of linbyol that a dotted name or a path lies in."""
    return name.removesuffix(".py").replace("/", ".").split(".")[1]


def floor(name):
    (found,) = [i for i, rooms in enumerate(FLOORS) if room(name) in rooms]
    return found


@pytest.mark.parametrize("path", files("linbyol"), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_up(path):
    here = str(path.relative_to(ROOT))
    known = {path.stem for path in (ROOT / "linbyol").iterdir()}
    for name in imported(path):
        if name.startswith("linbyol.") and room(name) in known and room(name) != room(here) and floor(here) > 0:
            assert floor(name) < floor(here), f"{here} imports {name}"


def test_equations_are_plain_algebra():
    """No decimal literal and no power of a matrix stands in an equation, or a proof would not be exact."""
    found = files("linbyol/equations")
    assert {"byol.py", "combinators.py", "directset.py"} <= {path.name for path in found}
    for path in found:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant):
                assert not isinstance(node.value, float), f"{path.name}:{node.lineno} has a decimal literal"


def test_no_file_is_named_for_no_idea():
    assert not [path for path in files(*PACKAGES) if path.stem in ("utils", "helpers", "misc", "common")]


def test_the_library_sets_no_global_switch():
    for path in files("linbyol", "theory", "experiments", "figures"):
        if "linbyol/cli/" not in str(path):
            assert not re.search(r"config\.update\(", path.read_text()), path


def test_version_stands_once():
    import linbyol

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]
    assert "version" not in project
    assert linbyol.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_broken_releases_of_jax_are_excluded():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [line for line in project["dependencies"] if line.startswith("jax>")]
    for extra in ("cuda12", "cuda13"):
        pins += project["optional-dependencies"][extra]
    assert len(pins) == 3
    for bad in ("!=0.10.2", "!=0.11.0", "!=0.11.1"):
        assert all(bad in pin for pin in pins)


def test_constraints_name_versions_and_no_address():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r'[\w.\-]+==[\w.]+(; python_version [<>=]+ "3\.\d+")?', line) for line in pins)
    names = {re.split("==", line)[0].lower().replace("_", "-") for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {re.split("[>=!<]", line)[0] for line in needed} <= names
