"""linbyol figure"""

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
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out/figures")
    """folder for NAME.pdf and NAME.png"""
    results: Path | None = None
    """folder with the arrays that `linbyol reproduce` left (default: those that came with the project)"""
    fast: bool = False
    """coarser grids and shorter times"""
    list: bool = False
    """list the figures and draw nothing"""

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import figures
        from linbyol.checks import check_choice
        from linbyol.outputs import make_folder
        from linbyol.progress import track

        known = figures.names()
        if self.list:
            print("\n".join(known))
            return 0
        for name in self.names:
            check_choice("names", name, known)
        folder = make_folder(self.out)
        for name in track(self.names or known, "drawing figures"):
            for path in figures.make(name, fast=self.fast, out=folder, results=self.results):
                print(path)
        return 0
