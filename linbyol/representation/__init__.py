"""Measures of any embedding: arrays in, one row an image, numbers out.

The probes run on the device that holds the features; the other measures read NumPy arrays, memory-mapped ones too.
"""

from linbyol.representation.class_statistics import ClassStatistics, merge, statistics
from linbyol.representation.clusters import Clusters, clusters
from linbyol.representation.features import unit_rows
from linbyol.representation.gaussian_information import gaussian_channel, gaussian_information
from linbyol.representation.health_check import Health, health
from linbyol.representation.information import Information
from linbyol.representation.intrinsic import TwoNN, two_nn
from linbyol.representation.kraskov import ksg
from linbyol.representation.lidar_rank import lidar
from linbyol.representation.linear_probes import linear_probe
from linbyol.representation.measuring import Measurement, Measures, measure
from linbyol.representation.nearest_centre import NearestCentre, ncc, ncc_classify, nearest_centre
from linbyol.representation.neighbours import knn_probe
from linbyol.representation.neural_collapse import NC2, nc1, nc2, nc3, nc4, nc5
from linbyol.representation.neural_information import infonce, mine, nwj
from linbyol.representation.partitions import Agreement, kmeans_agreement, silhouette
from linbyol.representation.probing import ProbeResult
from linbyol.representation.ridge import ridge_probe
from linbyol.representation.similarity import cka
from linbyol.representation.spectra import (
    PowerLaw,
    alpha_req,
    effective_rank,
    explained_variance_area,
    participation_ratio,
    power_law,
    rankme,
)
from linbyol.representation.sphere import alignment, uniformity
from linbyol.representation.variability import cdnv, directional_cdnv

__all__ = [
    "NC2",
    "Agreement",
    "ClassStatistics",
    "Clusters",
    "Health",
    "Information",
    "Measurement",
    "Measures",
    "NearestCentre",
    "PowerLaw",
    "ProbeResult",
    "TwoNN",
    "alignment",
    "alpha_req",
    "cdnv",
    "cka",
    "clusters",
    "directional_cdnv",
    "effective_rank",
    "explained_variance_area",
    "gaussian_channel",
    "gaussian_information",
    "health",
    "infonce",
    "kmeans_agreement",
    "knn_probe",
    "ksg",
    "lidar",
    "linear_probe",
    "measure",
    "merge",
    "mine",
    "nc1",
    "nc2",
    "nc3",
    "nc4",
    "nc5",
    "ncc",
    "ncc_classify",
    "nearest_centre",
    "nwj",
    "participation_ratio",
    "power_law",
    "rankme",
    "ridge_probe",
    "silhouette",
    "statistics",
    "two_nn",
    "uniformity",
    "unit_rows",
]
