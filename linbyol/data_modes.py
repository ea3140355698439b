"""Which modes of measured data survive: X and X_aug taken apart into directions, each as a mode of its own.

Where X and X_aug commute this is exact (Appendix D). Where they do not, it is an idealisation: X_aug is replaced by its
diagonal in the eigenbasis of X, and the modes that do exist mix these directions. What is exact then is said by
`linbyol.equilibria`: the largest decay with an equilibrium of rank one, and those equilibria.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from linbyol.checks import check_constants, check_numbers
from linbyol.equations import Constants, Held, Modes
from linbyol.equilibria import critical_decay, rank_one
from linbyol.fixed_points import predictor_roots
from linbyol.moving_target import LIVES, OPEN, fate
from linbyol.phase import COLLAPSES, on_parabola

COMMUTE = 1e-10  # relative commutator that is rounding
SEARCHED = 64  # input dimension up to which equilibria of data that do not commute are looked for


class DataModes(NamedTuple):
    """Modes of the data, the best first.

    lambda_d, lambda_s  eigenvalues of X, and vᵀ(X + X_aug)v along its eigenvectors v
    eta_c               tau² λ_d²/(4 λ_s), the decay above which the mode collapses
    p_minus, p_plus     roots at k.eta, nan above eta_c; s = p_plus²/alpha_p
    survives            one bool a mode, None where it cannot be told
    commutator          ‖X X_aug - X_aug X‖/(‖X‖ ‖X_aug‖), Frobenius; 0 if one of them is 0
    exact_eta_c         the largest decay with an equilibrium of rank one; nan where it was not looked for (n > 64)
    equilibria          p of the equilibria of rank one at k.eta, ascending; None where the modes tell them, where
                        n > 64, and where they are not isolated (eta = 0)
    """

    lambda_d: Float[np.ndarray, " n"]
    lambda_s: Float[np.ndarray, " n"]
    eta_c: Float[np.ndarray, " n"]
    p_minus: Float[np.ndarray, " n"]
    p_plus: Float[np.ndarray, " n"]
    s: Float[np.ndarray, " n"]
    survives: list[bool | None]
    commutator: float
    exact_eta_c: float
    equilibria: Float[np.ndarray, " m"] | None

    @property
    def commute(self) -> bool:
        """Whether X and X_aug commute, so that the modes are exact."""
        return self.commutator <= COMMUTE


def data_modes(k: Constants, *, tau: float = 1.0, p0: float | None = None, ema: bool = False) -> DataModes:
    """The modes of k.X and k.X_aug, and which of them survive under the constants of k.

    Without p0 a mode survives if it can: it has a p_plus, for a target held at tau W. With p0 it starts on the
    parabola, s = p0²/alpha_p, with the target at tau W, which stays so or, with ema, is a moving average (k.beta).
    Raises `InputError` for constants, tau or p0 that cannot be.
    """
    check_constants(k)
    for name, value in (("tau", tau), ("p0", 0.0 if p0 is None else p0)):
        check_numbers(name, value)
    X, X_aug = (np.asarray(A, np.float64) for A in (k.X, k.X_aug))
    lambda_d, lambda_s = _spectra(X, X_aug)
    eta_c = tau**2 * lambda_d**2 / (4 * np.where(lambda_s > 0, lambda_s, 1))
    best = np.lexsort((-lambda_d, -eta_c))
    lambda_d, lambda_s, eta_c = lambda_d[best], lambda_s[best], eta_c[best]
    modes = Held(k.alpha_p, k.beta, k.eta, lambda_d, lambda_s, tau)
    roots = predictor_roots(modes._replace(tau=abs(tau)))  # a negative tau is the mirror image
    p_minus, p_plus = ((-1 if tau < 0 else 1) * np.asarray(root) for root in roots[1:])
    size = np.linalg.norm(X) * np.linalg.norm(X_aug)
    commutator = float(np.linalg.norm(X @ X_aug - X_aug @ X) / size) if size else 0.0
    if commutator <= COMMUTE:
        exact, points = float(eta_c.max()), None
    else:
        exact, points = _exactly(k._replace(X=X, X_aug=X_aug), tau)
    survives = _survive(modes, p0, p_plus, ema)
    s = p_plus**2 / float(k.alpha_p)
    return DataModes(lambda_d, lambda_s, eta_c, p_minus, p_plus, s, survives, commutator, exact, points)


def _spectra(X: np.ndarray, X_aug: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """λ_d and λ_s along eigenvectors of X, which are those of X_aug too where the two commute."""
    values, V = np.linalg.eigh(X)
    edges = np.flatnonzero(np.diff(values) > 1e-9 * max(values[-1], 0)) + 1
    for cluster in np.split(np.arange(len(X)), edges):  # of one eigenvalue: any basis is X's, and one is X_aug's
        U = V[:, cluster]
        V[:, cluster] = U @ np.linalg.eigh(U.T @ X_aug @ U)[1]
    lambda_d = np.maximum(np.einsum("ij,ik,kj->j", V, X, V, optimize=True), 0)
    return lambda_d, lambda_d + np.maximum(np.einsum("ij,ik,kj->j", V, X_aug, V, optimize=True), 0)


def _survive(modes: Held, p0: float | None, p_plus: np.ndarray, ema: bool) -> list[bool | None]:
    if p0 is None:
        return [bool(alive) for alive in np.isfinite(p_plus) & (p_plus != 0)]
    if not ema:
        return [bool(code != COLLAPSES) for code in np.asarray(on_parabola(modes, p0).verdict)]
    codes = fate(Modes(p0, p0**2 / modes.alpha_p, modes.tau), modes).code
    return [None if code == OPEN else bool(code == LIVES) for code in codes]


def _exactly(k: Constants, tau: float) -> tuple[float, Any]:
    """The largest decay with an equilibrium of rank one at Wa = tau W, and p of those at k.eta.

    (p tau X - p² Σ) v = eta v is (q X - q² Σ) v = (eta/tau²) v for p = tau q.
    """
    if len(k.X) > SEARCHED:
        return float("nan"), None
    exact = tau**2 * float(critical_decay(jax.tree.map(jnp.asarray, k)))
    if tau == 0 or float(k.eta) == 0:
        return exact, None
    return exact, np.sort(tau * rank_one(k._replace(eta=float(k.eta) / tau**2))[0])
