"""linbyol analyze"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro

from linbyol.cli.repeated import Repeated, flat

ABREAST = 6  # measures in a table


@dataclass(frozen=True)
class Analyze:
    """Measure features of any network: collapse, rank, dimension, clusters by every label set, probes, CKA.

    Example: linbyol analyze train.npz test.npz --html page.html

    Arrays are known by their names: h (or features, embeddings, …) or block3/h, labels, labels/coarse, ids, with
    train/, test/ or epoch-10/ before them or in the name of the file; CSV has h0, h1, …, label, id, split. Rows of
    several files are paired by their ids, and refused where these do not match.
    """

    files: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILE…")] = ()
    """npz, npy, csv, tsv, safetensors or (with pyarrow) parquet, with features and labels"""
    train: Repeated[Path] = ()
    """files whose rows are for training, whatever their names say"""
    test: Repeated[Path] = ()
    """files whose rows are for testing"""
    labels: Repeated[str] = ()
    """label sets to measure with (default: all)"""
    missing: str | None = None
    """a label that stands for none, as -1 often does"""
    normalise: bool = False
    """put each row on the unit sphere first"""
    html: Path | None = None
    """page to write: one file, with everything in it"""
    plot: Path | None = None
    """picture to write: .pdf, .png or .svg"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """folder to write all of it to: analysis.json, analysis.html, analysis.pdf and analysis.png"""
    json: bool = False
    """print JSON alone"""

    x64: ClassVar[bool] = False  # features keep their own precision

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.out is not None:
            yield from ((name, "with --out, which has it") for name in ("html", "plot"))

    def run(self) -> int:
        from linbyol.checks import InputError

        splits = {**dict.fromkeys(flat(self.train), "train"), **dict.fromkeys(flat(self.test), "test")}
        files = list(dict.fromkeys([*self.files, *splits]))
        if not files:
            raise InputError("Argument `files` names nothing; see `linbyol analyze --help`.")
        if both := [path for path in flat(self.train) if path in flat(self.test)]:
            raise InputError(f"File {both[0]} cannot be for training and for testing.")
        with made(self.out):
            return self._measured(files, splits)

    def _measured(self, files: list[Path], splits: dict[Path, str]) -> int:
        import sys
        import time

        from linbyol.claims import environment
        from linbyol.embeddings.analysis import analyse, to_plain
        from linbyol.embeddings.collect import load
        from linbyol.embeddings.words import odd_numbers
        from linbyol.progress import bar
        from linbyol.store import to_json

        targets = self._targets(files)
        begin = time.perf_counter()
        embeddings = load(files, splits=splits, missing=self.missing)
        with bar("measuring", len(embeddings.layers) + 1) as advance:
            chosen = flat(self.labels)
            found = analyse(embeddings, labels=chosen, normalise=self.normalise, show=lambda text: advance(text))
        seconds = time.perf_counter() - begin
        names = [path.name for path in files]
        record: dict[str, Any] = {"command": "analyze", "files": names, **to_plain(found)}
        record |= {"environment": environment(), "seconds": seconds}
        written = _write(targets, found, record)
        for sentence in (*found.notes, *odd_numbers(found)):
            print(f"linbyol: {sentence}", file=sys.stderr)
        if self.json:
            print(to_json(record | {"written": [str(path) for path in written]}))
            return 0
        show(found)
        for path in written:
            print(f"Written: {path}")
        return 0

    def _targets(self, files: list[Path]) -> dict[str, Path]:
        """What is to be written, by kind; it can be written, and is none of the files that are read."""
        from linbyol.outputs import PAGE, PICTURE, RECORD, check_outputs

        if self.out is None:
            check_outputs(inputs=files, html=(self.html, PAGE), plot=(self.plot, PICTURE))
            return {name: path for name in ("html", "plot") if (path := getattr(self, name)) is not None}
        targets = {kind: self.out / f"analysis.{kind}" for kind in ("json", "html", "pdf", "png")}
        suffixes = {"json": RECORD, "html": PAGE, "pdf": PICTURE, "png": PICTURE}
        check_outputs(inputs=files, **{kind: (path, suffixes[kind]) for kind, path in targets.items()})
        return targets


@contextmanager
def made(folder: Path | None) -> Iterator[None]:
    """The folder, made if need be; where what follows fails, it is not there if it was not."""
    from linbyol.outputs import make_folder

    new = folder is not None and not folder.exists()
    if folder is not None:
        make_folder(folder)
    try:
        yield
    except BaseException:
        if folder is not None and new:
            with suppress(OSError):  # something is in it
                folder.rmdir()
        raise


def _write(targets: dict[str, Path], found: Any, record: dict[str, Any]) -> list[Path]:
    from linbyol.embeddings import page, picture
    from linbyol.store import write_json

    for kind, path in targets.items():
        if kind == "json":
            write_json(path, record)
        elif kind == "html":
            page.write(path, found, record["files"], record["environment"] | {"seconds": f"{record['seconds']:.1f}"})
        else:
            picture.save(found, path)
    return list(targets.values())


def show(found: Any) -> None:
    """The verdict, the layers, and a table for each label set."""
    from rich.table import Table

    from linbyol.cli.table import console
    from linbyol.embeddings.analysis import titled
    from linbyol.embeddings.words import MEANING, compact, grids, headline, rows_in_words

    print(f"Verdict: {headline(found)}. {MEANING[found.verdict]}")
    print(f"{rows_in_words(found)}; features {'on the unit sphere' if found.normalised else 'as given'}.")
    layers = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("layer", "d", "verdict", "RankMe", "std", "mean's share"):
        layers.add_column(name, justify="left" if name in ("layer", "verdict") else "right")
    for one in found.verdicts:
        numbers = map(compact, one.health[1:])
        layers.add_row(titled(one.layer, one.epoch), str(one.width), one.health.verdict, *numbers)
    tables = [layers]
    for grid in grids(found):
        for first in range(0, len(grid.head), ABREAST):
            some, title = slice(first, first + ABREAST), grid.title if first == 0 else None
            table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
            table.add_column("layer", overflow="fold")
            for name in grid.head[some]:
                table.add_column(name, justify="right", overflow="fold")
            for layer, cells in grid.rows:
                table.add_row(layer, *("" if cell is None else compact(cell.value, cell.error) for cell in cells[some]))
            tables.append(table)
    if found.alike is not None and len(found.alike.names) <= ABREAST:
        alike = Table(box=None, pad_edge=False, header_style="bold", title="CKA, debiased", title_justify="left")
        for name in ("", *found.alike.names):
            alike.add_column(name, justify="right" if name else "left")
        for name, row in zip(found.alike.names, found.alike.values, strict=True):
            alike.add_row(name, *(f"{x:.3f}" for x in row))
        tables.append(alike)
    for table in tables:
        console().print(table)
        print()
    print("0.912(12) is 0.912 ± 0.012, one standard error. --json and --html say how each is measured.")
