"""python -m experiments.clustering DATA [--size SIZE] [--out FOLDER] [--runs FOLDER]"""

import argparse
import sys
from pathlib import Path

from experiments.clustering import records
from experiments.clustering.studying import study
from experiments.networks.memory import keep_memory
from linbyol.checks import InputError
from linbyol.store import FileError


def main(argv: list[str] | None = None) -> int:
    """Train, measure and write; what is done is not done again."""
    parser = argparse.ArgumentParser(prog="python -m experiments.clustering", description=main.__doc__)
    parser.add_argument("data", help="digits or cifar100")
    parser.add_argument("--size", default="cpu", help="smoke, cpu or full")
    parser.add_argument("--only", nargs="*", default=(), help="these trainings alone")
    parser.add_argument("--out", type=Path, default=records.SHIPPED, help="folder of the records")
    parser.add_argument("--runs", type=Path, default=Path("runs/clustering"), help="folder of the runs")
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


if __name__ == "__main__":
    sys.exit(main())
