"""Eqs. 11-13: the flows of matrices act on common eigenvectors as the flows of modes say."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol, ZeroMatrix

from linbyol.assumptions import amplitudes_to_modes, from_amplitudes
from linbyol.claims import Run, Verdict, claim
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Constants,
    Isotropic,
    Modes,
    Symmetric,
    Weights,
    amplitudes_flow,
    modes_flow,
    parabola_flow,
    symmetric_flow,
    weights_flow,
)
from linbyol.equations.combinators import hold, simsiam
from linbyol.extremes import largest, relative_gap
from theory.proving import instances
from theory.proving.prover import Equal, Rate, Space, Statement, proven
from theory.proving.solves import SAME, Solved, solve
from theory.proving.spaces import AMPLITUDES, MODES, SYMMETRIC, WEIGHTS


def _one_by_one() -> Space:
    """n = d = 1: the weights and moments as 1 x 1 matrices of the amplitudes' symbols."""
    cell = lambda a: sp.Matrix([[a]])  # noqa: E731
    (w, wp, wa), k = AMPLITUDES.y, AMPLITUDES.k
    moments = Constants(k.alpha_p, k.beta, k.eta, X=cell(k.lambda_d), X_aug=cell(k.lambda_s - k.lambda_d))
    return Space(Weights(cell(w), cell(wp), cell(wa)), moments, dimensions="1x1 (the statement is on n = d = 1)")


def _scalar_rate(y: Weights, k: Constants) -> Weights:
    """`amplitudes_flow` of the entries, as 1 x 1 matrices."""
    data = Commuting(k.alpha_p, k.beta, k.eta, lambda_d=k.X[0, 0], lambda_s=(k.X + k.X_aug)[0, 0])
    rate = amplitudes_flow(Amplitudes(y.W[0, 0], y.Wp[0, 0], y.Wa[0, 0]), data)
    return Weights(*(sp.Matrix([[a]]) for a in rate))


def _aligned() -> Space:
    """A common eigenvector u of Wp and F, with the eigenvalues of a mode."""
    (Wp, F), mode = SYMMETRIC.y, MODES.y
    return Space(SYMMETRIC.y, SYMMETRIC.k, None, SYMMETRIC.symmetric, {Wp @ U: mode.p * U, F @ U: mode.s * U})


def _commuting() -> Space:
    """Singular vectors u and v that W and Wa share; u an eigenvector of Wp and Wpᵀ, v one of X and X_aug.

    z is orthogonal to all v: W z = Wa z = 0, and X, X_aug keep it so.
    """
    (W, Wp, Wa), k = WEIGHTS.y, WEIGHTS.k
    (w, wp, wa), data = AMPLITUDES.y, AMPLITUDES.k
    none = ZeroMatrix(W.shape[0], 1)
    rules = {W @ V: w * U, W.T @ U: w * V, Wa @ V: wa * U, Wa.T @ U: wa * V, Wp @ U: wp * U, Wp.T @ U: wp * U}
    rules |= {k.X @ V: data.lambda_d * V, k.X_aug @ V: (data.lambda_s - data.lambda_d) * V}
    rules |= {W @ Z: none, Wa @ Z: none, k.X @ Z: Z, k.X_aug @ Z: Z}
    k = k._replace(alpha_p=data.alpha_p, beta=data.beta, eta=data.eta)
    return Space(WEIGHTS.y, k, None, WEIGHTS.symmetric, rules)


def _on_vectors(y: Weights, k: Constants) -> Weights:
    rate = weights_flow(y, k)
    return Weights(W=rate.W @ (V + Z), Wp=rate.Wp @ U, Wa=rate.Wa @ (V + Z))


def _on_vectors_transposed(y: Weights, k: Constants) -> Weights:
    rate = weights_flow(y, k)
    return Weights(W=rate.W.T @ U, Wp=rate.Wp.T @ U, Wa=rate.Wa.T @ U)


def _by_amplitudes(y: Weights, k: Constants) -> Weights:
    return Weights(*(a * U for a in amplitudes_flow(AMPLITUDES.y, AMPLITUDES.k)))


def _by_amplitudes_transposed(y: Weights, k: Constants) -> Weights:
    rate = amplitudes_flow(AMPLITUDES.y, AMPLITUDES.k)
    return Weights(W=rate.w * V, Wp=rate.wp * U, Wa=rate.wa * V)


def _by_modes(y: Symmetric, k: Isotropic) -> Symmetric:
    rate = modes_flow(MODES.y, k)
    return Symmetric(Wp=rate.p * U, F=rate.s * U)


U = MatrixSymbol("u", SYMMETRIC.y.F.shape[0], 1)
V, Z = (MatrixSymbol(name, WEIGHTS.k.X.shape[0], 1) for name in ("v", "z"))
ALIGNED, COMMUTING = _aligned(), _commuting()

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B25": (
        Equal(_one_by_one(), weights_flow, _scalar_rate),
        Rate(
 AMPLITUDES, amplitudes_flow, lambda y, k: amplitudes_to_modes(y), lambda y, k: modes_flow(amplitudes_to_modes(y), k)
        ),
    ),
    "B26": (
        Equal(ALIGNED, lambda y, k: Symmetric(*(A @ U for A in symmetric_flow(y, k))), _by_modes),
    ),
    "B27": (
        Equal(COMMUTING, _on_vectors, _by_amplitudes),
        Equal(COMMUTING, _on_vectors_transposed, _by_amplitudes_transposed),
    ),
}  # fmt: skip


@functools.cache
def runs(seed: int) -> tuple[dict[str, Solved], tuple[Any, Any]]:
    """Pairs of flows that should agree, and modes on the parabola; and the singular vectors they had."""
    rng = np.random.default_rng([seed, 25])
    k, data = instances.isotropic(rng), instances.commuting(rng, 4)
    p0, s0 = rng.uniform(0.2, 0.9, (2, 4))
    aligned, rotation = Modes(p0, s0, 0 * p0 + k.tau), instances.orthogonal(rng, 4)
    one = Constants(k.alpha_p, k.beta, k.eta, np.eye(1), k.sigma2 * np.eye(1))
    single = Amplitudes(np.sqrt(s0[:1]), p0[:1], 0.3 * np.sqrt(s0[:1]))
    amplitudes = instances.amplitudes(rng, 4)
    basis = instances.orthogonal(rng, 7)
    shared = jnp.asarray(rotation), jnp.asarray(basis[:, :4])  # the singular vectors
    moments = [
        _turned(basis, np.concatenate([eigenvalues, [0.2, 0.5, 0.9]]))
        for eigenvalues in (data.lambda_d, data.lambda_s - data.lambda_d)
    ]
    commuting = Constants(data.alpha_p, data.beta, data.eta, *moments)
    alphas = k._replace(alpha_p=np.array([0.3, 1.0, 2.0, 8.0]), tau=1.0)
    parabola = 0 * p0 + p0[0]
    found = solve(
        {
            "1x1": (weights_flow, Weights(*(a[:, None] for a in single)), one),
            "its mode": (modes_flow, amplitudes_to_modes(single), k),
            "aligned": (symmetric_flow, Symmetric(*(_turned(rotation, a) for a in (p0, s0))), k),
            "its modes": (hold(modes_flow, "tau"), aligned, k),
            "commuting": (weights_flow, from_amplitudes(amplitudes, *shared), commuting),
            "its amplitudes": (amplitudes_flow, amplitudes, data),
            "every alpha_p": (simsiam(modes_flow), Modes(parabola, parabola**2 / alphas.alpha_p, 1 + 0 * p0), alphas),
            "Eq. 16": (parabola_flow, parabola, k._replace(tau=1.0)),
        }
    )
    return found, shared


def _turned(Q: Any, a: Any) -> Any:
    """Q diag(a) Qᵀ."""
    return Q @ np.diag(a) @ Q.T


@claim(
    "B25",
    title="Eqs. 11-13 are BYOL with n = d = 1",
    statement="With W² = s, Wp = p, Wa/W = τ, Lemma 1 for 1x1 matrices is Eqs. 11-13 (and Eqs. 104-106 in W, Wp, Wa).",
    source="Eqs. 11-13",
    kind="symbolic",
)
def one_mode(run: Run) -> Verdict:
    found, _ = runs(run.seed)
    W, Wp, Wa = (a[:, :, 0] for a in found["1x1"].ys)
    pairs = zip(found["its mode"].ys, (Wp, W * W, Wa / W), strict=True)
    gap = largest(relative_gap(a, b) for a, b in pairs)
    return proven(run, PROOFS["B25"], gap < SAME, trajectory_gap=gap)


@claim(
    "B26",
    title="Aligned matrices are decoupled modes",
    statement="On a common eigenvector of Wp and F, with eigenvalues p and s, Eq. 7 acts as Eqs. 11-12; it stays one.",
    source="Eqs. 11-12",
    kind="symbolic",
)
def aligned_modes(run: Run) -> Verdict:
    found, (rotation, _) = runs(run.seed)
    turned = [np.stack([_turned(rotation, a) for a in over_time]) for over_time in found["its modes"].ys[:2]]
    gap = largest(relative_gap(a, b) for a, b in zip(found["aligned"].ys, turned, strict=True))
    return proven(run, PROOFS["B26"], gap < SAME, trajectory_gap=gap)


@claim(
    "B27",
    title="Commuting data: Eqs. 104-106",
    statement="Where W, Wa share singular vectors u, v, with v common eigenvectors of X, X_aug and u of Wp, Wpᵀ, "
    "Lemma 1 acts on them as Eqs. 104-106 with decay, and keeps them.",
    source="Appendix D",
    kind="symbolic",
)
def commuting_modes(run: Run) -> Verdict:
    found, bases = runs(run.seed)
    rebuilt = found["its amplitudes"].map(lambda y, k: from_amplitudes(y, *bases))
    gap = largest(relative_gap(a, b) for a, b in zip(found["commuting"].ys, rebuilt, strict=True))
    return proven(run, PROOFS["B27"], gap < SAME, trajectory_gap=gap)
