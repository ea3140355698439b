"""The built wheel, installed elsewhere, holds the library and says what it lacks."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the wheel unpacked by pip, and nothing of the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    # the build backend stands in the environment (extra `dev`), so that no network is needed here
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "site")]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return folder


def python(site, *arguments):
    """Run Python with the installed wheel first, away from the tree."""
    code = (
        f"import sys; sys.path[:] = [{str(site / 'site')!r}] + [p for p in sys.path if p not in ('', {str(ROOT)!r})]\n"
    )
    code += f"import linbyol.cli; sys.argv = ['linbyol', *{list(arguments)!r}]; linbyol.cli.main()"
    return subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=site)


def test_wheel_holds_the_library_and_nothing_else(site):
    (wheel,) = site.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "linbyol",
        next(n for n in names if "dist-info" in n).split("/")[0],
    }
    assert "linbyol/py.typed" in names


def test_wheel_simulates(site):
    result = python(site, "simulate", "modes", "--t1", "5", "--json")
    assert result.returncode == 0, result.stderr
    assert '"ok": true' in result.stdout


def test_wheel_says_that_proofs_need_the_tree(site):
    result = python(site, "prove")
    assert result.returncode == 2
    assert result.stderr.strip() == (
        "linbyol: `linbyol prove` needs a checkout of the project, and this linbyol was installed without one."
    )
