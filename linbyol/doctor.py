"""Does this machine's JAX compute what it should? Known-bad releases, found by running what they get wrong."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Check(NamedTuple):
    """One self-test: what was computed, whether it came out right, and where the fault is known."""

    name: str
    ok: bool
    found: str
    thread: str


def self_test() -> list[Check]:
    """All checks, in float64 whatever the caller's setting, on the default device."""
    with jax.enable_x64(True):
        return [rows_times_matrix(), eager_addition(), scatter_add(), eigenvectors()]


def rows_times_matrix() -> Check:
    """jax 0.10.2 on CPU gives wrong rows for jit(vmap(matrix @ row)) followed by a sum, from 16,385 rows on."""
    rng = np.random.default_rng(0)
    A, rows = rng.normal(size=(3, 3)), rng.normal(size=(20_000, 3))
    sums = jax.jit(lambda A, rows: jax.vmap(lambda row: jnp.sum(A @ row))(rows))(A, rows)
    wrong = int((~np.isclose(np.asarray(sums), (rows @ A.T).sum(axis=1), rtol=1e-9, atol=1e-9)).sum())
    return Check("jit(vmap(matrix @ row)) and a sum", wrong == 0, f"{wrong} of 20000 rows wrong", "jax-ml/jax#39103")


def eager_addition() -> Check:
    """jax 0.11.0 and 0.11.1 have wrong kernels for single operations on some GPUs."""
    total = float(jnp.sum(jnp.ones(4) + 1))
    return Check(
        "ones(4) + 1", total == 8, f"sums to {total:g}, not 8" if total != 8 else "sums to 8", "jax-ml/jax#40633"
    )


def scatter_add() -> Check:
    """Additions to the same places of an array, whose kernels changed in 0.10.2 to 0.11.0."""
    places = np.arange(10_000) % 7
    counts = np.asarray(jax.jit(lambda places: jnp.zeros(7).at[places].add(1.0))(places))
    wrong = int((counts != np.bincount(places)).sum())
    return Check("scatter-add", wrong == 0, f"{wrong} of 7 sums wrong", "jax-ml/jax#38806")


def eigenvectors() -> Check:
    """A symmetric eigenproblem, on which DirectPred and the modes stand."""
    A = np.random.default_rng(1).normal(size=(64, 64))
    F = A @ A.T
    s, U = jax.jit(jnp.linalg.eigh)(F)
    residual = float(np.abs(np.asarray(U * s[None, :] @ U.T) - F).max() / np.abs(F).max())
    return Check("eigh", residual < 1e-12, f"residual {residual:.1e}", "linbyol doctor")
