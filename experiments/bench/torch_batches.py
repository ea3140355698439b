"""Two ways to bring pairs of views to a PyTorch network: a data loader with Pillow, and bytes on the device.

torch and Pillow are imported inside functions: the package does not need the one, nor tensors on the device the other.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from experiments.bench import tensor_views


class Pairs:
    """A data set for torch's loader: two views of each image, by Pillow."""

    def __init__(self, images: np.ndarray, recipe: str) -> None:
        from experiments.bench import pillow_views

        self.images, self.view = images, pillow_views.VIEWS[recipe]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        from PIL import Image

        image = Image.fromarray(self.images[i])
        return self.view(image), self.view(image)


def loader_pairs(
    images: np.ndarray, recipe: str, batch: int, device: str, workers: int, compile: Any
) -> Iterator[tuple[Any, Any]]:
    """Batches of two views from a data loader, without end; the last, smaller batch is left out."""
    import torch

    rows = np.ascontiguousarray(images.transpose(0, 2, 3, 1))  # Pillow's order
    data: Any = Pairs(rows[..., 0] if rows.shape[3] == 1 else rows, recipe)
    gpu = device.startswith("cuda")
    loader = torch.utils.data.DataLoader(
        data, batch, shuffle=True, drop_last=True, num_workers=workers, pin_memory=gpu, persistent_workers=workers > 0
    )
    while True:
        for pair in loader:
            yield tuple(x.to(device, non_blocking=True) for x in pair)


def device_pairs(
    images: np.ndarray, recipe: str, batch: int, device: str, workers: int, compile: Any
) -> Iterator[tuple[Any, Any]]:
    """Batches of two views from bytes on the device, without end; the last, smaller batch is left out."""
    import torch

    held, view = torch.from_numpy(images).to(device), tensor_views.VIEWS[recipe](compile)
    while True:
        for rows in torch.randperm(len(held), device=device).split(batch):
            if len(rows) == batch:
                x = held[rows]
                yield view(x), view(x)


PATHS: dict[str, Callable[..., Iterator[tuple[Any, Any]]]] = {"loader": loader_pairs, "device": device_pairs}
