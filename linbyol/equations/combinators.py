"""Ablations as combinators: a flow in, a flow out.

Each is a pytree: its numbers are traced, so `decay(flow, Wp=0.1)` and `decay(flow, Wp=0.2)` share one compilation and a
sweep over them is a `vmap`. Fields a combinator does not know pass through, whatever the state; a state that has
nothing of what it names is refused at the first evaluation, by `InputError`.
"""

import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from linbyol.checks import InputError

Flow = Callable[[Any, Any], Any]  # (y, k) -> dy/dt, of the type of y


@dataclass(frozen=True, eq=False)
class Ablated:
    """A flow that sees `view(y, k)` and whose rate is changed by `change(rate, y, k)`."""

    flow: Any  # a Flow, or what a map over the pytree puts in its place
    view: Any  # (y, k) -> state
    change: Any  # (rate, y, k) -> rate

    def settle(self, y: Any, k: Any) -> Any:
        """The state as the flow sees it and as a trajectory shows it."""
        return self.view(settle(self.flow, y, k), k)

    def __call__(self, y: Any, k: Any) -> Any:
        y = self.settle(y, k)
        return self.change(self.flow(y, k), y, k)

    def __eq__(self, other: Any) -> bool:
        return jax.tree.flatten(self) == jax.tree.flatten(other)

    def __hash__(self) -> int:
        leaves, tree = jax.tree.flatten(self)
        return hash((*leaves, tree))


jax.tree_util.register_dataclass(Ablated, ["flow", "view", "change"], [])


def settle(flow: Flow, y: Any, k: Any) -> Any:
    """The state as `flow` sees it: y itself, unless a combinator determines some of its fields."""
    return flow.settle(y, k) if isinstance(flow, Ablated) else y


def hold(flow: Flow, *names: str) -> Ablated:
    """The flow with the named fields at rest, e.g. hold(weights_flow, "Wa") for a fixed target.

    A name that the state has not is refused, unless another is given for the same network: "Wa", "wa", "tau".
    """
    return Ablated(flow, Partial(unchanged), Partial(_held, names))


def decay(flow: Flow, **rates: Any) -> Ablated:
    """Separate weight decays (Table 5): Wp=, W= replace eta for predictor and encoder; F, s, nu decay at twice W's."""
    unknown = set(rates) - set(_DEGREES)
    if unknown:
        raise InputError(f"Argument `{sorted(unknown)[0]}` of decay is not one of Wp, W.")
    return Ablated(flow, Partial(unchanged), Partial(_decayed, rates))


def slave(flow: Flow, rule: Callable[..., Any]) -> Ablated:
    """Sec. 4: the predictor is set, Wp = rule(Wp, F), at each evaluation and in the trajectory (F = W X Wᵀ).

    A rule that names `features` or `cross` as keywords without default is given W (X + X_aug) Wᵀ and Wa X Wᵀ as well.
    """
    return Ablated(flow, Partial(_ruled, rule, sights(rule)), Partial(_zero, _SET))


def sights(rule: Callable[..., Any]) -> tuple[str, ...]:
    """What a rule must see beside Wp and F: those of `features`, `cross` that it names without a default."""
    try:
        parameters = inspect.signature(rule).parameters
    except (TypeError, ValueError):  # a callable that does not say what it takes
        return ()
    needed = {name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    return tuple(name for name in ("features", "cross") if name in needed)


def simsiam(flow: Flow) -> Ablated:
    """SimSiam: the target is the online network, behind the stop-gradient (Wa = W, wa = w or tau = 1)."""
    return Ablated(flow, Partial(_online_target), Partial(_target_moves_along))


def no_predictor(flow: Flow) -> Ablated:
    """Wp = I, held (after Theorem 2)."""
    return Ablated(flow, Partial(_without_predictor), Partial(_zero, _SET))


def backwards(flow: Flow) -> Ablated:
    """The same flow backwards in time: every rate negated."""
    return Ablated(flow, Partial(unchanged), Partial(_negated))


# Degree of each field in Wp and in W: under a decay that is larger by h, d/dt of the field falls by degree * h * field.
_DEGREES = {
    "Wp": {"Wp": 1, "p": 1, "wp": 1, "V": 1},
    "W": {"W": 1, "F": 2, "w": 1, "s": 2, "nu": 2, "tau": -1, "layers": 1},
}
_TARGETS = {"Wa": "W", "wa": "w"}
ENCODERS, PREDICTORS, TARGETS = ("W", "w", "s", "F", "nu", "layers"), ("Wp", "wp", "p", "V"), ("Wa", "wa", "tau")
_SET = ("Wp", "wp", "p")  # predictors that a rule can set


def unchanged(y: Any, k: Any) -> Any:
    """The view of a flow that sees the state as it is."""
    return y


def need(what: str, y: Any, names: tuple[str, ...]) -> None:
    """The state has one of these fields: else `InputError` says what was asked of it."""
    known = getattr(y, "_fields", ())
    if not set(names) & set(known):
        fields = f"{type(y).__name__} has {', '.join(known)} alone" if known else "an array has none"
        raise InputError(f"{what} needs a state with {' or '.join(names)}, but {fields}.")


def _held(names: tuple[str, ...], rate: Any, y: Any, k: Any) -> Any:
    for name in names:
        network = next((same for same in (ENCODERS, PREDICTORS, TARGETS) if name in same), (name,))
        need("Combinator hold", y, tuple(other for other in network if other in names))
    return _zero(names, rate, y, k)


def _zero(names: tuple[str, ...], rate: Any, y: Any, k: Any) -> Any:
    return rate._replace(
        **{name: jax.tree.map(_nothing, getattr(rate, name)) for name in names if name in rate._fields}
    )


def _nothing(a: Any) -> Any:
    return 0 * a


def _decayed(rates: dict[str, Any], rate: Any, y: Any, k: Any) -> Any:
    if not hasattr(k, "eta"):
        raise InputError(f"Combinator decay needs constants with eta, which {type(k).__name__} has not.")
    for network, eta in rates.items():
        need(f"Combinator decay with {network}=", y, tuple(_DEGREES[network]))
        for name in set(_DEGREES[network]) & set(rate._fields):
            extra = _DEGREES[network][name] * (k.eta - eta)
            moved = jax.tree.map(lambda a, x, c=extra: a + c * x, getattr(rate, name), getattr(y, name))
            rate = rate._replace(**{name: moved})
    return rate


def _ruled(rule: Callable[..., Any], names: tuple[str, ...], y: Any, k: Any) -> Any:
    need("Combinator slave", y, _SET)
    if hasattr(y, "Wp"):
        given = _correlations(y, k, names)
        Wp, *seen = (jnp.asarray(x) if isinstance(x, np.ndarray) else x for x in (y.Wp, *given.values()))
        return y._replace(Wp=_set(rule, Wp, dict(zip(given, seen, strict=True))))
    p, s = (y.p, y.s) if hasattr(y, "p") else (y.wp, y.w * y.w)
    across = y.tau * s if hasattr(y, "p") else y.wa * y.w
    given = {"F": k.lambda_d * s, "features": k.lambda_s * s, "cross": k.lambda_d * across}
    diagonals = {name: jnp.diag(jnp.atleast_1d(given[name])) for name in ("F", *names)}
    p = jnp.diagonal(_set(rule, jnp.diag(jnp.atleast_1d(p)), diagonals)).reshape(jnp.shape(p))
    return y._replace(p=p) if hasattr(y, "p") else y._replace(wp=p)


def _correlations(y: Any, k: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """F, and what else a rule sees, of matrices."""
    if hasattr(y, "F"):
        known = {"F": lambda: y.F, "features": lambda: k.kappa * y.F, "cross": lambda: k.tau * y.F}
    else:
        known = {
            "F": lambda: y.W @ k.X @ y.W.T,
            "features": lambda: y.W @ (k.X + k.X_aug) @ y.W.T,
            "cross": lambda: y.Wa @ k.X @ y.W.T,
        }
    return {name: known[name]() for name in ("F", *names)}


def _set(rule: Callable[..., Any], Wp: Any, seen: dict[str, Any]) -> Any:
    return rule(Wp, seen.pop("F"), **seen)


def _online_target(y: Any, k: Any) -> Any:
    need("Combinator simsiam", y, TARGETS)
    if hasattr(y, "tau"):
        return y._replace(tau=0 * y.tau + 1)
    return y._replace(**{target: getattr(y, online) for target, online in _TARGETS.items() if hasattr(y, target)})


def _target_moves_along(rate: Any, y: Any, k: Any) -> Any:
    if hasattr(rate, "tau"):
        return rate._replace(tau=0 * rate.tau)
    return rate._replace(
        **{target: getattr(rate, online) for target, online in _TARGETS.items() if hasattr(rate, target)}
    )


def _without_predictor(y: Any, k: Any) -> Any:
    need("Combinator no_predictor", y, _SET)
    if hasattr(y, "Wp"):
        return y._replace(
            Wp=y.Wp**0 if hasattr(y.Wp, "is_Matrix") else 0 * y.Wp + np.eye(y.Wp.shape[-1], dtype=y.Wp.dtype)
        )
    name = "p" if hasattr(y, "p") else "wp"
    return y._replace(**{name: 0 * getattr(y, name) + 1})


def _negated(rate: Any, y: Any, k: Any) -> Any:
    return jax.tree.map(operator.neg, rate)
