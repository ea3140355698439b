"""The parts of a run that are a choice: encoder, predictor and its rule, method. What a choice lacks cannot be set.

Letters are the papers'. A choice is told from the others by its `name`.
"""

from dataclasses import dataclass
from typing import Literal

from experiments.trainer.ranges import DEEPEST, WIDEST, constant, number, whole, widths

table = dataclass(frozen=True, kw_only=True)
Norm = Literal["batch", "batch-no-affine", "none"]

# Encoders.


@table
class LinearEncoder:
    """The paper's W."""

    name: Literal["linear"] = "linear"
    d: int = whole(64, 1, WIDEST)


@table
class MlpEncoder:
    """A block for each width."""

    name: Literal["mlp"] = "mlp"
    widths: tuple[int, ...] = widths(256, 256)


@table
class ConvEncoder:
    """A block of 3×3 convolutions for each width."""

    name: Literal["conv"] = "conv"
    widths: tuple[int, ...] = widths(32, 64, 128)


@table
class Resnet18:
    """ResNet-18, from `width` to 8 `width` channels."""

    name: Literal["resnet18"] = "resnet18"
    width: int = whole(64, 1, WIDEST)
    stem: Literal["cifar", "stl"] = "cifar"


@table
class Res:
    """RES-L-H."""

    name: Literal["res"] = "res"
    layers: int = whole(5, 1, DEEPEST)  # L
    width: int = whole(250, 1, WIDEST)  # H
    flat: bool = False  # features are all positions instead of their mean


Encoder = LinearEncoder | MlpEncoder | ConvEncoder | Resnet18 | Res

# Rules of a linear predictor. `freq`: the rule sets it at every freq-th step, gradient steps in between; 0 never.
# `rho`: memory of the running correlations, Eq. 19. `centre`: covariances instead of correlations. `eps`: boost of the
# predictor's spectrum, unless a rule says otherwise. `ridge`: added to the predictor, ridge I.
# `norm`: the features' correlation is divided by this norm, or what the rule makes of it is.

Norming = Literal["spectral", "frobenius", "none"]


@table
class Learned:
    """By gradient steps alone."""

    name: Literal["learned"] = "learned"


@table
class Symmetric:
    """Made symmetric after a gradient step."""

    name: Literal["symmetric"] = "symmetric"
    freq: int = whole(1)


@table
class FromFeatures:
    """What the rules share that give W_p whole, from running correlations of the features."""

    name: str
    freq: int = whole(1)
    rho: float = constant(0.3, most=1.0)
    centre: bool = False


@table
class Direct(FromFeatures):
    """DirectPred, Eq. 18."""

    name: Literal["direct"] = "direct"
    eps: float = constant(0.1)
    form: Literal["paper", "code"] = "code"  # as printed or as released
    floor: float | None = number(None)  # least eigenvalue that it gives; the released code has 1e-4


@table
class Copy(FromFeatures):
    """DirectCopy."""

    name: Literal["copy"] = "copy"
    eps: float = constant(0.1)
    norm: Norming = "spectral"


@table
class Set(FromFeatures):
    """DirectSet."""

    name: Literal["set"] = "set"
    eps: float = constant(0.1)
    exponent: float = constant(0.5)  # alpha
    norm: Norming = "spectral"


@table
class Optimal(FromFeatures):
    """The regression of the targets on the features; `eps` is its ridge."""

    name: Literal["optimal"] = "optimal"
    eps: float = constant(0.1)


@table
class Nash(FromFeatures):
    """NE of Richemond et al. (2023), as are the next three; it wants correlations of order 1, hence the norm."""

    name: Literal["nash"] = "nash"
    ridge: float = constant(0.1)
    norm: Norming = "spectral"


@table
class Visser(FromFeatures):
    """Visser's iteration to the square root, stable where the root's largest eigenvalue is below 1/eta_v."""

    name: Literal["visser"] = "visser"
    ridge: float = constant(0.1)
    eta_v: float = constant(0.5, positive=True)
    iterations: int = whole(30, 1)
    norm: Norming = "spectral"


@table
class NewtonSchulz(FromFeatures):
    """Newton and Schulz' iteration to the square root; `chain` = 2 takes it twice (NS²)."""

    name: Literal["newton-schulz"] = "newton-schulz"
    ridge: float = constant(0.1)
    iterations: int = whole(9, 1)
    chain: int = whole(1, 1)


@table
class Stiefel(FromFeatures):
    """Towards a projection onto the range of the features, by Newton and Schulz' iteration."""

    name: Literal["stiefel"] = "stiefel"
    ridge: float = constant(0.1)
    iterations: int = whole(9, 1)


@table
class SoftProjector(FromFeatures):
    """F (F + eps I)⁻¹ of the normed correlation."""

    name: Literal["soft-projector"] = "soft-projector"
    eps: float = constant(0.3, positive=True)
    norm: Norming = "spectral"


Rule = Learned | Symmetric | Direct | Copy | Set | Optimal | Nash | Visser | NewtonSchulz | Stiefel | SoftProjector

# Predictors.


@table
class NoPredictor:
    """The features themselves are compared with the target's."""

    name: Literal["none"] = "none"


@table
class LinearPredictor:
    """The matrix W_p."""

    name: Literal["linear"] = "linear"
    bias: bool = False
    rule: Rule = Learned()


@table
class MlpPredictor:
    """Two layers."""

    name: Literal["mlp"] = "mlp"
    hidden: int = whole(512, 1, WIDEST)
    norm: Norm = "batch-no-affine"


Predictor = NoPredictor | LinearPredictor | MlpPredictor

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
