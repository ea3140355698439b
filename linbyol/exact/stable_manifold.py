"""The edge of the basin of collapse in the (p, s) plane at a fixed target: the stable manifold of the saddle p_minus.

In x = p λ_s/a and v = alpha_p s (λ_s/a)², a = tau λ_d, with e = eta λ_s/a² Eqs. 11-12 have one parameter left:

    x' = v (1 - x) - e x,   v' = 2 v (x (1 - x) - e),   so   γ = v - x² (the balance) obeys γ' = -2 e γ.

The saddle is μ = p_minus λ_s/a, e = μ (1 - μ). With x = μ (1 + ξ), γ = μ² g, v = μ² h and Δ = 1 - 2 μ its stable
manifold is the solution through (ξ, g) = (0, 0) of

    dg/dξ = -2 (1 - μ) g/R,   or   d ln h/dξ = 2 ξ (Δ - μ ξ)/R,   R = ξ (1 + ξ)(Δ - μ ξ) + g (1 - μ - μ ξ),

which is regular as eta → 0. A power series leaves the saddle; from there the first form is integrated to p < p_minus,
where s is near p²/alpha_p, and the second to p > p_minus, where s may be exponentially small, like exp(-1/e).
"""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linbyol.fixed_points import Data, critical_polynomial, predictor_roots

TERMS = 9
NEAR = 0.02  # |ξ| up to which TERMS terms of the series are exact: 0.02^10 = 1e-17


@jax.jit
def separatrix(k: Data, p: Any) -> Float[Array, "*modes"]:
    """Sec. 3 off the parabola: s on the stable manifold of the saddle (p_minus, p_minus²/alpha_p), for any p.

    A mode starting above it survives, below it collapses (tau fixed at k.tau). At eta = 0 it is the edge of the basin
    of 7.3: p²/alpha_p for p ≤ 0, then 0, then (p² - (tau λ_d/λ_s)²)/alpha_p. At eta_c it is the strong stable manifold
    of the double root; above, nan. Arguments broadcast. Derived; relative accuracy 1e-10 while s is above e^-1000.
    """
    x, e, mu, unit, alpha_p = _reduced(k, p)
    _, log_v = _manifold(x, e, mu, jnp.full(x.shape, True))
    return unit * unit / alpha_p * jnp.exp(log_v)


@jax.jit
def collapses(p0: Any, s0: Any, k: Data) -> Bool[Array, "*modes"]:
    """Whether a mode starting at (p0, s0 ≥ 0) with a fixed target tau = k.tau ends at s = 0; any eta ≥ 0.

    eta = 0: with c = s0 - p0²/alpha_p, c ≤ 0 and (p0 ≤ 0 or p0² - alpha_p s0 ≥ (tau λ_d/λ_s)²); s0 = 0 stays there.
    0 < eta ≤ eta_c: below the separatrix. eta > eta_c: always. On the edge itself it does not collapse if eta > 0.
    """
    leaves = _reduced(k, p0)
    x, e, mu, unit, alpha_p, p0, s0 = jnp.broadcast_arrays(
        *leaves, *(jnp.asarray(v, leaves[0].dtype) for v in (p0, s0))
    )
    v = alpha_p * s0 / (unit * unit)
    balance = alpha_p * s0 - p0 * p0
    on_parabola = jnp.abs(balance) <= 4 * jnp.finfo(x.dtype).eps * p0 * p0  # as s0 = p0²/alpha_p in floating point is
    balance = jnp.where(on_parabola, 0, balance) / (unit * unit)
    unclear = ((balance > 0) & (x < mu)) | ((balance < 0) & (x > mu))  # else c decides: p is monotone in c while x < 1
    gamma, log_v = _manifold(x, e, mu, unclear & (s0 > 0))
    below = jnp.where(x < mu, balance < gamma, jnp.log(jnp.where(v > 0, v, 1)) < log_v)
    below = jnp.where(unclear, below, (x < mu) | ((x == mu) & (balance < 0)))
    at_zero = (balance <= 0) & ((x <= 0) | (balance <= -1))
    return (s0 == 0) | ~(e <= 0.25) | jnp.isnan(mu) | jnp.where(e == 0, at_zero, below)


def _reduced(k: Data, p: Any) -> tuple[Array, ...]:
    """x, e, mu, the unit a/λ_s of p, alpha_p, all of one shape."""
    a, b, eta, _ = critical_polynomial(k)
    _, p_minus, _ = predictor_roots(k)
    unit = a / b
    p, unit, e, mu, alpha_p = jnp.broadcast_arrays(
        jnp.asarray(p, dtype=a.dtype), unit, eta / (a * unit), p_minus / unit, jnp.asarray(k.alpha_p, dtype=a.dtype)
    )
    return p / unit, e, mu, unit, alpha_p


def _manifold(x: Array, e: Array, mu: Array, wanted: Array) -> tuple[Array, Array]:
    """γ and ln v of the manifold at x; where it is not wanted, or does not exist, something or nan."""
    exists = mu > 0
    safe = jnp.where(exists, mu, 0.1)
    xi = jnp.where(exists & wanted, (x - safe) / safe, 0)
    g, log_h = _solve(xi.reshape(-1), safe.reshape(-1))
    gamma, log_v = safe * safe * g.reshape(x.shape), 2 * jnp.log(safe) + log_h.reshape(x.shape)
    # eta = 0: the edge in three pieces
    v = jnp.where(x <= 0, x * x, jnp.maximum(x * x - 1, 0))
    gamma = jnp.where(exists, gamma, jnp.where(e == 0, v - x * x, jnp.nan))
    return gamma, jnp.where(exists, log_v, jnp.where(e == 0, jnp.log(v), jnp.nan))


@eqx.filter_jit
def _solve(xi: Float[Array, " m"], mu: Float[Array, " m"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """g and ln h at ξ, one lane each."""

    def rate(theta: Any, y: Any, args: Any) -> Array:
        xi0, length, mu = args  # ξ = ξ0 exp(length θ)
        xi = xi0 * jnp.exp(length * theta)
        left = xi < 0
        bend = xi * (1 - 2 * mu - mu * xi)
        # h (1 - x) - (1 - μ)(1 + ξ), in g where that does not cancel
        R = jnp.where(
            left,
            (1 + xi) * bend + y * (1 - mu - mu * xi),
            jnp.exp(jnp.where(left, 0, y)) * (1 - mu - mu * xi) - (1 - mu) * (1 + xi),
        )
        return jnp.where(left, -2 * (1 - mu) * y, 2 * bend) / R * xi * length

    def lane(xi: Array, mu: Array) -> tuple[Array, Array]:
        xi0 = jnp.clip(xi, -NEAR, NEAR)
        g = _series(xi0, mu)
        left = xi < 0
        far = jnp.abs(xi) > NEAR
        length = jnp.where(far, jnp.log(jnp.where(far, xi / xi0, 1)), 0)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(rate),
            diffrax.Dopri8(),
            t0=0.0,
            t1=1.0,
            dt0=None,
            y0=jnp.where(left, g, jnp.log((1 + xi0) ** 2 + g)),
            args=(jnp.where(far, xi0, jnp.where(left, -NEAR, NEAR)), length, mu),
            stepsize_controller=diffrax.PIDController(rtol=1e-12, atol=1e-12),
            max_steps=16384,
            throw=False,
        )
        y = jnp.where(solution.result == diffrax.RESULTS.successful, solution.ys[-1], jnp.nan)
        g = jnp.where(left, y, jnp.exp(jnp.where(left, 0, y)) - (1 + xi) ** 2)
        h = (1 + xi) ** 2 + jnp.where(left, y, 0)
        return g, jnp.where(left, jnp.log(jnp.where(left, h, 1)), y)

    return jax.vmap(lane)(xi, mu)


def _series(xi: Array, mu: Array) -> Array:
    """g = Σ g_j ξ^j near the saddle, from comparing powers in g' R = -2 (1 - μ) g."""
    Delta = 1 - 2 * mu
    plain = {1: Delta, 2: Delta - mu, 3: -mu}  # of ξ (1 + ξ)(Δ - μ ξ)
    g = {0: 0 * mu, 1: -(3 - 4 * mu) / (1 - mu)}
    R = {1: -2 * (1 - mu)}
    for j in range(2, TERMS + 1):
        known = plain.get(j, 0) - mu * g[j - 1]  # R_j without (1 - μ) g_j
        rest = g[1] * known + sum(i * g[i] * R[j + 1 - i] for i in range(2, j))
        g[j] = rest / ((1 - mu) * (2 * j - 2) + 3 - 4 * mu)
        R[j] = known + (1 - mu) * g[j]
    total = 0 * xi
    for j in range(TERMS, 0, -1):
        total = xi * (g[j] + total)
    return total
