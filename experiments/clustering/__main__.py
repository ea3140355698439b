"""python -m experiments.clustering DATA [--size SIZE] [--out FOLDER] [--runs FOLDER]"""

import sys

from experiments.clustering import records
from experiments.clustering.command import command
from experiments.clustering.studying import study


def main(argv: list[str] | None = None) -> int:
    """Train, measure and write; what is done is not done again."""
    return command(argv, study, name="clustering", data="digits or cifar100", shipped=records.SHIPPED)


if __name__ == "__main__":
    sys.exit(main())
