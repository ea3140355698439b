"""A claim is a statement of a paper as data; a verdict is what became of it, with the numbers that say so."""

import importlib
import pkgutil
import platform
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

Kind = Literal["symbolic", "numeric", "real data", "reading"]
Expected = Literal["holds", "fails", "open"]
Outcome = Literal["holds", "fails", "undecided", "not run"]
Size = Literal["smoke", "cpu", "full"]  # seconds, for a test; minutes on two cores; hours, on an accelerator
ID = re.compile(r"([A-Z]+)(\d+)(\w*)")


@dataclass(frozen=True)
class Run:
    """What a check may depend on: one seed, how much work is wanted, and a folder for its arrays."""

    seed: int = 0
    size: Size = "cpu"
    out: Path | None = None  # where a check may leave arrays for a figure, as out/NAME.npz

    @cached_property
    def key(self) -> Any:
        """A JAX key of the seed; fold in a number of your own before use."""
        import jax

        return jax.random.key(self.seed)


@dataclass(frozen=True)
class Verdict:
    """What a check found. `numbers` are plain numbers, strings or short lists; `seeds` those used (None: the run's)."""

    verdict: Outcome
    numbers: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] | None = None
    note: str = ""
    seconds: float = 0.0
    crashed: bool = False


@dataclass(frozen=True)
class Claim:
    """One statement: where it stands, how it is checked, what is expected, and the function that checks it."""

    id: str
    title: str
    statement: str
    source: str
    kind: Kind
    expected: Expected
    check: Callable[[Run], Verdict]

    def __call__(self, run: Run | None = None) -> Verdict:
        """The verdict, timed. An error inside the check is no verdict: it is 'undecided', and marked as a crash."""
        run = Run() if run is None else run
        start = time.perf_counter()
        try:
            verdict = self.check(run)
            if problem := _not_a_verdict(verdict):
                where = file_of(getattr(self.check, "__module__", ""))
                verdict = Verdict("undecided", note=f"The check of {self.id} in {where} {problem}.", crashed=True)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever breaks, the other claims go on
            place = traceback.extract_tb(error.__traceback__)[-1]
            note = f"The check broke: {type(error).__name__}: {error} ({place.name})."
            verdict = Verdict("undecided", note=note, crashed=True)
        seeds = (run.seed,) if verdict.seeds is None else verdict.seeds
        return replace(verdict, numbers=_plain(verdict.numbers), seeds=seeds, seconds=time.perf_counter() - start)


@dataclass(frozen=True)
class Result:
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict

    @property
    def contradicts(self) -> bool:
        """Whether the verdict is the opposite of what is expected; 'undecided' and 'not run' contradict nothing."""
        return {self.claim.expected, self.verdict.verdict} == {"holds", "fails"}

    @property
    def settled(self) -> bool:
        """Whether the check came to a verdict, and not the opposite of what is expected."""
        return self.verdict.verdict in ("holds", "fails") and not self.contradicts

    def record(self) -> dict[str, Any]:
        """The row of claims.json."""
        from linbyol.origins import describe

        claim, verdict = self.claim, self.verdict
        row = describe(claim) | {"verdict": verdict.verdict, "numbers": verdict.numbers}
        row |= {"seeds": list(verdict.seeds or ())}
        return row | {"seconds": round(verdict.seconds, 3)} | ({"note": verdict.note} if verdict.note else {})


def claim(id: str, *, title: str, statement: str, source: str, kind: Kind, expected: Expected = "holds") -> Callable:
    """Decorator: the function `(run) -> Verdict` becomes a `Claim`."""

    def make(check: Callable[[Run], Verdict]) -> Claim:
        return Claim(id, title, statement, source, kind, expected, check)

    return make


def holds_if(condition: Any, *, seeds: Iterable[int] | None = None, note: str = "", **numbers: Any) -> Verdict:
    """'holds' where the condition is true, else 'fails', with the numbers it was read from.

    seeds  those used, where they are not the run's own seed: () where nothing was drawn
    What is NaN is never compared: raises `ValueError` if one of the numbers is NaN, and `TypeError` if the condition is
    neither true nor false.
    """
    if not isinstance(condition, bool) and getattr(getattr(condition, "dtype", None), "kind", "") != "b":
        raise TypeError(f"A condition must be true or false, but is {condition!r}.")
    if missing := [name for name, value in numbers.items() if _has_nan(value)]:
        raise ValueError(f"Not a number: {', '.join(missing)}.")
    used = None if seeds is None else tuple(seeds)
    return Verdict("holds" if bool(condition) else "fails", _plain(numbers), used, note)


def undecided(note: str, **numbers: Any) -> Verdict:
    """Evidence that settles nothing."""
    return Verdict("undecided", _plain(numbers), note=note)


def not_run(note: str, **numbers: Any) -> Verdict:
    """A check that this run has not made, and why."""
    return Verdict("not run", _plain(numbers), seeds=(), note=note)


def collect(package: ModuleType, complain: Callable[[str], None] | None = None) -> list[Claim]:
    """The claims in all modules of a package, in the order of their ids.

    A module that cannot be imported, an id that stands twice, a claim that is none: `complain` is told in a sentence
    that names the file, and the others are collected; without it, raises `InputError`.
    """
    complain = _refuse if complain is None else complain
    found: dict[str, tuple[Claim, str]] = {}
    for module in modules(package, complain):
        where = file_of(module.__name__)
        for claim in (value for value in vars(module).values() if isinstance(value, Claim)):
            first, place = found.get(claim.id, (claim, where))
            if first is not claim:
                complain(f"Claim {claim.id} stands in {where} though it stands in {place}, and is left out.")
            elif problem := _not_a_claim(claim):
                complain(f"Claim {claim.id!r} in {where} {problem}, and is left out.")
            else:
                found[claim.id] = claim, place
    return sorted((claim for claim, _ in found.values()), key=order)


def modules(package: ModuleType, complain: Callable[[str], None]) -> Iterator[ModuleType]:
    """The modules of a package, however deep; `complain` is told of those that cannot be imported."""
    skipped = lambda name: None  # noqa: E731 - a package that breaks is met again below
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=skipped):
        try:
            yield importlib.import_module(info.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a module may break in any way
            said = (str(error).strip() or "no reason given").splitlines()[0].rstrip(".")
            complain(f"File {file_of(info.name)} cannot be imported: {type(error).__name__}: {said}.")


def file_of(module: str) -> str:
    """The file of a module, from the project's root."""
    return module.replace(".", "/") + ".py"


def order(claim: Claim) -> tuple:
    """B2 before B10, B99 before B99c."""
    letter, number, suffix = ID.fullmatch(claim.id).groups()  # type: ignore[union-attr]
    return letter, int(number), suffix


def environment() -> dict[str, Any]:
    """Versions, device and precision of this run."""
    import jax

    import linbyol

    packages = ("jax", "jaxlib", "numpy", "scipy", "sympy", "diffrax", "equinox", "matplotlib", "scikit-learn")
    return {
        "linbyol": linbyol.__version__,
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "versions": {name: _version(name) for name in packages},
        "device": str(jax.devices()[0].device_kind),
        "devices": jax.device_count(),
        "x64": bool(jax.config.read("jax_enable_x64")),
    }


def _has_nan(value: Any) -> bool:
    """Whether a number, or one in an array, a list or a dictionary, is NaN."""
    if isinstance(value, dict):
        return any(map(_has_nan, value.values()))
    value = value.tolist() if hasattr(value, "tolist") else value
    return any(map(_has_nan, value)) if isinstance(value, list | tuple) else value != value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _plain(numbers: dict[str, Any]) -> dict[str, Any]:
    from linbyol.store import plain

    return plain(numbers)


def _not_a_verdict(value: Any) -> str:
    """What a check has returned instead of a verdict, if it has."""
    if not isinstance(value, Verdict):
        return f"returned {value!r:.100}, where it must return a Verdict"
    if value.verdict not in get_args(Outcome):
        return f"came to {value.verdict!r:.100}, where a verdict is one of {', '.join(get_args(Outcome))}"
    if not isinstance(value.numbers, dict):
        return f"has {value.numbers!r:.100} for numbers, where they must have names"
    return ""


def _not_a_claim(claim: Claim) -> str:
    """What is wrong with a claim, if anything is."""
    if not isinstance(claim.id, str) or not ID.fullmatch(claim.id):
        return "must have an id such as B5 or B99c"
    for name, kinds in (("kind", get_args(Kind)), ("expected", get_args(Expected))):
        if (value := getattr(claim, name)) not in kinds:
            return f"has {value!r} for `{name}`, which must be one of {', '.join(kinds)}"
    return ""


def _refuse(sentence: str) -> None:
    from linbyol.checks import InputError

    raise InputError(sentence)
