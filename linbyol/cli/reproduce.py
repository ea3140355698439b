"""linbyol reproduce"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from linbyol.cli.options import Between, Seed
from linbyol.cli.repeated import Repeated, flat


@dataclass(frozen=True)
class Reproduce:
    """Check every claim, draw every figure, and write claims.json and report.html.

    What is done is kept in the folder: the same command goes on where it was stopped, and takes over what it finds with
    the same code, seed, size, versions and device; a finished run is done again with --fresh alone. Verdicts that are
    undecided, or not what is expected, are always checked again.

    Example: linbyol reproduce --seed 1 --out out
    """

    seed: Seed = 0
    """seed of the random instances, of training and of the views"""
    only: Repeated[str] = ()
    """ids of the claims to check (all if none); figures and report are then left out"""
    list: bool = False
    """list the claims and check nothing"""
    size: Literal["smoke", "cpu", "full"] = "cpu"
    """how much work a check may do, and which stored results it reads"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out")
    """folder for claims.json, report.html, figures/, arrays/ and kept/, what is done so far"""
    fresh: bool = False
    """take nothing over from an earlier run"""
    jobs: Annotated[int, Between(0, 1024)] = 0
    """processes at once (0: one a core, at most 4)"""
    json: bool = False
    """print claims.json's content instead of the table"""

    def run(self) -> int:
        from linbyol import trees

        root = trees.provide()
        import experiments.studies
        import figures
        import theory
        from linbyol import claims
        from linbyol.cli import table
        from linbyol.cli.check import run_claims
        from linbyol.cli.kept import Kept, digest, of_sources
        from linbyol.cli.processes import jobs_that_pay
        from linbyol.outputs import check_writable, make_folder
        from linbyol.store import to_json, write_json

        collected = table.Collected.of(theory, experiments.studies)
        chosen = table.choose(collected.claims, flat(self.only))
        if self.list:
            return collected.listed(chosen, self.json)
        arrays = make_folder(self.out / "arrays")
        for name in ("claims.json", "report.html"):
            check_writable(self.out / name)
        run = claims.Run(seed=self.seed, size=self.size, out=arrays)
        settings = {"command": "reproduce", "seed": self.seed, "size": self.size, "only": flat(self.only)}
        machine = claims.environment()
        key = digest(to_json(machine | {"seed": self.seed, "size": self.size}), of_sources(root))
        kept = Kept(self.out, key)
        if self.fresh:
            kept.forget()
        jobs = self.jobs or jobs_that_pay()
        results = run_claims(chosen, run, jobs, kept)
        machine |= {"settings": settings}
        rows = [result.record() | {"figures": figures.of_claim(result.claim.id)} for result in results]
        record = {"claims": rows, "environment": machine}
        write_json(self.out / "claims.json", record)
        print(to_json(record)) if self.json else table.print_results(results)
        written = [self.out / "claims.json"]
        undrawn = 0
        if not self.only:
            undrawn = illustrate(self.out, results, machine, kept, jobs)
            written += [self.out / "report.html", self.out / "figures"]
        if not self.json:
            print("Written:", ", ".join(map(str, written)))
        return table.status(results) or (4 if undrawn else collected.status)


def illustrate(out: Path, results: Any, machine: dict[str, Any], kept: Any, jobs: int) -> int:
    """All figures, and the report with the figures inside; how many figures met an error that nobody foresaw."""
    import figures
    from figures.report import write_report
    from linbyol.cli.figure import drawn
    from linbyol.cli.kept import digest
    from linbyol.cli.processes import Ended, in_processes
    from linbyol.outputs import make_folder
    from linbyol.progress import bar, on_terminal

    folder = make_folder(out / "figures")
    arrays = sorted((out / "arrays").glob("*.npz"))
    done = kept._replace(key=digest(kept.key, *(part for path in arrays for part in (path.name, path.read_bytes()))))
    names = figures.names()
    tasks = {
        name: (drawn, name, False, folder, out / "arrays") for name in names if done.read(f"figure-{name}") is None
    }
    if taken := len(names) - len(tasks):
        print(f"linbyol: {taken} of {len(names)} figures taken over; --fresh draws them again.", file=sys.stderr)
    undrawn = 0
    with bar("drawing figures", len(names)) as advance:
        advance(None, taken)
        for name, problem in in_processes(tasks, jobs):
            if isinstance(problem, Ended):
                undrawn += 1
                problem = f"{problem.why}."
            if isinstance(
                problem, str
            ):  # the study behind a figure broke; its claim says so, and the report does without
                print(f"linbyol: figure {name} was not drawn: {problem}", file=sys.stderr)
            else:
                done.write(f"figure-{name}", True, [f"figures/{name}.{suffix}" for suffix in ("pdf", "png", "csv")])
                if not on_terminal():
                    print(f"linbyol: figure {name} is drawn.", file=sys.stderr, flush=True)
            advance(f"drawing figures: {name} is done")
    write_report(out / "report.html", results, machine, folder)
    return undrawn
