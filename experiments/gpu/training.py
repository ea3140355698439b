"""What the trainer gives on a GPU, as JSON: speed beside PyTorch, lanes, DirectPred on CIFAR-10, and what must agree.

    python -m experiments.gpu.training speed --out /tmp/results        # README.md has the order, call by call
    python -m experiments.gpu.training lanes --tiny --out /tmp/tiny    # the same code on a CPU, small

Each sub-command writes OUT/training-COMMAND.json after each row and prints it at the end. Run again it keeps the rows
that are there and makes those that are missing or failed; after --minutes no row is begun, and a training of
`directpred` is interrupted there, to be gone on with. It needs jax, numpy, scipy, optax, equinox, diffrax, jaxtyping,
rich, pillow and scikit-learn; without torch the PyTorch loop is skipped with its reason.
"""

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from experiments.gpu import rows
from experiments.networks.memory import keep_memory
from linbyol import claims
from linbyol.store import to_json, write_json

GOALS = {
    "speed": "30,000 images/s of ResNet-18 BYOL on an H100, and twice the PyTorch loop on the device",
    "lanes": "16 seeds of the small conv net at 8 times the images/s of one after another",
    "directpred": "a linear probe, by the paper's protocol, of 85.2 % (published: 85.21 ± 0.23)",
    "checks": "`ok` in each row",
    "gradients": "the fastest way of a kernel's gradient over two views",
    "profile": "where a step's time goes",
}


def main() -> None:
    """The command line; see the head of the file."""
    a = settings()
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")  # PyTorch's processes share the card
    keep_memory()
    if jax.default_backend() == "cpu" and not a.tiny:
        print("There is no accelerator here; --tiny runs the same code on a CPU.", file=sys.stderr)
        sys.exit(2)
    if a.cache:  # a second call on the same machine compiles nothing
        compilation_cache.set_cache_dir(str(a.cache))
    print(to_json(measured(a.command, rows.COMMANDS[a.command](a), a)))


def settings(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    ask = argparse.ArgumentParser(prog="python -m experiments.gpu.training", description=__doc__.splitlines()[0])
    ask.add_argument("command", choices=tuple(GOALS))
    ask.add_argument("--out", type=Path, required=True, help="folder of the JSON files, and of runs")
    ask.add_argument("--minutes", type=float, default=6.0, help="after which no row is begun")
    ask.add_argument("--batch", type=int, nargs="+", default=[128, 512, 1024, 256])
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="of directpred")
    ask.add_argument("--together", action="store_true", help="directpred: the seeds as lanes of one program")
    ask.add_argument("--data", type=Path, help="folder in which cifar10/ lies (default: LINBYOL_DATA_DIR)")
    ask.add_argument("--torch-python", default=sys.executable, help="a Python that has torch")
    ask.add_argument("--no-torch", action="store_true", help="ours alone")
    ask.add_argument("--cache", type=Path, help="folder of compiled programs")
    ask.add_argument("--tiny", action="store_true", help="small networks, made-up images, two steps: tests this script")
    a = ask.parse_args(argv)
    if a.minutes <= 0 or a.rounds < 1 or min(a.batch) < 2:
        ask.error("--minutes must be positive, --rounds at least 1, --batch at least 2")
    return a


def measured(
    command: str, tasks: list[tuple[str, Callable[[float], dict[str, Any]]]], a: argparse.Namespace
) -> dict[str, Any]:
    """Do the tasks that have no row yet, while there is time; the record, written after each.

    A task is given the moment, of `time.monotonic`, at which it should end. One that fails has a row that says so.
    """
    a.out.mkdir(parents=True, exist_ok=True)
    path, until = a.out / f"training-{command}.json", time.monotonic() + 60 * a.minutes
    found = {row["name"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    environment = claims.environment()
    for name, task in tasks:
        if found.get(name, {}).get("status") == "done":
            continue
        if time.monotonic() > until:
            found[name] = {"name": name, "status": "no time was left"} | found.get(name, {})
            continue
        began = time.perf_counter()
        try:
            row = {"status": "done"} | task(until)
        except Exception as error:  # noqa: BLE001 - whatever fails on this card is a result
            traceback.print_exc()
            row = {"status": "failed", "why": f"{type(error).__name__}: {error}"[:500]}
        row = {"name": name} | row | {"seconds": time.perf_counter() - began, "device": environment["device"]}
        found[name] = row
        write_json(path, record(command, found, a, environment))
        print(f"{name}: {row['status']}, {row['seconds']:.0f} s", file=sys.stderr, flush=True)
    whole = record(command, found, a, environment)
    write_json(path, whole)
    return whole


def record(
    command: str, found: dict[str, dict[str, Any]], a: argparse.Namespace, environment: dict[str, Any]
) -> dict[str, Any]:
    """The content of the file."""
    summary = rows.SUMMARIES.get(command, lambda rows: {})([row for row in found.values() if row["status"] == "done"])
    about = {"command": command, "goal": GOALS[command], "tiny": a.tiny} | summary
    return about | {"rows": list(found.values()), "environment": environment}


if __name__ == "__main__":
    main()
