"""What is known in closed form, or as good as: trajectories on the parabola, escape times, basins of collapse, and how
far Gaussian features are from N(0, I)."""

from linbyol.exact.closed_forms import escape_time, escape_time_asymptotics, parabola, parabola_time, target_ratio
from linbyol.exact.deep_modes import jepa, jepa_time, jepa_time_asymptotics, mae, mae_time, mae_time_asymptotics
from linbyol.exact.deep_rest import Rests, deep_rests, growth_time
from linbyol.exact.normality import bhep_distance, isotropic_slice_mean, slice_distance, slice_mean
from linbyol.exact.normality_rest import (
    TOTAL_COLLAPSE,
    DroppedAt,
    bhep_rest,
    dropped_at,
    last_mode_pull,
    sample_rest,
    slice_rest,
    vicreg_rest,
)
from linbyol.exact.stable_manifold import collapses, separatrix

__all__ = [
    "TOTAL_COLLAPSE", "DroppedAt", "Rests", "bhep_distance", "bhep_rest", "collapses", "deep_rests", "dropped_at",
    "escape_time", "escape_time_asymptotics", "growth_time", "isotropic_slice_mean", "jepa", "jepa_time",
    "jepa_time_asymptotics", "last_mode_pull", "mae", "mae_time", "mae_time_asymptotics", "parabola",
    "parabola_time", "sample_rest", "separatrix", "slice_distance", "slice_mean", "slice_rest", "target_ratio",
    "vicreg_rest",
]  # fmt: skip
