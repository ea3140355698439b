"""A network's parameters and its running statistics, apart and together; and statistics of a network at rest."""

from collections.abc import Iterable
from typing import TypeVar

import equinox as eqx
import jax
from jaxtyping import Array

from experiments.networks.layers import BatchNorm, Statistics
from linbyol.checks import InputError

Net = TypeVar("Net")


def split(net: Net) -> tuple[Net, Net]:
    """(parameters, statistics): trainable arrays, and running statistics, each with None in the other's place."""
    parts = lambda kind: lambda x: isinstance(x, kind)  # noqa: E731
    trained = jax.tree.map(lambda x: not isinstance(x, Statistics), net, is_leaf=parts(Statistics))
    return eqx.partition(net, trained)


def join(parameters: Net, statistics: Net) -> Net:
    """The network of these parameters and statistics: the inverse of `split`."""
    return eqx.combine(parameters, statistics)


def refreshed(net: Net, batches: Iterable[Array]) -> Net:
    """The network with the mean over `batches` of their statistics, by forward passes in training mode.

    A network without batch normalisation comes back as it is. Raises `InputError` if there is no batch.
    """
    net_parameters, statistics = split(net)
    momentum = {m.momentum for m in _norms(net)}
    if not momentum:
        return net
    (rate,) = momentum
    empty = jax.tree.map(lambda s: 0 * s, statistics)
    total, number = empty, 0
    for x in batches:
        found = _statistics_of(net_parameters, empty, x)
        total, number = jax.tree.map(lambda t, s: t + s / rate, total, found), number + 1
    if not number:
        raise InputError("Argument `batches` must hold at least one batch, but is empty.")
    return join(net_parameters, jax.tree.map(lambda t: t / number, total))


def _norms(net: object) -> list[BatchNorm]:
    norm = lambda x: isinstance(x, BatchNorm)  # noqa: E731
    return [x for x in jax.tree.leaves(net, is_leaf=norm) if norm(x)]


@jax.jit
def _statistics_of(parameters: Net, statistics: Net, x: Array) -> Net:
    """From statistics of zero, one pass leaves momentum times those of the batch."""
    return split(join(parameters, statistics)(x, True)[1])[1]
