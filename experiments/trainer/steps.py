"""One step of training, and K of them as one compiled program, for one lane or for several at once.

Everything random is a function of (seed, step), and the number of steps a call is traced: how a run is cut into calls
changes no bit of it.
"""

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int, UInt8

from experiments.augment import augment, plain
from experiments.networks import split
from experiments.trainer.methods import METHODS, Batch
from experiments.trainer.model import Online, Target, Views, first_target, look, online, views_a_step, width
from experiments.trainer.optimisers import OPTIMISERS, decayed, moved
from experiments.trainer.rules import new_memory, remember, set_predictor
from experiments.trainer.schedules import rate, target_momentum
from experiments.trainer.state import Data, Plan, Scalars, State, Tally, placed, stream
from experiments.trainer.uses import has_target, is_linear, rule_of


def begin(plan: Plan, seed: Int[Array, ""], scalars: Scalars, data: Data) -> State:
    """The state of one lane at step 0."""
    o, shape = plan.o, data.images.shape[1:]
    key = stream(seed, "networks")
    net = online(o, key, shape, plan.classes, plan.dtype)
    aim = first_target(o, key, net, shape, plan.dtype)
    parameters, statistics = split(net)
    body, head = _optimisers(plan, scalars, parameters)
    optimiser = body.init(parameters[:2]), head.init(parameters.predictor)
    memory = new_memory(rule_of(o), width(o, net.encoder), plan.dtype)
    goal, goal_statistics = (None, None) if aim is None else split(aim)
    x = jnp.zeros((views_a_step(o), o.batch, *shape), plan.compute)  # of which only the shape counts
    loss = partial(_loss, plan, scalars, statistics, goal, goal_statistics, x, jnp.zeros(o.batch, jnp.int32), key)
    terms = jax.eval_shape(lambda: loss(parameters)[1].terms)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), terms)
    tally = Tally(zeros, jnp.zeros((), plan.dtype))
    return State(parameters, statistics, goal, goal_statistics, optimiser, memory, tally, jnp.full((), -1, jnp.int32))


class Seen(NamedTuple):
    """What a loss leaves beside its value."""

    terms: Any
    online: Views
    target: Views
    online_statistics: Online
    target_statistics: Target | None


def _loss(plan, scalars, statistics, goal, goal_statistics, x, labels, key, parameters) -> tuple[Array, Seen]:
    views, moved_statistics = look(parameters, statistics, x, True, plan.dtype)
    target, moved_goal = views, None
    if goal is not None:
        target, moved_goal = look(goal, goal_statistics, x, True, plan.dtype)
    batch = Batch(plan.o.method, scalars, labels, getattr(parameters.predictor, "weight", None), key)
    terms = METHODS[plan.o.method.name](views, target, batch)
    return terms.total, Seen(terms, views, target, moved_statistics, moved_goal)


def step(plan: Plan, data: Data, state: State, order: Array, scalars: Scalars, seed: Array, number: Array) -> State:
    """Loss, gradient, optimisers, the predictor's rule, then the target: the order of the released code."""
    o = plan.o
    index = lax.dynamic_slice(order, ((number % plan.steps) * o.batch,), (o.batch,))
    x = make_views(plan, jax.random.fold_in(stream(seed, "views"), number), data.images[index])
    chance = jax.random.fold_in(stream(seed, "slices"), number)
    goal = state.target, state.target_statistics
    loss = partial(_loss, plan, scalars, state.online_statistics, *goal, x, data.labels[index], chance)
    gradient, seen = jax.grad(loss, has_aux=True)(state.online)
    parameters, optimiser = _descend(plan, scalars, state, gradient, number)

    memory, target = state.memory, state.target
    if memory is not None:
        memory = remember(memory, *lax.stop_gradient((seen.online, seen.target)), scalars.rho)
    if is_linear(o):
        Wp = set_predictor(rule_of(o), scalars, parameters.predictor.weight, memory, number)
        parameters = parameters._replace(predictor=_with_weight(parameters.predictor, Wp))
    if has_target(o):
        kept = target_momentum(o.method.target.gamma_schedule, scalars.gamma_a, number, plan.total)
        target = jax.tree.map(lambda a, w: kept * a + (1 - kept) * w, target, Target(*parameters[:2]))

    bad = ~jnp.isfinite(seen.terms.total)
    return State(
        online=parameters,
        online_statistics=seen.online_statistics,
        target=target,
        target_statistics=seen.target_statistics,
        optimiser=optimiser,
        memory=memory,
        tally=Tally(jax.tree.map(jnp.add, state.tally.terms, seen.terms), state.tally.count + 1),
        broken=jnp.where((state.broken < 0) & bad, number, state.broken),
    )


def make_views(plan: Plan, key: Array, images: UInt8[Array, "b h w c"]) -> Array:
    """(V, b, h, w, c): the views of a batch, the batch shared by the devices."""
    index = jnp.arange(images.shape[0], dtype=jnp.int32)
    if plan.o.augment == "none":
        x = jnp.repeat(plain(images, plan.recipe, plan.compute)[None], views_a_step(plan.o), axis=0)
    else:
        keys = jax.random.split(key, views_a_step(plan.o))
        x = jax.vmap(lambda key: augment(key, images, index, plan.recipe, plan.compute))(keys)
    if plan.mesh is not None and plan.lanes == 1:
        x = lax.with_sharding_constraint(x, NamedSharding(plan.mesh, P(None, "devices")))
    return x


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def advance(
    plan: Plan, data: Data, state: State, orders: Array, scalars: Scalars, seeds: Array, start: Array, count: Array
) -> State:
    """`count` steps from step `start`, all within one epoch, whose order of images is `orders`.

    Compiles once for a plan, shapes and kind of device.
    """

    def one(state: State, order: Array, scalars: Scalars, seed: Array, number: Array) -> State:
        return step(plan, data, state, order, scalars, seed, number)

    several = jax.vmap(one, in_axes=(0, 0, 0, 0, None)) if plan.lanes > 1 else one
    body = lambda i, state: placed(plan, several(state, orders, scalars, seeds, start + i))  # noqa: E731
    return lax.fori_loop(0, count, body, state)


@partial(jax.jit, static_argnums=(0, 2))
def orders_of(plan: Plan, seeds: Array, images: int, epoch: Array) -> Int[Array, "*lanes N"]:
    """The order of the images in an epoch, a permutation for each lane; what does not fill a batch is left out."""

    def shuffled(seed: Array) -> Array:
        key = jax.random.fold_in(stream(seed, "order"), epoch)
        return jax.random.permutation(key, jnp.arange(images, dtype=jnp.int32))

    return placed(plan, jax.vmap(shuffled)(seeds) if plan.lanes > 1 else shuffled(seeds))


@partial(jax.jit, static_argnums=0)
def first_state(plan: Plan, seeds: Array, scalars: Scalars, data: Data) -> State:
    """The state at step 0, of all lanes."""
    one = lambda seed, scalars: begin(plan, seed, scalars, data)  # noqa: E731
    return placed(plan, jax.vmap(one)(seeds, scalars) if plan.lanes > 1 else one(seeds, scalars))


@partial(jax.jit, static_argnums=0)
def emptied(plan: Plan, state: State) -> State:
    """The state with nothing on the tally."""
    return state._replace(tally=placed(plan, jax.tree.map(jnp.zeros_like, state.tally)))


def _optimisers(plan: Plan, scalars: Scalars, parameters: Online) -> tuple[Any, Any]:
    make = OPTIMISERS[plan.o.optimiser.name]
    masks = [decayed(part, plan.o.optimiser.decay_all) for part in (parameters[:2], parameters.predictor)]
    return tuple(
        make(scalars.momentum, decay, mask) for decay, mask in zip((scalars.eta, scalars.eta_p), masks, strict=True)
    )


def _descend(plan: Plan, scalars: Scalars, state: State, gradient: Online, number: Array) -> tuple[Online, tuple]:
    lr = scalars.lr * rate(plan.o.schedule.name, number, plan.total, plan.o.schedule.warmup * plan.steps, plan.dtype)
    body, head = _optimisers(plan, scalars, state.online)
    of_body, of_head = state.optimiser
    direction, of_body = body.update(gradient[:2], of_body, state.online[:2])
    encoder, projector = moved(state.online[:2], direction, lr)
    direction, of_head = head.update(gradient.predictor, of_head, state.online.predictor)
    return Online(encoder, projector, moved(state.online.predictor, direction, lr * scalars.alpha_p)), (
        of_body,
        of_head,
    )


def _with_weight(layer: Any, weight: Array) -> Any:
    return eqx.tree_at(lambda layer: layer.weight, layer, weight)
