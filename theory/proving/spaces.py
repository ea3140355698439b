"""The spaces of the paper's statements: any weights and moments, then the paper's assumptions step by step."""

from collections.abc import Callable
from typing import Any

import sympy as sp

from linbyol.equations import Amplitudes, Commuting, Constants, Isotropic, Modes, Symmetric, Weights
from theory.proving import instances
from theory.proving.latex import symbols
from theory.proving.prover import Space


def _space(state: type, constants: type, instance: Callable, *symmetric: str) -> Space:
    y, k = symbols(state), symbols(constants)
    matrices = {**y._asdict(), **k._asdict()}
    return Space(y, k, instance, tuple(matrices[name] for name in symmetric))


def _explicit(d: int, n: int) -> Space:
    """Lemma 1's symbols as explicit matrices, entry by entry: the check that needs no algebra of words."""

    def symmetric(name: str) -> sp.Matrix:
        return sp.Matrix(n, n, lambda i, j: sp.Symbol(f"{name}_{min(i, j)}{max(i, j)}"))

    def general(name: str, columns: int) -> sp.Matrix:
        return sp.Matrix(d, columns, lambda i, j: sp.Symbol(f"{name}_{i}{j}"))

    y = Weights(W=general("W", n), Wp=general("Wp", d), Wa=general("Wa", n))
    k = symbols(Constants)._replace(X=symmetric("X"), X_aug=symmetric("X_aug"))
    return Space(y, k, dimensions=f"{d}x{n} (explicit entries: each partial derivative by itself)")


def _two(state: Callable, constants: Callable) -> Callable[[Any], tuple[Any, Any]]:
    return lambda rng: (state(rng), constants(rng))


def _general_predictor(rng: Any) -> Symmetric:
    return instances.symmetric(rng)._replace(Wp=instances.weights(rng, d=4).Wp)


WEIGHTS = _space(Weights, Constants, _two(instances.weights, instances.constants), "X", "X_aug")
UNSYMMETRISED = _space(Symmetric, Isotropic, _two(_general_predictor, instances.isotropic), "F")
SYMMETRIC = _space(Symmetric, Isotropic, _two(instances.symmetric, instances.isotropic), "F", "Wp")
EXPLICIT = _explicit(2, 3)
MODES = _space(Modes, Isotropic, _two(instances.modes, instances.isotropic))
COMMUTING_MODES = _space(Modes, Commuting, _two(instances.modes, instances.commuting))
AMPLITUDES = _space(Amplitudes, Commuting, _two(instances.amplitudes, instances.commuting))
ETA_P, ETA_S = sp.symbols("eta_p eta_s", real=True)  # weight decays of their own for Wp and W
