"""Rows that are kept as they are made, and begun only where the time left allows it."""

import json
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from linbyol.store import FileError, write_json

Found = dict[str, Any]
Keep = Callable[[Found], None]  # what a row has so far; the last word is what its function returns


class Clock(NamedTuple):
    """The moment, of `time.monotonic`, at which all should have ended."""

    until: float

    def left(self) -> float:
        """Seconds."""
        return self.until - time.monotonic()

    def has(self, seconds: float) -> bool:
        """Whether so many are left."""
        return self.left() >= seconds

    def skipped(self) -> str:
        """Why something is not begun."""
        return f"skipped: {max(0.0, self.left()):.0f} s left"


class Row(NamedTuple):
    """One measurement: rows of a lower rank come first, and none begins with fewer seconds left than it needs."""

    name: str  # "PART: WHAT"
    rank: int
    needs: float
    make: Callable[[Clock, Keep], Found]


class Record:
    """OUT/gpu.json: written whole after every change, so that whoever is killed loses only the row under way."""

    def __init__(self, out: Path, about: Found) -> None:
        self.path, self.about = out / "gpu.json", about
        out.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, Found] = {}
        if self.path.exists():
            try:
                self.rows = {row["name"]: row for row in json.loads(self.path.read_bytes())["rows"]}
            except (ValueError, TypeError, KeyError):
                raise FileError(f"File {self.path} is not a record of rows; move it away to begin anew.") from None

    def keep(self, name: str, row: Found) -> None:
        """Put a row in its place, or behind the others."""
        self.rows[name] = {"name": name} | row
        write_json(self.path, self.about | {"rows": list(self.rows.values())})

    def done(self, name: str) -> bool:
        """Whether an earlier call has made this row."""
        return self.rows.get(name, {}).get("status") == "done"


def make(rows: Iterable[Row], record: Record, clock: Clock, show: Callable[[str], None]) -> list[Found]:
    """The rows, by rank; those that are done are not made again, and one that fails says why."""
    rows = sorted(rows, key=lambda row: row.rank)
    for row in rows:
        if record.done(row.name):
            continue
        if not clock.has(row.needs):
            record.keep(row.name, record.rows.get(row.name, {}) | {"status": clock.skipped()})
        else:
            _one(row, record, clock)
        found = record.rows[row.name]
        show(f"{row.name}: {found['status']}" + (f", {found['seconds']:.1f} s" if "seconds" in found else ""))
    return [record.rows[row.name] for row in rows]


def _one(row: Row, record: Record, clock: Clock) -> None:
    began = time.perf_counter()
    so_far: Found = {}

    def keep(found: Found, status: str = "under way") -> None:
        so_far.update(found)
        record.keep(row.name, so_far | {"status": status, "seconds": time.perf_counter() - began})

    try:
        found = row.make(clock, keep)
        keep(found, found.get("status", "done"))
    except Exception as error:  # noqa: BLE001 - whatever fails on this card is a result
        traceback.print_exc()
        keep({"why": f"{type(error).__name__}: {error}"[:500]}, "failed")
