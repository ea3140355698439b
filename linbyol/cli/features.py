"""linbyol features"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from linbyol.cli.options import Between, Seed


@dataclass(frozen=True)
class Features:
    """Write the features of a run of `linbyol train` at every block, for all images, with labels and ids.

    Example: linbyol features runs/digits-byol-1a2b3c4d -o h.npz
    """

    run_folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """the run's folder, NAME-DIGEST in that of `linbyol train --out` (runs)"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """archive to write: .npz or .safetensors; a JSON of the same name beside it says how it was made"""
    step: Annotated[int, Between(0, 2**63 - 1)] | None = None
    """step of the checkpoint (default: the newest); 0 is the untrained network"""
    seed: Seed | None = None
    """seed of the lane, where the run has several"""
    lane: Annotated[int, Between(0, 2**31 - 1)] | None = None
    """number of the lane, where the run is a sweep"""
    flat: bool = False
    """all pixels of a block's output, not their mean"""
    data: Path | None = None
    """folder with the data sets (default: LINBYOL_DATA_DIR, else where `linbyol data fetch` puts them)"""
    json: bool = False
    """print JSON alone"""

    x64: ClassVar[bool] = False  # the run's precision

    def idle(self):
        """Options without effect, and why."""
        if self.lane is not None:
            yield "seed", "with --lane"

    def run(self) -> int:
        import sys
        import time

        from linbyol import trees

        trees.provide()
        from experiments.trainer import blocks
        from experiments.trainer.saved import lane_number, opened, options_of
        from linbyol.claims import environment
        from linbyol.outputs import EMBEDDINGS, check_outputs
        from linbyol.store import to_json, write_json

        options_of(self.run_folder)
        check_outputs(inputs=[self.run_folder / "run.json"], out=(self.out, EMBEDDINGS))
        begin = time.perf_counter()
        with opened(self.run_folder, step=self.step, data=self.data) as saved:
            lane = lane_number(saved.session, self.seed, self.lane)
            for sentence in saved.notes:
                print(f"linbyol: {sentence}", file=sys.stderr)
            found = blocks.write(saved, lane, self.out, flat=self.flat)
        about = found.config | {"layers": found.layers, "images": found.images, "labels": found.labels}
        seconds = time.perf_counter() - begin
        write_json(self.out.with_suffix(".json"), about | {"environment": environment(), "seconds": seconds})
        if self.json:
            print(to_json(about | {"seconds": seconds, "written": str(self.out)}))
            return 0
        print(f"step {saved.step}, epoch {saved.epoch:g}, seed {found.config['seed']}")
        print(", ".join(f"{name} ({d})" for name, d in found.layers.items()))
        print(
            f"{', '.join(f'{n} {name}' for name, n in found.images.items())} images; labels: {', '.join(found.labels)}"
        )
        print(f"Written: {self.out}")
        return 0
