"""Every way to convolve is XLA's own convolution, with its gradients; and so under vmap."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from experiments.networks.convolution import chosen, convolve
from experiments.networks.ways import WAYS

CASES = [  # pixels, kernel side, stride, padding, channels in, out
    ((8, 12), 3, 1, 1, 5, 7),
    ((7, 5), 3, 1, 0, 3, 4),
    ((6, 9), 3, 2, 1, 3, 4),
    ((8, 8), 2, 2, 0, 3, 4),
    ((9, 7), 7, 2, 3, 3, 4),
]
TO = {  # lax is the reference's own call, seen through our custom gradient
    "lax": CASES[2:3], "canonical": CASES, "winograd": CASES[:2], "patches": CASES,
}  # fmt: skip


def plain(x, kernel, stride, padding):
    """XLA's own, differentiated by JAX."""
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (stride,) * 2, [(padding,) * 2] * 2, dimension_numbers=layout)


def draw(shape, size, c, o, dtype=np.float64, batch=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *shape, c)).astype(dtype), rng.normal(size=(size, size, c, o)).astype(dtype)


def with_gradients(f, x, kernel, g):
    y, back = jax.vjp(f, x, kernel)
    return y, *back(g)


def test_xlas_own_is_scipys_correlation():
    x, kernel = draw((7, 8), 3, 2, 2)
    both = jax.jit(lambda x, kernel: [plain(x, kernel, stride, 1) for stride in (1, 2)])(x, kernel)
    theirs = sum(scipy.signal.correlate(np.pad(x[1, ..., i], 1), kernel[..., i, 1], "valid") for i in range(2))
    for stride, ours in zip((1, 2), both, strict=True):
        np.testing.assert_allclose(ours[1, ..., 1], theirs[::stride, ::stride], atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_every_way_is_the_same_convolution_with_the_same_gradients(case):
    shape, size, stride, padding, c, o = case
    x, kernel = draw(shape, size, c, o)
    sides = [(n + 2 * padding - size) // stride + 1 for n in shape]
    g = np.random.default_rng(1).normal(size=(3, *sides, o))
    ways = [functools.partial(convolve, stride=stride, padding=padding, how=how) for how in TO if case in TO[how]]

    @jax.jit
    def all_of(x, kernel, g):
        own = lambda x, kernel: plain(x, kernel, stride, padding)  # noqa: E731
        return [with_gradients(f, x, kernel, g) for f in (own, *ways)]

    reference, *found = all_of(x, kernel, g)
    for ours in found:
        for mine, expected in zip(ours, reference, strict=True):
            np.testing.assert_allclose(mine, expected, atol=2e-12)  # sums of 500 terms; Winograd loses a digit


def test_in_float32_errors_are_those_of_rounding():
    x, kernel = draw((8, 8), 3, 64, 32, np.float32)
    kernel = kernel / np.float32(24)  # outputs and gradients of order 1
    g = np.random.default_rng(1).normal(size=(3, 8, 8, 32)).astype(np.float32)
    exact = jax.jit(lambda *a: with_gradients(lambda x, k: convolve(x, k, 1, 1, "patches"), *a))(
        *(a.astype(np.float64) for a in (x, kernel, g))
    )
    ways = {how: functools.partial(convolve, stride=1, padding=1, how=how) for how in WAYS}
    found = jax.jit(lambda *a: {how: with_gradients(ways[how], *a) for how in ways})(x, kernel, g)
    for how, ours in found.items():
        for mine, expected in zip(map(np.asarray, ours), map(np.asarray, exact), strict=True):
            assert mine.dtype == np.float32
            error = np.sqrt(np.mean((mine - expected) ** 2) / np.mean(expected**2))
            assert error < (2e-6 if how == "winograd" else 5e-7), how  # 2 and 17 times the rounding of float32


def test_bfloat16_sums_are_float32_and_auto_does_not_take_winograd():
    x, kernel = jnp.ones((2, 8, 8, 64), jnp.bfloat16), jnp.ones((3, 3, 64, 16), jnp.float32)
    y = convolve(x, kernel, 1, 1)
    assert y.dtype == jnp.bfloat16
    assert y[0, 4, 4, 0] == 576  # a sum in bfloat16 would stop at 256
    assert chosen(x.shape, kernel.shape, 1, 1, jnp.bfloat16) == "canonical"


def test_auto_takes_what_was_measured_to_be_fast_on_a_cpu():
    pick = lambda *args: chosen(*args, jnp.float32)  # noqa: E731
    assert pick((128, 32, 32, 3), (3, 3, 3, 32), 1, 1) == "patches"
    assert pick((128, 16, 16, 32), (3, 3, 32, 64), 1, 1) == "winograd"
    assert pick((128, 2, 2, 64), (3, 3, 64, 64), 1, 1) == "canonical"  # tiles of 4 would be mostly padding
    assert pick((128, 16, 16, 32), (3, 3, 32, 64), 2, 1) == "canonical"
    assert pick((128, 16, 16, 32), (1, 1, 32, 64), 2, 0) == "patches"
    assert pick((128, 32, 32, 3), (2, 2, 3, 32), 2, 0) == "patches"


@pytest.mark.parametrize("how", ["patches", "winograd"])
def test_over_several_kernels_each_is_its_own_convolution(how):
    shape, size, stride, padding, c, o = CASES[0]
    x, kernels = draw(shape, size, c, 2 * o)
    kernels = kernels.reshape(size, size, c, 2, o).transpose(3, 0, 1, 2, 4)
    xs = np.stack([x, 2 * x[::-1]])
    loss = lambda x, kernel: jnp.sum(jnp.sin(convolve(x, kernel, stride, padding, how)))  # noqa: E731
    slope = jax.grad(loss, (0, 1))
    alone = jax.jit(slope)
    each = [[alone(x, kernel) for kernel in kernels] for x in xs]
    summed = lambda kernels, x: jnp.sum(jax.vmap(loss, (None, 0))(x, kernels))  # noqa: E731

    @jax.jit
    def together(x, xs, kernels):
        return jax.vmap(slope, (None, 0))(x, kernels), jax.vmap(slope)(xs, kernels), jax.grad(summed)(kernels, x)

    shared, own, of_sum = together(x, xs, kernels)
    stacked = lambda *pairs: jax.tree.map(lambda *a: np.stack(a), *pairs)  # noqa: E731
    for found, expected in [(shared, stacked(*each[0])), (own, stacked(each[0][0], each[1][1]))]:
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), found, expected)  # rounding
    np.testing.assert_allclose(of_sum, np.stack([slopes[1] for slopes in each[0]]), atol=1e-12)
