"""The site's pages: every block of code runs, and what a page links to, includes or lists is there."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from PIL import Image

import figures

DOCS = Path(__file__).parent.parent / "docs"
WRITTEN = {"api.md", "exact.md", "gallery.md", "explorer.html"}  # by the build
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if page.name not in WRITTEN]
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
    assert set(listed) == there | {"api.md", "exact.md", "gallery.md"}


def entries(page):
    """The pages that one lists in its contents, from the folder of the site."""
    for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for name in block.split("\n"):
            if name and not name.startswith(":"):
                yield (page.parent / f"{name}.md").relative_to(DOCS).as_posix()


def test_the_gallery_shows_what_is_drawn(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import gallery_page

    drawn = tmp_path / "drawn"
    drawn.mkdir()
    gallery_page.write(tmp_path, drawn)
    assert "None is drawn yet" in (tmp_path / "gallery.md").read_text("utf-8")
    Image.new("RGB", (40, 20)).save(drawn / "bifurcation.png")
    Image.new("RGB", (40, 20)).save(drawn / "basins.png")  # without its numbers
    (drawn / "bifurcation.csv").write_text("panel,x\n")
    gallery_page.write(tmp_path, drawn)
    page = (tmp_path / "gallery.md").read_text("utf-8")
    assert page.count("## ") == page.count("<img ") == 1
    assert figures.module("bifurcation").CAPTION in page
    assert "`linbyol figure bifurcation`" in page
    for link in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (tmp_path / "_extra" / link).is_file()
