"""Equilibria of Lemma 1's flow for data whose X and X_aug need not commute, and the decay at which they vanish.

At an equilibrium Wa = W, and for eta > 0 Theorem 1 makes W Wᵀ = Wpᵀ Wp / alpha_p. One of rank one is W = u wᵀ,
Wp = p u uᵀ with |w| = p/√alpha_p and

    (p X - p² Σ) w = eta w,        Σ = X + X_aug,

so along the unit vector v of w it exists where eta = p vᵀXv - p² vᵀΣv. The largest such eta is

    eta_c = max over unit v of (vᵀXv)² / (4 vᵀΣv),

which is max λ_d²/(4 λ_s) where X and X_aug commute. No equilibrium but zero exists above λ_max(X Σ⁻¹ X)/4 (the largest
singular pair of W gives eta ≤ p |Xv| - p² vᵀΣv), which is the same number for commuting data.
"""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from linbyol.checks import InputError, check_constants, check_count, concrete
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.orbits import invariants, symmetries, tangents


class Equilibria(eqx.Module):
    """Equilibria of weights_flow, one for each orbit of its symmetry W → Q W Rᵀ, Wp → Q Wp Qᵀ, Wa → Q Wa Rᵀ.

    Q is any orthogonal matrix; R one that commutes with X and X_aug, which for isotropic data is any as well. dimension
    is that of the family which R adds to the orbit under Q: 0 unless the data have a continuous symmetry, such as
    n - 1 for rank one in isotropic data, where any direction v does. eigenvalues are those of the flow's Jacobian
    without the zeros that belong to the symmetry, real parts descending, nan behind the last; stable where all real
    parts are negative: all that starts close by comes to rest on the family.
    """

    y: Weights  # leaves (m, d, n), (m, d, d), (m, d, n)
    rank: Int[Array, " m"]  # of W
    residual: Float[Array, " m"]  # largest rate left
    eigenvalues: Complex[Array, "m N"]
    stable: Bool[Array, " m"]
    dimension: Int[Array, " m"]


def critical_decay(k: Constants) -> Float[Array, ""]:
    """The largest eta at which weights_flow has an equilibrium of rank one: max (vᵀXv)²/(4 vᵀΣv) over unit v.

    Depends on k.X and k.X_aug (n, n) only; nan where X + X_aug = 0. Derived (see the head of this file).
    """
    return _top(k)[0]


def critical_direction(k: Constants) -> tuple[Float[Array, ""], Float[Array, " n"]]:
    """p and the unit vector v of the equilibrium W = u wᵀ, w = (p/√alpha_p) v that exists up to `critical_decay`."""
    return _top(k)[1:]


@jax.jit
def collapse_bound(k: Constants) -> Float[Array, ""]:
    """λ_max(X Σ⁻¹ X)/4: for eta above it weights_flow has no equilibrium but zero, of any rank. X + X_aug ≻ 0."""
    half = jnp.linalg.cholesky(k.X + k.X_aug)
    B = jax.scipy.linalg.solve_triangular(half, k.X, lower=True)  # BᵀB = X Σ⁻¹ X
    return jnp.linalg.norm(B, 2) ** 2 / 4


@jax.jit
def _top(k: Constants) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, " n"]]:
    """max over p and unit v of p vᵀXv - p² vᵀΣv, by turns in p and v from a grid of p; p ≤ 1/2 since X ⪯ Σ."""
    Sigma = k.X + k.X_aug

    def turn(p: Array) -> tuple[Array, Array]:
        v = jnp.linalg.eigh(p * k.X - p * p * Sigma)[1][:, -1]
        return v @ k.X @ v / (2 * v @ Sigma @ v), v  # the best p for this v

    ps = jnp.arange(1, 65, dtype=k.X.dtype) / 128
    heights = jax.vmap(lambda p: jnp.linalg.eigvalsh(p * k.X - p * p * Sigma)[-1])(ps)
    starts = ps[jnp.argsort(heights)[-4:]]  # several, since there may be more than one maximum

    def climb(p: Array) -> tuple[Array, Array, Array]:
        def moves(state: tuple) -> Array:
            old, p, turns = state
            return (jnp.abs(p - old) > 1e-10 * p) & (turns < 200)  # the height errs by the square of that

        _, p, _ = jax.lax.while_loop(moves, lambda state: (state[1], turn(state[1])[0], state[2] + 1), (2 * p, p, 0))
        p, v = turn(p)
        return (v @ k.X @ v) ** 2 / (4 * v @ Sigma @ v), p, v

    etas, ps, vs = jax.lax.map(climb, starts)
    best = jnp.argmax(etas)
    return etas[best], ps[best], vs[best]


def equilibria(k: Constants, d: int, *, key: Any, starts: int = 256) -> Equilibria:
    """The equilibria of weights_flow with d features and k.eta > 0, found and classified; zero first, then by rank.

    A search: Levenberg-Marquardt from superpositions of rank-one equilibria (all of them while they are fewer than
    `starts`, then random ones) and from as many Gaussian starts, those of one orbit merged by traces of products that
    the symmetry leaves alone. For small n and d (seconds at n = 5, d = 3). Raises `InputError` without float64, and at
    eta = 0, where the equilibria are not isolated: there Wp W = W X (X + X_aug)⁻¹, W = Wa (Appendix D).
    """
    _check(k)
    if jnp.zeros(()).dtype != jnp.float64:
        raise InputError("The search for equilibria needs float64: enable it (jax_enable_x64).")
    check_count("d", d)
    check_count("starts", starts)
    k = jax.tree.map(lambda x: jnp.asarray(x, float), k)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    sums, gaussians = _superpositions(k, d, rng, starts), _gaussians(k, d, rng, starts)
    y, residual = jax.tree.map(np.asarray, _settle(jax.tree.map(lambda *x: np.concatenate(x), sums, gaussians), k))
    y, residual = _distinct(y, residual, k)
    padded = jax.tree.map(lambda x: np.concatenate([x, np.zeros((-len(x) % 16, *x.shape[1:]))]), y)  # fewer shapes
    found = _spectrum(padded, k, symmetries(k))
    values, zeros, dimension = (np.asarray(x)[: len(residual)] for x in found)
    eigenvalues = np.full(values.shape, np.nan, complex)
    for i, (spectrum, count) in enumerate(zip(values, zeros, strict=True)):
        rest = spectrum[np.argsort(abs(spectrum))[count:]]  # the zeros of the symmetry are the smallest
        eigenvalues[i, : rest.size] = rest[np.argsort(-rest.real)]
    rank = np.linalg.matrix_rank(y.W, tol=1e-6)
    order = np.lexsort((-np.linalg.norm(y.W, axis=(1, 2)), rank))
    picked = (y, rank, residual, eigenvalues, eigenvalues[:, 0].real < -1e-9, dimension)
    return Equilibria(*jax.tree.map(lambda x: jnp.asarray(x[order]), picked))


def rank_one(k: Constants, points: int = 2048) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m n"]]:
    """p and the unit vectors v of all equilibria of rank one: (p X - p² Σ) v = eta v; W = u wᵀ with w = (p/√alpha_p) v.

    Found where an eigenvalue of p X - p² Σ crosses eta on a grid of p in (0, 1), then by bisection, in float64; of a
    family of v an orthonormal basis. Arrays only. Raises `InputError` at eta = 0.
    """
    _check(k)
    X, X_aug, eta = np.asarray(k.X, np.float64), np.asarray(k.X_aug, np.float64), float(k.eta)
    Sigma = X + X_aug

    def pencil(p: np.ndarray) -> np.ndarray:
        return p[:, None, None] * X - (p * p)[:, None, None] * Sigma

    ps = np.arange(points + 1) / points  # X ⪯ Σ, so all eigenvalues are negative from p = 1 on
    above = np.linalg.eigvalsh(pencil(ps)) > eta
    cell, branch = np.nonzero(above[1:] != above[:-1])
    rising = above[cell + 1, branch]
    low, high = ps[cell], ps[cell + 1]
    for _ in range(52):  # to the last bit
        middle = (low + high) / 2
        over = np.take_along_axis(np.linalg.eigvalsh(pencil(middle)), branch[:, None], axis=1)[:, 0] > eta
        low, high = np.where(over == rising, low, middle), np.where(over == rising, middle, high)
    vectors = np.linalg.eigh(pencil(low))[1]
    return low, np.take_along_axis(vectors, branch[:, None, None], axis=2)[:, :, 0]


def _check(k: Constants) -> None:
    check_constants(k)
    eta = concrete(k.eta)
    if eta is not None and not (eta > 0).all():
        raise InputError(f"Argument `eta` must be positive for isolated equilibria, but is {eta}.")


def _superpositions(k: Constants, d: int, rng: np.random.Generator, starts: int) -> Weights:
    """Zero, and sums of up to d rank-one equilibria in orthogonal features: exact where X and X_aug commute."""
    p, v = rank_one(k)
    sets = itertools.chain.from_iterable(itertools.combinations(range(len(p)), r) for r in range(d + 1))
    chosen = list(itertools.islice(sets, starts))
    if len(chosen) == starts and len(p):  # too many: all of rank one, then random ones
        kept = chosen[: 1 + len(p)]
        chosen = kept + [tuple(set(rng.integers(len(p), size=d))) for _ in range(starts - len(kept))]
    W, Wp = np.zeros((starts, d, k.X.shape[0])), np.zeros((starts, d, d))
    for i, subset in enumerate(chosen):
        for row, j in enumerate(subset):
            Wp[i, row, row], W[i, row] = p[j], p[j] / np.sqrt(float(k.alpha_p)) * v[j]
    return Weights(W, Wp, W)


def _gaussians(k: Constants, d: int, rng: np.random.Generator, starts: int) -> Weights:
    n = k.X.shape[0]
    W = rng.normal(size=(starts, d, n)) / np.sqrt(float(k.alpha_p) * n)
    return Weights(W, rng.normal(size=(starts, d, d)) / np.sqrt(d), W)


@eqx.filter_jit
def _settle(y: Weights, k: Constants) -> tuple[Weights, Float[Array, " m"]]:
    """Levenberg-Marquardt on the rates of W and Wp at Wa = W."""

    def one(y: Weights) -> tuple[Weights, Array]:
        flat, unravel = jax.flatten_util.ravel_pytree((y.W, y.Wp))

        def rate(x: Array) -> Array:
            W, Wp = unravel(x)
            moved = weights_flow(Weights(W, Wp, W), k)
            return jax.flatten_util.ravel_pytree((moved.W, moved.Wp))[0]

        def step(_: Any, state: tuple[Array, Array]) -> tuple[Array, Array]:
            x, damping = state
            r, J = rate(x), jax.jacfwd(rate)(x)
            new = x - jnp.linalg.solve(J.T @ J + damping * jnp.eye(x.size), J.T @ r)
            better = jnp.sum(rate(new) ** 2) < jnp.sum(r**2)
            return jnp.where(better, new, x), jnp.clip(jnp.where(better, damping / 5, damping * 4), 1e-13, 1e6)

        x, _ = jax.lax.fori_loop(0, 200, step, (flat, jnp.asarray(1e-2)))
        W, Wp = unravel(x)
        return Weights(W, Wp, W), jnp.max(jnp.abs(rate(x)))

    return jax.vmap(one)(y)


def _distinct(y: Weights, residual: np.ndarray, k: Constants) -> tuple[Weights, np.ndarray]:
    """One of each orbit, of those at rest."""
    seen = invariants(y, k)
    kept: list[int] = []
    for i in np.argsort(residual):
        if residual[i] < 1e-10 and all(abs(seen[i] - seen[j]).max() > 1e-6 for j in kept):
            kept.append(int(i))
    return jax.tree.map(lambda x: x[kept], y), residual[kept]


@eqx.filter_jit
def _spectrum(y: Weights, k: Constants, turns: Any) -> tuple[Complex[Array, "m N"], Int[Array, " m"], Int[Array, " m"]]:
    """Eigenvalues of the flow's Jacobian, how many of them are zero by symmetry, and how many of those by the data's.

    Each symmetry that moves an equilibrium makes a zero: as many as the orbit has dimensions.
    """

    def one(y: Weights) -> tuple[Array, Array, Array]:
        flat, unravel = jax.flatten_util.ravel_pytree(y)
        J = jax.jacfwd(lambda x: jax.flatten_util.ravel_pytree(weights_flow(unravel(x), k))[0])(flat)
        features, data = tangents(y, turns)
        rank = lambda moves: jnp.linalg.matrix_rank(jnp.stack(moves), rtol=1e-6)  # noqa: E731
        orbit = rank(features + data)
        return jnp.linalg.eigvals(J), orbit, orbit - rank(features)

    return jax.vmap(one)(y)
