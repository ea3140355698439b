"""Claims and verdicts as a table for people."""

import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from linbyol import claims as data
from linbyol.claims import Claim, Result
from linbyol.origins import check_of, describe

COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow", "not run": "dim"}


class Collected(NamedTuple):
    """The claims of some packages, and the exit status that is due where some could not be collected."""

    claims: list[Claim]
    status: int

    @classmethod
    def of(cls, *packages: ModuleType) -> "Collected":
        """What cannot be collected is told on standard error."""
        faults: list[str] = []
        claims = [claim for package in packages for claim in data.collect(package, faults.append)]
        for fault in faults:
            print(f"linbyol: {fault}", file=sys.stderr)
        return cls(claims, 4 if faults else 0)

    def listed(self, chosen: Sequence[Claim], json: bool) -> int:
        """Print the chosen ones without checking them; the exit status."""
        from linbyol.store import to_json

        print(to_json({"claims": [describe(claim) for claim in chosen]})) if json else print_claims(chosen)
        return self.status


def print_results(results: Iterable[Result]) -> None:
    """One row a claim: id, title, kind, verdict, what is expected, seconds."""
    from rich.table import Table

    results = list(results)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("claim", "title", "kind", "verdict", "expected", "seconds"):
        table.add_column(name, justify="right" if name == "seconds" else "left", overflow="fold")
    for result in results:
        claim, verdict = result.claim, result.verdict
        dimensions = verdict.numbers.get("dimensions")
        kind = f"{claim.kind} ({dimensions})" if dimensions else claim.kind
        word = f"[{'bold red reverse' if result.contradicts else COLOURS[verdict.verdict]}]{verdict.verdict}[/]"
        table.add_row(claim.id, claim.title, kind, word, claim.expected, f"{verdict.seconds:.2f}")
    console().print(table)
    for result in results:
        if result.contradicts or result.verdict.crashed:
            print(f"{result.claim.id}: {result.verdict.note or result.verdict.numbers}")
    print(summary(results))


def print_claims(claims: Iterable[Claim]) -> None:
    """One row a claim, unchecked."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("claim", "title", "kind", "expected", "statement, and its check"):
        table.add_column(name, overflow="fold")
    for claim in claims:
        about = f"{claim.statement}\n[dim]{check_of(claim)}[/]"
        table.add_row(claim.id, claim.title, claim.kind, claim.expected, about)
    console().print(table)


def console() -> Any:
    """Standard output; a pipe or a file has lines of 120 characters."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def summary(results: Sequence[Result]) -> str:
    """How many verdicts of each kind, and how many contradict what is expected."""
    counts = {word: sum(result.verdict.verdict == word for result in results) for word in COLOURS}
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    against = sum(result.contradicts for result in results)
    seconds = sum(result.verdict.seconds for result in results)
    return f"{len(results)} claims, {seconds:.1f} s of checking: {words}; {against or 'none'} against what is expected."


def status(results: Iterable[Result]) -> int:
    """1 if a verdict contradicts what is expected, 4 if a check broke, else 0."""
    results = list(results)
    if any(result.contradicts for result in results):
        return 1
    return 4 if any(result.verdict.crashed for result in results) else 0


def choose(claims: Sequence[Claim], only: Sequence[str]) -> list[Claim]:
    """The claims of the given ids, or all; an unknown id is named with the nearest one there is."""
    import difflib

    from linbyol.checks import InputError

    known = {claim.id: claim for claim in claims}
    for name in only:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; see --list."
            raise InputError(f"Argument `only` names no claim {name!r}{hint}")
    return [known[name] for name in dict.fromkeys(only)] if only else list(claims)
