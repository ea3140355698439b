"""Richemond et al. 2023, arXiv 2302.04817: ImageNet top-1 (%) of a linear probe, ResNet-50, at 100 and 300 epochs."""

TRAINED = (67.6, 71.5)  # BYOL with a linear predictor that is trained
BEST_RIDGE = {
    "NE": (68.5, 71.8),
    "Visser": (68.4, 71.6),
    "Newton-Schulz": (68.0, 72.0),
    "Newton-Schulz twice": (68.8, 72.2),
    "Stiefel": (68.8, 72.1),
}
WITHOUT_RIDGE = {
    "DirectCopy": (20.9, 48.3),
    "NE": (61.2, 68.8),
    "Visser": (68.4, 71.6),
    "Newton-Schulz": (66.4, 70.8),
    "Newton-Schulz twice": (66.8, 70.9),
    "Stiefel": (66.7, 71.4),
}
