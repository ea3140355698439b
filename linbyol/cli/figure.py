"""linbyol figure"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Figure:
    """Draw a figure as PDF and PNG.

    Example: linbyol figure phase_plane --out figures_out
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """names of figures (all if none)"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """folder for NAME.pdf and NAME.png (default: out/figures)"""
    results: Path | None = None
    """folder with the arrays that `linbyol reproduce` left (default: those that came with the project)"""
    fast: bool = False
    """coarser grids and shorter times"""
    list: bool = False
    """list the figures and draw nothing"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.list:
            yield from ((name, "beside --list, which draws nothing") for name in ("names", "out", "results", "fast"))

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import figures
        from linbyol.checks import check_choice
        from linbyol.outputs import check_writable, make_folder
        from linbyol.progress import track
        from linbyol.store import FileError, to_json

        known = figures.names()
        if self.list:
            print(to_json({"figures": known}) if self.json else "\n".join(known))
            return 0
        for name in self.names:
            check_choice("names", name, known)
        if self.results is not None and not self.results.is_dir():
            raise FileError(f"Folder {self.results} of --results does not exist.")
        folder, names = make_folder(self.out or Path("out/figures")), self.names or known
        for name in names:
            for suffix in (".pdf", ".png"):
                check_writable(folder / f"{name}{suffix}")
        written = {}
        for name in track(names, "drawing figures"):
            written[name] = figures.make(name, fast=self.fast, out=folder, results=self.results)
            if not self.json:
                print(*written[name], sep="\n")
        if self.json:
            print(to_json({"written": written}))
        return 0
