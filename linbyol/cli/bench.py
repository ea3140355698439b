"""linbyol bench"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import tyro

from linbyol.cli.options import Count, Seed, default
from linbyol.cli.repeated import Repeated, flat

QUICK = 2_000  # trajectories


@dataclass(frozen=True)
class Bench:
    """Measure the engines against others at equal measured error, in one run on this machine.

    Example: linbyol bench --trajectories 100000 --out bench.json --plot work.png
    """

    trajectories: Count = default(100_000)
    """trajectories of the reference workload"""
    sizes: tuple[Count, ...] = default((16, 64, 256, 512, 1024))
    """sizes d of the matrix flows, with n = 2 d"""
    only: Repeated[str] = ()
    """contenders to measure, by the beginning of their names (all if none); matrix flows are then left out"""
    seed: Seed = 0
    """seed of the workload"""
    quick: bool = False
    """a minute at most: 2,000 trajectories, one matrix flow, fewer settings"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """JSON file to write, with versions and device"""
    plot: Path | None = None
    """picture of work against precision to write"""
    json: bool = False
    """print JSON alone"""
    representation: bool = False
    """measure the measures of representations instead, against scikit-learn and NumPy; 3 GB of memory unless --quick"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.representation:
            for name in ("trajectories", "sizes", "only", "plot"):
                yield name, "beside --representation"
            return
        if self.only:
            yield "sizes", "beside --only, which leaves the matrix flows out"
        if self.quick and self.trajectories > QUICK:
            yield "trajectories", f"beyond {QUICK} beside --quick"
        if self.quick and len(self.sizes) > 1:
            yield "sizes", "beyond the first beside --quick"

    def run(self) -> int:
        from linbyol import trees

        trees.provide()
        if self.representation:
            return self._representation()
        from experiments.bench import matrices, trajectories
        from experiments.bench.contenders import contenders
        from linbyol import claims
        from linbyol.checks import check_choice
        from linbyol.machine import check_memory, cores
        from linbyol.outputs import PICTURE, RECORD, check_outputs
        from linbyol.store import to_json, write_json

        check_outputs(out=(self.out, RECORD), plot=(self.plot, PICTURE))
        names = [contender.name for contender in contenders(not self.quick)]
        for name in flat(self.only):
            if not any(known.startswith(name) for known in names):
                check_choice("only", name, names)
        N, sizes = (min(self.trajectories, QUICK), self.sizes[:1]) if self.quick else (self.trajectories, self.sizes)
        check_memory("The workload (--trajectories)", 1000 * N)
        check_memory("The matrix flows (--sizes)", 8 * 200 * max(sizes) ** 2)
        record = trajectories.measure(
            N, full=not self.quick, only=flat(self.only), seed=self.seed, repeats=1 if self.quick else 3
        )
        record["matrix_flows"] = [] if self.only else matrices.measure(sizes)
        record["environment"] = claims.environment() | {"cores": cores(), "date": date.today().isoformat()}
        if self.out:
            write_json(self.out, record)
        if self.plot:
            from figures import work_precision

            work_precision.draw(work_precision.numbers(record)).savefig(self.plot)
        print(to_json(record)) if self.json else show(record)
        return 0

    def _representation(self) -> int:
        from experiments.bench import representation
        from linbyol import claims
        from linbyol.machine import check_memory, cores
        from linbyol.outputs import RECORD, check_outputs
        from linbyol.store import to_json, write_json

        check_outputs(out=(self.out, RECORD))
        check_memory("The features", 0 if self.quick else 3_000_000_000)
        record = representation.measure(full=not self.quick, seed=self.seed, rounds=1 if self.quick else 3)
        record["environment"] = claims.environment() | {"cores": cores()}
        if self.out:
            write_json(self.out, record)
        print(to_json(record)) if self.json else show_representation(record)
        return 0


def show(record: dict) -> None:
    """Two tables: contenders at the target error, and matrix flows."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    number = lambda x, form="{:.3g}": "-" if x is None else form.format(x)  # noqa: E731
    table = Table(
        "contender", f"µs at {record['target_error']:g}", "times ours", "compilation s", box=None, pad_edge=False
    )
    for row in record["contenders"]:
        if "skipped" in row:
            table.add_row(row["name"], "skipped", "", row["skipped"])
            continue
        times = record["times_faster"].get(row["name"], 1.0)
        table.add_row(row["name"], number(row["microseconds_at_target"]), number(times), number(row["compile_seconds"]))
    console.print(table)
    if record["matrix_flows"]:
        table = Table("d", "seconds", "times its products", "diffrax", "RK45", "DOP853", box=None, pad_edge=False)
        for row in record["matrix_flows"]:
            others = [number(row.get(f"times_{name}")) for name in ("diffrax", "rk45", "dop853")]
            table.add_row(str(row["d"]), number(row["seconds"]), number(row["times_products"]), *others)
        console.print(table)


def show_representation(record: dict) -> None:
    """Seconds of each contender, then what else was measured."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("contender", "seconds", "of processors", box=None, pad_edge=False)
    for name, took in record["seconds"].items():
        table.add_row(name, f"{took:.3g}", f"{record['cpu_seconds'][name]:.3g}")
    console.print(table)
    sets, gram = record["label_sets"], record["gram"]
    print(
        f"{record['samples']} × {record['features']} float32, {record['classes']} classes: CDNV, NCC and NC1 together"
    )
    print(f"times faster than the others: {record['times_faster']:.3g}; less work: {record['times_less_work']:.3g}")
    print(f"memory over the features: {record['memory_over_features']:.3g}")
    for row in record["growth"]:
        print(f"{row['samples']} samples: {row['cpu_microseconds_a_sample']:.3g} µs of processors each")
    print(f"{sets['blocks']} blocks × 3 label sets: {sets['cpu_seconds']:.3g} s of processors")
    print(f"RankMe {gram['rankme_cpu_seconds']:.3g} s, debiased CKA {gram['cka_cpu_seconds']:.3g} s of processors")
