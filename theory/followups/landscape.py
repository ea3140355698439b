"""The landscape of L = -tr(W B Wᵀ) + ½ tr[(W C Wᵀ)²] (Ziyin et al., arXiv 2210.00638): the origin and the minima."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.landscape import Encoder, Landscape, landscape_flow, landscape_loss, mode_loss, mode_minimum
from linbyol.extremes import every, largest
from theory.proving.instances import moment, orthogonal
from theory.proving.prover import slopes
from theory.proving.solves import follow
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


@jax.jit
@jax.vmap
def curvatures(k: Landscape) -> jax.Array:
    """Eigenvalues of the Hessian of the loss at W = 0, ascending, (D N,)."""
    flat = lambda w: landscape_loss(Encoder(w.reshape(D, N)), k)  # noqa: E731
    return jnp.linalg.eigvalsh(jax.hessian(flat)(jnp.zeros(D * N)))


@cache
def origin(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For B with 0 to N positive eigenvalues, without and with decay: those of B - decay/2, and curvatures at 0."""
    rng = np.random.default_rng([seed, 98])
    C, left, instances = moment(rng, N), [], []
    for positive in range(N + 1):
        Q, size = orthogonal(rng, N), rng.uniform(0.2, 1.0, N)
        eigenvalues = np.where(np.arange(N) < positive, size, -size)
        for decay in (0.0, 0.3):
            left.append(eigenvalues - decay / 2)
            instances.append(Landscape((Q * eigenvalues) @ Q.T, C, decay))
    return np.array(left), np.asarray(curvatures(Landscape(*map(np.array, zip(*instances, strict=True)))))


def minimum(rng: np.random.Generator) -> dict[str, Any]:
    """Commuting B and C with decay: where the flow ends from a small random start, and the loss's gradient."""
    Q = orthogonal(rng, N)
    strength = np.array([1.0, 1.0, -1.0, 1.0]) * rng.uniform(0.25, 1.0, N)
    push, decay = rng.uniform(0.5, 1.5, N), 0.3
    k = Landscape((Q * strength) @ Q.T, (Q * push) @ Q.T, decay)
    W = follow(landscape_flow, Encoder(0.01 * rng.standard_normal((D, N))), k, TIMES, atol=1e-13).ys.W[-1]
    modes, law = Q.T @ (W.T @ W) @ Q, mode_minimum(strength - decay / 2, push)
    y = Encoder(rng.standard_normal((D, N)))
    slope = landscape_flow(y, k).W + slopes(lambda W: landscape_loss(Encoder(W), k), y.W)
    return {
        "s_of_the_flow": np.diagonal(modes),
        "s_of_the_law": law,
        "largest_error": largest(np.abs(modes - np.diag(law))),
        "gradient_of_the_loss_gap": largest(np.abs(slope)),
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
    found = minimum(np.random.default_rng([run.seed, 980]))
    rest = {name: rest for name, rest in proofs().items() if rest}
    return holds_if(
        every(way_down) and hessian_gap < ROUNDING and found["largest_error"] < 1e-8
        and found["gradient_of_the_loss_gap"] < 100 * ROUNDING and not rest,
        instances=len(left),
        hessian_gap=hessian_gap,
        dimensions="symbolic",
        residual=rest,
        **found
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
        instances=len(left),
        strict_maxima=maxima.sum(),
        positive_definite=definite.sum(),
        saddles=saddles.sum(),
    )
