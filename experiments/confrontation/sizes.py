"""What is trained for the confrontation, by data set and size; seeds are lanes.

    smoke   seconds, for the tests
    cpu     ten minutes on two cores: the digits
    full    ResNet-18 on CIFAR-10, for an accelerator; not yet run

`linear` is the theory's own network by steps of the whole training set on fresh views. `mlp` has two hidden layers with
batch normalisation below the last map, and the same loss. Rates and lengths were chosen on seeds 0 and 1, and so was
which prediction is judged: neither is among the seeds that are kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from experiments import presets
from experiments.trainer.choices import Byol, LinearEncoder, LinearPredictor, MlpEncoder, Target
from experiments.trainer.options import Data, Optimiser, Options, Projector, Recording, Run
from linbyol.checks import InputError


class Confrontation(NamedTuple):
    """A training, the epoch from which the rest is predicted, views of an image for the moments, repetitions."""

    options: Options
    first: int
    views: int = 8
    repetitions: int = 0  # of lane 0 from that epoch on, to see what chance does


def recorded(o: Options, steps: int, times: int) -> Options:
    """With a checkpoint of each of so many equally distant epochs."""
    every = o.run.epochs // times * steps
    kept = Recording(log=every, measure=every, save=every, keep=times + 1, evaluate=0, probes=(), final=())
    return replace(o, record=kept)


def linear(
    seeds: Sequence[int], epochs: int, times: int, batch: int, first: int, d: int = 16, **more: Any
) -> Confrontation:
    """A linear encoder and predictor on the digits; momentum 0.5 doubles the rate."""
    o = Options(
        data=Data(augment="digits", first=more.pop("images", None)),
        encoder=LinearEncoder(d=d),
        projector=Projector(widths=()),
        method=Byol(loss="l2", symmetric=True, predictor=LinearPredictor(), target=Target(gamma_a=0.996)),
        optimiser=Optimiser(lr=0.0025, momentum=0.5, eta=0.04),
        run=Run(epochs=epochs, batch=batch, seeds=tuple(seeds)),
    )
    return Confrontation(recorded(o, 1, times), first, **more)


def mlp(seeds: Sequence[int], epochs: int, times: int, first: int, loss: Any = "l2", **more: Any) -> Confrontation:
    """An encoder of one hidden layer, a projector of another and the last map, a linear predictor."""
    images = more.pop("images", None)
    o = Options(
        data=Data(augment="digits", first=images),
        encoder=MlpEncoder(widths=more.pop("widths", (128,))),
        projector=Projector(widths=more.pop("projector", (64, 16))),
        method=Byol(loss=loss, predictor=LinearPredictor(), target=Target(gamma_a=0.99)),
        optimiser=Optimiser(lr=0.05, eta=0.05),
        run=Run(epochs=epochs, batch=128, seeds=tuple(seeds)),
    )
    return Confrontation(recorded(o, 11 if images is None else images // 128, times), first, **more)


def resnet(preset: str, first: int, times: int) -> Confrontation:
    """ResNet-18 with the paper's settings, its last map a linear one and its predictor by gradient steps."""
    _, o = presets.preset(preset)
    o = replace(o, method=replace(o.method, predictor=LinearPredictor()), run=replace(o.run, seeds=(2, 3, 4)))
    return Confrontation(recorded(o, 50_000 // o.run.batch, times), first, views=4)


HIDDEN = tuple(range(2, 12))
SIZES = {
    ("digits", "smoke"): lambda: {
        "linear": linear((2, 3), 8, 4, 256, 2, 4, images=256, views=4, repetitions=2),
        "mlp": mlp((2, 3), 4, 4, 1, images=256, views=2, widths=(16,), projector=(12, 4)),
    },
    ("digits", "cpu"): lambda: {
        "linear": linear(HIDDEN[:4], 6000, 20, 1437, 300, views=64, repetitions=3),
        "mlp": mlp(HIDDEN, 120, 24, 5),
    },
    ("cifar10", "full"): lambda: {"resnet18": resnet("cifar10-resnet18-byol", 10, 50)},
}


def size_of(data: str, size: str) -> dict[str, Confrontation]:
    """The trainings of a data set and size. Raises `InputError` for what there is not."""
    if (data, size) not in SIZES:
        known = ", ".join(f"{a} {b}" for a, b in SIZES)
        raise InputError(f"Arguments `data` and `size` must be one of {known}, but are {data} {size}.")
    return SIZES[data, size]()
