"""DirectSet(alpha), DirectCopy and DirectPred on modes: the predictor is set from the encoder (arXiv 2110.04947).

Setting: X and X_aug commute, Wa = W, and W has the eigenvalue lam on a mode, so W Wᵀ has s = lam². The rule sets
p = max(lambda_f s - c, 0)^alpha + eps; what is left is a flow of lam alone. Plain algebra, as in `linbyol.equations`.
"""

from typing import NamedTuple

from linbyol.equations.byol import Commuting, Modes, Scalar, Vector, effective_growth


class DirectSet(NamedTuple):
    """A rule and the data it meets; each field may have one entry a mode."""

    alpha: Vector  # exponent: 1/2 is DirectPred, 1 is DirectCopy
    eta: Vector  # weight decay of the flow
    lambda_s: Vector  # eigenvalue of X + X_aug: kappa on augmented modes (B), 1 on the others (S)
    lambda_d: Vector = 1  # eigenvalue of X
    lambda_f: Vector = 1  # the rule sees lambda_f s: lambda_d for F = W X Wᵀ, lambda_s for the views' own correlation
    eps: Vector = 0  # boost, absolute
    c: Vector = 0  # shift inside the power (Table 7)
    depth: Vector = 1  # W is a product of `depth` equal layers


class Encoder(NamedTuple):
    """The eigenvalue of the whole linear encoder, one a mode."""

    lam: Vector


def set_predictor(y: Encoder, k: DirectSet) -> Vector:
    """p = max(lambda_f lam² - c, 0)^alpha + eps."""
    return positive_part(k.lambda_f * y.lam * y.lam - k.c) ** k.alpha + k.eps


def directset_flow(y: Encoder, k: DirectSet) -> Encoder:
    """Theorems 1, 4 (corrected), 5 and 6: λ̇ = l λ [λ^(2 - 2/l) p (λ_d - λ_s p) - η], with p from the rule.

    Depth l = 1 is Lemma 1 with a set predictor. Theorem 4 is lambda_f = lambda_s; the paper omits κ^alpha there.
    """
    lam = y.lam
    return Encoder(lam=k.depth * lam * ((lam * lam) ** (1 - 1 / k.depth) * drive(y, k) - k.eta))


def drive(y: Encoder, k: DirectSet) -> Vector:
    """p (λ_d - λ_s p): the growth ẇ/w of Eq. 17 before decay, with p from the rule."""
    modes = Modes(p=set_predictor(y, k), s=y.lam * y.lam, tau=1)
    return effective_growth(modes, Commuting(alpha_p=1, beta=0, eta=0, lambda_d=k.lambda_d, lambda_s=k.lambda_s))


def layer_flow(a: Vector, k: DirectSet) -> Vector:
    """One of `depth` equal layers a, lam = a^depth: ȧ = a^(l - 1) λ p (λ_d - λ_s p) - η a (the chain rule)."""
    lam = a**k.depth
    return a ** (k.depth - 1) * lam * drive(Encoder(lam), k) - k.eta * a


def encoder_at(p: Vector, k: DirectSet) -> Vector:
    """The lam ≥ 0 at which the rule gives p ≥ eps: s = ((p - eps)^(1/alpha) + c)/lambda_f."""
    s = ((p - k.eps) ** (1 / k.alpha) + k.c) / k.lambda_f
    return s ** (s**0 / 2)


def depth_threshold(k: DirectSet) -> Scalar:
    """Theorem 5: the decay above which a mode of a depth-l encoder always collapses (lambda_d = lambda_f = 1).

    It is max over λ of λ^(2 - 2/l) p (1 - κ p); the paper's window for eta lies between its values at κ and at 1.
    """
    a, el = k.alpha, k.depth
    e = 1 + 1 / a - 1 / (a * el)
    return 2 * a * el * (2 * a * el + 2 * el - 2) ** e / (4 * a * el + 2 * el - 2) ** (1 + e) / k.lambda_s**e


def depth_floor(k: DirectSet) -> Scalar:
    """Theorem 5: a surviving mode of a depth-l encoder ends above this λ (lambda_d = lambda_f = 1)."""
    a, el = k.alpha, k.depth
    return ((2 * a * el + 2 * el - 2) / (4 * a * el + 2 * el - 2) / k.lambda_s) ** (1 / (2 * a))


def positive_part(x: Vector) -> Vector:
    """max(x, 0), in either world."""
    return (x + abs(x)) / 2
