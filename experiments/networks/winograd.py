"""Winograd's F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308): 3×3 convolutions of stride 1 with a quarter of the products.

Tiles of 6×6 pixels, 4 apart, become 36 matrix products: Y = Aᵀ[(G k Gᵀ) ∘ (Bᵀ x B)]A for each tile, ∘ a product over
channels. In float32 its rounding is some ten times that of the plain sum. Images are padded to a multiple of 4.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Images = Float[Array, "b h w c"]
Kernel = Float[Array, "kh kw c o"]

B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)  # Bᵀ in the paper
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])  # Aᵀ in the paper
TILE = 4  # pixels of the output along a side


def forward(x: Images, kernel: Kernel, stride: int, padding: int) -> Images:
    """y for a kernel of 3×3 and stride 1."""
    b, h, w, _ = x.shape
    o, (h, w) = kernel.shape[3], (n + 2 * padding - 2 for n in (h, w))
    products = _tiles(_framed(x, padding, 2), B) @ _turned(G, kernel)
    products = products.reshape(6, 6, b, -(-h // TILE), -(-w // TILE), o)
    y = jnp.stack(_combined(A, list(products)), axis=3)  # (6, b, rows, 4, columns, o)
    y = jnp.stack(_combined(A, list(y)), axis=4)  # (b, rows, 4, columns, 4, o)
    return y.reshape(b, y.shape[1] * TILE, y.shape[3] * TILE, o)[:, :h, :w]


def to_input(g: Images, kernel: Kernel, stride: int, padding: int, shape: tuple[int, ...]) -> Images:
    """The gradient at x: the cotangent with the turned kernel."""
    crop = max(padding - 2, 0)  # what lies in the padding beyond the kernel's reach gets no gradient
    g = g[:, crop : g.shape[1] - crop, crop : g.shape[2] - crop]
    return forward(g, kernel[::-1, ::-1].swapaxes(2, 3), 1, max(2 - padding, 0))


def to_kernel(x: Images, g: Images, stride: int, padding: int, shape: tuple[int, ...]) -> Kernel:
    """The gradient at the kernel: Gᵀ[Σ (Bᵀ x B) (A g Aᵀ)]G, the sum over tiles."""
    products = jnp.einsum("anc,ano->aco", _tiles(_framed(x, padding, 2), B), _tiles(_framed(g, 0, 0), A.T))
    return _turned(G.T, products.reshape(6, 6, *shape[2:])).reshape(shape)


def _framed(x: Images, padding: int, rest: int) -> Images:
    """Zero padding, and more at the end, until rows and columns are `rest` more than a multiple of 4."""
    high = [padding + -(n + 2 * padding - rest) % TILE for n in x.shape[1:3]]
    return jnp.pad(x, [(0, 0), (padding, high[0]), (padding, high[1]), (0, 0)])


def _tiles(x: Images, transform: np.ndarray) -> Float[Array, "36 n c"]:
    """The transform of every tile, along rows and then along columns; n counts the tiles of all images."""
    side = transform.shape[1]
    b, h, w, c = x.shape
    rows, columns = ((n - side) // TILE + 1 for n in (h, w))
    span = lambda i, n: slice(i, i + TILE * (n - 1) + 1, TILE)  # noqa: E731
    y = jnp.stack(_combined(transform, [x[:, span(i, rows)] for i in range(side)]))  # (6, b, rows, w, c)
    y = jnp.stack(_combined(transform, [y[:, :, :, span(i, columns)] for i in range(side)]), axis=1)
    return y.reshape(36, b * rows * columns, c)


def _turned(transform: np.ndarray, kernel: Float[Array, "s t c o"]) -> Float[Array, "k c o"]:
    """transform · kernel · transformᵀ on the first two axes, which become one."""
    s, t, c, o = kernel.shape
    both = jnp.asarray(np.kron(transform, transform), kernel.dtype)
    return (both @ kernel.reshape(s * t, c * o)).reshape(-1, c, o)


def _combined(matrix: np.ndarray, parts: list[Array]) -> list[Array]:
    """matrix · parts, written out, for its entries are 0 and small integers."""
    rows = ([(float(a), part) for a, part in zip(row, parts, strict=True) if a] for row in matrix)
    return [functools.reduce(jnp.add, [part if a == 1 else a * part for a, part in row]) for row in rows]
