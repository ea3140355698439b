"""A run made ready: its data on the devices, its lanes, and the plan that is compiled."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int

from experiments.augment import RECIPES
from experiments.datasets import Dataset
from experiments.trainer.lanes import Lane, lanes
from experiments.trainer.options import Options
from experiments.trainer.program import SCALARS, compiled
from experiments.trainer.ranges import COUNT
from experiments.trainer.state import Data, Plan, Scalars, State, sharding
from experiments.trainer.steps import first_state
from linbyol.checks import InputError, check_choice
from linbyol.machine import check_memory


class Session(NamedTuple):
    """What does not change while a run goes on."""

    o: Options
    plan: Plan
    dataset: Dataset
    data: Data
    lanes: list[Lane]
    scalars: Scalars  # leaves () or (lanes,)
    seeds: Int[Array, "*lanes"]

    def start(self) -> State:
        """The state at step 0."""
        return first_state(self.plan, self.seeds, self.scalars, self.data)


def prepare(o: Options, dataset: Dataset, devices: Sequence[Any] | None = None) -> Session:
    """A run on these devices, by default all of all hosts. Raises `InputError` for options that do not fit the data.

    One lane shares its batch among the devices; several lanes are shared out whole, if their number allows it.
    """
    o.check()
    check_choice("augment", o.data.augment, RECIPES)
    images, labels = _training(o, dataset)
    batch, epochs = o.run.batch, o.run.epochs
    if batch > len(images):
        raise InputError(f"Setting `run.batch` must be at most the number of images, {len(images)}, but is {batch}.")
    if (steps := len(images) // batch * epochs) > COUNT:
        raise InputError(f"Setting `run.epochs` must give at most {COUNT} steps, but {epochs} give {steps}.")
    found = lanes(o)
    mesh = _mesh(o, list(jax.devices() if devices is None else devices), len(found))
    plan = Plan(compiled(o), len(found), len(images) // batch, len(dataset.classes), mesh)
    everywhere = None if mesh is None else NamedSharding(mesh, P())
    data = Data(*(put(x, everywhere) for x in (images, labels)))
    column = lambda values, dtype: put(  # noqa: E731
        np.asarray(values if len(found) > 1 else values[0], dtype), sharding(plan)
    )
    names = [name for name in SCALARS if name in found[0].scalars]
    scalars = Scalars(**{name: column([lane.scalars[name] for lane in found], plan.dtype) for name in names})
    session = Session(o, plan, dataset, data, found, scalars, column([lane.seed for lane in found], np.int32))
    state = jax.eval_shape(session.start)  # refuses networks that these images or this batch are too small for
    check_memory("Networks of these settings", sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state)))
    return session


def put(x: np.ndarray, where: NamedSharding | None) -> Array:
    """A host's array on its device, or on the devices of all hosts, each of which has the same array."""
    return jnp.asarray(x) if where is None else jax.device_put(x, where)


def lane_of(session: Session, tree: Any, i: int) -> Any:
    """Lane i of a state or of measures."""
    return jax.tree.map(lambda x: x[i], tree) if session.plan.lanes > 1 else tree


def _training(o: Options, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Labelled images, and for what needs no label also the unlabelled (STL-10)."""
    images, labels = dataset.train.images, dataset.train.labels
    if dataset.unlabelled is None or o.method.name == "supervised":
        return images, labels.astype(np.int32)
    nothing = np.full(len(dataset.unlabelled), -1, np.int32)
    return np.concatenate([images, dataset.unlabelled]), np.concatenate([labels.astype(np.int32), nothing])


def _mesh(o: Options, devices: list[Any], lanes: int) -> Mesh | None:
    if len(devices) == 1:
        return None
    share, what = (
        (lanes, "number of lanes (seeds times swept values)") if lanes > 1 else (o.run.batch, "setting `run.batch`")
    )
    if share % len(devices):
        raise InputError(f"The {what} must be a multiple of the {len(devices)} devices, but is {share}.")
    return Mesh(np.array(devices), ("devices",), axis_types=(AxisType.Auto,))
