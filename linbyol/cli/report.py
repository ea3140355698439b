"""linbyol report"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro


@dataclass(frozen=True)
class Report:
    """Write report.html again from the claims.json and the figures of a run of `linbyol reproduce`; nothing is checked.

    Statements, equations and captions are those of the code as it is; verdicts and numbers are those of the run.

    Example: linbyol report out
    """

    run_folder: tyro.conf.Positional[Path] = Path("out")
    """folder that `linbyol reproduce` wrote"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """the file to write (default: report.html in that folder)"""

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        import experiments.studies
        import theory
        from figures.report import write_report
        from linbyol.cli import table
        from linbyol.outputs import PAGE, check_outputs
        from linbyol.store import read_json

        source = self.run_folder / "claims.json"
        out = self.out or self.run_folder / "report.html"
        check_outputs(inputs=[source], out=(out, PAGE))
        record = read_json(source)
        collected = table.Collected.of(theory, experiments.studies)
        results = list(_results(record, {claim.id: claim for claim in collected.claims}, source))
        write_report(out, results, record.get("environment", {}), self.run_folder / "figures")
        print(f"Written: {out}")
        return collected.status


def _results(record: Any, claims: dict[str, Any], source: Path) -> Iterable[Any]:
    """The results as the run left them, of claims that the code still has."""
    import sys

    from linbyol.claims import Result, Verdict
    from linbyol.store import FileError

    try:
        for row in record["claims"]:
            if row["id"] not in claims:
                print(f"linbyol: claim {row['id']} is not in the code any more, and is left out.", file=sys.stderr)
                continue
            verdict = Verdict(row["verdict"], row["numbers"], tuple(row["seeds"]), row.get("note", ""), row["seconds"])
            yield Result(claims[row["id"]], verdict)
    except (KeyError, TypeError, AttributeError):
        raise FileError(f"File {source} is not one that `linbyol reproduce` wrote.") from None
