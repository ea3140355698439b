"""The site's pages: every block of code runs, and what a page links to, includes or lists is there."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = {"api.md", "exact.md", "explorer.html"}  # by the build
CELLS = {page: re.findall(r"```\{code-cell\} ipython3\n(.*?)```", page.read_text("utf-8"), re.DOTALL) for page in PAGES}


@pytest.mark.parametrize("page", [page for page in PAGES if CELLS[page]], ids=lambda page: page.stem)
def test_every_block_runs(page, monkeypatch, capsys):
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    scope: dict = {}
    for code in CELLS[page]:
        exec(code, scope)
    assert capsys.readouterr().out


def test_the_tutorial_and_six_more_pages_run():
    assert sum(map(bool, CELLS.values())) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_leads_to_is_there(page):
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'href="([^"#]+)"', text)
    links += re.findall(r"```\{include\} (\S+)", text)
    for link in (link for link in links if not re.match(r"https?:", link)):
        assert Path(link).name in WRITTEN or (page.parent / link).is_file(), link


def test_the_contents_list_every_page_once():
    listed = [entry for page in PAGES for entry in entries(page)]
    assert len(listed) == len(set(listed))
    there = {page.relative_to(DOCS).as_posix() for page in PAGES} - {"index.md"}
    assert set(listed) == there | {"api.md", "exact.md"}


def entries(page):
    """The pages that one lists in its contents, from the folder of the site."""
    for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for name in block.split("\n"):
            if name and not name.startswith(":"):
                yield (page.parent / f"{name}.md").relative_to(DOCS).as_posix()
