"""What is known in closed form, or as good as: trajectories on the parabola, escape times, basins of collapse."""

from linbyol.exact.closed_forms import escape_time, escape_time_asymptotics, parabola, parabola_time, target_ratio
from linbyol.exact.stable_manifold import collapses, separatrix

__all__ = [
    "collapses", "escape_time", "escape_time_asymptotics", "parabola", "parabola_time", "separatrix", "target_ratio",
]  # fmt: skip
