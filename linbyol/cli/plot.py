"""linbyol plot"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Plot:
    """Draw a run of `linbyol train` on one page: loss, accuracy, spectra, alignment, balance, rank.

    Example: linbyol plot runs/digits-byol-1a2b3c4d --out run.png
    """

    run_folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """the run's folder, NAME-DIGEST in that of `linbyol train --out` (runs), with metrics.csv and spectra.jsonl"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """picture to write: .pdf, .png or .svg; without a suffix PDF and PNG (default: figures/run in the run's folder)"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol import store
        from linbyol.outputs import PICTURE, check_name, check_writable, make_folder
        from linbyol.runs import files as run_files
        from linbyol.runs import page as run_plot
        from linbyol.store import destination

        run = run_files.read(self.run_folder)
        out = self.run_folder / "figures" / "run" if self.out is None else self.out
        destination(out)
        files = [out] if out.suffix or out == Path("-") else [Path(f"{out}{suffix}") for suffix in (".pdf", ".png")]
        for path in files:
            check_name("out", path, PICTURE)
        make_folder(out.parent)
        for path in files:
            check_writable(path)
        written = run_plot.save(run, out)
        if self.json:
            about = {"rows": len(run.which), "lanes": len(run.lanes), "spectra": len(run.spectra)}
            print(store.to_json({"run": str(self.run_folder), **about, "written": list(map(str, written))}))
            return 0
        for path in written:
            print(path)
        return 0
