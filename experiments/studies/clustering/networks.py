"""RES-L-H: its size, what a bug in a public version of it does, and the accuracy that is published."""

import jax
import jax.numpy as jnp
import numpy as np

from experiments.networks.encoders import res
from experiments.networks.parts import Chain
from experiments.networks.state import split
from linbyol.claims import Run, Verdict, claim, holds_if, not_run

PIXELS = 8 * 8  # after the stem, for 32 × 32
PUBLISHED = {"VICReg": 68.54, "SimCLR": 65.78}


def parameters(layers: int, width: int) -> int:
    """Of RES-L-H without a last linear map, counted in the network itself, which is not computed."""
    net = jax.eval_shape(lambda: res(jax.random.key(0), (32, 32, 3), layers=layers, width=width))
    return sum(x.size for x in jax.tree.leaves(split(net)[0]))


def products(layers: int, width: int) -> int:
    """Multiplications of its convolutions for one image of 32 × 32."""
    net = jax.eval_shape(lambda: res(jax.random.key(0), (32, 32, 3), layers=layers, width=width))
    stem, *rest = (x for x in jax.tree.leaves(split(net)[0]) if x.ndim == 4)
    return stem.size * 4 * PIXELS + sum(kernel.size for kernel in rest) * PIXELS


@claim(
    "C54",
    title="RES-5-250 has 5.89 M parameters, RES-10-250 11.5 M",
    statement="Without a last linear map RES-5-250 has 5.89 M parameters and takes 0.377 GMAC for an image of 32 × 32, "
    "RES-10-250 11.5 M and 0.737 GMAC.",
    source="derived",
    kind="numeric",
)
def size_of_network(run: Run) -> Verdict:
    counts = [parameters(layers, 250) / 1e6 for layers in (5, 10)]
    work = [products(layers, 250) / 1e9 for layers in (5, 10)]
    return holds_if(
        [round(counts[0], 2), round(counts[1], 1)] == [5.89, 11.5] and [round(x, 3) for x in work] == [0.377, 0.737],
        millions_of_parameters=counts,
        giga_mac=work,
    )


@claim(
    "C53",
    title="lianegalanti/NC's ConvBlock has no skip connection in effect",
    statement="A block that computes the residual sum and returns the hidden activation instead, as that code does, "
    "differs from the block with the sum, and gives what the block without a skip gives.",
    source="lianegalanti/NC@0e43d77, models/modules.py, read; the effect computed here",
    kind="reading",
)
def no_skip(run: Run) -> Verdict:
    """The published forward pass, z = f(x); x + z is computed; the return is (z, z)."""
    rng = np.random.default_rng(run.seed)
    net = res(jax.random.key(run.seed), (32, 32, 3), layers=1, width=4)
    block, x = net.body.layers[0], jnp.asarray(rng.normal(size=(2, 8, 8, 4)), jnp.float32)
    hidden = Chain(block.branch.layers)(x, False)[0]
    as_there = jax.nn.relu(hidden)  # z, and the ReLU that follows the block
    as_meant = block(x, False)[0]
    missing = jnp.max(jnp.abs(as_meant - as_there))
    with_sum = jnp.max(jnp.abs(as_meant - jax.nn.relu(x + hidden)))
    return holds_if(missing > 0.1 and with_sum < 1e-5, returned_without_sum=missing, ours_is_the_sum=with_sum)


@claim(
    "C56",
    title="RES-5-250 reaches the published linear accuracy",
    statement="After 1000 epochs on CIFAR-100 the linear accuracy is within 2 points of that published for ResNet-18, "
    "VICReg 68.54 and SimCLR 65.78 %; none is published for RES-5-250.",
    source="solo-learn's README",
    kind="real data",
    expected="open",
)
def published_accuracy(run: Run) -> Verdict:
    return not_run("needs a GPU for 1000 epochs: linbyol train cifar100-res5-vicreg", published=PUBLISHED)
