"""From numbers of paired seeds to a verdict: Student's intervals.

Each effect is a number for each seed, positive where it speaks for the claim. The claim holds where the two-sided 95 %
interval of the mean of every one of its effects lies above 0: where one of them is not positive, that befalls one claim
in forty at most. It fails where the interval of one lies below 0, at 1 - 5 %/m for m effects. Else it is undecided.
Seeds are independent, and their differences taken as normal.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import t

from linbyol.extremes import every

Values = Float[np.ndarray, " S"]
LEVEL = 0.05
LEAST = 3  # seeds


def interval(values: Values, level: float = LEVEL) -> tuple[float, float, float]:
    """Mean, and the ends of the interval that misses the true mean with probability `level`."""
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(t.ppf(1 - level / 2, len(values) - 1)) * error
    return mean, mean - reach, mean + reach


def verdict_of(effects: Mapping[str, Any]) -> str:
    """'holds', 'fails' or 'undecided' of effects over seeds, as above."""
    rows = [np.asarray(values, float) for values in effects.values()]
    if not rows or any(len(row) < LEAST or not every(np.isfinite(row)) for row in rows):
        return "undecided"
    if every([interval(row)[1] > 0 for row in rows]):
        return "holds"
    failed = [interval(row, LEVEL / len(rows))[2] < 0 for row in rows]
    return "fails" if any(failed) else "undecided"
