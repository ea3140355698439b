"""The rows of `experiments.gpu.training`: for each sub-command the tasks that make them, and what they come to."""

import os
import signal
import statistics
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from experiments.bench.training import NETWORKS, Torch
from experiments.gpu import gradients
from experiments.gpu.checks import checks
from experiments.gpu.ready import Ready, in_turn, made_up, medians, of_peak, resnet18_operations
from experiments.presets import preset
from experiments.runs.folder import read_record
from experiments.trainer.options import Options
from experiments.trainer.runner import Ran, run

Task = tuple[str, Callable[[float], dict[str, Any]]]

DIRECT = {"rule": "direct", "form": "code", "floor": 1e-4}
RULES = {"byol": {}, "directpred": DIRECT, "directpred, freq 5": DIRECT | {"freq": 5}}
TORCH = {"torch": [], "torch, compiled": ["--compile"]}
IMAGES = 25_600  # a round of `speed`: about a second
LANES = {"conv": (16, 100), "mlp": (16, 1_000), "resnet18": (4, 40)}  # seeds, steps of one seed a round


def training(network: str, tiny: bool) -> tuple[Options, tuple[int, int, int]]:
    """Options and made-up images of a network, or of a smaller one of its kind."""
    o, shape, _ = NETWORKS["conv" if tiny and network == "resnet18" else network]  # which takes a minute to compile
    return (replace(o, widths=(4, 8), projector=(8, 4)), (16, 8, shape[2])) if tiny else (o, shape)


def speed(a: Namespace) -> list[Task]:
    """ResNet-18 on CIFAR's shapes in bfloat16: BYOL, DirectPred and PyTorch in turn, a row for each batch."""
    return [(f"batch {n}", lambda until, n=n: at_batch(n, a)) for n in ([4] if a.tiny else a.batch)]


def at_batch(batch: int, a: Namespace) -> dict[str, Any]:
    """One row of `speed`."""
    o, shape = training("resnet18", a.tiny)
    o = replace(o, batch=batch, precision="bfloat16", epochs=1_000)
    steps = 2 if a.tiny else max(4, IMAGES // batch)
    data = made_up(*shape)
    ours = {name: Ready(replace(o, **rule), data) for name, rule in RULES.items()}
    device = jax.default_backend().replace("gpu", "cuda")
    network = "mlp" if a.tiny else "resnet18"
    theirs = {} if a.no_torch else {
        name: Torch(a.torch_python, network, "device", batch=batch, steps=steps, device=device, how=how)
        for name, how in TORCH.items() if not (a.tiny and how)
    }  # fmt: skip
    here = {name: t for name, t in theirs.items() if "skipped" not in t.about}
    contenders = {name: lambda one=one: one(steps) for name, one in ours.items()} | here
    found = in_turn(contenders, 2 if a.tiny else a.rounds)
    for one in theirs.values():
        one.close()
    rates = medians(found)
    operations, by_xla = resnet18_operations(shape[1], o.widths[0]), ours["byol"].operations()
    return {
        "batch": batch,
        "steps": steps,
        "images_per_second": rates,
        "times_torch": rates["byol"] / max((rates[name] for name in here), default=float("nan")),
        "eigh_milliseconds": {name: 1e3 * batch * (1 / rates[name] - 1 / rates["byol"]) for name in RULES},
        "operations_per_image": operations,
        "operations_per_image_xla": by_xla,
        "of_peak": of_peak(rates["byol"] * operations),
        "of_peak_xla": of_peak(rates["byol"] * by_xla),
        "peak_bytes": (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use"),
        "compile_seconds": {name: one.compile_seconds for name, one in ours.items()},
        "all_rounds": found,
        "torch": {name: t.about for name, t in theirs.items()},
    }


def lanes(a: Namespace) -> list[Task]:
    """Several seeds as lanes of one program against one seed."""
    names = ("mlp",) if a.tiny else tuple(LANES)
    return [(f"{n}, {LANES[n][0]} seeds", lambda until, n=n: side_by_side(n, a)) for n in names]


def side_by_side(network: str, a: Namespace) -> dict[str, Any]:
    """Images/s of all lanes together over those of one seed after another."""
    number, steps = (2, 2) if a.tiny else LANES[network]
    o, shape = training(network, a.tiny)
    o = replace(o, batch=4 if a.tiny else 128, precision="bfloat16" if network == "resnet18" else "float32")
    one, many = (Ready(replace(o, epochs=1_000, seeds=tuple(range(n))), made_up(*shape)) for n in (1, number))
    steps = min(steps, one.session.plan.steps)  # an epoch at most
    contenders = {"one": lambda: one(steps), "together": lambda: many(max(2, steps // 4))}
    found = in_turn(contenders, 2 if a.tiny else a.rounds)
    rates = medians(found)
    compiling = {"one": one.compile_seconds, "together": many.compile_seconds}
    about = {"seeds": number, "batch": o.batch, "precision": o.precision, "compile_seconds": compiling}
    return about | {"images_per_second": rates, "times": rates["together"] / rates["one"], "all_rounds": found}


def directpred(a: Namespace) -> list[Task]:
    """The preset, a row for each seed, or one for all as lanes; a row that was interrupted goes on in the next call."""
    groups = [tuple(a.seeds)] if a.together else [(seed,) for seed in a.seeds]
    return [(f"seeds {group}" if a.together else f"seed {group[0]}", lambda until, g=group: trained(g, until, a))
            for group in groups]  # fmt: skip


def trained(seeds: tuple[int, ...], until: float, a: Namespace) -> dict[str, Any]:
    """Train until the moment given; status, accuracies, and the seconds of all calls together."""
    name, o = preset("cifar10-resnet18-directpred")
    o = replace(o, seeds=seeds, save=3_900)  # every ten epochs: a checkpoint has 130 MB
    if a.tiny:
        small = {"data": "digits", "first": 64, "augment": "digits-shift", "encoder": "mlp", "widths": (8,)}
        o = replace(o, **small, projector=(4,), batch=16, epochs=2, save=1, evaluate=0, final=("linear_paper",))
    ran = stopped_at(until, lambda: run(name, o, a.out / "runs", data=a.data, argv=["experiments.gpu.training"]))
    about = read_record(ran.path / "run.json")
    facts = ("step", "steps", "images_per_second", "compile_seconds", "results")
    return {"status": ran.outcome.status, "alarms": ran.alarms, "wall_seconds": about["seconds"]} | {
        name: about[name] for name in facts if name in about
    }


def stopped_at(until: float, train: Callable[[], Ran]) -> Ran:
    """A run that is told at that moment to save and end, as by SIGUSR1; later the signal does nothing."""
    before, ended = signal.signal(signal.SIGUSR1, lambda number, frame: None), threading.Event()

    def tell() -> None:  # again and again: before the run listens the signal is lost
        ended.wait(max(0.0, until - time.monotonic()))
        while not ended.wait(0.2):
            os.kill(os.getpid(), signal.SIGUSR1)

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        return train()
    finally:
        ended.set()
        teller.join()
        signal.signal(signal.SIGUSR1, before)


def accuracies(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over all seeds that are done, of each probe."""
    found = [result for row in rows for result in row["results"]]
    values = {name: [r[name] for r in found if name in r] for name in ("linear_paper", "linear_strict", "knn", "ridge")}
    deviation = lambda x: statistics.stdev(x) if len(x) > 1 else None  # noqa: E731
    spread = lambda x: {"mean": statistics.mean(x), "std": deviation(x), "seeds": len(x)}  # noqa: E731
    return {"accuracies": {name: spread(x) for name, x in values.items() if x}}


def agreed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether all that was checked agrees."""
    return {"ok": bool(rows) and all(row["ok"] for row in rows)}


def profile(a: Namespace) -> list[Task]:
    """The operations that take the most of the device's time, of BYOL with ResNet-18."""
    return [(f"batch {n}", lambda until, n=n: kernels(n, a.tiny)) for n in ([4] if a.tiny else a.batch[:2])]


def kernels(batch: int, tiny: bool, most: int = 30) -> dict[str, Any]:
    """Milliseconds a step of each, the largest first."""
    o, shape = training("resnet18", tiny)
    ready = Ready(replace(o, batch=batch, precision="bfloat16", epochs=1_000), made_up(*shape))
    steps = 2 if tiny else 10
    ready(steps)
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            seconds = ready.seconds(steps)
        (path,) = Path(folder).rglob("*.xplane.pb")
        data = jax.profiler.ProfileData.from_file(str(path))
        total: dict[str, float] = {}
        on_device = jax.default_backend() == "gpu"
        for plane in data.planes:
            for line in plane.lines:
                if not on_device or (plane.name.startswith("/device:GPU") and line.name.startswith("Stream")):
                    for event in line.events:
                        total[event.name] = total.get(event.name, 0.0) + event.duration_ns / 1e6 / steps
    largest = dict(sorted(total.items(), key=lambda item: -item[1])[:most])
    return {"batch": batch, "milliseconds_a_step": 1e3 * seconds / steps, "total": sum(total.values()), "by": largest}


def kernel_gradients(a: Namespace) -> list[Task]:
    """A row for each stage of ResNet-18 and batch."""
    stages, batches = (gradients.TINY, [2]) if a.tiny else (gradients.SHAPES, [128, 1024])
    return [
        (f"{stage}, batch {n}", lambda until, s=stage, n=n: gradients.measure(s, n, tiny=a.tiny))
        for n in batches for stage in stages
    ]  # fmt: skip


COMMANDS: dict[str, Callable[[Namespace], list[Task]]] = {
    "speed": speed,
    "lanes": lanes,
    "directpred": directpred,
    "checks": lambda a: [(name, lambda until, check=check: check()) for name, check in checks(a.tiny).items()],
    "gradients": kernel_gradients,
    "profile": profile,
}
SUMMARIES: dict[str, Callable[[list[dict[str, Any]]], dict[str, Any]]] = {"directpred": accuracies, "checks": agreed}
