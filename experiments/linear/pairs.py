"""Where pairs of views come from: a source is a function key -> (x1, x2), two views of the same images, (..., n)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.images.views import Augmentation, views_of


class BankPairs(eqx.Module):
    """`batch` random images, and of each two views drawn independently, with replacement, from a fixed bank."""

    bank: Float[Array, "N V n"]
    batch: int = eqx.field(static=True)

    def __call__(self, key: Array) -> tuple[Array, Array]:
        N, V, _ = self.bank.shape
        image, u, v = jax.random.randint(key, (3, self.batch), 0, jnp.array([[N], [V], [V]]))
        return self.bank[image, u], self.bank[image, v]


class AllPairs(eqx.Module):
    """Every image with every pair of views of its bank: full-batch descent, the key unused."""

    bank: Float[Array, "N V n"]

    def __call__(self, key: Array) -> tuple[Array, Array]:
        return self.bank[:, :, None], self.bank[:, None]


class FreshPairs(eqx.Module):
    """`batch` random images, and of each two views made for this step alone."""

    images: Float[Array, "N h w c"]
    how: Augmentation
    batch: int = eqx.field(static=True)

    def __call__(self, key: Array) -> tuple[Array, Array]:
        a, b = jax.random.split(key)
        image = jax.random.randint(a, (self.batch,), 0, self.images.shape[0])
        x = views_of(b, self.images[image], jnp.arange(self.batch), self.how, 2)
        return x[:, 0], x[:, 1]


class NoisyPairs(eqx.Module):
    """`batch` random rows, each twice with fresh Gaussian noise: X is the rows' own, X_aug = sigma2 I."""

    rows: Float[Array, "N n"]
    sigma2: float | Array
    batch: int = eqx.field(static=True)

    def __call__(self, key: Array) -> tuple[Array, Array]:
        a, b = jax.random.split(key)
        x = self.rows[jax.random.randint(a, (self.batch,), 0, self.rows.shape[0])]
        noise = jnp.sqrt(self.sigma2) * jax.random.normal(b, (2, *x.shape), x.dtype)
        return x + noise[0], x + noise[1]


def isotropic_bank(key: Array, rows: Float[Array, "N n"], sigma2: float) -> Float[Array, "N V n"]:
    """Isotropic noise: V = 2n views of each row, x ± √(n sigma2) q_j with a random orthonormal basis q of its own.

    X is that of the rows and X_aug = sigma2 I, exactly: Assumption 2 holds for the bank if the rows are whitened.
    """
    n = rows.shape[1]
    Q = jax.random.orthogonal(key, n, (rows.shape[0],))
    noise = jnp.sqrt(n * sigma2) * jnp.concatenate([Q, -Q], axis=1)
    return rows[:, None] + noise
