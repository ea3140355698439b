"""Trainings made ready on one device: so many steps when asked for, how fast they went, and what they had to do."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from experiments.datasets import Dataset, Split
from experiments.trainer.options import Options
from experiments.trainer.session import Session, prepare
from experiments.trainer.state import State
from experiments.trainer.steps import advance, orders_of


class Ready:
    """A training of any options on the first device, compiled and one step on."""

    def __init__(self, o: Options, dataset: Dataset) -> None:
        self.session: Session = prepare(o, dataset, jax.devices()[:1])
        self.state: State = self.session.start()
        self.orders = orders_of(self.session.plan, self.session.seeds, len(self.session.data.images), np.int32(0))
        self.done = 0
        began = time.perf_counter()
        self.program = advance.lower(self.session.plan, self.session.data, self.state, *self._with(0, 1)).compile()
        self.compile_seconds = time.perf_counter() - began
        self.seconds(1)

    def __call__(self, steps: int) -> float:
        """Images (not views) a second over `steps` steps, of all lanes; at most an epoch at a time."""
        return steps * self.images / self.seconds(steps)

    @property
    def images(self) -> int:
        """Of a step, in all lanes."""
        return self.session.plan.o.batch * self.session.plan.lanes

    def seconds(self, steps: int) -> float:
        """The time of `steps` steps, finished."""
        first = self.done % self.session.plan.steps
        start = first if first + steps <= self.session.plan.steps else 0
        began = time.perf_counter()
        self.state = jax.block_until_ready(self.program(self.session.data, self.state, *self._with(start, steps)))
        self.done = start + steps
        return time.perf_counter() - began

    def operations(self) -> float:
        """Floating-point operations of a step on an image, as XLA counts them before it optimises; eigh is not seen.

        Counted by the CPU's client, since that of a GPU counts none, on what is traced for this device.
        """
        arguments = jax.eval_shape(lambda *x: x, self.session.data, self.state, *self._with(0, 1))
        with jax.default_device(jax.devices("cpu")[0]):
            cost = advance.lower(self.session.plan, *arguments).cost_analysis()
        cost = cost[0] if isinstance(cost, list) else cost
        return float((cost or {}).get("flops", np.nan)) / self.images

    def _with(self, start: int, steps: int) -> tuple[Any, ...]:
        return self.orders, self.session.scalars, self.session.seeds, np.int32(start), np.int32(steps)


def made_up(number: int, side: int, channels: int) -> Dataset:
    """Random bytes with ten labels: no image is needed to time a step."""
    images = np.random.default_rng(0).integers(0, 256, (number, side, side, channels), np.uint8)
    part = Split(images, np.arange(number, dtype=np.int32) % 10)
    return Dataset("made up", part, Split(part.images[:10], part.labels[:10]), tuple("0123456789"))


def in_turn(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, go_on: Callable[[], bool] = lambda: True
) -> dict[str, list[Any]]:
    """What each gives, round after round, so that a change of the machine's pace meets all; at least one round."""
    found: dict[str, list[Any]] = {name: [] for name in contenders}
    for i in range(rounds):
        if i and not go_on():
            break
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    """Of each contender."""
    return {name: statistics.median(values) for name, values in found.items()}
