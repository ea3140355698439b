"""linbyol: the learning dynamics of BYOL-like self-supervised learning, made executable."""

__version__ = "0.1.0"
