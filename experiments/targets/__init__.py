"""Target sets on which a representation is measured: the images themselves, random labels, and what labels are like."""

from experiments.targets.quality import Quality, balanced_accuracy, quality
from experiments.targets.randomness import argmax_labels, noisy_labels, permuted_labels
from experiments.targets.samples import sample_level

__all__ = [
    "Quality",
    "argmax_labels",
    "balanced_accuracy",
    "noisy_labels",
    "permuted_labels",
    "quality",
    "sample_level",
]
