"""Each equation, written once: Tian, Chen & Ganguli (2021), ablations of any flow, and a module a follow-up.

Every flow is a function `(y, k) -> dy/dt` of a state `y` and constants `k`, in plain algebra: JAX integrates it, SymPy
proves about it, and it prints as LaTeX. Follow-ups have modules of their own: `linbyol.equations.cosine`,
`.deep_linear`, `.directset`, `.isoloss`, `.jepa`, `.landscape`, `.self_predictive`, `.stepwise`.
"""

from linbyol.equations.byol import (
    Amplitudes,
    Commuting,
    Constants,
    Held,
    Isotropic,
    Matrix,
    Modes,
    Scalar,
    Symmetric,
    Vector,
    Weights,
    alignment_rate,
    amplitudes_flow,
    anticommutator,
    balance,
    collapse_operator,
    commutator,
    effective_growth,
    identity,
    mode_alignment_rate,
    mode_balance,
    modes_flow,
    no_stop_gradient,
    parabola_flow,
    symmetric_balance,
    symmetric_flow,
    target_gradient,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.equations.combinators import Ablated, Flow, backwards, decay, hold, no_predictor, simsiam, slave
from linbyol.equations.jepa import DeepMode, Layer, jepa_flow, mae_flow

__all__ = [
    "Ablated", "Amplitudes", "Commuting", "Constants", "DeepMode", "Flow", "Held", "Isotropic", "Layer", "Matrix",
    "Modes", "Scalar", "Symmetric", "Vector", "Weights", "alignment_rate", "amplitudes_flow", "anticommutator",
    "backwards", "balance", "collapse_operator", "commutator", "decay", "effective_growth", "hold", "identity",
    "jepa_flow", "mae_flow", "mode_alignment_rate", "mode_balance", "modes_flow", "no_predictor",
    "no_stop_gradient", "parabola_flow", "simsiam", "slave", "symmetric_balance", "symmetric_flow", "target_gradient",
    "unsymmetrised_flow", "weights_flow",
]  # fmt: skip
