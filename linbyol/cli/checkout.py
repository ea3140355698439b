"""What verbs need of theory, experiments and figures."""

from pathlib import Path

from linbyol import trees


def require_checkout(verb: str) -> Path:
    """The folder of theory, experiments and figures, which are importable from here on."""
    return trees.provide()
