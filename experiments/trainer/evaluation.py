"""Frozen features of a lane's encoder, images as they are, and the probes that read them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from experiments.augment import plain
from experiments.networks import join, refreshed, split
from experiments.networks.parts import Chain
from experiments.trainer.session import Session, lane_of
from experiments.trainer.state import Plan, State, stream
from experiments.trainer.steps import make_views
from linbyol.representation import ProbeResult, knn_probe, linear_probe, ridge_probe

BLOCK = 500  # images a pass

PROBES: dict[str, Callable[..., ProbeResult]] = {
    "knn": lambda *features, key: knn_probe(*features),
    "ridge": lambda *features, key: ridge_probe(*features),
    "linear_paper": lambda *features, key: linear_probe(*features, protocol="paper", key=key),
    "linear_strict": lambda *features, key: linear_probe(*features, protocol="strict"),
}


def evaluate(session: Session, state: State, lane: int, probes: tuple[str, ...], *, untrained: bool = False) -> dict:
    """Accuracy of each probe on the test set, for one lane; and PROBE_C or PROBE_alpha, which it chose, PROBE_at_edge.

    Running statistics of batch normalisation are used; `untrained` first fills them from training images, without a
    step, since at step 0 they say nothing. A lane whose features are not finite gives nan.
    """
    (encoder,) = at_rest(session, state, lane, untrained=untrained)
    parameters, statistics = split(encoder)
    seed = lane_of(session, session.seeds, lane)
    found = [features(session.plan, parameters, statistics, part.images) for part in session.dataset[1:3]]
    if not all(np.isfinite(h).all() for h in found):
        return dict.fromkeys(probes, float("nan"))
    labels = [part.labels for part in session.dataset[1:3]]
    rows = (found[0], labels[0], found[1], labels[1])
    key = stream(seed, "probe")
    probed = {name: PROBES[name](*rows, key=key) for name in probes}
    numbers: dict[str, Any] = {name: float(result.accuracy) for name, result in probed.items()}
    for name, result in probed.items():
        if (choice := result.choice) is not None:
            numbers |= {f"{name}_{choice}": result.setting[choice], f"{name}_at_edge": result.at_edge}
    return numbers


def at_rest(
    session: Session, state: State, lane: int, *, untrained: bool, parts: tuple[str, ...] = ("encoder",)
) -> tuple[Any, ...]:
    """Parts of one lane's online network with the statistics that they are measured with: see `evaluate`."""
    state = lane_of(session, state, lane)
    chain = lambda online: Chain(tuple(getattr(online, part) for part in parts))  # noqa: E731
    net = join(chain(state.online), chain(state.online_statistics))
    if untrained:
        net = refreshed(net, training_batches(session, lane_of(session, session.seeds, lane)))
    return net.layers


def features(
    plan: Plan, parameters: Any, statistics: Any, images: UInt8[np.ndarray, "N h w c"]
) -> Float[np.ndarray, "N d"]:
    """The encoder's output on images as they are, (N, features), float32 or float64; on this process's first device."""
    blocks = [images[i : i + BLOCK] for i in range(0, len(images), BLOCK)]
    size = min(BLOCK, len(images))
    padded = (np.concatenate([b, np.repeat(b[:1], size - len(b), axis=0)]) for b in blocks)
    here = jax.local_devices()[0]
    parameters, statistics = jax.device_put(jax.device_get((parameters, statistics)), here)
    found = [np.asarray(_features(plan._replace(mesh=None), parameters, statistics, b)) for b in padded]
    return np.concatenate(found)[: len(images)]


@partial(jax.jit, static_argnums=0)
def _features(plan: Plan, parameters: Any, statistics: Any, images: Array) -> Array:
    h, _ = join(parameters, statistics)(plain(images, plan.recipe, plan.compute), False)
    return h.astype(plan.dtype)


_views = jax.jit(make_views, static_argnums=0)


def training_batches(session: Session, seed: Array, number: int = 8) -> Iterator[Array]:
    """Views of up to `number` batches of training images, (b, h, w, c) each."""
    plan, images = session.plan._replace(mesh=None), session.dataset.train.images
    for i in range(min(number, plan.steps)):
        batch = jnp.asarray(images[i * plan.o.batch : (i + 1) * plan.o.batch])
        yield from _views(plan, jax.random.fold_in(stream(seed, "measure"), i), batch)
