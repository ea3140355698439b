"""Deep linear JEPA and MAE (Littwin et al. 2024, arXiv 2407.03475): matrices of any depth, and one layer of a mode.

Pairs (x, y) are seen through the moments E x xᵀ and E y xᵀ. JEPA, ½ E‖V W̄ x - sg(W̄ y)‖², predicts the features of y,
MAE, ½ E‖V W̄ x - y‖², y itself; W̄ = W_L ⋯ W_1. Two views of a sample have E y xᵀ = X and E x xᵀ = X + X_aug: JEPA at
L = 1 is SimSiam at alpha_p = 1. The equations were derived here, not read in that paper.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

from jax.tree_util import register_dataclass

from linbyol.checks import check_count
from linbyol.equations.byol import Matrix, Scalar, Vector
from linbyol.equations.deep_linear import backpropagated, chained
from linbyol.equations.directset import DirectSet, depth_threshold


class Stack(NamedTuple):
    """A linear encoder of any depth and what reads it."""

    layers: tuple[Matrix, ...]  # W_1 (d, n), then W_2 … W_L (d, d)
    V: Matrix  # JEPA's predictor (d, d), or MAE's decoder (n, d)


class Moments(NamedTuple):
    """The pairs (x, y) that both losses see."""

    Sxx: Matrix  # (n, n), E x xᵀ
    Syx: Matrix  # (n, n), E y xᵀ
    eta: Scalar = 0  # weight decay of every layer


class Layer(NamedTuple):
    """One layer of a balanced mode: its encoder has w^depth, and its predictor or decoder is w as well."""

    w: Vector


@partial(register_dataclass, data_fields=["lambda_d", "lambda_s", "eta"], meta_fields=["depth"])
@dataclass(frozen=True)
class DeepMode:
    """A mode of aligned moments, seen by `depth` layers; the depth is part of the structure, no number that is traced.

    Raises `InputError` for a depth that is no positive whole number.
    """

    lambda_d: Vector  # eigenvalue of E y xᵀ (of X, for two views)
    lambda_s: Vector  # eigenvalue of E x xᵀ (of X + X_aug)
    depth: Scalar  # layers of the encoder: a whole number, or a symbol
    eta: Vector = 0  # weight decay of every layer

    positive: ClassVar = ("lambda_d", "lambda_s")  # what the doors refuse to take as 0

    def __post_init__(self) -> None:
        if not hasattr(self.depth, "free_symbols"):
            check_count("depth", self.depth)

    @property
    def rho(self) -> Vector:
        """The mode's regression coefficient, λ_d/λ_s."""
        return self.lambda_d / self.lambda_s


def encoder(y: Stack) -> Matrix:
    """W̄ = W_L ⋯ W_1, (d, n)."""
    return chained(y.layers)


def jepa_layers_flow(y: Stack, k: Moments) -> Stack:
    """JEPA's gradient flow: the target sg(W̄ y) is the encoder's own, behind the stop-gradient."""
    whole = encoder(y)
    return _descending(y, whole @ k.Syx - y.V @ whole @ k.Sxx, k)


def mae_layers_flow(y: Stack, k: Moments) -> Stack:
    """MAE's gradient flow: a deep linear network of L + 1 layers that predicts y from x."""
    return _descending(y, k.Syx - y.V @ encoder(y) @ k.Sxx, k)


def _descending(y: Stack, G: Matrix, k: Moments) -> Stack:
    """Each layer's rate where the error meets the inputs as G = E[error xᵀ], and decays at eta."""
    *layers, V = (
        rate - k.eta * A for rate, A in zip(backpropagated((*y.layers, y.V), G), (*y.layers, y.V), strict=True)
    )
    return Stack(tuple(layers), V)


def layer_balances(y: Stack, k: Any = None) -> tuple[Matrix, ...]:
    """W_{i+1}ᵀ W_{i+1} - W_i W_iᵀ from the first layer to V: they fall as exp(-2 eta t), whatever the loss."""
    above = (*y.layers[1:], y.V)
    return tuple(B.T @ B - A @ A.T for A, B in zip(y.layers, above, strict=True))


def jepa_flow(y: Layer, k: DeepMode) -> Layer:
    """JEPA, one layer of a balanced mode: ẇ = w^(2L) (λ_d - λ_s w) - η w. At L = 1 this is Eq. 16 with p = w."""
    w = y.w
    return Layer(w=w ** (2 * k.depth) * (k.lambda_d - k.lambda_s * w) - k.eta * w)


def mae_flow(y: Layer, k: DeepMode) -> Layer:
    """MAE, one layer of a balanced mode: ẇ = w^L (λ_d - λ_s w^(L+1)) - η w."""
    w = y.w
    return Layer(w=w**k.depth * (k.lambda_d - k.lambda_s * w ** (k.depth + 1)) - k.eta * w)


def jepa_threshold(k: DeepMode) -> Vector:
    """The decay above which a mode of JEPA always collapses, λ_d times Theorem 5's of DirectSet(1/(2L)).

    ((2L - 1) ρ/(2L))^(2L - 1) λ_d/(2L); below it zero attracts small starts all the same.
    """
    unit = DirectSet(alpha=1 / (2 * k.depth), eta=0, lambda_s=k.lambda_s / k.lambda_d, depth=k.depth)
    return k.lambda_d * depth_threshold(unit)


def mae_threshold(k: DeepMode) -> Vector:
    """The decay above which a mode of MAE always collapses: λ_d (L+1)/(2L) ((L-1) ρ/(2L))^((L-1)/(L+1)).

    Below it zero attracts small starts for L ≥ 2; at L = 1 zero is unstable then, and every mode survives.
    """
    el = k.depth
    e = (el - 1) / (el + 1)
    return k.lambda_d * (el + 1) / (2 * el) * ((el - 1) / (2 * el)) ** e * k.rho**e
