"""The page, put together from its parts in this folder: one HTML file that fetches nothing."""

from importlib.resources import files

import linbyol
from linbyol.explorer.printed import script

SCRIPTS = ("solver.js", "portrait.js", "pen.js", "plane.js", "curves.js", "sentence.js", "address.js", "app.js")


def explorer() -> str:
    """The explorer as one HTML document, with styles, scripts and the printed equations inside."""
    folder = files(__name__.rpartition(".")[0])
    part = lambda name: folder.joinpath(name).read_text(encoding="utf-8")  # noqa: E731
    code = "\n".join(['"use strict";', script(), *map(part, SCRIPTS)])
    page = part("explorer.html")
    for name, text in (("style", part("style.css")), ("script", code), ("version", linbyol.__version__)):
        page = page.replace(f"[[{name}]]", text)
    return page
