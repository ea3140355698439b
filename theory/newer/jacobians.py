"""The Jacobian of a flow on NumPy arrays, and what its eigenvalues say."""

from typing import Any, NamedTuple

import jax
import numpy as np

from theory.proving.prover import slope

MOVING = ("W", "Wp")  # the fields of a flow whose target is the encoder


class Counts(NamedTuple):
    """Of the eigenvalues at an equilibrium."""

    zeros: int
    unstable: int


def jacobian(flow: Any, y: Any, k: Any, names: tuple[str, ...] = MOVING) -> np.ndarray:
    """Of the named fields, exact to rounding."""
    fields = {name: np.asarray(getattr(y, name)) for name in names}
    rest = jax.tree.map(np.zeros_like, y)
    columns = []
    for name, A in fields.items():
        for unit in np.eye(A.size):
            rate = slope(lambda y: flow(y, k), y, rest._replace(**{name: unit.reshape(A.shape)}))
            columns.append(np.concatenate([getattr(rate, name).ravel() for name in names]))
    return np.array(columns).T


def counts(values: np.ndarray, tol: float = 1e-7) -> Counts:
    """Zeros and unstable directions; a zero that is not simple errs by more than rounding."""
    return Counts(int((abs(values) < tol).sum()), int((values.real > tol).sum()))
