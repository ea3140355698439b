"""Equilibria of Lemma 1's flow for data whose X and X_aug need not commute, and the decay above which all collapses.

At an equilibrium Wa = W, and for eta > 0 Theorem 1 makes W Wᵀ = Wpᵀ Wp / alpha_p. One of rank one is W = u wᵀ,
Wp = p u uᵀ with |w| = p/√alpha_p and

    (p X - p² Σ) w = eta w,        Σ = X + X_aug,

so along the unit vector v of w it exists where eta = p vᵀXv - p² vᵀΣv. The largest such eta is

    eta_c = max over unit v of (vᵀXv)² / (4 vᵀΣv),

which is max λ_d²/(4 λ_s) where X and X_aug commute. No equilibrium but zero exists above λ_max(X Σ⁻¹ X)/4 (the largest
singular pair of W gives eta ≤ p |Xv| - p² vᵀΣv), which is the same number for commuting data.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Constants


def critical_decay(k: Constants) -> Float[Array, ""]:
    """The largest eta at which weights_flow has an equilibrium of rank one: max (vᵀXv)²/(4 vᵀΣv) over unit v.

    Depends on k.X and k.X_aug (n, n) only; nan where X + X_aug = 0. Derived (see the head of this file).
    """
    return _top(k)[0]


def critical_direction(k: Constants) -> tuple[Float[Array, ""], Float[Array, " n"]]:
    """p and the unit vector v of the equilibrium W = u wᵀ, w = (p/√alpha_p) v that exists up to `critical_decay`."""
    return _top(k)[1:]


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
