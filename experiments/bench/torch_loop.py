"""What a user would write today: BYOL in a plain PyTorch loop, timed. A process of its own, by a Python that has torch.

    python -m experiments.bench.torch_loop --json --network conv --path device --batch 128 --steps 20

One contender is a network and a path of the data: "loader" as the released code has it (a data loader of two workers,
Pillow's transforms image by image), "device" with the bytes on the device and batched tensor augmentation. Float32 on a
CPU; bfloat16 autocast and channels last on a GPU. --serve measures again for each line that it reads, and answers with
a line of JSON, so that another program's times can be taken in between.
"""

import argparse
import copy
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

SETTINGS = {"lr": 0.03, "momentum": 0.9, "weight_decay": 4e-4}
GAMMA_A = 0.996
NETWORKS = {  # images (number, channels, side), recipe of the views, width of the features
    "conv": ((50_000, 3, 32), "cifar-byol", 128),
    "resnet18": ((50_000, 3, 32), "cifar-byol", 512),
    "mlp": ((1_797, 1, 8), "digits-shift", 256),
    "digits": ((1_797, 1, 8), "digits-shift", 32),  # as in the presets of the digits
}
WIDTHS = {"mlp": (256, 256), "digits": (256, 32)}  # of the encoder
HEADS = {"digits": (128, 32)}  # hidden and last width of the projector; the others' are 512, 128
PATHS = ("loader", "device")
PREDICTORS = ("linear", "mlp")


def throughput(
    network: str, path: str, *, batch: int, steps: int, device: str = "cpu", warmup: int = 3, **how: Any
) -> dict[str, Any]:
    """Images (not views) a second over `steps` steps, after `warmup` steps that are timed apart.

    `how` is that of `prepared`. Where torch or the device is absent the record says "skipped" and why.
    """
    record = {"network": network, "path": path, "batch": batch, "steps": steps, "device": device} | how
    if reason := missing(device, path):
        return record | {"skipped": reason}
    begun = time.perf_counter()
    train, more = prepared(network, path, batch=batch, device=device, **how)
    train(warmup)
    record |= more | {"warmup_seconds": time.perf_counter() - begun}
    return record | timed(train, batch, steps)


def timed(train: Callable[[int], float], batch: int, steps: int) -> dict[str, float]:
    """Train so many steps: images/s, seconds of the wall and of this process, and the last loss."""
    wall, processor = time.perf_counter(), time.process_time()
    loss = train(steps)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {"images_per_second": batch * steps / wall, "seconds": wall, "cpu_seconds": processor, "loss": loss}


def missing(device: str, path: str) -> str:
    """Why nothing can be measured here; empty if it can."""
    for package in ("torch", "PIL") if path == "loader" else ("torch",):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        return f"torch {torch.__version__} sees no CUDA device"
    return ""


def prepared(
    network: str,
    path: str,
    *,
    batch: int,
    device: str = "cpu",
    predictor: str = "linear",
    compiled: bool = False,
    channels_last: bool | None = None,
    threads: int | None = None,
    workers: int = 2,
    seed: int = 0,
) -> tuple[Callable[[int], float], dict[str, Any]]:
    """A function that trains so many steps and gives the last loss, and a record of what it is.

    channels_last: on a GPU unless told otherwise. threads: torch's own number unless given. compiled: torch.compile of
    both networks with the loss, and of each part of the tensor augmentation.
    """
    import torch

    from experiments.bench import torch_batches

    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
    on_gpu = device.startswith("cuda")
    torch.backends.cudnn.benchmark = on_gpu  # the fastest of its convolutions, as XLA's autotuning has it
    last = on_gpu if channels_last is None else channels_last
    layout = torch.channels_last if last else torch.contiguous_format
    compile = torch.compile if compiled else lambda f: f
    (number, channels, side), recipe, features = NETWORKS[network]
    bytes_ = np.random.default_rng(seed).integers(0, 256, (number, channels, side, side), np.uint8)

    online = (
        torch.nn.Sequential(encoder(network), projector(features, *HEADS.get(network, (512, 128))))
        .to(device, memory_format=layout)
        .train()
    )
    target = copy.deepcopy(online).requires_grad_(False)
    predict = heads(predictor, HEADS.get(network, (512, 128))[1]).to(device).train()
    parameters = [*online.parameters(), *predict.parameters()]
    optimiser = torch.optim.SGD(parameters, **SETTINGS, fused=on_gpu)
    pairs = torch_batches.PATHS[path](bytes_, recipe, batch, device, workers, compile)

    @compile
    def loss_of(first: Any, second: Any) -> Any:
        with torch.no_grad():
            z1, z2 = target(first), target(second)
        cosine = torch.nn.functional.cosine_similarity
        return (4 - 2 * cosine(predict(online(first)), z2) - 2 * cosine(predict(online(second)), z1)).mean()

    def train(steps: int) -> float:
        loss = torch.zeros(())
        for _ in range(steps):
            views = [x.contiguous(memory_format=layout) for x in next(pairs)]
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.bfloat16, enabled=on_gpu):
                loss = loss_of(*views)
            loss.backward()
            optimiser.step()
            with torch.no_grad():  # one kernel for all: a loop over parameters is slower on a GPU
                torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), 1 - GAMMA_A)
        return loss.item()  # waits for the device

    precision = "bfloat16 autocast" if on_gpu else "float32"
    return train, {"precision": precision, "channels_last": last, "predictor": predictor, "compiled": compiled} | build(
        device
    )


def build(device: str) -> dict[str, Any]:
    """Which torch this is, what it was built with, and where it runs."""
    import torch

    lines = [line.strip(" -\n") for line in torch.__config__.show().splitlines()]
    lines = [line for line in lines if line and not line.startswith("Build settings")]
    where = torch.cuda.get_device_name(device) if device.startswith("cuda") else torch.backends.cpu.get_cpu_capability()
    return {"torch": torch.__version__, "build": lines, "where": where, "threads": torch.get_num_threads()}


def encoder(network: str) -> Any:
    """As `experiments.networks.ENCODERS[network]`, layer for layer."""
    from torch import nn

    from experiments.bench import convolution_torch

    if network in WIDTHS:
        sizes = (64, *WIDTHS[network])
        blocks = [layer for n, d in pairwise(sizes) for layer in (nn.Linear(n, d), nn.BatchNorm1d(d), nn.ReLU())]
        return nn.Sequential(nn.Flatten(), *blocks)
    parts = {"conv": convolution_torch.conv, "resnet18": convolution_torch.resnet18}[network]()
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def projector(features: int, hidden: int = 512, d: int = 128) -> Any:
    """features → hidden, batch normalisation without scale and shift, ReLU, → d."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(features, hidden), nn.BatchNorm1d(hidden, affine=False), nn.ReLU(), nn.Linear(hidden, d)
    )


def heads(predictor: str, d: int = 128) -> Any:
    """The predictor: d → d without bias, or d → 512 → d as the projector."""
    from torch import nn

    if predictor == "linear":
        return nn.Linear(d, d, bias=False)
    return nn.Sequential(nn.Linear(d, 512), nn.BatchNorm1d(512, affine=False), nn.ReLU(), nn.Linear(512, d))


def main() -> None:
    """The command line; see the head of the file."""
    ask = argparse.ArgumentParser(prog="python -m experiments.bench.torch_loop", description=__doc__.splitlines()[0])
    ask.add_argument("--network", nargs="+", choices=tuple(NETWORKS), default=["conv"])
    ask.add_argument("--path", nargs="+", choices=PATHS, default=list(PATHS))
    ask.add_argument("--predictor", choices=PREDICTORS, default="linear")
    ask.add_argument("--batch", type=int, default=128)
    ask.add_argument("--steps", type=int, default=20)
    ask.add_argument("--warmup", type=int, default=3)
    ask.add_argument("--device", default="cpu")
    ask.add_argument("--threads", type=int, default=None, help="torch's own number if not given")
    ask.add_argument("--workers", type=int, default=2, help="of the data loader")
    ask.add_argument("--layout", choices=("nchw", "nhwc"), default=None, help="nhwc on a GPU if not given")
    ask.add_argument("--compile", action="store_true", help="torch.compile the loss and the augmentation")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--serve", action="store_true", help="one network and path: measure for each line of the input")
    ask.add_argument("--json", action="store_true", help="print JSON alone")
    a = ask.parse_args()
    if a.batch < 2 or a.steps < 1 or a.warmup < 1:
        ask.error("--batch must be at least 2, --steps and --warmup at least 1")
    last = None if a.layout is None else a.layout == "nhwc"
    how = {"predictor": a.predictor, "compiled": a.compile, "channels_last": last}
    how |= {"threads": a.threads, "workers": a.workers, "seed": a.seed}
    if a.serve:
        return serve(a.network[0], a.path[0], a.batch, a.steps, a.warmup, a.device, how)
    found = []
    for network in a.network:
        for path in a.path:
            row = throughput(network, path, batch=a.batch, steps=a.steps, device=a.device, warmup=a.warmup, **how)
            found.append(row)
            if not a.json:
                said = row.get("skipped") or f"{row['images_per_second']:.0f} images/s, torch {row['torch']}"
                print(f"{network} {path}: {said}", flush=True)
    if a.json:
        print(json.dumps({"contenders": found}))


def serve(network: str, path: str, batch: int, steps: int, warmup: int, device: str, how: dict[str, Any]) -> None:
    """Say what it is, then a line of JSON for each line read."""
    record: dict[str, Any] = {"network": network, "path": path, "batch": batch, "steps": steps, "device": device}
    if reason := missing(device, path):
        print(json.dumps(record | {"skipped": reason}), flush=True)
        return
    train, more = prepared(network, path, batch=batch, device=device, **how)
    train(warmup)
    print(json.dumps(record | more), flush=True)
    for _ in sys.stdin:
        print(json.dumps(timed(train, batch, steps)), flush=True)


if __name__ == "__main__":
    main()
