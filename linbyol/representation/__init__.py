"""Measures of any embedding: arrays in, one row an image, numbers out; on the device that holds the features."""

from linbyol.representation.linear_probes import linear_probe
from linbyol.representation.neighbours import knn_probe
from linbyol.representation.probing import ProbeResult
from linbyol.representation.ridge import ridge_probe

__all__ = ["ProbeResult", "knn_probe", "linear_probe", "ridge_probe"]
