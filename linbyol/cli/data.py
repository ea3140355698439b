"""linbyol data"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Data:
    """Measure X and X_aug of your own images under an augmentation, with standard errors.

    Example: linbyol data moments images.npz -o moments.npz --views 8 --shift 1
    """

    what: Annotated[Literal["moments"], tyro.conf.Positional]
    """what to do with the file"""
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
        import time

        import numpy as np

        from linbyol.claims import environment
        from linbyol.images import moments_of_file
        from linbyol.moments import feasible
        from linbyol.store import to_json, write_arrays, write_json

        settings = {name: getattr(self, name) for name in ("views", "shift", "rotate", "noise", "seed")}
        start = time.perf_counter()
        unbiased, mean = moments_of_file(self.file, **settings)
        moments, removed = feasible(unbiased)
        arrays = moments._asdict() | {"mean": mean}
        config = {"command": "data moments", "file": self.file.name, **settings}
        write_arrays(self.out, arrays | {"config": to_json(config, indent=None)})
        record = config | {"environment": environment(), "seconds": time.perf_counter() - start}
        write_json(self.out.with_suffix(".json"), record)
        X, X_aug = np.asarray(moments.X), np.asarray(moments.X_aug)
        summary = {
            "removed_eigenvalue": removed,
            "images": moments.images,
            "views": moments.views,
            "n": len(X),
            "trace_X": float(np.trace(X)),
            "trace_X_aug": float(np.trace(X_aug)),
            "relative_error_X": float(np.linalg.norm(moments.X_error) / np.linalg.norm(X)),
            "relative_error_X_aug": float(
                np.linalg.norm(moments.X_aug_error) / max(float(np.linalg.norm(X_aug)), 1e-300)
            ),
        }
        if self.json:
            print(to_json(summary | record))
            return 0
        print(f"{summary['images']} images, {summary['views']} views each, n = {summary['n']}")
        for name, word in (("X", "X     "), ("X_aug", "X_aug ")):
            print(
                f"{word} trace {summary[f'trace_{name}']:.6g}, relative error {summary[f'relative_error_{name}']:.2g}"
            )
        if removed < 0:
            print(
                f"Negative eigenvalues down to {removed:.2g} were set to 0: the estimate's own error; use more views."
            )
        print(f"Written: {self.out}")
        return 0
