"""CIFAR-100's superclasses: the authors' table, both in alphabetical order."""

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every

COARSE = (  # superclass 0-19 of each class 0-99
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11),
    *(6, 11, 5, 10, 7, 6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5),
    *(5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18, 17),
    *(10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13),
    *(16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)


@claim(
    "C50",
    title="CIFAR-100 has 20 superclasses of 5 classes",
    statement="Each of the 20 superclasses holds 5 of the 100 classes.",
    source="A. Krizhevsky 2009, the data set's table",
    kind="reading",
)
def five_each(run: Run) -> Verdict:
    counts = np.bincount(COARSE, minlength=20)
    return holds_if(len(COARSE) == 100 and len(counts) == 20 and every(counts == 5), classes=len(COARSE), counts=counts)
