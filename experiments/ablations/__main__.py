"""python -m experiments.ablations DATA [--size SIZE] [--only TRAINING …] [--out FOLDER] [--runs FOLDER]"""

import sys

from experiments.ablations.studying import SHIPPED, study
from experiments.clustering.command import command


def main(argv: list[str] | None = None) -> int:
    """Train, measure and write; what is done is not done again."""
    return command(argv, study, name="ablations", data="digits, stl10 or cifar10", shipped=SHIPPED)


if __name__ == "__main__":
    sys.exit(main())
