"""The trainer's speed beside a plain PyTorch loop of the same network, batch, views and precision, taken in turn.

    python -m experiments.bench.training --torch-python PYTHON_WITH_TORCH --out training.json

BYOL with a linear predictor (projector 512, 128; SGD with momentum; cosine loss both ways). Images are counted, not
views, after compilation and warm-up, which are stated. PyTorch is measured in processes of its own
(`experiments.bench.torch_loop`), round after round between ours, and skipped with a reason where it is absent.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.datasets import Dataset, Split
from experiments.networks.memory import keep_memory
from experiments.trainer.options import Options
from experiments.trainer.session import Session, prepare
from experiments.trainer.state import State
from experiments.trainer.steps import advance, orders_of
from linbyol import claims
from linbyol.ensemble.workers import cores
from linbyol.store import to_json, write_json

ROOT = Path(__file__).parent.parent.parent
BYOL = Options(
    method="byol", predictor="linear", projector=(512, 128), lr=0.03, eta=4e-4, gamma_a=0.996, target="independent"
)
NETWORKS = {  # options, images (number, side, channels), steps a round on a CPU
    "mlp": (replace(BYOL, encoder="mlp", widths=(256, 256), augment="digits-shift"), (1_797, 8, 1), 100),
    "digits": (
        replace(BYOL, encoder="mlp", widths=(256, 32), projector=(128, 32), augment="digits-shift"),
        (1_797, 8, 1),
        500,
    ),
    "conv": (replace(BYOL, encoder="conv", widths=(32, 64, 128), augment="cifar-byol"), (50_000, 32, 3), 4),
    "resnet18": (replace(BYOL, encoder="resnet18", widths=(64,), augment="cifar-byol"), (50_000, 32, 3), 1),
}
WARMUP = 6  # steps at least, of each: a GB of working memory is new pages at first
LAYOUTS = ("nchw", "nhwc")


class Ours:
    """This trainer, ready to make so many steps and say how many images a second it had."""

    def __init__(self, network: str, *, batch: int, seeds: int = 1, precision: str = "float32") -> None:
        o, (number, side, channels), _ = NETWORKS[network]
        o = replace(o, batch=batch, seeds=tuple(range(seeds)), precision=precision, epochs=1_000)
        rng = np.random.default_rng(0)
        part = Split(
            rng.integers(0, 256, (number, side, side, channels), np.uint8), np.arange(number, dtype=np.int32) % 10
        )
        few = Split(part.images[:10], part.labels[:10])
        self.session: Session = prepare(o, Dataset("made up", part, few, tuple("0123456789")), jax.devices()[:1])
        self.state: State = self.session.start()
        self.orders = orders_of(self.session.plan, self.session.seeds, number, np.int32(0))
        self.done = 0
        self.compile_seconds = self._steps(1)

    def __call__(self, steps: int) -> float:
        """Images a second over `steps` steps, of all lanes."""
        plan = self.session.plan
        return steps * plan.o.batch * plan.lanes / self._steps(steps)

    def _steps(self, steps: int) -> float:
        plan, s = self.session.plan, self.session
        start = self.done % plan.steps if self.done % plan.steps + steps <= plan.steps else 0
        began = time.perf_counter()
        numbers = np.int32(start), np.int32(steps)
        self.state = jax.block_until_ready(advance(plan, s.data, self.state, self.orders, s.scalars, s.seeds, *numbers))
        self.done = start + steps
        return time.perf_counter() - began

    def operations(self) -> float:
        """Floating-point operations of a step on an image, as XLA counts them; eigh is not seen."""
        plan, s = self.session.plan, self.session
        numbers = np.int32(0), np.int32(1)
        cost = advance.lower(plan, s.data, self.state, self.orders, s.scalars, s.seeds, *numbers).cost_analysis()
        cost = cost[0] if isinstance(cost, list) else cost
        return float((cost or {}).get("flops", np.nan)) / (plan.o.batch * plan.lanes)


class Torch:
    """The PyTorch loop in a process of its own, asked for one measurement at a time."""

    def __init__(
        self,
        python: str,
        network: str,
        path: str,
        *,
        batch: int,
        steps: int,
        device: str,
        how: list[str],
        warmup: int = WARMUP,
    ) -> None:
        words = ["-m", "experiments.bench.torch_loop", "--serve", "--network", network, "--path", path]
        words += ["--batch", str(batch), "--steps", str(steps), "--warmup", str(warmup), "--device", device, *how]
        environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, *words], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        line = self.process.stdout.readline()
        self.about = json.loads(line) if line else {"skipped": "the process of PyTorch ended at once"}

    def __call__(self) -> float:
        """Images a second."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["images_per_second"]

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait(60)


def compare(
    network: str, python: str, *, batch: int, rounds: int, steps: int, device: str = "cpu", precision: str = "float32",
    ways: dict[str, tuple[str, list[str]]] | None = None, show: Callable[[str], None] = print,
) -> dict[str, Any]:  # fmt: skip
    """One network: ours and each way of PyTorch, in turn; medians, and our images/s over the fastest of each path."""
    ours = Ours(network, batch=batch, precision=precision)
    warmup = max(WARMUP, steps // 2)
    ours(warmup)
    ways = ways or {f"device {layout}": ("device", ["--layout", layout]) for layout in LAYOUTS} | {
        "loader": ("loader", [])
    }
    theirs = {
        name: Torch(python, network, path, batch=batch, steps=steps, warmup=warmup, device=device, how=how)
        for name, (path, how) in ways.items()
    }
    rates: dict[str, list[float]] = {"linbyol": []} | {
        name: [] for name, t in theirs.items() if "skipped" not in t.about
    }
    for i in range(rounds):
        rates["linbyol"].append(ours(steps))
        for name in rates:
            if name != "linbyol":
                rates[name].append(theirs[name]())
        show(f"{network} round {i + 1}: " + ", ".join(f"{name} {values[-1]:,.0f}" for name, values in rates.items()))
    for one in theirs.values():
        one.close()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratio = lambda path: max(  # noqa: E731
        (value for name, value in medians.items() if name.startswith(path)), default=float("nan")
    )
    return {
        "network": network,
        "batch": batch,
        "steps": steps,
        "warmup_steps": warmup,
        "precision": precision,
        "compile_seconds": ours.compile_seconds,
        "operations_per_image": ours.operations(),
        "images_per_second": medians,
        "all_rounds": rates,
        "times_device_loop": medians["linbyol"] / ratio("device"),
        "times_data_loader": medians["linbyol"] / ratio("loader"),
        "torch": {name: t.about for name, t in theirs.items()},
    }


def lanes(
    network: str, *, batch: int, number: int, steps: int, rounds: int, precision: str = "float32"
) -> dict[str, Any]:
    """Several seeds as lanes of one program against one seed: images/s of all lanes over images/s of one."""
    one, many = (Ours(network, batch=batch, seeds=n, precision=precision) for n in (1, number))
    rates = [(one(steps), many(max(1, steps // number))) for _ in range(rounds)]
    alone, together = (statistics.median(values) for values in zip(*rates, strict=True))
    return {
        "network": network,
        "batch": batch,
        "lanes": number,
        "precision": precision,
        "one_after_another": alone,
        "together": together,
        "times": together / alone,
    }


def main() -> None:
    """The command line; see the head of the file."""
    ask = argparse.ArgumentParser(prog="python -m experiments.bench.training", description=__doc__.splitlines()[0])
    ask.add_argument("--torch-python", default=sys.executable, help="a Python that has torch, Pillow and numpy")
    ask.add_argument("--network", nargs="+", choices=tuple(NETWORKS), default=list(NETWORKS))
    ask.add_argument("--batch", type=int, default=128)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--lanes", type=int, default=8, help="seeds that train together, 0 for none")
    ask.add_argument("--out", type=Path, help="JSON file to write")
    a = ask.parse_args()
    keep_memory()
    rows = []
    for network in a.network:
        steps = NETWORKS[network][2]
        rows.append(compare(network, a.torch_python, batch=a.batch, rounds=a.rounds, steps=steps))
        print(f"{network}: {rows[-1]['times_device_loop']:.2f} times the device loop", flush=True)
    several = [lanes("mlp", batch=a.batch, number=a.lanes, steps=200, rounds=a.rounds)] if a.lanes else []
    record = {"training": rows, "lanes": several, "environment": claims.environment() | {"cores": cores()}}
    if a.out:
        write_json(a.out, record)
    print(to_json(record))


if __name__ == "__main__":
    main()
