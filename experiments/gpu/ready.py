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

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}  # nominal, dense bfloat16, operations a second


class Ready:
    """A training on the first device. Differs from `experiments.bench.training.Ours`: of any options."""

    def __init__(self, o: Options, dataset: Dataset) -> None:
        self.session: Session = prepare(o, dataset, jax.devices()[:1])
        self.state: State = self.session.start()
        self.orders = orders_of(self.session.plan, self.session.seeds, len(self.session.data.images), np.int32(0))
        self.done = 0
        self.compile_seconds = self.seconds(1)

    def __call__(self, steps: int) -> float:
        """Images (not views) a second over `steps` steps, of all lanes; at most an epoch at a time."""
        plan = self.session.plan
        return steps * plan.o.batch * plan.lanes / self.seconds(steps)

    def seconds(self, steps: int) -> float:
        """The time of `steps` steps, finished."""
        plan, data = self.session.plan, self.session.data
        first = self.done % plan.steps
        start = first if first + steps <= plan.steps else 0
        began = time.perf_counter()
        self.state = jax.block_until_ready(advance(plan, data, self.state, *self._with(start, steps)))
        self.done = start + steps
        return time.perf_counter() - began

    def operations(self) -> float:
        """Floating-point operations of a step on an image, as XLA counts them before it optimises; eigh is not seen."""
        plan = self.session.plan
        cost = advance.lower(plan, self.session.data, self.state, *self._with(0, 1)).cost_analysis()
        cost = cost[0] if isinstance(cost, list) else cost
        return float((cost or {}).get("flops", np.nan)) / (plan.o.batch * plan.lanes)

    def _with(self, start: int, steps: int) -> tuple[Any, ...]:
        return self.orders, self.session.scalars, self.session.seeds, np.int32(start), np.int32(steps)


def made_up(number: int, side: int, channels: int) -> Dataset:
    """Random bytes with ten labels: no image is needed to time a step."""
    images = np.random.default_rng(0).integers(0, 256, (number, side, side, channels), np.uint8)
    part = Split(images, np.arange(number, dtype=np.int32) % 10)
    return Dataset("made up", part, Split(part.images[:10], part.labels[:10]), tuple("0123456789"))


def in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each gives, round after round, so that a machine that changes its pace does it to all."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    """Of each contender."""
    return {name: statistics.median(values) for name, values in found.items()}


def resnet18_operations(side: int, width: int, channels: int = 3) -> float:
    """Multiplications and additions of one BYOL step on an image: two views through `resnet18` with the CIFAR stem.

    A multiply-add counts as two. The online network's maps are run once forward and twice backward, the target's once
    forward; the stem has no gradient at the image. Convolutions at their full number of taps, also over the padding;
    projector (8 width, 512, 128) and predictor (128, 128) included, all else left out.
    """
    stem = channels * width * 9 * side**2
    maps, c = 0, width
    for stage in range(4):
        o, pixels = width * 2**stage, (side // 2**stage) ** 2
        maps += (c * o * 9 + 3 * o * o * 9 + (c * o if stage else 0)) * pixels
        c = o
    projector, predictor = c * 512 + 512 * 128, 128 * 128
    return 2 * 2 * (3 * stem + 4 * (maps + projector) + 3 * predictor)


def of_peak(rate: float) -> float | None:
    """Operations a second over the card's nominal bfloat16 peak, where that is known."""
    card = jax.devices()[0].device_kind
    peak = next((peak for name, peak in PEAKS.items() if name in card), None)
    return None if peak is None else rate / peak
