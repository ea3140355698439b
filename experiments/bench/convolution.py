"""The measurement that chose the convolution: ways, ways of calling, and PyTorch, interleaved in one run.

    python -m experiments.bench.convolution --torch /path/to/a/python/with/torch

Two tables as JSON: single layers (each way's three maps), and training steps of whole networks (forward, backward,
plain gradient descent), one step a call or several in a `fori_loop`. Each round runs every contender once, and the
fastest round counts, by the wall and by the processor's time.
Without `--torch` PyTorch is left out, and the JSON says so.
"""

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import tyro

from experiments.networks import ENCODERS, join, split
from experiments.networks.memory import keep_memory
from experiments.networks.ways import WAYS

LAYERS = (  # batch, pixels along a side, channels in, channels out
    (128, 32, 3, 32),
    (128, 16, 32, 64),
    (128, 8, 64, 128),
    (32, 32, 64, 64),
    (32, 16, 128, 128),
    (32, 8, 256, 256),
    (32, 4, 512, 512),
)
Run = Callable[[], tuple[float, float]]  # seconds of the wall, and of the processor


def timed(f: Callable[[], Any]) -> Run:
    """f, run to its end, with its times."""

    def run() -> tuple[float, float]:
        wall, processor = time.perf_counter(), time.process_time()
        jax.block_until_ready(f())
        return time.perf_counter() - wall, time.process_time() - processor

    return run


def interleaved(runs: dict[str, Run], rounds: int) -> dict[str, tuple[float, float]]:
    """The least of each time over the rounds, after one that does not count."""
    for run in runs.values():
        run()
    found = [{name: run() for name, run in runs.items()} for _ in range(rounds)]
    return {name: tuple(min(times[name][i] for times in found) for i in range(2)) for name in runs}


def layer(b: int, size: int, c: int, o: int, rounds: int) -> list[dict[str, Any]]:
    """Every way's three maps for one 3×3 layer."""
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = (b, size, size, c), (3, 3, c, o), (b, size, size, o)
    x, kernel, g = (jax.random.normal(key, shape, jnp.float32) for key, shape in zip(keys, shapes, strict=True))
    runs = {}
    for name, way in WAYS.items():
        steps = {
            "forward": (lambda x, k, way=way: way.forward(x, k, 1, 1), x, kernel),
            "to_input": (lambda g, k, way=way: way.to_input(g, k, 1, 1, x.shape), g, kernel),
            "to_kernel": (lambda x, g, way=way: way.to_kernel(x, g, 1, 1, kernel.shape), x, g),
        }
        for step, (f, *args) in steps.items():
            runs[f"{name} {step}"] = timed(functools.partial(jax.jit(f), *args))
    flops = 2 * 9 * b * size * size * c * o
    return [
        {"layer": [b, size, c, o], "way": name.split()[0], "map": name.split()[1], "wall": wall, "processor": cpu}
        | {"gflops_per_core": flops / cpu / 1e9}
        for name, (wall, cpu) in interleaved(runs, rounds).items()
    ]


def training(network: str, batch: int, steps: int, how: str, call: str) -> Run:
    """`steps` steps of gradient descent on mean h²: one a call, or a `fori_loop`."""
    key = jax.random.key(0)
    parameters, statistics = split(ENCODERS[network](key, (32, 32, 3), how=how))
    x = jax.random.normal(key, (batch, 32, 32, 3), jnp.float32)

    def step(state: Any, x: Any) -> Any:
        def loss(parameters: Any) -> Any:
            h, net = join(parameters, state[1])(x, True)
            return jnp.mean(jnp.square(h)), split(net)[1]

        slope, statistics = jax.grad(loss, has_aux=True)(state[0])
        return jax.tree.map(lambda p, g: p - 0.01 * g, state[0], slope), statistics

    several = lambda state, x: jax.lax.fori_loop(0, steps, lambda _, state: step(state, x), state)  # noqa: E731
    advance, calls = {"step": (step, steps), "loop": (several, 1)}[call]
    advance, kept = jax.jit(advance, donate_argnums=0), [(parameters, statistics)]

    def run() -> Any:
        for _ in range(calls):
            kept[0] = advance(kept[0], x)
        return kept[0]

    return timed(run)


class Torch:
    """A PyTorch process that trains the same network when asked."""

    def __init__(self, python: str, network: str, batch: int, steps: int, layout: str, threads: int) -> None:
        script = Path(__file__).with_name("convolution_torch.py")
        command = [python, str(script), network, str(batch), str(steps), layout, str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self._line()

    def __call__(self) -> tuple[float, float]:
        print(flush=True, file=self.process.stdin)
        wall, processor = self._line().split()
        return float(wall), float(processor)

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"PyTorch's process ended with exit code {self.process.wait()}.")
        return line

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def compare(
    network: str, batch: int, steps: int, hows: tuple[str, ...], torch: str, threads: int, rounds: int
) -> dict[str, Any]:
    """Images a second of every way and way of calling, and their ratio to PyTorch's best layout."""
    runs: dict[str, Run] = {
        f"{how} {call}": training(network, batch, steps, how, call) for how in hows for call in ("step", "loop")
        if (how, call) != ("lax", "loop")  # minutes
    }  # fmt: skip
    theirs = [Torch(torch, network, batch, steps, layout, threads) for layout in ("nchw", "nhwc")] if torch else []
    runs |= {f"torch {layout}": run for layout, run in zip(("nchw", "nhwc"), theirs, strict=False)}
    found = interleaved(runs, rounds)
    for process in theirs:
        process.close()
    number = batch * steps
    rows = {name: {"images_per_s": number / w, "images_per_core_s": number / c} for name, (w, c) in found.items()}
    for unit in ("images_per_s", "images_per_core_s") if theirs else ():
        best = max(row[unit] for name, row in rows.items() if name.startswith("torch"))
        for row in rows.values():
            row[f"{unit}_to_torch"] = row[unit] / best
    return {"network": network, "batch": batch, "steps": steps, "rows": rows, "torch": [t.version for t in theirs][:1]}


def main(
    torch: str = "",
    networks: tuple[str, ...] = ("conv", "resnet18"),
    batches: tuple[int, ...] = (128, 32),
    steps: int = 2,
    hows: tuple[str, ...] = ("auto", "canonical", "patches"),
    threads: int = 2,
    rounds: int = 5,
    layers: bool = True,
    keep: bool = True,
    out: Path | None = None,
) -> None:
    """Measure and print JSON. `torch` is a Python that has it, `keep` keeps freed memory in the process."""
    kept = keep_memory() if keep else False
    result = {
        "environment": {
            "jax": jax.__version__,
            "backend": jax.default_backend(),
            "memory_kept": kept,
            "threads": threads,
        },
        "torch": "measured" if torch else "left out: no Python with torch was given",
        "layers": [row for shape in LAYERS for row in layer(*shape, rounds)] if layers else [],
        "networks": [
            compare(network, batch, steps, hows, torch, threads, rounds)
            for network, batch in zip(networks, batches, strict=True)
        ],
    }
    text = json.dumps(result, indent=1)
    if out is None:
        sys.stdout.write(text + "\n")
    else:
        out.write_text(text + "\n")


if __name__ == "__main__":
    tyro.cli(main)
