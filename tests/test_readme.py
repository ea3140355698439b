"""The README's Python runs, and prints what it says; what it and the pages name is there."""

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])


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


def test_files_that_the_pages_name_exist():
    for name in re.findall(r"`((?:linbyol|theory|experiments|figures)/[\w/*]*\.py)", PAGES):
        assert list(ROOT.glob(name)), name


def test_commands_that_the_pages_name_exist():
    from linbyol.cli import VERBS

    assert set(re.findall(r"`linbyol (\w+)", PAGES)) <= set(VERBS)


def test_the_readme_is_two_screens_long_and_its_links_resolve():
    assert len(README.splitlines()) <= 130
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README)
    assert len(links) > 15
    for link in (link for link in links if not link.startswith("https:")):
        assert (ROOT / link).is_file(), link


def test_every_verb_has_a_row():
    from linbyol.cli import VERBS

    commands = (ROOT / "docs" / "commands.md").read_text()
    assert set(re.findall(r"(?m)^\| `linbyol (\w+)", commands)) == set(VERBS)
