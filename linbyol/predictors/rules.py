"""The table of rules, (Wp, F, **settings) -> Wp."""

from collections.abc import Callable
from functools import partial
from typing import Any

from jax.tree_util import Partial
from jaxtyping import Array, Float

from linbyol.predictors.correlations import nash, regression
from linbyol.predictors.iterations import newton_schulz, stiefel, visser
from linbyol.predictors.powers import directcopy, directpred, directset, soft_projector

Square = Float[Array, "d d"]
Rule = Callable[..., Any]


def learned(Wp: Square, F: Square) -> Square:
    """Wp as gradient training left it."""
    return Wp


def symmetric(Wp: Square, F: Square) -> Square:
    """Assumption 3: the symmetric part of Wp."""
    return (Wp + Wp.T) / 2


def from_correlation(formula: Callable[..., Square], Wp: Square, F: Square, **settings: Any) -> Square:
    """A formula of F alone."""
    return formula(F, **settings)


def nash_(Wp: Any, F: Any, *, features: Any, cross: Any, **settings: Any) -> Any:
    """`nash` of both correlations."""
    return nash(features, cross, **settings)


def optimal_(Wp: Square, F: Square, *, features: Square, cross: Square, eps: Any = None) -> Square:
    """`regression` of the targets on the features."""
    return regression(features, cross, eps=eps)


def on_features(rule: Rule) -> Rule:
    """The same rule of F that sees `features` in place of F, as a trainer does, which averages the views' features."""
    return Partial(_of_features, rule)


def _of_features(rule: Rule, Wp: Square, F: Square, *, features: Square, **settings: Any) -> Square:
    return rule(Wp, features, **settings)


RULES: dict[str, Rule] = {
    "learned": learned,
    "symmetric": symmetric,
    "direct": partial(from_correlation, directpred),
    "copy": partial(from_correlation, directcopy),
    "set": partial(from_correlation, directset),
    "optimal": optimal_,
    "nash": nash_,
    "visser": partial(from_correlation, visser),
    "newton-schulz": partial(from_correlation, newton_schulz),
    "stiefel": partial(from_correlation, stiefel),
    "soft-projector": partial(from_correlation, soft_projector),
}
