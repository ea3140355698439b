"""The README's Python runs, and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_examples_print_what_they_show():
    blocks = re.findall(r"```(python|text)\n(.*?)```", README, re.DOTALL)
    kinds = [kind for kind, _ in blocks]
    assert kinds == ["python", "text"] * (len(kinds) // 2)
    assert kinds
    scope: dict = {}
    for (_, code), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, scope)
        assert printed.getvalue() == shown


def test_files_that_the_readme_names_exist():
    for name in re.findall(r"`((?:linbyol|theory|experiments|figures)/[\w/*]*\.py)", README):
        assert list(ROOT.glob(name)), name


def test_commands_that_the_readme_names_exist():
    from linbyol.cli import VERBS

    assert set(re.findall(r"`linbyol (\w+)", README)) <= set(VERBS)
