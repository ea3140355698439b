"""Networks: counts; layers and networks against NumPy; the same numbers over seeds, in loops, in other precisions."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.networks import ENCODERS, join, mlp, refreshed, split
from experiments.networks.layers import BatchNorm, Statistics, conv, linear
from experiments.networks.parts import MaxPool
from linbyol.checks import InputError

SMALL = {  # "linear" is a part of "mlp", and ResNet-18 has the parts of "res", with more to compile
    "mlp": {"widths": (6, 5)},
    "conv": {"widths": (4, 6)},
    "res": {"layers": 1, "width": 4},
}


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def drawn(name, shape, dtype=jnp.float64, **settings):
    """A network of arbitrary weights and running statistics, by NumPy: nothing is compiled."""
    rng = np.random.default_rng(2)
    shapes = jax.eval_shape(lambda key: ENCODERS[name](key, shape, dtype=dtype, **settings), jax.random.key(0))

    def draw(leaf):
        sign = rng.choice([-1, 1, 1], leaf.shape[-1])
        return jnp.asarray(rng.uniform(0.1, 0.9, leaf.shape) * sign, leaf.dtype)

    trained, statistics = split(jax.tree.map(draw, shapes))
    return join(trained, jax.tree.map(lambda x: jnp.asarray(np.abs(x)), statistics))


def parameters(name, shape, **settings):
    shapes = jax.eval_shape(lambda key: ENCODERS[name](key, shape, **settings), jax.random.key(0))
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(split_shapes(shapes)))


def split_shapes(net):
    """Shapes of what is trained: all but the running statistics."""
    statistics = lambda x: isinstance(x, Statistics)  # noqa: E731
    return [x for x in jax.tree.leaves(net, is_leaf=statistics) if not statistics(x)]


def test_networks_have_as_many_parameters_as_published():
    assert parameters("resnet18", (96, 96, 3), stem="stl") == 11_176_512  # torchvision's, without its last layer
    assert parameters("resnet18", (32, 32, 3)) == 11_168_832  # a stem of 3x3
    assert parameters("res", (32, 32, 3), layers=5, width=250) == 5_887_000  # 5.89 M published
    assert parameters("res", (32, 32, 3), layers=10, width=250) == 11_519_500
    assert parameters("linear", (8, 8, 1), d=16) == 16 * 64
    assert parameters("mlp", (8, 8, 1)) == 64 * 256 + 256 + 256 * 256 + 256 + 4 * 256
    assert parameters("conv", (32, 32, 3)) == 9 * (3 * 32 + 32 * 64 + 64 * 128) + 2 * (32 + 64 + 128)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_numpys_with_its_gradients(train, affine):
    rng = np.random.default_rng(0)
    x, g = rng.normal(3, 2, (5, 4, 3, 6)), rng.normal(size=(5, 4, 3, 6))
    mean, var = rng.normal(size=6), rng.uniform(1, 2, 6)
    scale, shift = (rng.normal(size=6), rng.normal(size=6)) if affine else (np.ones(6), np.zeros(6))
    known = (jnp.asarray(scale), jnp.asarray(shift)) if affine else (None, None)
    layer = BatchNorm(*known, Statistics(jnp.asarray(mean), jnp.asarray(var)))
    axes = (0, 1, 2)
    m, v = (x.mean(axis=axes), x.var(axis=axes)) if train else (mean, var)
    z, root = (x - m) / np.sqrt(v + 1e-5), np.sqrt(v + 1e-5)

    @jax.jit
    def with_gradients(layer, x, g):
        y, back, after = jax.vjp(lambda layer, x: layer(x, train), layer, x, has_aux=True)
        return y, *back(g), after

    y, slopes, dx, after = with_gradients(layer, x, g)
    np.testing.assert_allclose(y, z * scale + shift, atol=1e-12)
    centred = g - g.mean(axis=axes) - z * (g * z).mean(axis=axes) if train else g
    np.testing.assert_allclose(dx, scale / root * centred, atol=1e-12)
    if affine:
        np.testing.assert_allclose(slopes.scale, (g * z).sum(axis=axes), atol=1e-12)
        np.testing.assert_allclose(slopes.shift, g.sum(axis=axes), atol=1e-12)
    moved = (0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * x.var(axis=axes, ddof=1)) if train else (mean, var)
    np.testing.assert_allclose(after.statistics.mean, moved[0], atol=1e-12)
    np.testing.assert_allclose(after.statistics.var, moved[1], atol=1e-12)


def test_max_pool_takes_the_largest_and_shares_its_gradient_between_equals():
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(2, 7, 9, 3)), 0)
    distinct = rng.permutation(np.arange(1.0, 1 + x.size)).reshape(x.shape) / 100
    for pool, size, stride, padding in [(MaxPool(), 2, 2, 0), (MaxPool(3, 2, 1), 3, 2, 1)]:
        window, edges = (1, size, size, 1), [(0, 0), (padding,) * 2, (padding,) * 2, (0, 0)]
        theirs = lambda x: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, (1, stride, stride, 1), edges)  # noqa: E731, B023
        ours = lambda x: pool(x, True)[0]  # noqa: E731, B023
        slope = lambda f: jax.grad(lambda x: jnp.sum(jnp.sin(f(x))))  # noqa: E731
        both = jax.jit(lambda x, distinct: [(f(x), slope(f)(distinct)) for f in (ours, theirs)])  # noqa: B023
        (mine, my_slope), (expected, expected_slope) = both(x, distinct)
        np.testing.assert_array_equal(mine, expected)
        np.testing.assert_allclose(my_slope, expected_slope, atol=1e-15)
    shared = jax.jit(jax.grad(lambda x: jnp.sum(MaxPool()(x, True)[0])))(np.ones((1, 4, 4, 1)))
    np.testing.assert_array_equal(shared, 0.25)


def numpy_conv(x, layer):
    kernel, p, step = np.asarray(layer.kernel), layer.padding, layer.stride
    x = np.pad(x, [(0, 0), (p, p), (p, p), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))[:, ::step, ::step]
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + (0 if layer.bias is None else np.asarray(layer.bias))


def numpy_norm(x, norm):
    x = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5)
    return x * np.asarray(norm.scale) + np.asarray(norm.shift)


def numpy_resnet(net, x):
    """A residual network written out from its weights: stem, then relu(branch + skip)."""
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    first, norm, *_ = net.stem.layers
    x = relu(numpy_norm(numpy_conv(x, first), norm))
    for block in net.body.layers:
        conv1, norm1, _, conv2, norm2 = block.branch.layers
        y = relu(numpy_norm(numpy_conv(x, conv1), norm1))
        y = numpy_norm(numpy_conv(y, conv2), norm2)
        skip = numpy_norm(numpy_conv(x, block.skip.layers[0]), block.skip.layers[1]) if block.skip.layers else x
        x = relu(y + skip)
    return x.mean(axis=(1, 2))


def test_resnet_and_its_gradient_are_numpys():
    net, rng = drawn("resnet18", (8, 8, 3), width=2), np.random.default_rng(1)
    x, weights = rng.normal(size=(6, 8, 8, 3)), rng.normal(size=16)
    trained, statistics = split(net)

    def loss(trained):
        h, _ = join(trained, statistics)(x, True)
        return jnp.sum(h @ weights), h

    (_, h), slope = jax.jit(jax.value_and_grad(loss, has_aux=True))(trained)
    np.testing.assert_allclose(h, numpy_resnet(net, x), atol=1e-10)  # rounding, 20 norms
    blocks = jax.eval_shape(lambda x: net.blocks(x), x)
    assert [block.shape[1:] for block in blocks] == [(8 // 2**i, 8 // 2**i, 2 * 2**i) for i in range(4) for _ in "12"]
    way = jax.tree.map(lambda p: rng.normal(size=p.shape), trained)
    along_way = sum(jax.tree.leaves(jax.tree.map(lambda a, b: np.sum(np.asarray(a) * b), slope, way)))
    at = lambda t: join(jax.tree.map(lambda p, v: np.asarray(p) + t * v, trained, way), statistics)  # noqa: E731
    ends = [np.sum(numpy_resnet(at(t), x) @ weights) for t in (1e-6, -1e-6)]
    assert along_way == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)  # central difference: 1e-10/1e-6, and kinks


def test_initial_values_are_pytorchs(key):
    @jax.jit
    def first(key):
        he = conv(key, 8, 64, init="he").kernel
        return linear(key, 50, 400), conv(key, 8, 64).kernel, he, ENCODERS["linear"](key, (8, 8, 1), d=64)

    layer, kernel, he, encoder = jax.tree.map(np.asarray, first(key))
    for values, bound in [(layer.weight, 50**-0.5), (layer.bias, 50**-0.5), (kernel, 72**-0.5)]:
        assert 0.99 * bound < np.max(np.abs(values)) <= bound
        assert abs(np.std(values) / (bound / 3**0.5) - 1) < 4 / values.size**0.5  # uniform: 4 standard errors
    W = encoder.body.layers[0].weight
    for values, std in [(he, (2 / (64 * 9)) ** 0.5), (W, 1 / 8)]:
        assert abs(np.std(values) / std - 1) < 4 / (2 * values.size) ** 0.5


def test_linear_encoder_is_the_papers_W():
    net = drawn("linear", (3, 2, 2), d=4)
    x = np.random.default_rng(0).normal(size=(5, 3, 2, 2))
    W = np.asarray(net.body.layers[0].weight)
    assert [leaf.shape for leaf in jax.tree.leaves(net)] == [(4, 12)]
    np.testing.assert_allclose(net(jnp.asarray(x), True)[0], x.reshape(5, 12) @ W.T, atol=1e-14)


def test_res_is_its_formula():
    net = drawn("res", (8, 8, 3), layers=1, width=4, output="flat", factor=0.5)
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 3))
    conv1, norm1, conv2, norm2, _ = net.stem.layers
    y = np.maximum(numpy_norm(numpy_conv(numpy_norm(numpy_conv(x, conv1), norm1), conv2), norm2), 0)
    conv1, norm1, _, conv2, norm2 = net.body.layers[0].branch.layers
    z = numpy_norm(numpy_conv(np.maximum(numpy_norm(numpy_conv(y, conv1), norm1), 0), conv2), norm2)
    h = jax.jit(lambda net, x: net(x, True)[0])(net, x)
    np.testing.assert_allclose(h, np.maximum(y + z / 2, 0).reshape(3, -1), atol=1e-11)
    assert net.features == 2 * 2 * 4


@pytest.mark.optimised
@pytest.mark.parametrize("name", SMALL)
def test_every_encoder_trains_alike_alone_over_seeds_and_in_a_loop(name):
    shape = (8, 8, 3)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, *shape)), jnp.float32)
    net = drawn(name, shape, jnp.float32, **SMALL[name])
    nets = jax.tree.map(lambda leaf: np.stack([leaf, leaf[::-1]]), split(net))

    def step(_, state):
        def loss(trained):
            h, net = join(trained, state[1])(x, True)
            return jnp.mean(jnp.sin(h)), split(net)[1]

        slope, statistics = jax.grad(loss, has_aux=True)(state[0])
        return jax.tree.map(lambda p, g: p - 0.1 * g, state[0], slope), statistics

    several = lambda state: jax.lax.fori_loop(0, 3, step, state)  # noqa: E731
    together = jax.jit(jax.vmap(several))(nets)
    alone, once = jax.tree.map(lambda leaf: leaf[1], nets), jax.jit(step)
    for _ in range(3):
        alone = once(0, alone)
    for ours, theirs in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        assert ours.dtype == theirs.dtype == jnp.float32
        np.testing.assert_allclose(ours[1], theirs, atol=2e-5)  # float32, three steps, batches of 6 normalised

    @jax.jit
    def seen(net, x):
        h, blocks = net(x, False)[0], net.blocks(x)
        return h, net.head(blocks[-1], False)[0], net(x.astype(jnp.bfloat16), True)[0]

    h, last, half = seen(join(*alone), x)
    assert h.shape == (6, net.features)
    np.testing.assert_allclose(last, h, atol=1e-6)
    assert half.dtype == jnp.bfloat16


def test_parameters_and_statistics_are_apart_and_come_together(key):
    net = ENCODERS["conv"](key, (8, 8, 1), widths=(3, 4))
    trained, statistics = split(net)
    assert size(trained) == size(split_shapes(net))
    assert [leaf.shape for leaf in jax.tree.leaves(statistics)] == [(3,), (3,), (4,), (4,)]
    assert size(trained) + size(statistics) == size(net)
    for a, b in zip(jax.tree.leaves(join(trained, statistics)), jax.tree.leaves(net), strict=True):
        assert a is b
    buffers = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(net)]
    assert len(set(buffers)) == len(buffers)  # or a step could not donate them


def test_refreshed_statistics_are_the_mean_over_batches(key):
    net = drawn("mlp", (5, 1, 1), widths=(4, 3))
    batches = list(np.random.default_rng(0).normal(size=(3, 20, 5, 1, 1)))
    first = net.body.layers[0].layers[0]
    inside = [x.reshape(20, 5) @ np.asarray(first.weight).T + np.asarray(first.bias) for x in batches]
    found = refreshed(net, batches).body.layers[0].layers[1].statistics
    np.testing.assert_allclose(found.mean, np.mean([h.mean(axis=0) for h in inside], axis=0), atol=1e-14)
    np.testing.assert_allclose(found.var, np.mean([h.var(axis=0, ddof=1) for h in inside], axis=0), atol=1e-14)
    with pytest.raises(InputError, match="`batches` must hold at least one batch"):
        refreshed(net, [])
    bare = mlp(key, (5, 3))
    assert refreshed(bare, batches) is bare


def test_heads_have_the_layers_they_are_asked_for(key):
    names = lambda net: [type(layer).__name__ for layer in net.layers]  # noqa: E731
    head = lambda *sizes, **settings: jax.eval_shape(lambda key: mlp(key, sizes, **settings), key)  # noqa: E731
    assert names(head(4, 2)) == ["Linear"]
    paper = head(512, 512, 128, norm="batch-no-affine")
    assert names(paper) == ["Linear", "BatchNorm", "Relu", "Linear"]
    assert paper.layers[1].scale is paper.layers[1].shift is None
    assert names(head(4, 5, 2, norm="batch", bias=False, final_norm=True))[-2:] == ["Linear", "BatchNorm"]
    assert head(4, 5, 2, bias=False).layers[0].bias is None
    with pytest.raises(InputError, match="`norm` must be one of batch, batch-no-affine, None, but is 'layer'"):
        mlp(key, (4, 5, 2), norm="layer")
    for name, setting in [("conv", "down"), ("resnet18", "stem"), ("res", "output")]:
        with pytest.raises(InputError, match=f"`{setting}` must be one of"):
            ENCODERS[name](key, (8, 8, 3), **{setting: "sideways"})
