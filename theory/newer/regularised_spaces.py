"""The spaces of statements on regularised linear encoders: any weights and moments, a gradient G held, and one mode."""

from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol

from linbyol.equations.bhep import Bhep
from linbyol.equations.regularised import Encoder, Features, Regularised, RegularisedModes
from linbyol.equations.vicreg import Vicreg
from theory.proving.instances import moment
from theory.proving.prover import Space

_d, _n = sp.symbols("d n", integer=True, positive=True)
_X, _X_aug, G = MatrixSymbol("X", _n, _n), MatrixSymbol("X_aug", _n, _n), MatrixSymbol("G", _d, _d)
_a, _mu, _eta = sp.symbols("a mu eta", real=True)

# The regulariser's gradient G as a letter of its own, symmetric: what every regulariser has in common.
HELD = Space(Encoder(MatrixSymbol("W", _d, _n)), Regularised(_a, _mu, _X, _X_aug, _eta), None, (_X, _X_aug, G))
w, g = sp.symbols("w g", real=True)
MODE = RegularisedModes(_a, _mu, *sp.symbols("lambda_d lambda_s", positive=True), _eta)
ONE_MODE = Space(w, MODE)  # of amplitude w and gradient g


def drawn(rng: np.random.Generator, d: int = 3, n: int = 5) -> tuple[Encoder, Regularised]:
    """A random encoder and random moments, which do not commute."""
    a, mu, eta = rng.uniform(0.1, 1, 3)
    W = rng.standard_normal((d, n)) / 2
    return Encoder(W), Regularised(a, mu, moment(rng, n), moment(rng, n) / 3, eta / 5)


def drawn_modes(rng: np.random.Generator, d: int = 3) -> tuple[Features, RegularisedModes]:
    """Random modes."""
    a, mu, eta = rng.uniform(0.1, 1, 3)
    lambda_d = rng.uniform(0.3, 1.2, d)
    return Features(rng.uniform(0, 3, d)), RegularisedModes(a, mu, lambda_d, lambda_d + rng.uniform(0, 1, d), eta / 5)


def drawn_bhep(rng: np.random.Generator) -> tuple[Encoder, Bhep]:
    """The same with a width."""
    y, k = drawn(rng)
    return y, Bhep(k.a, k.mu, k.X, k.X_aug, rng.uniform(0.5, 1.5), k.eta)


def drawn_vicreg(rng: np.random.Generator) -> tuple[Encoder, Vicreg]:
    """VICReg with features on both sides of the hinge."""
    y, k = drawn(rng)
    W = y.W * np.array([0.3, 1.0, 2.0])[:, None]
    weights = rng.uniform(0.2, 2, 3)
    return Encoder(W), Vicreg(*weights, k.X, k.X_aug, rng.uniform(0.8, 1.5), rng.uniform(0, 0.2), k.eta)


def penalty(y: Encoder, k: Any, a: Any) -> Any:
    """a tr(W X_aug Wᵀ) + (eta/2) ‖W‖², arrays."""
    return a * (y.W @ k.X_aug @ y.W.T).trace() + k.eta * (y.W @ y.W.T).trace() / 2
