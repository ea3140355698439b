"""What a run is compiled for, and what it carries from step to step."""

from collections import namedtuple
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int, UInt8

from experiments.augment import RECIPES, Recipe
from experiments.trainer.model import Online, Target
from experiments.trainer.program import SCALARS, Program

# The constants of a lane; None are those that its run has not.
Scalars = namedtuple("Scalars", SCALARS, defaults=(None,) * len(SCALARS))  # type: ignore[misc]
STREAMS = {"networks": 0, "order": 1, "views": 2, "measure": 3, "probe": 4, "slices": 5}  # folded into the seed's key


class Data(NamedTuple):
    """The training images, whole, on the device."""

    images: UInt8[Array, "N h w c"]
    labels: Int[Array, " N"]


class Tally(NamedTuple):
    """Sums of the loss's terms since they were last read."""

    terms: Any
    count: Array


class State(NamedTuple):
    """All that a run carries from step to step; with several lanes each leaf has them as its first axis."""

    online: Online  # parameters
    online_statistics: Online
    target: Target | None
    target_statistics: Target | None
    optimiser: tuple[Any, Any]  # of encoder and projector, and of the predictor
    memory: Any
    tally: Tally
    broken: Int[Array, ""]  # first step whose loss was not finite, or -1


class Plan(NamedTuple):
    """What is compiled into the program."""

    o: Program
    lanes: int
    steps: int  # in an epoch
    classes: int
    mesh: Mesh | None = None  # devices that share the batch, or the lanes if there are several

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.o.augment]

    @property
    def total(self) -> int:
        return self.steps * self.o.epochs

    @property
    def dtype(self) -> Any:
        """Of parameters, losses and statistics."""
        return jnp.float64 if self.o.precision == "float64" else jnp.float32

    @property
    def compute(self) -> Any:
        """Of the networks' arithmetic."""
        return jnp.dtype(self.o.precision)


def stream(seed: Int[Array, ""], name: str) -> Array:
    """The key of one of the run's sources of chance."""
    return jax.random.fold_in(jax.random.key(seed), STREAMS[name])


def sharding(plan: Plan) -> NamedSharding | None:
    """How state, orders and constants lie on the devices: several lanes are shared out, one is on all of them."""
    if plan.mesh is None:
        return None
    return NamedSharding(plan.mesh, P("devices") if plan.lanes > 1 else P())


def placed(plan: Plan, tree: Any) -> Any:
    """The tree with each leaf where `sharding` wants it."""
    where = sharding(plan)
    return tree if where is None else jax.tree.map(lambda x: lax.with_sharding_constraint(x, where), tree)
