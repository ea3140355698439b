"""Methods to choose from, each with the predictor and the target that it has."""

from typing import Literal

from experiments.trainer.choices.predictors import LinearPredictor, Predictor, Set
from experiments.trainer.ranges import constant, number, table, whole

# Methods. `loss`: of a prediction and its target. `symmetric`: the sum of both directions, as released; otherwise view
# 1 predicts view 2.


@table
class Target:
    """The moving average of the online network."""

    gamma_a: float = constant(0.996, most=1.0)  # momentum; 0 makes it the online network of the step before
    gamma_schedule: Literal["constant", "cosine"] = "constant"  # cosine rises to 1
    start: Literal["copy", "independent", "zero"] = "copy"


@table
class Byol:
    """BYOL, and with a rule DirectPred and its family."""

    name: Literal["byol"] = "byol"
    loss: Literal["cosine", "l2"] = "cosine"
    symmetric: bool = True
    predictor: Predictor = LinearPredictor()
    target: Target = Target()


@table
class Simsiam:
    """SimSiam."""

    name: Literal["simsiam"] = "simsiam"
    loss: Literal["cosine", "l2"] = "cosine"
    symmetric: bool = True
    stop_gradient: bool = True
    predictor: Predictor = LinearPredictor()


@table
class Isoloss:
    """IsoLoss, with a predictor that a rule sets."""

    name: Literal["isoloss"] = "isoloss"
    loss: Literal["cosine", "l2"] = "cosine"
    symmetric: bool = True
    predictor: Predictor = LinearPredictor(rule=Set())
    target: Target = Target()


@table
class Vicreg:
    """VICReg, with the weights of its terms."""

    name: Literal["vicreg"] = "vicreg"
    convention: Literal["paper", "code"] = "code"
    invariance: float = constant(25.0)
    variance: float = constant(25.0)
    covariance: float = constant(1.0)


@table
class Simclr:
    """SimCLR."""

    name: Literal["simclr"] = "simclr"
    temperature: float = constant(0.5, positive=True)


@table
class Barlow:
    """Barlow Twins."""

    name: Literal["barlow"] = "barlow"
    redundancy: float = constant(5e-3)


@table
class Lejepa:
    """LeJEPA: invariance and SIGReg, with the weights of `losses.lejepa`."""

    name: Literal["lejepa"] = "lejepa"
    lamb: float = constant(0.02)
    weights: Literal["sum", "convex"] = "sum"
    views: int = whole(2, 2, 64)  # of an image in a step
    pooled: bool = False  # SIGReg of all views as one batch, instead of its mean over views
    slices: int = whole(256, 1)  # drawn anew at each step
    points: int = whole(17, 3)  # of the quadrature, odd
    t_max: float = number(3.0, positive=True)


@table
class Supervised:
    """Cross-entropy of a linear classifier, on one view."""

    name: Literal["supervised"] = "supervised"


Method = Byol | Simsiam | Isoloss | Vicreg | Simclr | Barlow | Lejepa | Supervised
