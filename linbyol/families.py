"""The families of equilibria of SimSiam with decay on commuting data: each mode at 0, p_minus or p_plus.

A family is an orbit W → Q W, Wp → Q Wp Qᵀ of aligned equilibria: input mode j is unused (sign 0) or has p_j = p_∓
(sign -1, +1) and |w_j| = p_j/√alpha_p. It attracts, all that starts close by comes to rest on it, where no mode is at
p_minus and each unused mode j shrinks under the predictor of every used one,

    p_i (λ_dj - p_i λ_sj) < eta,

that is where p_i lies outside (p_minus, p_plus) of mode j. Derived in theory/newer/README.md.
"""

import itertools
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from linbyol.checks import InputError, check_constants, check_count, check_spectra
from linbyol.equations import Commuting, Isotropic, effective_growth
from linbyol.equations.byol import Modes
from linbyol.fixed_points import predictor_roots

COLUMN = np.array([0, 2, 1])  # of (0, p_minus, p_plus), by the signs 0, 1, -1
MOST = 12  # modes: 3^12 families


class Families(NamedTuple):
    """All families of m, by what each of n modes does."""

    signs: Int[np.ndarray, "m n"]  # 0, -1 for p_minus, 1 for p_plus
    p: Float[np.ndarray, "m n"]
    attracts: Bool[np.ndarray, " m"]
    zeros: Int[np.ndarray, " m"]  # dimension of the orbit, so many eigenvalues of the flow are 0


def families(k: Commuting | Isotropic, d: int) -> Families:
    """The families for d features, those of fewest used modes first; only modes below their threshold can be used.

    k.lambda_d, k.lambda_s (n,) with k.eta > 0, numbers. Raises `InputError` for eta = 0, where equilibria are a variety
    (`linbyol.equations.no_loss.defect`), and for more than 12 modes.
    """
    check_constants(k)
    check_spectra(k)
    check_count("d", d)
    lambda_d, lambda_s = (np.atleast_1d(x) for x in np.broadcast_arrays(k.lambda_d, k.lambda_s))
    if not np.ndim(k.eta) == 0 or not float(k.eta) > 0:
        raise InputError(f"Argument `eta` must be one positive number for families of equilibria, but is {k.eta}.")
    if len(lambda_d) > MOST:
        raise InputError(f"Argument `lambda_d` must have at most {MOST} modes, but has {len(lambda_d)}.")
    data = Commuting(k.alpha_p, k.beta, k.eta, lambda_d, lambda_s)
    roots = np.stack(jax.tree.map(np.asarray, predictor_roots(data)))  # (3, n)
    every = [signs for signs in itertools.product((0, -1, 1), repeat=len(lambda_d)) if np.count_nonzero(signs) <= d]
    signs = np.array(sorted(every, key=np.count_nonzero))
    p = roots[COLUMN[signs], np.arange(len(lambda_d))]
    exists = np.isfinite(p).all(axis=1)
    signs, p = signs[exists], p[exists]
    grows = np.asarray(effective_growth(Modes(p[:, :, None], 0, 1), data)) >= 0  # (m, i, j): mode j under p_i
    loses = (grows & (signs != 0)[:, :, None] & (signs == 0)[:, None, :]).any(axis=(1, 2))
    rank = np.count_nonzero(signs, axis=1)
    return Families(signs, p, ~loses & ~(signs < 0).any(axis=1), rank * d - rank * (rank + 1) // 2)
