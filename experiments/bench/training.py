"""The trainer's speed beside a plain PyTorch loop of the same network, batch, views and precision, taken in turn.

    python -m experiments.bench.training --torch-python PYTHON_WITH_TORCH --out training.json

BYOL with a linear predictor (projector 512, 128; SGD with momentum; cosine loss both ways). Images are counted, not
views, after compilation and warm-up, which are stated. PyTorch is measured in processes of its own
(`experiments.bench.torch_loop`), round after round between ours, and skipped with a reason where it is absent.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from experiments.bench.ready import Ready, in_turn, made_up, medians
from experiments.bench.torch_process import Torch
from experiments.networks.memory import keep_memory
from experiments.trainer.choices import Byol, ConvEncoder, MlpEncoder, Resnet18, Target
from experiments.trainer.options import Data, Options, Projector, Run
from linbyol import claims
from linbyol.machine import cores
from linbyol.store import to_json, write_json

BYOL = Options(method=Byol(target=Target(start="independent")))
SHIFTED, PHOTOS = Data(augment="digits-shift"), Data(augment="cifar-byol")
NETWORKS = {  # options, images (number, side, channels), steps a round on a CPU
    "mlp": (replace(BYOL, encoder=MlpEncoder(widths=(256, 256)), data=SHIFTED), (1_797, 8, 1), 100),
    "digits": (
        replace(BYOL, encoder=MlpEncoder(widths=(256, 32)), projector=Projector(widths=(128, 32)), data=SHIFTED),
        (1_797, 8, 1),
        500,
    ),
    "conv": (replace(BYOL, encoder=ConvEncoder(widths=(32, 64, 128)), data=PHOTOS), (50_000, 32, 3), 4),
    "resnet18": (replace(BYOL, encoder=Resnet18(width=64), data=PHOTOS), (50_000, 32, 3), 1),
}
WARMUP = 6  # steps at least, of each: a GB of working memory is new pages at first
LAYOUTS = ("nchw", "nhwc")


def compare(
    network: str, python: str, *, batch: int, rounds: int, steps: int, device: str = "cpu", precision: str = "float32",
    ways: dict[str, tuple[str, list[str]]] | None = None, show: Callable[[str], None] = print,
) -> dict[str, Any]:  # fmt: skip
    """One network: ours and each way of PyTorch, in turn; medians, and our images/s over the fastest of each path."""
    ours = made_ready(network, batch=batch, precision=precision)
    warmup = max(WARMUP, steps // 2)
    ours(warmup)
    ways = ways or {f"device {layout}": ("device", ["--layout", layout]) for layout in LAYOUTS} | {
        "loader": ("loader", [])
    }
    theirs = {
        name: Torch(python, network, path, batch=batch, steps=steps, warmup=warmup, device=device, how=how)
        for name, (path, how) in ways.items()
    }
    found = in_turn({"linbyol": lambda: ours(steps)} | {n: t for n, t in theirs.items() if t.ready()}, rounds)
    for values in zip(*found.values(), strict=True):
        show(f"{network}: " + ", ".join(f"{name} {x:,.0f}" for name, x in zip(found, values, strict=True)))
    for one in theirs.values():
        one.close()
    rates = medians(found)
    ratio = lambda path: max(  # noqa: E731
        (value for name, value in rates.items() if name.startswith(path)), default=float("nan")
    )
    return {
        "network": network,
        "batch": batch,
        "steps": steps,
        "warmup_steps": warmup,
        "precision": precision,
        "compile_seconds": ours.compile_seconds,
        "operations_per_image": ours.operations(),
        "images_per_second": rates,
        "all_rounds": found,
        "times_device_loop": rates["linbyol"] / ratio("device"),
        "times_data_loader": rates["linbyol"] / ratio("loader"),
        "torch": {name: t.about for name, t in theirs.items()},
    }


def lanes(
    network: str, *, batch: int, number: int, steps: int, rounds: int, precision: str = "float32"
) -> dict[str, Any]:
    """Several seeds as lanes of one program against one seed: images/s of all lanes over images/s of one."""
    one, many = (made_ready(network, batch=batch, seeds=n, precision=precision) for n in (1, number))
    rates = medians(
        in_turn({"one": lambda: one(steps), "together": lambda: many(max(1, steps // number))}, rounds),
    )
    return {
        "network": network,
        "batch": batch,
        "lanes": number,
        "precision": precision,
        "one_after_another": rates["one"],
        "together": rates["together"],
        "times": rates["together"] / rates["one"],
    }


def made_ready(network: str, *, batch: int, seeds: int = 1, precision: str = "float32") -> Ready:
    """This trainer on made-up images."""
    o, shape, _ = NETWORKS[network]
    run = Run(batch=batch, seeds=tuple(range(seeds)), precision=precision, epochs=1_000)
    return Ready(replace(o, run=run), made_up(*shape))


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
    machine = claims.environment() | {"cores": cores(), "date": date.today().isoformat()}
    record = {"training": rows, "lanes": several, "environment": machine}
    if a.out:
        write_json(a.out, record)
    print(to_json(record))


if __name__ == "__main__":
    main()
