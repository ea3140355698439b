"""The landscape of L = -tr(W B Wᵀ) + ½ tr[(W C Wᵀ)²] (Ziyin et al., arXiv 2210.00638): the origin and the minima."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.landscape import Encoder, Landscape, landscape_flow, landscape_loss, mode_loss, mode_minimum
from linbyol.extremes import every
from linbyol.integrate import integrate
from theory.proving.instances import moment, orthogonal
from theory.proving.words import residual

D, N = 4, 4
ROUNDING = 1e-12  # second derivatives of a quartic of order one
TIMES = np.array([0.0, 2000.0])  # the slowest rate, 4 |b - decay/2| ≥ 0.2, is then e^-400


@cache
def proofs() -> dict[str, str]:
    """What SymPy leaves of: the decay as a shift of B (every size), the minimum of a mode, the flow near 0."""
    d, n, decay = sp.Symbol("d", integer=True), sp.Symbol("n", integer=True), sp.Symbol("gamma", positive=True)
    W, B, C = MatrixSymbol("W", d, n), MatrixSymbol("B", n, n), MatrixSymbol("C", n, n)
    shifted = Landscape(B - decay * sp.Identity(n) / 2, C)
    s, b, c = sp.symbols("s b c", positive=True)
    slope = sp.diff(mode_loss(s, b, c), s)
    linear = landscape_flow(Encoder(W), Landscape(B, C)).W + 2 * (W @ C @ W.T @ W @ C)
    shift = landscape_flow(Encoder(W), Landscape(B, C, decay)).W - landscape_flow(Encoder(W), shifted).W
    return {
        "decay shifts B": residual(shift, symmetric=(B, C)),
        "linear part": residual(linear - 2 * (W @ B), symmetric=(B, C)),
        "stationary": residual(slope.subs(s, mode_minimum(b, c))),
        "at zero for b < 0": residual(mode_minimum(-b, c)),
        "convex": residual(sp.diff(slope, s) - c**2),
    }


def curvatures(k: Landscape) -> jax.Array:
    """Eigenvalues of the Hessian of the loss at W = 0, ascending, (D N,)."""
    flat = lambda w: landscape_loss(Encoder(w.reshape(D, N)), k)  # noqa: E731
    return jnp.linalg.eigvalsh(jax.hessian(flat)(jnp.zeros(D * N)))


@jax.jit
def _origin(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    a, b, c = jax.random.split(key, 3)
    C = moment(a, N)
    positive, decay = (v.reshape(-1) for v in jnp.meshgrid(jnp.arange(N + 1), jnp.array([0.0, 0.3])))

    def instance(positive: jax.Array, decay: jax.Array) -> tuple[jax.Array, jax.Array]:
        Q = orthogonal(jax.random.fold_in(b, positive), N)
        size = jax.random.uniform(jax.random.fold_in(c, positive), (N,), minval=0.2, maxval=1.0)
        eigenvalues = jnp.where(jnp.arange(N) < positive, size, -size)
        return eigenvalues - decay / 2, curvatures(Landscape((Q * eigenvalues[None]) @ Q.T, C, decay))

    return jax.vmap(instance)(positive, decay)


@cache
def origin(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For B with 0 to N positive eigenvalues, without and with decay: those of B - decay/2, and curvatures at 0."""
    left, curved = _origin(jax.random.fold_in(jax.random.key(seed), 98))
    return np.asarray(left), np.asarray(curved)


@jax.jit
def minimum(key: jax.Array) -> dict[str, jax.Array]:
    """Commuting B and C with decay: where the flow ends from a small random start, and the loss's gradient."""
    a, b, c, d = jax.random.split(key, 4)
    Q = orthogonal(a, N)
    strength = jnp.array([1.0, 1.0, -1.0, 1.0]) * jax.random.uniform(b, (N,), minval=0.25, maxval=1.0)
    push, decay = jax.random.uniform(c, (N,), minval=0.5, maxval=1.5), 0.3
    k = Landscape((Q * strength[None]) @ Q.T, (Q * push[None]) @ Q.T, decay)
    y0 = Encoder(0.01 * jax.random.normal(d, (D, N)))
    W = integrate(landscape_flow, y0, k, TIMES, rtol=1e-10, atol=1e-13).ys.W[-1]
    modes, law = Q.T @ (W.T @ W) @ Q, mode_minimum(strength - decay / 2, push)
    y = Encoder(jax.random.normal(d, (D, N)))
    slope = landscape_flow(y, k).W + jax.grad(lambda W: landscape_loss(Encoder(W), k))(y.W)
    return {
        "s_of_the_flow": jnp.diagonal(modes),
        "s_of_the_law": law,
        "largest_error": jnp.max(jnp.abs(modes - jnp.diag(law))),
        "gradient_of_the_loss_gap": jnp.max(jnp.abs(slope)),
    }


@claim(
    "B98",
    title="When the origin of the landscape lets go",
    statement="The Hessian at the origin is -2B on each row of W, so the origin has a way down if and only if B has a "
    "positive eigenvalue (B - (γ/2) I under weight decay); for commuting B and C the minimum "
    "has s_j = max(0, b_j/c_j²).",
    source="arXiv 2210.00638, recalled and derived",
    kind="numeric",
)
def ziyin(run: Run) -> Verdict:
    left, curved = origin(run.seed)
    hessian_gap = np.abs(curved - np.sort(-2 * np.repeat(left, D, axis=1), axis=1)).max()
    way_down = (curved < 0).any(axis=1) == (left > 0).any(axis=1)
    found, rest = minimum(jax.random.fold_in(run.key, 980)), {name: rest for name, rest in proofs().items() if rest}
    return holds_if(
        every(way_down) and hessian_gap < ROUNDING and found["largest_error"] < 1e-8
        and found["gradient_of_the_loss_gap"] < 100 * ROUNDING and not rest,
        seeds=[run.seed],
        instances=len(left),
        hessian_gap=hessian_gap,
        dimensions="symbolic",
        residual=rest,
        **found,
    )  # fmt: skip


@claim(
    "B98c",
    title="The origin need not be a saddle",
    statement="Read strictly, 'the origin is a saddle if and only if B has a positive eigenvalue' is wrong: where all "
    "are positive the origin is a strict maximum. For invertible B it is a saddle if and only if B has both signs.",
    source="arXiv 2210.00638, recalled and derived",
    kind="numeric",
)
def strict_maximum(run: Run) -> Verdict:
    left, curved = origin(run.seed)
    definite, maxima = (left > 0).all(axis=1), (curved < 0).all(axis=1)
    mixed, saddles = ((a > 0).any(axis=1) & (a < 0).any(axis=1) for a in (left, curved))
    return holds_if(
        definite.any() and every(definite == maxima) and every(mixed == saddles),
        seeds=[run.seed],
        instances=len(left),
        strict_maxima=maxima.sum(),
        positive_definite=definite.sum(),
        saddles=saddles.sum(),
    )
