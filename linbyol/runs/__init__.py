"""A run of the trainer read back from its folder, and drawn on one page."""

from linbyol.runs.files import Lane, RunFiles, Spectrum, read
from linbyol.runs.page import draw, save

__all__ = ["Lane", "RunFiles", "Spectrum", "draw", "read", "save"]
