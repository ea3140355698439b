"""The edge of the basin of collapse in the (p, s) plane at a fixed target: the stable manifold of the saddle p_minus.

In x = p λ_s/a and v = alpha_p s (λ_s/a)², a = tau λ_d, with e = eta λ_s/a² Eqs. 11-12 have one parameter left:

    x' = v (1 - x) - e x,   v' = 2 v (x (1 - x) - e),   so   γ = v - x² (the balance) obeys γ' = -2 e γ.

The saddle is μ = p_minus λ_s/a, e = μ (1 - μ). With x = μ (1 + ξ), γ = μ² g, v = μ² h and Δ = 1 - 2 μ its stable
manifold is the solution through (ξ, g) = (0, 0) of

    dg/dξ = -2 (1 - μ) g/R,   or   d ln h/dξ = 2 ξ (Δ - μ ξ)/R,   R = ξ (1 + ξ)(Δ - μ ξ) + g (1 - μ - μ ξ),

which is regular as eta → 0. A power series leaves the saddle; from there the first form is integrated to p < p_minus,
where s is near p²/alpha_p, and the second to p > p_minus, where s may be exponentially small, like exp(-1/e).
"""

from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linbyol.checks import check_nonnegative
from linbyol.cubic import Data, admitted, critical_polynomial, numbers, roots, upright

TERMS = 9
NEAR = 0.02  # |ξ| up to which TERMS terms of the series are exact: 0.02^10 = 1e-17
FAR = 1e3  # |x| from which γ stays as it is: dγ/dx = 2 e γ/x³


def separatrix(k: Data, p: Any) -> Float[Array, "*modes"]:
    """Sec. 3 off the parabola: s on the stable manifold of the saddle (p_minus, p_minus²/alpha_p), for any p.

    A mode starting above it survives, below it collapses (tau fixed at k.tau). At eta = 0 it is the edge of the basin
    without decay: p²/alpha_p for p ≤ 0, then 0, then (p² - (tau λ_d/λ_s)²)/alpha_p. At eta_c it is the strong stable
    manifold of the double root; above, nan. Arguments broadcast. Derived; relative accuracy 1e-10 while s is above
    e^-1000, in float32 1e-5, and 3e-4 below eta_c/2000. Differentiable in either mode; in eta and tau not at eta_c.
    """
    return _separatrix(admitted(k), numbers("p", p))


@jax.jit
def _separatrix(k: Data, p: Array) -> Array:
    place, alpha_p = _place(k, p, k.alpha_p)
    _, log_v = _manifold(place, place.exists)
    p, unit = place.p, place.unit
    at_no_decay = jnp.where(p <= 0, p * p, jnp.maximum(p * p - unit * unit, 0))
    at_no_decay = jnp.where((place.eta == 0) & jnp.isfinite(unit), at_no_decay, jnp.nan)
    return jnp.where(place.exists, unit * unit * jnp.exp(log_v), at_no_decay) / alpha_p


def collapses(p0: Any, s0: Any, k: Data) -> Bool[Array, "*modes"]:
    """Whether a mode starting at (p0, s0 ≥ 0) with a fixed target tau = k.tau ends at s = 0; any eta ≥ 0.

    eta = 0: with c = s0 - p0²/alpha_p, c ≤ 0 and (p0 ≤ 0 or p0² - alpha_p s0 ≥ (tau λ_d/λ_s)²); s0 = 0 stays there.
    0 < eta ≤ eta_c: below the separatrix. eta > eta_c: always. On the edge itself it does not collapse if eta > 0.
    """
    p0, s0 = numbers("p0", p0), numbers("s0", s0)
    check_nonnegative("s0", s0)
    return _collapses(p0, s0, admitted(k))


@jax.jit
def _collapses(p0: Array, s0: Array, k: Data) -> Array:
    place, alpha_p, s0 = _place(k, p0, k.alpha_p, s0)
    p0, unit, x, mu = place.p, place.unit, place.x, place.mu
    v = alpha_p * s0
    balance = v - p0 * p0
    rounding = 4 * jnp.finfo(x.dtype).eps * p0 * p0  # s0 = p0²/alpha_p in floating point counts as on the parabola
    balance = jnp.where(jnp.abs(balance) <= rounding, 0, balance)
    unclear = ((balance > 0) & (x < mu)) | ((balance < 0) & (x > mu))  # else c decides: p is monotone in c while x < 1
    gamma, log_v = _manifold(place, place.exists & unclear & (s0 > 0))
    v = v / (unit * unit)
    below = jnp.where(x < mu, balance < gamma * unit * unit, jnp.log(jnp.where(v > 0, v, 1)) < log_v)
    below = jnp.where(unclear, below, (x < mu) | ((x == mu) & (balance < 0)))
    at_no_decay = (balance <= 0) & ((p0 <= 0) | (balance <= -unit * unit)) & jnp.isfinite(unit)
    return (s0 == 0) | jnp.where(place.eta == 0, at_no_decay, ~place.exists | below)


class Place(NamedTuple):
    """Where p lies: of one shape, mirrored to a ≥ 0."""

    p: Array
    unit: Array  # a/λ_s, nan without data
    x: Array  # p in this unit
    mu: Array  # p_minus in it
    eta: Array
    exists: Array  # whether there is a saddle p_minus > 0


def _place(k: Data, p: Any, *others: Any) -> tuple[Any, ...]:
    """The place, and the others in its shape."""
    side, cubic = upright(critical_polynomial(k))
    a, b, eta, D = cubic
    p_minus, _ = roots(cubic)
    unit = a / b
    exists = (eta > 0) & (D >= 0) & (p_minus > 0)
    arrays = jnp.broadcast_arrays(side, unit, eta, exists, p_minus, *(jnp.asarray(x, a.dtype) for x in (p, *others)))
    side, unit, eta, exists, p_minus, p, *rest = arrays
    safe = jnp.where(exists, unit, 1)
    return Place(side * p, unit, side * p / safe, jnp.where(exists, p_minus, 0.1) / safe, eta, exists), *rest


def _manifold(place: Place, wanted: Array) -> tuple[Array, Array]:
    """γ and ln v of the manifold at x; where it is not wanted, those at the saddle."""
    x, least = place.x, 100 * _tolerance(place.x)
    # ln v falls to -1/μ on its way to x = 2, and would lose its digits; s is 0 there in floating point all the same
    mu = jnp.where((place.mu < least) & (x > least**0.5), least, place.mu)
    near = jnp.clip(x, -FAR, FAR)
    xi = jnp.where(wanted, (near - mu) / mu, 0)
    g, log_h = (y.reshape(xi.shape) for y in _solve(xi.reshape(-1), mu.reshape(-1)))
    gamma, log_v = mu * mu * g, 2 * jnp.log(mu) + log_h
    far = jnp.abs(x) > FAR
    return gamma, jnp.where(far, jnp.log(jnp.where(far, x * x + gamma, 1)), log_v)


def _tolerance(x: Array) -> float:
    return max(1e-12, 10 * float(jnp.finfo(x.dtype).eps))


@jax.custom_jvp
def _solve(xi: Array, mu: Array) -> tuple[Array, Array]:
    """g and ln h at ξ, one lane each."""
    return jax.vmap(_lane)(xi, mu)


@_solve.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Linear in the tangents, so that reverse mode transposes it: the lanes themselves can be pushed forward alone."""
    slopes = jax.vmap(jax.jacfwd(_lane, argnums=(0, 1)))(*primals)
    g, log_h = (along * tangents[0] + across * tangents[1] for along, across in slopes)
    return jax.vmap(_lane)(*primals), (g, log_h)


def _lane(xi: Array, mu: Array) -> tuple[Array, Array]:
    left, far = xi < 0, jnp.abs(xi) > NEAR
    xi0 = jnp.clip(xi, -NEAR, NEAR)
    g = _series(xi0, mu)
    y0 = jnp.where(left, g, jnp.log((1 + xi0) ** 2 + g))
    start = jnp.where(left, -NEAR, NEAR).astype(xi.dtype)
    length = jnp.log(jnp.where(far, xi / start, 1))
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(_rate),
        diffrax.Dopri8(),
        t0=jnp.zeros_like(xi),
        t1=jnp.ones_like(xi),
        dt0=None,
        y0=y0,
        args=(start, length, mu),
        stepsize_controller=diffrax.PIDController(rtol=_tolerance(xi), atol=_tolerance(xi)),
        max_steps=16384,
        throw=False,
        adjoint=diffrax.ForwardMode(),
    )
    y = jnp.where(solution.result == diffrax.RESULTS.successful, solution.ys[-1], jnp.nan)
    g = jnp.where(left, y, jnp.exp(jnp.where(left, 0, y)) - (1 + xi) ** 2)
    h = (1 + xi) ** 2 + jnp.where(left, y, 0)
    return g, jnp.where(left, jnp.log(jnp.where(left, h, 1)), y)


def _rate(theta: Any, y: Array, args: Any) -> Array:
    """Of g to the left of the saddle, of ln h to the right, at ξ = ξ0 exp(length θ)."""
    xi0, length, mu = args
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
