"""Claims checked, in this process or in several at once."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from linbyol.claims import Claim, Result, Run, Verdict
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


def cores() -> int:
    """Processes that pay: each compiles for itself, and memory is about 1.5 GB each."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


def _here(groups: dict[str, list[Claim]], run: Run, total: int):
    with bar("checking claims", total) as advance:
        for claims in groups.values():
            for claim in claims:
                yield claim.id, claim(run)
                advance(_name(claim))


def _elsewhere(groups: dict[str, list[Claim]], run: Run, total: int, jobs: int):
    # Real data first: the longest pieces of work. A fresh interpreter each, since a forked JAX may hang.
    order = sorted(groups, key=lambda module: (not module.startswith("experiments"), -len(groups[module])))
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start)
    try:
        waiting = {pool.submit(_check, module, [c.id for c in groups[module]], run): module for module in order}
        with bar("checking claims", total) as advance:
            for done in as_completed(waiting):
                for claim, verdict in zip(groups[waiting[done]], done.result(), strict=True):
                    yield claim.id, verdict
                    advance(_name(claim))
    finally:
        for process in list((pool._processes or {}).values()):  # an interrupt ends the work, not only the waiting
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    import signal

    import jax

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    jax.config.update("jax_enable_x64", True)


def _check(module: str, ids: list[str], run: Run) -> list[Verdict]:
    import importlib

    known = {claim.id: claim for claim in vars(importlib.import_module(module)).values() if isinstance(claim, Claim)}
    return [known[id](run) for id in ids]


def _name(claim: Claim) -> str:
    return f"{claim.id} {claim.title}"[:40]
