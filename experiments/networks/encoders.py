"""Encoders of images: one table of makers, (key, shape=(h, w, c), **settings) -> Encoder."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.networks.heads import norm_of
from experiments.networks.layers import Linear, batch_norm, conv, linear
from experiments.networks.parts import Chain, Flatten, MaxPool, MeanPool, Relu, Residual
from linbyol.checks import InputError, check_choice

Shape = tuple[int, int, int]  # of an image: (h, w, c)


class Encoder(eqx.Module):
    """Stem, blocks, head: images (b, h, w, c) to features (b, features)."""

    stem: Chain
    body: Chain
    head: Chain
    features: int = eqx.field(static=True)

    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> tuple[Float[Array, "b d"], "Encoder"]:
        size = x.shape[1:3]
        x, stem = self.stem(x, train)
        x, body = self.body(x, train)
        if 0 in x.shape[1:]:
            raise InputError(
                f"Images of {size[0]} × {size[1]} pixels are too small for this encoder: its poolings and strides "
                "leave nothing of them."
            )
        x, head = self.head(x, train)
        return x, Encoder(stem, body, head, self.features)

    def blocks(self, x: Float[Array, "b h w c"]) -> list[Array]:
        """The output of every block, (b, h, w, c) or (b, d), with running statistics; the stem's is not one."""
        x, _ = self.stem(x, False)
        outputs = []
        for block in self.body.layers:
            x, _ = block(x, False)
            outputs.append(x)
        return outputs


def linear_encoder(key: Array, shape: Shape, *, d: int = 64, dtype: Any = jnp.float32) -> Encoder:
    """The paper's W (d, n): h = W x of the flattened image, no bias, Gaussian entries of variance 1/n."""
    n = math.prod(shape)
    W = jax.random.normal(key, (d, n), dtype) / math.sqrt(n)
    return Encoder(Chain((Flatten(),)), Chain((Linear(W, None),)), Chain(()), d)


def mlp_encoder(
    key: Array, shape: Shape, *, widths: Sequence[int] = (256, 256), norm: bool = True, dtype: Any = jnp.float32
) -> Encoder:
    """Flattened pixels, then a block of linear map, batch normalisation and ReLU for each width."""
    sizes = (math.prod(shape), *widths)
    blocks = []
    for i, place in enumerate(jax.random.split(key, len(widths))):
        norms = norm_of("batch" if norm else None, sizes[i + 1], dtype)
        blocks.append(Chain((linear(place, sizes[i], sizes[i + 1], dtype=dtype), *norms, Relu())))
    return Encoder(Chain((Flatten(),)), Chain(tuple(blocks)), Chain(()), sizes[-1])


def conv_encoder(
    key: Array,
    shape: Shape,
    *,
    widths: Sequence[int] = (32, 64, 128),
    down: str = "pool",
    how: str = "auto",
    dtype: Any = jnp.float32,
) -> Encoder:
    """A block of 3×3 convolution, batch normalisation and ReLU for each width; mean over pixels.

    From the second block on the resolution is halved first: down="pool" by the largest of 2×2, "stride" by a stride of
    the convolution, "none" not.
    """
    check_choice("down", down, ("pool", "stride", "none"))
    blocks, c = [], shape[2]
    for i, place in enumerate(jax.random.split(key, len(widths))):
        stride = 2 if i and down == "stride" else 1
        layers = [conv(place, c, widths[i], stride=stride, how=how, dtype=dtype), batch_norm(widths[i], dtype=dtype)]
        blocks.append(Chain((*([MaxPool()] if i and down == "pool" else []), *layers, Relu())))
        c = widths[i]
    return Encoder(Chain(()), Chain(tuple(blocks)), Chain((MeanPool(),)), c)


def resnet18(
    key: Array, shape: Shape, *, stem: str = "cifar", width: int = 64, how: str = "auto", dtype: Any = jnp.float32
) -> Encoder:
    """ResNet-18 as in torchvision, without its last linear map: 8 blocks, `width` to 8 `width` channels.

    stem="cifar": 3×3, stride 1, no pooling. stem="stl": 7×7, stride 2, then the largest of 3×3, stride 2.
    """
    check_choice("stem", stem, ("cifar", "stl"))
    keys = iter(jax.random.split(key, 20))
    make = lambda c, o, size, stride: conv(  # noqa: E731
        next(keys), c, o, size, stride=stride, init="he", how=how, dtype=dtype
    )
    norm = lambda c: batch_norm(c, dtype=dtype)  # noqa: E731
    first = (make(shape[2], width, *{"cifar": (3, 1), "stl": (7, 2)}[stem]), norm(width), Relu())
    pool = (MaxPool(3, 2, 1),) if stem == "stl" else ()
    blocks, c = [], width
    for stage in range(4):
        o = width * 2**stage
        for stride in (1 if stage == 0 else 2, 1):
            branch = (make(c, o, 3, stride), norm(o), Relu(), make(o, o, 3, 1), norm(o))
            skip = (make(c, o, 1, stride), norm(o)) if (c, stride) != (o, 1) else ()
            blocks.append(Residual(Chain(branch), Chain(skip)))
            c = o
    return Encoder(Chain(first + pool), Chain(tuple(blocks)), Chain((MeanPool(),)), c)


def res(
    key: Array,
    shape: Shape,
    *,
    layers: int = 5,
    width: int = 250,
    output: str = "pooled",
    factor: float = 1.0,
    how: str = "auto",
    dtype: Any = jnp.float32,
) -> Encoder:
    """RES-L-H (arXiv 2202.09028): `layers` residual blocks of constant `width` at a quarter of the resolution.

    Stem: 2×2 stride 2, BN, 2×2 stride 2, BN, ReLU. Block: relu(x + factor·BN(conv(relu(BN(conv(x)))))), 3×3. All
    convolutions have a bias. output="flat" gives (h/4)(w/4) width features, "pooled" their mean over pixels.
    """
    check_choice("output", output, ("flat", "pooled"))
    keys = iter(jax.random.split(key, 2 + 2 * layers))
    make = lambda c, **how_: conv(next(keys), c, width, bias=True, how=how, dtype=dtype, **how_)  # noqa: E731
    norm = lambda: batch_norm(width, dtype=dtype)  # noqa: E731
    halve = {"size": 2, "stride": 2, "padding": 0}
    stem = (make(shape[2], **halve), norm(), make(width, **halve), norm(), Relu())
    blocks = tuple(
        Residual(Chain((make(width), norm(), Relu(), make(width), norm())), Chain(()), factor) for _ in range(layers)
    )
    flat = (shape[0] // 2 // 2) * (shape[1] // 2 // 2) * width
    head, features = {"flat": (Flatten(), flat), "pooled": (MeanPool(), width)}[output]
    return Encoder(Chain(stem), Chain(blocks), Chain((head,)), features)


ENCODERS: dict[str, Callable[..., Encoder]] = {
    "linear": linear_encoder,
    "mlp": mlp_encoder,
    "conv": conv_encoder,
    "resnet18": resnet18,
    "res": res,
}
