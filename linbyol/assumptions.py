"""The paper's assumptions (Sec. 3) as functions: Weights -> Symmetric -> Modes, and back.

Each is a map of states that turns one flow into the next where the assumption holds: the derivative of the map along
the larger flow is the smaller flow (the tests check this square for each).
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from linbyol.equations import Amplitudes, Constants, Isotropic, Matrix, Modes, Symmetric, Weights


def to_symmetric(y: Weights, k: Constants) -> Symmetric:
    """Assumption 3: the symmetric part of Wp, and F = W X Wᵀ. With X = I the flow becomes Eq. 7."""
    return Symmetric(Wp=(y.Wp + y.Wp.T) / 2, F=y.W @ k.X @ y.W.T)


def to_unsymmetrised(y: Weights, k: Constants) -> Symmetric:
    """Assumptions 1 and 2 alone: Wp as it is, and F = W X Wᵀ. With X = I the flow becomes Eqs. 62-63."""
    return Symmetric(Wp=y.Wp, F=y.W @ k.X @ y.W.T)


def reduced(y: Weights, k: Constants) -> Isotropic:
    """Assumptions 1 and 2: sigma2 = tr(X_aug)/n, tau = <Wa, W>/<W, W>; for X = I, X_aug = sigma2 I, Wa = tau W."""
    return Isotropic(
        alpha_p=k.alpha_p,
        beta=k.beta,
        eta=k.eta,
        sigma2=k.X_aug.trace() / k.X_aug.shape[0],
        tau=(y.Wa @ y.W.T).trace() / (y.W @ y.W.T).trace(),
    )


def eigenbasis(y: Symmetric) -> Float[Array, "d d"]:
    """Eigenvectors of F as columns, eigenvalues ascending; where F and Wp commute, they diagonalise Wp too.

    Equal eigenvalues of F leave a choice that Wp decides: the basis is that of F + Wp/√2 in general position.
    """
    _, U = jnp.linalg.eigh(y.F + y.Wp / jnp.sqrt(2.0))
    return U


def to_modes(y: Symmetric | Weights, k: Any, U: Matrix | None = None) -> Modes:
    """Eqs. 11-13: the diagonals of Wp and W Wᵀ in the common eigenbasis U (d, d), one mode a column.

    For `Symmetric` (X = I) s is the eigenvalue of F and tau is k.tau; for `Weights` s is |u_jᵀ W|² and
    tau = <u_jᵀ Wa, u_jᵀ W>/s. Without U the basis is `eigenbasis`. With a fixed U the map is smooth (jvp, vmap).
    """
    if isinstance(y, Symmetric):
        U = eigenbasis(y) if U is None else U
        p, s = _diagonal(U, y.Wp), _diagonal(U, y.F)
        return Modes(p=p, s=s, tau=0 * p + k.tau)
    U = eigenbasis(to_symmetric(y, k)) if U is None else U
    w, wa = U.T @ y.W, U.T @ y.Wa
    s = jnp.sum(w * w, axis=1)
    return Modes(p=_diagonal(U, y.Wp), s=s, tau=jnp.sum(wa * w, axis=1) / s)


def from_modes(y: Modes, U: Float[Array, "d d"], V: Float[Array, "n d"]) -> Weights:
    """W = U diag(√s) Vᵀ, Wp = U diag(p) Uᵀ, Wa = U diag(tau √s) Vᵀ, for orthonormal columns of U and V."""
    return from_amplitudes(to_amplitudes(y), U, V)


def from_amplitudes(y: Amplitudes, U: Float[Array, "d d"], V: Float[Array, "n d"]) -> Weights:
    """W = U diag(w) Vᵀ, Wp = U diag(wp) Uᵀ, Wa = U diag(wa) Vᵀ, for orthonormal columns of U and V."""
    w, wp, wa = jnp.broadcast_arrays(*(jnp.asarray(a) for a in y))
    return Weights(W=(U * w[None, :]) @ V.T, Wp=(U * wp[None, :]) @ U.T, Wa=(U * wa[None, :]) @ V.T)


def to_amplitudes(y: Modes) -> Amplitudes:
    """w = √s, wp = p, wa = tau w: the branch with w ≥ 0."""
    w = jnp.sqrt(jnp.asarray(y.s))
    return Amplitudes(w=w, wp=y.p, wa=y.tau * w)


def amplitudes_to_modes(y: Amplitudes) -> Modes:
    """p = wp, s = w², tau = wa/w, which is not finite at w = 0."""
    return Modes(p=y.wp, s=y.w * y.w, tau=y.wa / y.w)


def _diagonal(U: Any, A: Any) -> Any:
    return jnp.einsum("ij,ik,kj->j", U, A, U)
