"""Sixteen seeds as lanes of one program against one seed alone: images a second of all together."""

from dataclasses import replace
from functools import partial

from experiments.bench.gpu.images import images
from experiments.bench.gpu.record import Clock, Found, Keep, Row
from experiments.bench.ready import Ready, in_turn, medians
from experiments.bench.training import NETWORKS
from experiments.trainer.choices import MlpEncoder
from experiments.trainer.options import Data, Projector, Run

LANES, BATCH, GOAL = 16, 128, 8
STEPS = {"conv": 100, "mlp": 1_000}  # of one seed a round; a quarter of it of all together, at most an epoch
ROUNDS = 5
SMALL, PLAIN = Projector(widths=(8, 4)), Data(augment="none")


def rows(tiny: bool) -> list[Row]:
    """The small convolutional network on CIFAR's shapes, and the perceptron of the digits."""
    ranks = {"mlp": 0} if tiny else {"conv": 0, "mlp": 2}
    return [Row(f"lanes: {n}, {2 if tiny else LANES} seeds", rank, 60, partial(together, n, tiny))
            for n, rank in ranks.items()]  # fmt: skip


def together(network: str, tiny: bool, clock: Clock, keep: Keep) -> Found:
    """Their images/s over those of one seed."""
    number, batch, most = (2, 4, 2) if tiny else (LANES, BATCH, STEPS[network])
    o, shape, _ = NETWORKS[network]
    if tiny:
        o, shape = replace(o, encoder=MlpEncoder(widths=(4,)), projector=SMALL, data=PLAIN), (16, 8, shape[2])
    data, what = images(shape)
    runs = (Run(batch=batch, epochs=1_000, seeds=tuple(range(n))) for n in (1, number))
    one, many = (Ready(replace(o, run=run), data) for run in runs)
    steps = min(most, one.session.plan.steps)
    contenders = {"one": lambda: one(steps), "together": lambda: many(max(2, steps // 4))}
    rounds = in_turn(contenders, ROUNDS, lambda: clock.has(10))
    rates = medians(rounds)
    return {
        "seeds": number,
        "batch": batch,
        "precision": o.run.precision,
        "images": what,
        "compile_seconds": {"one": one.compile_seconds, "together": many.compile_seconds},
        "images_per_second": rates,
        "all_rounds": rounds,
        "times": rates["together"] / rates["one"],
        "goal_times": GOAL,
    }
