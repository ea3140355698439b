"""Appendix D: multiplicative scrambling of a subspace as an augmentation, its moments and the printed ones."""

from functools import cache
from itertools import product
from typing import Any

import jax
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import largest
from theory.proving.instances import moment, orthogonal


@cache
def scrambling(seed: int) -> dict[str, Any]:
    """Views A x with A = P + U B Uᵀ: moments by exact enumeration (entries of B ±1) and by samples (normal entries)."""
    n, k, N = 5, 2, 200_000
    a, b, c = jax.random.split(jax.random.fold_in(jax.random.key(seed), 139), 3)
    Sx, U = np.asarray(moment(a, n)), np.asarray(orthogonal(b, n))[:, :k]
    P = np.eye(n) - U @ U.T
    B = np.array(list(product((-1.0, 1.0), repeat=k * k))).reshape(-1, k, k)
    A = P + U @ B @ U.T
    enumerated = (A @ Sx @ np.swapaxes(A, 1, 2)).mean(axis=0)
    crossed = A.mean(axis=0) @ Sx @ A.mean(axis=0).T
    law = P @ Sx @ P + np.trace(U.T @ Sx @ U) * U @ U.T
    draw = np.asarray(jax.random.normal(c, (N, n + 2 * k * k)))
    x = draw[:, :n] @ np.linalg.cholesky(Sx).T
    views = [
        x @ P + np.einsum("bij,bj->bi", draw[:, i : i + k * k].reshape(N, k, k), x @ U) @ U.T for i in (n, n + k * k)
    ]

    def deviation(first: np.ndarray, second: np.ndarray, expected: np.ndarray) -> float:
        outer = np.einsum("bi,bj->bij", first, second)
        return float((np.abs(outer.mean(axis=0) - expected) / (outer.std(axis=0) / np.sqrt(N))).max())

    return {
        "enumerated": largest(np.abs(enumerated - law).max(), np.abs(crossed - P @ Sx @ P).max()),
        "projector": np.abs(P @ Sx @ P @ np.linalg.inv(law) - P).max(),
        "printed": np.abs(enumerated - Sx).max(),
        "printed_projector": np.abs(P @ Sx @ P @ np.linalg.inv(Sx) - P).max(),
        "sampled": largest(deviation(views[0], views[0], law), deviation(views[0], views[1], P @ Sx @ P)),
        "printed_sampled": deviation(views[0], views[0], Sx),
        "commutator": np.linalg.norm(P @ Sx - Sx @ P),
    }


@claim(
    "B139",
    title="Multiplicative scrambling",
    statement="With B of unit variance Σˢ = PΣˣP + tr(UᵀΣˣU)UUᵀ and Σᵈ(Σˢ)⁻¹ = P for any Σˣ; not Σˢ = Σˣ, as printed.",
    source="derived; Appendix D",
    kind="numeric",
)
def scrambled_moments(run: Run) -> Verdict:
    found = scrambling(run.seed)
    exact = found["enumerated"] < 1e-12 and found["projector"] < 1e-12  # rounding
    sampled = found["sampled"] < 5  # standard errors: 40 entries, each beyond 5 with probability 6e-7
    printed_fails = found["printed"] > 0.05 and found["printed_sampled"] > 20
    return holds_if(
        exact and sampled and printed_fails,
        error_by_enumeration=found["enumerated"],
        error_of_the_projector=found["projector"],
        standard_errors_of_200000_samples=found["sampled"],
        printed_error_by_enumeration=found["printed"],
        printed_standard_errors=found["printed_sampled"],
        printed_error_of_the_projector=found["printed_projector"],
        commutator_of_P_and_Sx=found["commutator"],
    )
