"""PyTorch's side of `experiments/bench/convolution.py`: a process of its own, run by a Python that has torch.

Arguments: network (conv or resnet18), batch, steps, layout (nchw or nhwc), threads. It says its version, and then for
every line it reads trains that many steps and answers with the seconds of the wall and of the processor.
"""

import sys
import time

import torch
from torch import nn


class Block(nn.Module):
    """A basic block of ResNet-18."""

    def __init__(self, c: int, o: int, stride: int) -> None:
        super().__init__()
        make = lambda c, o, size, stride: nn.Conv2d(c, o, size, stride, size // 2, bias=False)  # noqa: E731
        self.branch = nn.Sequential(
            make(c, o, 3, stride), nn.BatchNorm2d(o), nn.ReLU(), make(o, o, 3, 1), nn.BatchNorm2d(o)
        )
        here = (c, stride) == (o, 1)
        self.skip = nn.Identity() if here else nn.Sequential(make(c, o, 1, stride), nn.BatchNorm2d(o))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.branch(x) + self.skip(x))


def conv() -> list[nn.Module]:
    """As `ENCODERS["conv"]`."""
    parts, c = [], 3
    for o in (32, 64, 128):
        parts += [nn.MaxPool2d(2)] if c > 3 else []
        parts += [nn.Conv2d(c, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
        c = o
    return parts


def resnet18() -> list[nn.Module]:
    """As `ENCODERS["resnet18"]` with the CIFAR stem."""
    parts, c = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage in range(4):
        for stride in (1 if stage == 0 else 2, 1):
            parts.append(Block(c, 64 * 2**stage, stride))
            c = 64 * 2**stage
    return parts


def main(network: str, batch: int, steps: int, layout: str, threads: int) -> None:
    """Serve one network."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    place = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}[layout]
    parts = {"conv": conv, "resnet18": resnet18}[network]()
    net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten()).to(memory_format=place)
    x = torch.randn(batch, 3, 32, 32).contiguous(memory_format=place)
    optimiser = torch.optim.SGD(net.parameters(), 0.01)
    print(torch.__version__, flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            optimiser.zero_grad()
            net(x).square().mean().backward()
            optimiser.step()
        print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
