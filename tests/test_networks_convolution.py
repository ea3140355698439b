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
PAIRS = [(how, case) for how in WAYS for case in CASES if how != "winograd" or case[1:3] == (3, 1)]


def plain(x, kernel, stride, padding):
    """XLA's own, differentiated by JAX."""
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (stride,) * 2, [(padding,) * 2] * 2, dimension_numbers=layout)


def draw(key, shape, size, c, o, dtype=jnp.float64, batch=3):
    for_x, for_kernel = jax.random.split(key)
    return jax.random.normal(for_x, (batch, *shape, c), dtype), jax.random.normal(for_kernel, (size, size, c, o), dtype)


@functools.partial(jax.jit, static_argnums=0)
def with_gradients(f, x, kernel, g):
    y, back = jax.vjp(f, x, kernel)
    return y, *back(g)


def test_xlas_own_is_scipys_correlation(key):
    x, kernel = draw(key, (7, 8), 3, 2, 2)
    x, kernel = np.asarray(x), np.asarray(kernel)
    for stride in (1, 2):
        theirs = sum(scipy.signal.correlate(np.pad(x[1, ..., i], 1), kernel[..., i, 1], "valid") for i in range(2))
        np.testing.assert_allclose(plain(x, kernel, stride, 1)[1, ..., 1], theirs[::stride, ::stride], atol=1e-12)


@pytest.mark.parametrize(("how", "case"), [pair for pair in PAIRS if pair[0] != "lax" or pair[1] in CASES[::2]])
def test_every_way_is_the_same_convolution_with_the_same_gradients(key, how, case):
    shape, size, stride, padding, c, o = case
    x, kernel = draw(key, shape, size, c, o)
    theirs = plain(x, kernel, stride, padding)
    g = jax.random.normal(key, theirs.shape)
    reference = with_gradients(lambda x, kernel: plain(x, kernel, stride, padding), x, kernel, g)
    ours = with_gradients(lambda x, kernel: convolve(x, kernel, stride, padding, how), x, kernel, g)
    for mine, expected in zip(ours, reference, strict=True):
        np.testing.assert_allclose(mine, expected, atol=2e-12)  # sums of 500 terms; Winograd loses a digit


@pytest.mark.parametrize("how", WAYS)
def test_in_float32_errors_are_those_of_rounding(key, how):
    x, kernel = draw(key, (8, 8), 3, 64, 32, jnp.float32)
    kernel = kernel / 24  # outputs and gradients of order 1
    g = jax.random.normal(key, (3, 8, 8, 32), jnp.float32)
    ours = with_gradients(lambda x, kernel: convolve(x, kernel, 1, 1, how), x, kernel, g)
    exact = with_gradients(lambda x, k: plain(x, k, 1, 1), *(a.astype(jnp.float64) for a in (x, kernel, g)))
    for mine, expected in zip(ours, exact, strict=True):
        assert mine.dtype == jnp.float32
        error = jnp.sqrt(jnp.mean((mine - expected) ** 2) / jnp.mean(expected**2))
        assert error < (2e-6 if how == "winograd" else 5e-7)  # 2 and 17 times the rounding of float32


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


@pytest.mark.parametrize("how", ["canonical", "winograd"])
def test_over_several_kernels_each_is_its_own_convolution(key, how):
    shape, size, stride, padding, c, o = CASES[0]
    x, kernels = draw(key, shape, size, c, 2 * o)
    kernels = kernels.reshape(size, size, c, 2, o).transpose(3, 0, 1, 2, 4)
    xs = jnp.stack([x, 2 * x[::-1]])
    loss = lambda x, kernel: jnp.sum(jnp.sin(convolve(x, kernel, stride, padding, how)))  # noqa: E731
    slope = jax.jit(jax.grad(loss, (0, 1)))
    each = [[slope(x, kernel) for kernel in kernels] for x in xs]
    stacked = lambda *pairs: jax.tree.map(lambda *a: jnp.stack(a), *pairs)  # noqa: E731
    shared = jax.jit(jax.vmap(slope, (None, 0)))(x, kernels)
    own = jax.jit(jax.vmap(slope))(xs, kernels)
    for found, expected in [(shared, stacked(*each[0])), (own, stacked(each[0][0], each[1][1]))]:
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), found, expected)  # rounding
    summed = lambda kernels: jnp.sum(jax.vmap(loss, (None, 0))(x, kernels))  # noqa: E731
    expected = jnp.stack([slopes[1] for slopes in each[0]])
    np.testing.assert_allclose(jax.jit(jax.grad(summed))(kernels), expected, atol=1e-12)
