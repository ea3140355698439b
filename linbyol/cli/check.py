"""Claims checked, in this process or in several at once."""

from collections.abc import Sequence

from linbyol.claims import Claim, Result, Run, Verdict
from linbyol.cli.processes import in_processes
from linbyol.progress import bar


def run_claims(claims: Sequence[Claim], run: Run, jobs: int = 1) -> list[Result]:
    """Each claim with its verdict, in the order given; a bar on a terminal.

    Claims of one file share what they compute, so a file is the unit of work. The verdicts do not depend on `jobs`.
    """
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.check.__module__, []).append(claim)
    if jobs == 1 or len(groups) == 1:
        found = dict(_here(groups, run, len(claims)))
    else:
        found = dict(_elsewhere(groups, run, len(claims), min(jobs, len(groups))))
    return [Result(claim, found[claim.id]) for claim in claims]


def _here(groups: dict[str, list[Claim]], run: Run, total: int):
    with bar("checking claims", total) as advance:
        for claims in groups.values():
            for claim in claims:
                yield claim.id, claim(run)
                advance(_name(claim))


def _elsewhere(groups: dict[str, list[Claim]], run: Run, total: int, jobs: int):
    # Real data first: the longest pieces of work.
    order = sorted(groups, key=lambda module: (not module.startswith("experiments"), -len(groups[module])))
    tasks = {module: (_check, module, [claim.id for claim in groups[module]], run) for module in order}
    with bar("checking claims", total) as advance:
        for module, verdicts in in_processes(tasks, jobs):
            for claim, verdict in zip(groups[module], verdicts, strict=True):
                yield claim.id, verdict
                advance(_name(claim))


def _check(module: str, ids: list[str], run: Run) -> list[Verdict]:
    import importlib

    known = {claim.id: claim for claim in vars(importlib.import_module(module)).values() if isinstance(claim, Claim)}
    return [known[id](run) for id in ids]


def _name(claim: Claim) -> str:
    return f"{claim.id} {claim.title}"[:40]
