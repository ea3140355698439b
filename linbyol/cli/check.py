"""Claims checked, in this process or in several at once."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from linbyol.claims import Claim, Result, Run, Verdict
from linbyol.cli.kept import Kept
from linbyol.cli.processes import Ended, in_processes
from linbyol.progress import bar, on_terminal

FRESH = "--fresh checks them again"


def run_claims(claims: Sequence[Claim], run: Run, jobs: int = 1, kept: Kept | None = None) -> list[Result]:
    """Each claim with its verdict, in the order given; a line a claim on standard error, or a bar on a terminal.

    Claims share what they compute with those of their file, and of files that read each other's caches: these are the
    unit of work. The verdicts do not depend on `jobs`.
    Verdicts that an earlier run has kept are taken over; those that are as expected are kept as soon as they are there.
    """
    found = {claim.id: verdict for claim in claims if kept and (verdict := _known(kept, claim))}
    if found:
        print(f"linbyol: {len(found)} of {len(claims)} claims taken over; {FRESH}.", file=sys.stderr)
    known = {claim.id: claim for claim in claims}
    at_work: list[str] = []
    with bar("checking claims", len(claims)) as advance:
        advance(None, len(found))
        for id, news in _verdicts([claim for claim in claims if claim.id not in found], run, jobs, kept):
            if news is None:
                at_work.append(id)
                advance(f"checking {', '.join(at_work)}", 0)
                continue
            found[id], files = news
            at_work.remove(id)
            result = Result(known[id], found[id])
            if kept and result.settled:
                kept.write(id, asdict(found[id]), [f"{run.out.name}/{name}" for name in files] if run.out else [])
            advance(f"checking {', '.join(at_work)}")
            if not on_terminal():
                print(_line(result, len(found), len(claims)), file=sys.stderr, flush=True)
    return [Result(claim, found[claim.id]) for claim in claims]


def _known(kept: Kept, claim: Claim) -> Verdict | None:
    content = kept.read(claim.id)
    try:
        return Verdict(**content | {"seeds": tuple(content["seeds"])}) if content else None
    except (TypeError, KeyError):
        return None


def _line(result: Result, count: int, total: int) -> str:
    verdict = result.verdict
    against = f" AGAINST {result.claim.expected!r}" if result.contradicts else ""
    outcome = f"{verdict.verdict}{against}{' (the check broke)' if verdict.crashed else ''}"
    return f"{count:4}/{total}  {result.claim.id:6} {outcome:9} {verdict.seconds:7.2f} s  {result.claim.title}"


def _verdicts(claims: Sequence[Claim], run: Run, jobs: int, kept: Kept | None) -> Iterator[tuple[str, Any]]:
    """(id, None) as a check begins, and (id, (verdict, names of the arrays it wrote)) as it ends."""
    left = _by_cache(claims)
    if jobs == 1 or len(left) == 1:
        for group in left.values():
            yield from check(group, run)
        return
    while left:  # again only if a process died with claims still before it
        order = sorted(left, key=lambda file: _length(file, left[file], kept), reverse=True)
        tasks = {file: (check_in, [(claim.check.__module__, claim.id) for claim in left[file]], run) for file in order}
        began: dict[str, str] = {}
        for file, news in in_processes(tasks, jobs):
            if isinstance(news, Ended):
                if not left[file]:
                    continue
                if file not in began:
                    began[file] = left[file][0].id
                    yield began[file], None
                news = began[file], (_broken(news.why), [])
            id, outcome = news
            yield id, outcome
            if outcome is None:
                began[file] = id
            else:
                del began[file]
                left[file] = [claim for claim in left[file] if claim.id != id]
        left = {file: group for file, group in left.items() if group}


def check(claims: Iterable[Claim], run: Run) -> Iterator[tuple[str, Any]]:
    """(id, None) as a check begins, and (id, (verdict, names of the arrays it wrote)) as it ends."""
    for claim in claims:
        yield claim.id, None
        before = _arrays(run)
        verdict = claim(run)
        yield claim.id, (verdict, sorted(dict(_arrays(run).items() - before.items())))


def check_in(places: Sequence[tuple[str, str]], run: Run) -> Iterator[tuple[str, Any]]:
    """`check` of the claims at these (module, id), where they are data but their checks are not."""
    known = {
        (file, claim.id): claim
        for file in dict.fromkeys(file for file, _ in places)
        for claim in vars(import_module(file)).values()
        if isinstance(claim, Claim)
    }
    return check((known[place] for place in places), run)


def _by_cache(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """Claims by the first of the files whose caches theirs reads, or is read by."""
    first = {claim.check.__module__: claim.check.__module__ for claim in claims}
    for file in first:
        for other in _read_by(file) & first.keys():
            old, new = first[file], first[other]
            first = {name: new if root == old else root for name, root in first.items()}
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(first[claim.check.__module__], []).append(claim)
    return groups


def _read_by(file: str) -> set[str]:
    """Modules with caches that a module names, theirs or the functions that have them."""
    named = list(vars(sys.modules[file]).values()) if file in sys.modules else []
    within = [value for module in named if isinstance(module, ModuleType) for value in vars(module).values()]
    return {value.__module__ for value in named + within if hasattr(value, "cache_info")}


def _length(file: str, claims: Sequence[Claim], kept: Kept | None) -> tuple[float, bool, int]:
    """What is larger takes longer: by the seconds of an earlier run, if there was one, else real data, many claims."""
    pieces = [kept.last(claim.id) for claim in claims] if kept else []
    known = sum((float(piece.get("seconds", 0)) for piece in pieces if isinstance(piece, dict)), 0.0)
    return known, file.startswith("experiments"), len(claims)


def _arrays(run: Run) -> dict[str, tuple[int, int]]:
    """What there is in the folder of arrays, and since when; another process may write there too."""
    paths = run.out.glob("*.npz") if run.out else ()
    return {path.name: (stat.st_ino, stat.st_mtime_ns) for path in paths if (stat := _stat(path))}


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _broken(why: str) -> Verdict:
    return Verdict("undecided", note=f"The check broke: {why}.", crashed=True)
