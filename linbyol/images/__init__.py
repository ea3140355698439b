"""X and X_aug measured from images and an augmentation, batch by batch."""

from linbyol.images.archives import moments_of_file
from linbyol.images.moments import Moments, feasible, moments_of_bank, moments_of_images, moments_of_views
from linbyol.images.views import Augmentation, bank, views_of

__all__ = [
    "Augmentation", "Moments", "bank", "feasible", "moments_of_bank", "moments_of_file", "moments_of_images",
    "moments_of_views", "views_of",
]  # fmt: skip
