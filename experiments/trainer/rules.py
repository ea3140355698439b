"""The predictor set by a rule: a running correlation of the features (Eq. 19), and `linbyol.predictors.RULES` on it."""

from dataclasses import fields
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from experiments.trainer.choices import FromFeatures
from experiments.trainer.model import Views
from experiments.trainer.uses import OF_RULES
from linbyol.equations.combinators import sights
from linbyol.predictors import RULES

SHARED = tuple(field.name for field in fields(FromFeatures))  # settings of when, and of what the rule sees
ALIASES = {"exponent": "alpha"}
Square = Float[Array, "d d"]


class Memory(NamedTuple):
    """Running averages over steps; the first step sets them."""

    F: Square  # E[f fᵀ], of both views
    cross: Square  # E[f_a fᵀ], across views
    mean: Float[Array, " d"]  # E[f]
    started: Bool[Array, ""]


def new_memory(rule: Any, d: int, dtype: Any) -> Memory | None:
    """An empty memory, or None where no rule reads it."""
    if rule is None or rule.name in ("learned", "symmetric"):
        return None
    square = jnp.zeros((d, d), dtype)
    return Memory(square, jnp.copy(square), jnp.zeros(d, dtype), jnp.zeros((), bool))


def remember(memory: Memory, online: Views, target: Views, rho: Array) -> Memory:
    """Eq. 19: F̂ ← rho F̂ + (1 - rho) E_B[f fᵀ], f the features before the predictor; so for the other averages."""
    f, g = online.z, target.z  # (2, b, d)
    seen = Memory(_outer(f, f), _outer(g[::-1], f), jnp.mean(f, axis=(0, 1)), jnp.ones((), bool))
    kept = jnp.where(memory.started, rho, jnp.zeros_like(rho))
    moved = [kept * old + (1 - kept) * new for old, new in zip(memory[:3], seen[:3], strict=True)]
    return Memory(*moved, seen.started)


def set_predictor(rule: Any, scalars: Any, Wp: Square, memory: Memory | None, step: Int[Array, ""]) -> Square:
    """W_p after this step: the rule's at every `freq`-th step, and untouched by it in between."""
    if rule.name == "learned" or rule.freq == 0:
        return Wp
    return lax.cond(step % rule.freq == 0, lambda: predictor(rule, scalars, Wp, memory), lambda: Wp)


def predictor(rule: Any, scalars: Any, Wp: Square, memory: Memory | None) -> Square:
    """The rule itself."""
    if memory is None:
        return RULES[rule.name](Wp, Wp)  # neither `learned` nor `symmetric` looks at F
    F, cross = memory.F, memory.cross
    if rule.centre:
        F, cross = (A - memory.mean[:, None] * memory.mean[None, :] for A in (F, cross))
    if rule.name == "optimal":
        cross = (cross + cross.T) / 2  # Table 1
    chosen = RULES[rule.name]
    seen = {name: {"features": F, "cross": cross}[name] for name in sights(chosen)}
    return chosen(Wp, F, **seen, **_settings(rule, scalars))


def _settings(rule: Any, scalars: Any) -> dict[str, Any]:
    """The rule's own settings, by the names that they have in `linbyol.predictors`."""
    own = {
        ALIASES.get(field.name, field.name): getattr(scalars if "constant" in field.metadata else rule, field.name)
        for field in fields(OF_RULES[rule.name])
        if field.name not in SHARED
    }
    return own | ({"norm": None} if own.get("norm") == "none" else {})


def _outer(f: Float[Array, "V b d"], g: Float[Array, "V b d"]) -> Square:
    return jnp.einsum("vbi,vbj->ij", f, g, precision="highest") / (f.shape[0] * f.shape[1])
