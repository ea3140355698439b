"""linbyol train"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro

from linbyol.cli.repeated import Repeated, flat

DETAILS = (  # of a result, that the table leaves to metrics.csv
    "F_max", "F_min", "Wp_max", "Wp_min", "asymmetry", "commutator", "cosine", "balance", "proportionality",
)  # fmt: skip


@dataclass(frozen=True)
class Train:
    """Train small self-supervised networks on real images; the same command goes on where it was stopped.

    Example: linbyol train digits-byol --rule direct --set eta=4e-4 --seeds 0 1 2
    """

    preset: Annotated[str, tyro.conf.Positional] = ""
    """a preset's name (see --list), or a TOML file of your own"""
    rule: str | None = None
    """how the predictor is set: learned, symmetric, direct, copy, set or optimal"""
    set: Repeated[str] = ()
    """settings to change, as NAME=VALUE (see --dry-run for all of them)"""
    seeds: Repeated[int] = ()
    """seeds, trained at once as lanes of one program"""
    sweep: Repeated[str] = ()
    """constants to sweep, as NAME=VALUE,VALUE,…: a lane for each combination and seed"""
    epochs: int | None = None
    """epochs, if not the preset's"""
    data: Path | None = None
    """folder with the data sets (default: LINBYOL_DATA_DIR, else where `linbyol data fetch` puts them)"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs")
    """folder for runs; this one's is NAME-DIGEST in it"""
    distributed: bool = False
    """several processes train together (SLURM, Open MPI and others are recognised, or give the next three)"""
    coordinator: str | None = None
    """HOST:PORT of process 0"""
    processes: int | None = None
    """number of processes"""
    process: int | None = None
    """which of them this is"""
    list: bool = False
    """list the presets and train nothing"""
    dry_run: bool = False
    """print all settings, the steps and the size of the network, and train nothing"""
    json: bool = False
    """print JSON alone"""

    x64: ClassVar[bool] = False  # a setting of the run decides, for its time alone

    def run(self) -> int:
        from linbyol import trees
        from linbyol.checks import InputError

        trees.provide()
        from experiments.networks.memory import keep_memory

        keep_memory()
        from experiments import presets

        if self.list:
            for name, header in presets.headers().items():
                print(f"{name:32} {header}")
            return 0
        if not self.preset:
            raise InputError("Argument `preset` is missing; `linbyol train --list` shows the presets.")
        name, options = self._options()
        if self.distributed:
            self._join()
        import jax

        with jax.enable_x64(options.precision == "float64"):
            return self._dry(options) if self.dry_run else self._train(name, options)

    def _options(self) -> tuple[str, Any]:
        from experiments import presets, settings

        name, options = presets.preset(self.preset)
        words = [*flat(self.set), *([f"rule={self.rule}"] if self.rule else [])]
        words += [f"epochs={self.epochs}"] if self.epochs is not None else []
        options = settings.with_set(options, words)
        lists = {"seeds": flat(self.seeds), "sweep": flat(self.sweep)}
        options = settings.with_values(options, {key: value for key, value in lists.items() if value})
        options.check()
        return name, options

    def _join(self) -> None:
        import jax

        jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM from the trainer
        jax.distributed.initialize(self.coordinator, self.processes, self.process)

    def _dry(self, options: Any) -> int:
        import jax

        from experiments import settings
        from experiments.datasets import load
        from experiments.trainer.session import prepare
        from linbyol.store import to_json

        session = prepare(options, load(options.data, folder=self.data, first=options.first))
        state = jax.eval_shape(session.start)
        count = lambda tree: sum(x.size for x in jax.tree.leaves(tree))  # noqa: E731
        size = lambda tree: sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))  # noqa: E731
        plan = session.plan
        facts = {
            "steps": plan.total,
            "steps_per_epoch": plan.steps,
            "images": len(session.data.images),
            "lanes": plan.lanes,
            "parameters_per_lane": count(state.online) // plan.lanes,
            "state_megabytes": size(state) / 2**20,
            "data_megabytes": size(session.data) / 2**20,
        }
        if self.json:
            from dataclasses import asdict

            print(to_json({"settings": asdict(options)} | facts))
            return 0
        print(settings.to_toml(options))
        print("\n".join(f"# {key.replace('_', ' ')}: {value:,.6g}" for key, value in facts.items()))
        return 0

    def _train(self, name: str, options: Any) -> int:
        import signal
        import sys

        import jax

        from experiments.trainer.runner import run
        from linbyol.store import to_json

        ran = run(name, options, self.out, data=self.data)
        if jax.process_index() > 0:
            return 0 if ran.outcome.status == "done" else 128 + (ran.signal or signal.SIGTERM)
        for sentence in (*ran.refused, *ran.alarms):
            print(f"linbyol: {sentence}", file=sys.stderr)
        pace = ran.outcome.pace
        if self.json:
            record = {"run": str(ran.path), "status": ran.outcome.status, "step": ran.outcome.step}
            speed = {"images_per_second": pace.images_per_second, "compile_seconds": pace.compile_seconds}
            print(to_json(record | speed | {"results": ran.outcome.results}))
        else:
            show(ran)
        return 0 if ran.outcome.status == "done" else 128 + (ran.signal or signal.SIGTERM)


def show(ran: Any) -> None:
    """The last evaluation of each lane, and where everything is."""
    from rich.console import Console
    from rich.table import Table

    if ran.outcome.results:
        names = [name for name in ran.outcome.results[0] if name not in DETAILS]
        table = Table(*(name.replace("_", " ") for name in names), box=None, pad_edge=False)
        for result in ran.outcome.results:
            table.add_row(*(f"{result[name]:.4g}" if name in result else "" for name in names))
        Console().print(table)
    if ran.outcome.status == "interrupted":
        print(f"Stopped after step {ran.outcome.step}; the same command goes on from there.")
    if ran.outcome.pace.images:
        print(f"{ran.outcome.pace.images_per_second:,.0f} images/s")
    print(f"Written: {ran.path}")
