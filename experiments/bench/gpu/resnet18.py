"""BYOL's images a second with ResNet-18 on CIFAR's shapes in bfloat16, beside the loop a user of PyTorch writes."""

from dataclasses import replace
from functools import partial

import jax

from experiments.bench.gpu.images import images
from experiments.bench.gpu.peak import product_rate
from experiments.bench.gpu.record import Clock, Found, Keep, Row
from experiments.bench.ready import Ready, in_turn, medians
from experiments.bench.torch_process import Torch
from experiments.bench.training import NETWORKS
from experiments.trainer.choices import ConvEncoder
from experiments.trainer.options import Data, Projector, Run

GOALS = {"goal_images_per_second": 30_000, "goal_times_torch": 2}
TORCH = {"torch": [], "torch, compiled": ["--compile"]}
BATCH, IMAGES = 512, 25_600  # images of a round: about a second
ROUNDS = 5
SMALL, PLAIN = Projector(widths=(8, 4)), Data(augment="none")
A_ROUND = 6.0  # seconds that a round of all contenders may take


def rows(tiny: bool, python: str) -> list[Row]:
    """One row, which is kept after each contender."""
    return [Row("resnet18: BYOL beside PyTorch", 0, 60, partial(beside, tiny, python))]


def beside(tiny: bool, python: str, clock: Clock, keep: Keep) -> Found:
    """Ours alone first, for it is what counts; then in turn with each way of PyTorch that is ready in time.

    The PyTorch processes make themselves ready while this one compiles.
    """
    batch, steps, warmup = (4, 2, 1) if tiny else (BATCH, IMAGES // BATCH, 10)
    device = jax.default_backend().replace("gpu", "cuda")
    network = "mlp" if tiny else "resnet18"
    theirs = {
        name: Torch(python, network, "device", batch=batch, steps=steps, warmup=warmup, device=device, how=how)
        for name, how in TORCH.items() if not (tiny and how)
    }  # fmt: skip
    try:
        return _beside(tiny, batch, steps, theirs, clock, keep)
    finally:
        for one in theirs.values():
            one.close()


def _beside(tiny: bool, batch: int, steps: int, theirs: dict[str, Torch], clock: Clock, keep: Keep) -> Found:
    o, shape, _ = NETWORKS["conv" if tiny else "resnet18"]
    if tiny:
        o, shape = replace(o, encoder=ConvEncoder(widths=(4, 8)), projector=SMALL, data=PLAIN), (16, 8, 3)
    data, what = images(shape)
    ours = Ready(replace(o, run=Run(batch=batch, precision="bfloat16", epochs=1_000)), data)
    ours(min(steps, 10))  # warm
    peak = product_rate("bfloat16", tiny=tiny)
    found: Found = GOALS | {
        "batch": batch,
        "steps": steps,
        "precision": "bfloat16, parameters and sums in float32",
        "images": what,
        "compile_seconds": ours.compile_seconds,
        "operations_per_image": ours.operations(),
        "peak_operations_per_second": peak,
    }
    contenders = {"linbyol": lambda: ours(steps)}
    keep(found := found | _rates(contenders, found, clock))
    torch: Found = {}
    for name, one in theirs.items():
        if one.ready(clock.left() - len(contenders) * A_ROUND):
            contenders[name] = one
            found |= _rates(contenders, found, clock)
        torch[name] = one.about or {"skipped": clock.skipped()}
        keep(found := found | {"torch": torch})
    memory = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return found | {"peak_bytes": memory}


def _rates(contenders: Found, found: Found, clock: Clock) -> Found:
    """Medians of rounds in turn, and what the goals ask for."""
    rounds = in_turn(contenders, ROUNDS, lambda: clock.has(A_ROUND))
    rates = medians(rounds)
    best = max((rate for name, rate in rates.items() if name != "linbyol"), default=None)
    return {
        "images_per_second": rates,
        "all_rounds": rounds,
        "of_peak": rates["linbyol"] * found["operations_per_image"] / found["peak_operations_per_second"],
        "times_torch": rates["linbyol"] / best if best else None,
    }
