"""linbyol data: what images there are, how to get them, and their moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from linbyol.cli.data_modes import DataModes
from linbyol.cli.options import AtLeastZero, Between, Seed, default

MADE_HERE = ("views", "shift", "rotate", "noise", "seed")  # how views of images are made


@dataclass(frozen=True)
class Moments:
    """Measure X and X_aug of your own images under an augmentation, with standard errors.

    Example: linbyol data moments images.npz -o moments.npz --views 8 --shift 1
    """

    file: Annotated[Path, tyro.conf.Positional]
    """npz archive with one array: images (N, H, W) or (N, H, W, C), or views (N, V, n) already made"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """npz archive to write: X, X_aug (n, n), their standard errors, mean, config"""
    views: Annotated[int, Between(2, 2**31 - 1)] = default(8)
    """augmented views an image"""
    shift: AtLeastZero = default(1.0)
    """largest shift in pixels"""
    rotate: AtLeastZero = default(10.0)
    """largest rotation in degrees"""
    noise: AtLeastZero = default(0.1)
    """standard deviation of the noise added to each pixel"""
    seed: Seed = default(0)
    """seed of the views"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        from linbyol.store import read_shapes

        if "views" in read_shapes(self.file):
            yield from ((name, f"for {self.file}, whose views are made already") for name in MADE_HERE)

    def run(self) -> int:
        import time

        import numpy as np

        from linbyol.claims import environment
        from linbyol.images import moments_of_file
        from linbyol.images.moments import feasible
        from linbyol.outputs import ARCHIVE, check_outputs
        from linbyol.store import blaming, to_json, write_arrays, write_json

        check_outputs(inputs=[self.file], out=(self.out, ARCHIVE))
        check_sizes(self)
        settings = {name: getattr(self, name) for name in MADE_HERE}
        start = time.perf_counter()
        with blaming(self.file):
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
            "relative_error_X": float(np.linalg.norm(moments.X_error) / max(float(np.linalg.norm(X)), 1e-300)),
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


def check_sizes(settings: Moments) -> None:
    """A batch of views and the moments fit in memory."""
    from math import prod

    from linbyol.machine import check_memory
    from linbyol.store import read_shapes

    for name, shape in read_shapes(settings.file).items():
        n, views = (prod(shape[2:]), prod(shape[1:2])) if name == "views" else (prod(shape[1:]), settings.views)
        check_memory(f"The moments of {settings.file} (n = {n})", 8 * 10 * n * n)
        check_memory("A batch of views (--views)", 8 * 6 * min(prod(shape[:1]), 256) * views * n)


@dataclass(frozen=True)
class Fetch:
    """Download a data set from its authors, check it and unpack it as torchvision does.

    Example: linbyol data fetch cifar10 --folder data

    A download that was cut off goes on where it stopped. The folder is --folder, else $LINBYOL_DATA_DIR, else
    $XDG_DATA_HOME/linbyol or ~/.local/share/linbyol.
    """

    name: Annotated[str, tyro.conf.Positional]
    """digits (nothing to download), fashion-mnist, cifar10, cifar100 or stl10"""
    url: str | None = None
    """mirror: address of the file, or of the folder that holds the files; its checksum must be the original's"""
    folder: Path | None = None
    """folder of data sets"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.name == "digits":
            yield from ((name, "for digits, which come with scikit-learn") for name in ("url", "folder"))

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        from experiments.datasets import check_name
        from experiments.datasets.fetch import SOURCES, fetch
        from linbyol.store import to_json

        check_name(self.name)
        files = fetch(self.name, url=self.url, folder=self.folder) if self.name in SOURCES else []
        if self.json:
            print(to_json({"name": self.name, "files": [file._asdict() for file in files]}))
            return 0
        for file in files:
            print(
                f"{file.file}: {file.bytes} bytes, {'downloaded' if file.new else 'was there'}, SHA-256 {file.sha256}"
            )
        if not files:
            print(f"Nothing to download: {self.name} comes with scikit-learn.")
        return 0


@dataclass(frozen=True)
class List:
    """Show which data sets are found, where, in which form and shape; nothing is decoded or downloaded.

    Example: linbyol data list --json
    """

    folder: Path | None = None
    """folder of data sets (default: $LINBYOL_DATA_DIR, else $XDG_DATA_HOME/linbyol or ~/.local/share/linbyol)"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        from experiments.datasets.layouts import inventory
        from experiments.datasets.places import data_folder
        from linbyol.store import FileError, to_json

        if self.folder is not None and not self.folder.is_dir():
            raise FileError(f"Folder {self.folder} does not exist.")
        rows = inventory(self.folder)
        if self.json:
            print(to_json({"folder": data_folder(self.folder), "sets": rows}))
            return 0
        from rich.table import Table

        from linbyol.cli.table import console

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("set", "form", "train", "test", "unlabelled", "where"):
            table.add_column(column, overflow="fold")
        for row in rows:
            shapes = (" × ".join(map(str, row[part])) if row[part] else "" for part in ("train", "test", "unlabelled"))
            table.add_row(row["name"], row["form"] or "not found", *shapes, row["where"] or "")
        console().print(table)
        for row in rows:
            if row["problem"]:
                print(row["problem"])
        return 0


@dataclass(frozen=True)
class Data:
    """Images: which data sets are found, how to download one, and X and X_aug of your own, with their modes.

    Example: linbyol data list
    """

    what: (
        Annotated[Moments, tyro.conf.subcommand("moments")]
        | Annotated[DataModes, tyro.conf.subcommand("modes")]
        | Annotated[Fetch, tyro.conf.subcommand("fetch")]
        | Annotated[List, tyro.conf.subcommand("list")]
    )

    def run(self) -> int:
        return self.what.run()
