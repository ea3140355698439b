"""Encoders to choose from."""

from typing import Literal

from experiments.trainer.ranges import DEEPEST, WIDEST, table, whole, widths


@table
class LinearEncoder:
    """The paper's W."""

    name: Literal["linear"] = "linear"
    d: int = whole(64, 1, WIDEST)


@table
class MlpEncoder:
    """A block for each width."""

    name: Literal["mlp"] = "mlp"
    widths: tuple[int, ...] = widths(256, 256)


@table
class ConvEncoder:
    """A block of 3×3 convolutions for each width."""

    name: Literal["conv"] = "conv"
    widths: tuple[int, ...] = widths(32, 64, 128)


@table
class Resnet18:
    """ResNet-18, from `width` to 8 `width` channels."""

    name: Literal["resnet18"] = "resnet18"
    width: int = whole(64, 1, WIDEST)
    stem: Literal["cifar", "stl"] = "cifar"


@table
class Res:
    """RES-L-H."""

    name: Literal["res"] = "res"
    layers: int = whole(5, 1, DEEPEST)  # L
    width: int = whole(250, 1, WIDEST)  # H
    flat: bool = False  # features are all positions instead of their mean


Encoder = LinearEncoder | MlpEncoder | ConvEncoder | Resnet18 | Res
