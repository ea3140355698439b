"""linbyol reproduce"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from linbyol.cli.repeated import Repeated, flat


@dataclass(frozen=True)
class Reproduce:
    """Check every claim, draw every figure, and write claims.json and report.html.

    Example: linbyol reproduce --seed 1 --out out
    """

    seed: int = 0
    """seed of the random instances, of training and of the views"""
    only: Repeated[str] = ()
    """ids of the claims to check (all if none); figures and report are then left out"""
    list: bool = False
    """list the claims and check nothing"""
    size: Literal["quick", "full"] = "quick"
    """how much work a check may do"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out")
    """folder for claims.json, report.html, figures/ and arrays/"""
    jobs: int = 0
    """processes at once (0: one a core, at most 4)"""
    json: bool = False
    """print claims.json's content instead of the table"""

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import experiments.studies
        import theory
        from linbyol import claims
        from linbyol.cli import table
        from linbyol.cli.check import run_claims
        from linbyol.cli.processes import cores
        from linbyol.outputs import make_folder
        from linbyol.store import to_json, write_json

        everything = claims.collect(theory) + claims.collect(experiments.studies)
        chosen = table.choose(everything, flat(self.only))
        if self.list:
            rows = [claims.describe(claim) for claim in chosen]
            print(to_json({"claims": rows})) if self.json else table.print_claims(chosen)
            return 0
        arrays = make_folder(self.out / "arrays")
        run = claims.Run(seed=self.seed, size=self.size, out=arrays)
        results = run_claims(chosen, run, self.jobs or cores())
        settings = {"command": "reproduce", "seed": self.seed, "size": self.size, "only": flat(self.only)}
        machine = claims.environment() | {"settings": settings}
        record = {"claims": [result.record() for result in results], "environment": machine}
        write_json(self.out / "claims.json", record)
        print(to_json(record)) if self.json else table.print_results(results)
        written = [self.out / "claims.json"]
        if not self.only:
            written += illustrate(self.out, results, machine, arrays, self.jobs or cores())
        if not self.json:
            print("Written:", ", ".join(map(str, written)))
        return table.status(results)


def illustrate(out: Path, results, machine, arrays: Path, jobs: int) -> list[Path]:
    """All figures, and the report with the figures inside."""
    import figures
    from figures.report import write_report
    from linbyol.cli.processes import in_processes
    from linbyol.outputs import make_folder
    from linbyol.progress import bar

    folder = make_folder(out / "figures")
    tasks = {name: (_draw, name, folder, arrays) for name in figures.names()}
    with bar("drawing figures", len(tasks)) as advance:
        for name, problem in in_processes(tasks, jobs):
            if problem:  # the study behind a figure broke; its claim says so, and the report does without
                print(f"linbyol: figure {name} was not drawn: {problem}", file=sys.stderr)
            advance(name)
    write_report(out / "report.html", results, machine, folder)
    return [out / "report.html", folder]


def _draw(name: str, folder: Path, arrays: Path) -> str:
    """Draw one figure; what was wrong with its arrays, if anything."""
    import figures
    from linbyol.checks import InputError

    try:
        figures.make(name, out=folder, results=arrays)
    except InputError as error:
        return str(error)
    return ""
