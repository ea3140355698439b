"""The command line of the studies that train: DATA, a size, folders for records and runs."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.networks.memory import keep_memory
from linbyol.checks import InputError
from linbyol.store import FileError


def command(argv: list[str] | None, study: Callable[..., None], *, name: str, data: str, shipped: Path) -> int:
    """Train, measure and write; what is done is not done again."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments.{name}", description=command.__doc__)
    parser.add_argument("data", help=data)
    parser.add_argument("--size", default="cpu", help="smoke, cpu or full")
    parser.add_argument("--only", nargs="*", default=(), help="these trainings alone")
    parser.add_argument("--out", type=Path, default=shipped, help="folder of the records")
    parser.add_argument("--runs", type=Path, default=Path("runs") / name, help="folder of the runs")
    given = parser.parse_args(argv)
    keep_memory()
    try:
        study(given.data, given.size, given.out, given.runs, only=given.only, show=lambda x: print(x, file=sys.stderr))
    except FileError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 3
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0
