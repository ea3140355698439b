"""linbyol figure"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro


@dataclass(frozen=True)
class Figure:
    """Draw a figure as PDF and PNG, with the numbers that it shows as CSV.

    Example: linbyol figure phase_plane --out figures_out
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """names of figures (all if none)"""
    all: bool = False
    """draw all, as without names"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """folder for NAME.pdf, .png and .csv (default: out/figures)"""
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
            yield from (
                (name, "beside --list, which draws nothing") for name in ("names", "all", "out", "results", "fast")
            )
        if self.names:
            yield "all", "beside names of figures"

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import figures
        from linbyol.checks import InputError, check_choice
        from linbyol.cli.processes import Ended
        from linbyol.outputs import PICTURE, check_writable, make_folder
        from linbyol.progress import bar
        from linbyol.store import FileError, to_json

        known = figures.names()
        if self.list:
            print(to_json({"figures": known}) if self.json else "\n".join(known))
            return 0
        for name in self.names:
            check_choice("names", name, known)
        if self.out is not None and self.out.suffix in PICTURE:
            raise InputError(f"Argument `out` must be a folder, for NAME.pdf, .png and .csv, but is {self.out}.")
        if self.results is not None and not self.results.is_dir():
            raise FileError(f"Folder {self.results} of --results does not exist.")
        folder, names = make_folder(self.out or Path("out/figures")), self.names or known
        for name in names:
            for suffix in (".pdf", ".png", ".csv"):
                check_writable(folder / f"{name}{suffix}")
        written, status = {}, 0
        with bar("drawing figures", len(names)) as advance:
            for name, news in _each(names, self.fast, folder, self.results):
                advance()
                match news:
                    case Ended(why):
                        status = 4
                        print(f"linbyol: figure {name} was not drawn: {why}.", file=sys.stderr)
                    case str(problem):
                        status = status or 2
                        print(f"linbyol: figure {name} was not drawn: {problem}", file=sys.stderr)
                    case files:
                        written[name] = files
                        if not self.json:
                            print(*files, sep="\n")
        if self.json:
            print(to_json({"written": written}))
        return status


def drawn(name: str, fast: bool, folder: Path, results: Path | None) -> list[str | list[Path]]:
    """The files of one figure, or what was wrong with the arrays that it needs, in a list of one."""
    import figures
    from linbyol.checks import InputError

    try:
        return [figures.make(name, fast=fast, out=folder, results=results)]
    except InputError as error:
        return [str(error)]


def _each(names: Sequence[str], *settings: Any) -> Iterator[tuple[str, Any]]:
    """(name, its files or what went wrong), as they are done: several figures are drawn on all cores."""
    from linbyol.cli.processes import in_processes, jobs_that_pay

    if len(names) == 1:
        import figures

        fast, folder, results = settings
        return iter([(names[0], figures.make(names[0], fast=fast, out=folder, results=results))])
    return in_processes({name: (drawn, name, *settings) for name in names}, jobs_that_pay())
