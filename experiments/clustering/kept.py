"""The networks of a training at chosen epochs: trained once, kept, and read back lane by lane."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.clustering.sizes import Size
from experiments.datasets import Dataset, load
from experiments.networks import join, refreshed
from experiments.networks.parts import Chain
from experiments.runs import checkpoints
from experiments.trainer.evaluation import training_batches
from experiments.trainer.options import Options
from experiments.trainer.runner import run
from experiments.trainer.session import Session, lane_of, prepare
from linbyol.checks import InputError


class Network(NamedTuple):
    """A lane's network at one epoch."""

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
        return tuple(lane.seed for lane in self.session.lanes)

    def networks(self, epoch: int) -> Iterator[Network]:
        """Of each lane; at epoch 0 with statistics of batch normalisation from training images, without a step."""
        session, start = self.session, self.session.start()
        online = start.online, start.online_statistics
        if epoch:
            like = jax.eval_shape(lambda: online)
            step = epoch * session.plan.steps
            online = checkpoints.restore(self.path / "snapshots", like, config=asdict(session.o), step=step).state
        for i, seed in enumerate(np.atleast_1d(session.seeds)):
            encoder, projector, predictor = map(join, *lane_of(session, online, i))
            if not epoch:
                body = refreshed(Chain((encoder, projector)), training_batches(session, seed))
                encoder, projector = body.layers
            yield Network(encoder, projector, predictor)


def halved(dataset: Dataset, side: int | None) -> Dataset:
    """The data set with images halved by means over 2 × 2 pixels until they are no larger than `side`."""
    while side is not None and dataset.train.images.shape[1] > side:
        parts = [part._replace(images=_half(part.images)) for part in (dataset.train, dataset.test)]
        dataset = dataset._replace(train=parts[0], test=parts[1])
    return dataset


def data_of(size: Size, name: str) -> Dataset:
    """The images of a size."""
    return halved(load(name, first=size.first), size.side)


def trained(size: Size, name: str, dataset: Dataset, out: Path) -> Trained:
    """The training of that name, done, or gone on with until it is. Raises `InputError` if it was interrupted."""
    o: Options = size.trainings[name]
    session = prepare(o, dataset)
    ran = run(name, o, out, dataset=dataset, snapshots=[epoch * session.plan.steps for epoch in size.epochs])
    if ran.outcome.status != "done":
        raise InputError(f"Training {name} was interrupted at step {ran.outcome.step}; the same command goes on.")
    return Trained(name, ran.path, session, (0, *size.epochs))


def _half(images: np.ndarray) -> np.ndarray:
    n, h, w, c = images.shape
    return np.rint(images.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))).astype(np.uint8)
