"""python -m experiments.confrontation DATA [--size SIZE] [--only TRAINING …] [--out FOLDER] [--runs FOLDER]"""

import sys

from experiments.clustering.command import command
from experiments.confrontation.studying import SHIPPED, study


def main(argv: list[str] | None = None) -> int:
    """Train, measure, predict and write; what is done is not done again."""
    return command(argv, study, name="confrontation", data="digits or cifar10", shipped=SHIPPED)


if __name__ == "__main__":
    sys.exit(main())
