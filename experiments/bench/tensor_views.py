"""Views of a batch by PyTorch, on the device that holds the images: what a user writes to do without a data loader.

Every image draws its own numbers; only the order of the four colour changes is one a batch, as is customary. Images are
(b, c, h, w) in [0, 1]. torch is imported inside functions: the package does not need it.
"""

import math
from collections.abc import Callable
from typing import Any

Tensor = Any
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)  # of CIFAR-10's channels


def cifar_views(compile: Callable[[Any], Any] = lambda f: f) -> Callable[[Tensor], Tensor]:
    """Recipe "cifar-byol" for a batch of bytes; `compile` is applied to each part."""
    import torch

    crop, normalise = compile(cropped), compile(normalised)
    changes = [(compile(brightness), 0.4), (compile(contrast), 0.4), (compile(saturation), 0.4), (compile(hue), 0.1)]
    dull = compile(lambda x: grey(x).expand_as(x))

    def view(images: Tensor) -> Tensor:
        x = crop(images.float() / 255)
        chosen = draws(x, 0, 1) < 0.8
        y = x
        for i in torch.randperm(4).tolist():
            change, reach = changes[i]
            y = change(y, draws(x, -reach, reach))
        x = torch.where(chosen, y, x)
        return normalise(torch.where(draws(x, 0, 1) < 0.2, dull(x), x))

    return view


def digits_views(compile: Callable[[Any], Any] = lambda f: f) -> Callable[[Tensor], Tensor]:
    """Recipe "digits-shift" for a batch of bytes: a shift of at most one pixel and noise of 0.1."""
    import torch

    def view(images: Tensor) -> Tensor:
        x = torch.nn.functional.pad(images.float() / 255, (1, 1, 1, 1))
        b, _, h, w = images.shape
        place = torch.randint(0, 3, (2, b, 1), device=x.device)
        rows, columns = (place[i] + torch.arange(n, device=x.device) for i, n in enumerate((h, w)))
        x = x[torch.arange(b, device=x.device)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        x = x.permute(0, 3, 1, 2)
        return x + 0.1 * torch.randn_like(x)

    return compile(view)


VIEWS: dict[str, Callable[..., Callable[[Tensor], Tensor]]] = {"cifar-byol": cifar_views, "digits-shift": digits_views}


def draws(x: Tensor, least: float, most: float) -> Tensor:
    """Uniform, (b, 1, 1, 1)."""
    return x.new_empty(x.shape[0], 1, 1, 1).uniform_(least, most)


def cropped(x: Tensor) -> Tensor:
    """A random cut, flipped or not, resized to the whole by `grid_sample`."""
    import torch

    b, _, h, w = x.shape
    area = h * w * x.new_empty(b, 10).uniform_(0.08, 1)
    ratio = x.new_empty(b, 10).uniform_(math.log(3 / 4), math.log(4 / 3)).exp()
    width, height = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    first = ((width <= w) & (height <= h)).float().argmax(1, keepdim=True)  # the first of ten attempts that fits
    width, height = (side.gather(1, first)[:, 0].clamp(1, n) for side, n in ((width, w), (height, h)))
    left, top = ((x.new_empty(b).uniform_(0, 1) * (n - side + 1)).floor() for side, n in ((width, w), (height, h)))
    flip = torch.where(x.new_empty(b).uniform_(0, 1) < 0.5, -1.0, 1.0)
    zero = torch.zeros_like(left)
    columns = torch.stack([flip * width / w, zero, (2 * left + width) / w - 1], dim=1)
    rows = torch.stack([zero, height / h, (2 * top + height) / h - 1], dim=1)
    grid = torch.nn.functional.affine_grid(torch.stack([columns, rows], dim=1), list(x.shape), align_corners=False)
    return torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def brightness(x: Tensor, f: Tensor) -> Tensor:
    """x (1 + f), within [0, 1]."""
    return (x * (1 + f)).clamp(0, 1)


def contrast(x: Tensor, f: Tensor) -> Tensor:
    """Away from the mean grey by 1 + f."""
    mean = grey(x).mean((2, 3), keepdim=True)
    return (mean + (1 + f) * (x - mean)).clamp(0, 1)


def saturation(x: Tensor, f: Tensor) -> Tensor:
    """Away from each pixel's grey by 1 + f."""
    dull = grey(x)
    return (dull + (1 + f) * (x - dull)).clamp(0, 1)


def hue(x: Tensor, turns: Tensor) -> Tensor:
    """Hues moved by so many turns, through hue, saturation and value."""
    import torch

    value, low = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    chroma = value - low
    r, g, b = ((value - x) / chroma.clamp(min=1e-8)).unbind(1)
    at = x.argmax(1)
    h = torch.where(at == 0, b - g, torch.where(at == 1, 2 + r - b, 4 + g - r))[:, None] + 6 * turns
    k = (h + x.new_tensor([5.0, 3.0, 1.0]).view(1, 3, 1, 1)) % 6
    return value - chroma * torch.minimum(k, 4 - k).clamp(0, 1)


def grey(x: Tensor) -> Tensor:
    """0.299 r + 0.587 g + 0.114 b, (b, 1, h, w)."""
    return (x * x.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def normalised(x: Tensor) -> Tensor:
    """(x - mean)/std of CIFAR-10's channels."""
    mean, std = (x.new_tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std
