"""Many trajectories at once: millions of modes, amplitudes or points on the parabola, each with its own constants.

Larger than memory, or on many hosts: `linbyol.ensemble.sweeps`.
"""

from linbyol.ensemble.compiled import EnsembleResult
from linbyol.ensemble.solver import solve, solve_amplitudes, solve_modes, solve_parabola

__all__ = ["EnsembleResult", "solve", "solve_amplitudes", "solve_modes", "solve_parabola"]
