"""Lower bounds on mutual information from a table T of critic values: T[i, j] of x_i and z_j, the diagonal the pairs.

Off the diagonal stand samples of the product of the marginals. All bounds are tight at T = log p(x, z)/(p(x) p(z)).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp
from jaxtyping import Array, Float

Table = Float[Array, "n n"] | Float[np.ndarray, "n n"]


class Bound(NamedTuple):
    """A bound: its value on a table, and (T, log-mean so far, decay) -> the loss that trains, the log-mean after it."""

    name: str
    pairs: str  # what the marginals are taken over
    value: Callable[[Any], Any]
    loss: Callable[[Any, Any, Any], tuple[Any, Any]]


def log_mean_exp(t: Any) -> Any:
    """log of the mean of e^t over all entries; no entry overflows."""
    return logsumexp(t) - np.log(np.size(t)).astype(t.dtype)


def log_mean_exp_off_diagonal(T: Table) -> Any:
    """log of the mean of e^T over the n (n - 1) entries off the diagonal."""
    n = T.shape[0]
    return logsumexp(jnp.where(jnp.eye(n, dtype=bool), -jnp.inf, T)) - np.log(n * (n - 1)).astype(T.dtype)


def donsker_varadhan(T: Table) -> Any:
    """mean T over the pairs - log mean e^T off the diagonal (MINE's Eq. 10), unbiased in its denominator."""
    return jnp.mean(jnp.diagonal(T)) - log_mean_exp_off_diagonal(T)


def donsker_varadhan_all(T: Table) -> Any:
    """The same with all n² entries in the denominator: never more than log n, whatever the critic."""
    return jnp.mean(jnp.diagonal(T)) - log_mean_exp(T)


def nwj(T: Table) -> Any:
    """mean T + 1 - mean e^T (Nguyen, Wainwright & Jordan; usually written for T + 1): below Donsker-Varadhan's."""
    return jnp.mean(jnp.diagonal(T)) + 1 - jnp.exp(log_mean_exp_off_diagonal(T))


def infonce(T: Table) -> Any:
    """mean over i of T_ii - log mean_j e^(T_ij): which z belongs to x_i? Never more than log n."""
    return jnp.mean(jnp.diagonal(T) - logsumexp(T, axis=1)) + np.log(T.shape[0]).astype(T.dtype)


def moving_log_mean(old: Any, new: Any, decay: Any) -> Any:
    """log[decay e^old + (1 - decay) e^new]: `decay` is the share of the old mean that is kept; 0 keeps nothing."""
    return jnp.logaddexp(jnp.log(decay) + old, jnp.log1p(-decay) + new)


def marginal_weights(t: Any, log_mean: Any) -> Any:
    """e^(t_i)/(n e^log_mean), of ∇t_i in MINE's gradient; they sum to 1 where log_mean is t's own (plain DV)."""
    return jnp.exp(t - log_mean) / np.size(t)


def mine_loss(T: Table, old: Any, decay: Any) -> tuple[Any, Any]:
    """What has MINE's gradient, -mean ∇T on the pairs + Σ w ∇T off them, and the moving log-mean that w is over.

    `old` is the log-mean so far, NaN before the first table, which sets it.
    """
    n = T.shape[0]
    fixed = jax.lax.stop_gradient(T)
    new = log_mean_exp_off_diagonal(fixed)
    mean = jnp.where(jnp.isnan(old), new, moving_log_mean(old, new, decay))
    apart = marginal_weights(fixed, mean) * np.asarray(n / (n - 1), T.dtype)  # of n (n - 1) entries
    weights = jnp.where(jnp.eye(n, dtype=bool), -1 / n, apart)
    return jnp.sum(weights * T), mean


BOUNDS = {
    "mine": Bound("Donsker-Varadhan", "marginals over pairs of different rows", donsker_varadhan, mine_loss),
    "infonce": Bound("InfoNCE", "marginals over all pairs", infonce, lambda T, old, decay: (-infonce(T), old)),
    "nwj": Bound("NWJ", "marginals over pairs of different rows", nwj, lambda T, old, decay: (-nwj(T), old)),
}


def capped(values: Any, n: int) -> Float[np.ndarray, " lanes"]:
    """At most log n: n held-out rows cannot tell more. What overflows is -∞, a bound as well."""
    values = np.asarray(values, float)
    return np.where(np.isfinite(values), np.minimum(values, np.log(n)), -np.inf)
