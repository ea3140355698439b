"""Predictors to choose from, and the rules that may set a linear one."""

from typing import Literal

from experiments.trainer.ranges import WIDEST, constant, number, table, whole

Norm = Literal["batch", "batch-no-affine", "none"]

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
