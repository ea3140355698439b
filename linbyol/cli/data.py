"""linbyol data"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Moments:
    """Measure X and X_aug of your own images under an augmentation, with standard errors.

    Example: linbyol data moments images.npz -o moments.npz --views 8 --shift 1
    """

    file: Annotated[Path, tyro.conf.Positional]
    """npz archive with one array: images (N, H, W) or (N, H, W, C), or views (N, V, n) already made"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """npz archive to write: X, X_aug (n, n), their standard errors, mean, config"""
    views: int = 8
    """augmented views an image"""
    shift: float = 1.0
    """largest shift in pixels"""
    rotate: float = 10.0
    """largest rotation in degrees"""
    noise: float = 0.1
    """standard deviation of the noise added to each pixel"""
    seed: int = 0
    """seed of the views"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol.cli.checkout import require_checkout

        require_checkout("data moments")
        raise NotImplementedError


@dataclass(frozen=True)
class Data:
    """Data sets and what is measured of them."""

    verb: Annotated[Moments, tyro.conf.subcommand("moments")]

    def run(self) -> int:
        return self.verb.run()
