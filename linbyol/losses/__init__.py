"""Losses of self-supervised learning, each split into its terms; embeddings are rows, (b, d), terms are scalars."""

from linbyol.losses.normality import Joint, Paired, Sliced, bhep, lejepa, sigreg
from linbyol.losses.two_views import (
    Angle,
    Contrastive,
    Decorrelated,
    Distance,
    Embeddings,
    Isotropic,
    Number,
    Regularised,
    barlow_twins,
    byol_cosine,
    byol_l2,
    isoloss_cosine,
    isoloss_l2,
    nt_xent,
    vicreg,
)

__all__ = [
    "Angle", "Contrastive", "Decorrelated", "Distance", "Embeddings", "Isotropic", "Joint", "Number", "Paired",
    "Regularised", "Sliced", "barlow_twins", "bhep", "byol_cosine", "byol_l2", "isoloss_cosine", "isoloss_l2", "lejepa",
    "nt_xent", "sigreg", "vicreg",
]  # fmt: skip
