"""linbyol train"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro

from linbyol.cli.repeated import Repeated, flat


@dataclass(frozen=True)
class Train:
    """Train small self-supervised networks on real images; the same command goes on where it was stopped.

    Example: linbyol train digits-byol --set method=simclr eta=4e-4 --seeds 0 1 2
    """

    preset: Annotated[str, tyro.conf.Positional] = ""
    """a preset's name (see --list), or a TOML file of your own"""
    rule: str | None = None
    """how the predictor is set: learned, symmetric, direct, copy, set or optimal"""
    set: Repeated[str] = ()
    """settings to change, as NAME=VALUE (see --dry-run for all of them): optimiser.lr=0.1, or in short lr=0.1;
    method=simclr, encoder=conv, … keep the settings that both choices have, and take defaults for the rest"""
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

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        if self.list:
            names = ("rule", "set", "seeds", "sweep", "epochs", "data", "distributed", "dry_run")
            yield from ((name, "with --list") for name in (*names, *(["preset"] if self.preset else [])))
        if self.dry_run:
            yield "distributed", "with --dry-run"
        if not self.distributed:
            yield from ((name, "without --distributed") for name in ("coordinator", "processes", "process"))

    def run(self) -> int:
        from linbyol import trees
        from linbyol.checks import InputError

        trees.provide()
        from experiments.networks.memory import keep_memory

        keep_memory()
        from experiments import presets

        if self.list:
            return _list(presets.headers(), self.json)
        if not self.preset:
            raise InputError("Argument `preset` is missing; `linbyol train --list` shows the presets.")
        name, options = self._options()
        import jax

        if self.distributed:
            from experiments.trainer.meeting import join

            jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM from the trainer
            join(self.coordinator, self.processes, self.process)
        with jax.enable_x64(options.run.precision == "float64"):
            return self._dry(options) if self.dry_run else self._train(name, options)

    def _options(self) -> tuple[str, Any]:
        from experiments import presets, settings
        from experiments.datasets import NAMES
        from experiments.trainer.lanes import swept_paths
        from experiments.trainer.uses import check_effect
        from linbyol.checks import InputError

        name, options = presets.preset(self.preset)
        words = list(flat(self.set))
        words += [] if self.rule is None else [f"rule={self.rule}"]
        words += [] if self.epochs is None else [f"epochs={self.epochs}"]
        lists = {"run.seeds": flat(self.seeds), "run.sweep": flat(self.sweep)}
        lists = {path: value for path, value in lists.items() if value}
        given = settings.pairs(type(options), words)
        options = settings.with_values(settings.with_set(options, words), lists)
        for path in given:
            if path in lists:
                raise InputError(f"Setting `{path}` is given twice, by `set` and by `{path.removeprefix('run.')}`.")
            if path in swept_paths(options):
                raise InputError(f"Setting `{path}` is given twice, by `set` and by `sweep`.")
        options.check()
        check_effect(options, given)
        data = options.data.name
        if self.data is not None and (data == "digits" or data not in NAMES):
            raise InputError(f"Argument `data` has no effect for {data!r}, which is in no folder of data sets.")
        return name, options

    def _dry(self, options: Any) -> int:
        import sys

        import jax

        from experiments import tables
        from experiments.datasets import load
        from experiments.trainer.sentences import unseen
        from experiments.trainer.session import prepare
        from linbyol.store import to_json

        dataset = load(options.data.name, folder=self.data, first=options.data.first)
        for sentence in (*dataset.notes, *unseen(dataset)):
            print(f"linbyol: {sentence}", file=sys.stderr)
        session = prepare(options, dataset)
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
        print(tables.to_toml(options))
        print("\n".join(f"# {key.replace('_', ' ')}: {value:,.6g}" for key, value in facts.items()))
        return 0

    def _train(self, name: str, options: Any) -> int:
        import sys

        from experiments.trainer.runner import run
        from experiments.trainer.summary import summary
        from linbyol.store import to_json

        ran = run(name, options, self.out, data=self.data)
        outcome = ran.outcome
        for sentence in (*ran.notes, *ran.words):
            print(f"linbyol: {sentence}", file=sys.stderr)
        if ran.path is not None and self.json:
            record = {"run": str(ran.path), "status": outcome.status, "step": outcome.step, "broken": outcome.broken}
            pace = outcome.pace
            speed = {"images_per_second": pace.images_per_second, "compile_seconds": pace.compile_seconds}
            results = {"results": outcome.results, "untrained": ran.untrained}
            print(to_json(record | speed | results | {"summary": summary(outcome.results, ran.untrained)}))
        elif ran.path is not None:
            show(ran)
        return status(ran)


def status(ran: Any) -> int:
    """The exit status: 0 done, 4 done but for lanes that diverged, 128 + the signal that interrupted it."""
    import signal

    if ran.outcome.status == "interrupted":
        return 128 + (ran.signal or signal.SIGTERM)
    return 4 if any(first >= 0 for first in ran.outcome.broken) else 0


def _list(headers: dict[str, str], json: bool) -> int:
    """The presets and what they are."""
    from linbyol.store import to_json

    if json:
        print(to_json({"presets": [{"name": name, "about": about} for name, about in headers.items()]}))
    else:
        print("\n".join(f"{name:32} {about}" for name, about in headers.items()))
    return 0


def show(ran: Any) -> None:
    """The last evaluation of each lane, the untrained network, means over seeds, and where everything is."""
    from rich.table import Table

    from experiments.trainer.summary import rows
    from linbyol.cli.table import console

    if found := rows(ran.outcome.results, ran.untrained):
        names = dict.fromkeys(name for row in found for name in row)
        table = Table(*(name.replace("_", " ") for name in names), box=None, pad_edge=False)
        for row in found:
            table.add_row(*(row.get(name, "") for name in names))
        console().print(table)
    if ran.outcome.status == "interrupted":
        print(f"Stopped after step {ran.outcome.step}; the same command goes on from there.")
    if ran.outcome.pace.images:
        print(f"{ran.outcome.pace.images_per_second:,.0f} images/s")
    print(f"Written: {ran.path}")
