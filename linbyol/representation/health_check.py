"""One verdict on whether features have collapsed."""

import warnings
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from linbyol.representation.class_statistics import statistics
from linbyol.representation.features import feature_rows
from linbyol.representation.normalised import Rows
from linbyol.representation.spectra import EPS, entropy_rank, singular_values

COLLAPSED = 0.01  # of the norm: features that spread less around their mean point one way
FEW = 0.25  # of min(N, d): a smaller RankMe is dimensional collapse

Verdict = Literal["spread", "dimensional collapse", "collapsed"]


class Health(NamedTuple):
    """A verdict and what it was read from; see `health`."""

    verdict: Verdict
    rankme: float
    std: float
    mean_share: float

    @property
    def well(self) -> bool:
        """Whether the features are spread."""
        return self.verdict == "spread"


def health(h: Any) -> Health:
    """Whether features h (N, d), N ≥ 2, are spread, use few dimensions, or have fallen to one point or direction.

    `std` is the root of the mean variance of a feature (divisor N), `mean_share` = ‖mean h‖/√mean‖h‖² the share of the
    norm that is the mean's, `rankme` as `linbyol.representation.rankme`. "collapsed": the spread around the mean is
    below 1 % of the norm, √(1 - mean_share²) < 0.01, so that all rows point the same way; "dimensional collapse":
    RankMe is below a quarter of min(N, d); else "spread". Whatever is measured on collapsed features says little: CDNV
    and NCC know no scale, and see a structure of 1e-5 beside a common vector of 1 as if it were alone.
    """
    h = feature_rows("h", h, least=2)
    return judged(h, singular_values(h))


def judged(h: Rows, values: Float[np.ndarray, " r"]) -> Health:
    """`health` where the singular values are known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all features 0: the verdict says it
        rank = entropy_rank(values, EPS)
    found = statistics(h, np.zeros(len(h), int))
    variance, mean = float(found.variances[0]), float(found.mean @ found.mean)
    size = mean + variance
    spread = np.sqrt(variance / size) if size > 0 else 0.0
    verdict: Verdict = "spread"
    if spread < COLLAPSED:
        verdict = "collapsed"
    elif rank < FEW * min(h.shape):
        verdict = "dimensional collapse"
    return Health(verdict, rank, float(np.sqrt(variance / h.shape[1])), float(np.sqrt(mean / size)) if size else 1.0)
