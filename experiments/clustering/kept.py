"""The networks of a training at chosen epochs: trained once, kept, and read back lane by lane."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.clustering.sizes import Size
from experiments.datasets import Dataset, load
from experiments.networks import join
from experiments.runs import checkpoints
from experiments.trainer.evaluation import at_rest
from experiments.trainer.runner import run
from experiments.trainer.session import Session, lane_of, prepare
from linbyol.checks import InputError

PARTS = ("encoder", "projector")


class Online(NamedTuple):
    """What a snapshot holds."""

    online: Any
    online_statistics: Any


class Network(NamedTuple):
    """A lane's network at one epoch, with running statistics."""

    encoder: Any
    projector: Any
    predictor: Any


class Trained(NamedTuple):
    """A training that is done."""

    name: str
    path: Path
    session: Session
    epochs: tuple[int, ...]  # 0 first

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the lanes."""
        return tuple(lane.seed for lane in self.session.lanes)

    def networks(self, epoch: int) -> Iterator[Network]:
        """Of each lane; at epoch 0 with statistics of batch normalisation from training images, without a step."""
        session, start = self.session, self.session.start()
        kept = Online(start.online, start.online_statistics)
        if epoch:
            like, step = jax.eval_shape(lambda: kept), epoch * session.plan.steps
            found = checkpoints.restore(self.path / "snapshots", tuple(like), config=asdict(session.o), step=step)
            if found is None:
                raise InputError(f"Run {self.path} has kept no network of epoch {epoch}.")
            kept = Online(*found.state)
        for i in range(len(session.lanes)):
            body = at_rest(session, kept, i, untrained=not epoch, parts=PARTS)
            yield Network(*body, join(*(lane_of(session, part.predictor, i) for part in kept)))


def data_of(size: Size, name: str) -> Dataset:
    """The images of a size, halved by means over 2 × 2 pixels until they are no larger than its side."""
    dataset = load(name, first=size.first)
    while size.side is not None and dataset.train.images.shape[1] > size.side:
        parts = [part._replace(images=_half(part.images)) for part in (dataset.train, dataset.test)]
        dataset = dataset._replace(train=parts[0], test=parts[1])
    return dataset


def trained(size: Size, name: str, dataset: Dataset, out: Path) -> Trained:
    """The training of that name, done, or gone on with until it is. Raises `InputError` if it was interrupted."""
    o = size.trainings[name]
    session = prepare(o, dataset)
    ran = run(name, o, out, dataset=dataset, snapshots=[epoch * session.plan.steps for epoch in size.epochs])
    if ran.path is None or ran.outcome.status != "done":
        raise InputError(f"Training {name} was interrupted at step {ran.outcome.step}; the same command goes on.")
    return Trained(name, ran.path, session, (0, *size.epochs))


def _half(images: np.ndarray) -> np.ndarray:
    n, h, w, c = images.shape
    return np.rint(images.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))).astype(np.uint8)
