"""DirectPred on CIFAR-10, ResNet-18, seed 0, by its preset: an epoch a row, then the probes of the frozen features.

It goes on from its newest checkpoint in OUT, and ends in time to save one and to probe what it has by then.
"""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.bench.gpu.record import Clock, Found, Keep, Record, Row
from experiments.datasets import load
from experiments.datasets.splits import sha256_of
from experiments.runs.folder import RunFolder
from experiments.trainer.choices import Byol, Direct, LinearPredictor, MlpEncoder, Resnet18, Target
from experiments.trainer.evaluation import evaluate
from experiments.trainer.loop import train
from experiments.trainer.options import Data, Options, Projector, Recording, Run
from experiments.trainer.report import columns, here
from experiments.trainer.runner import Folder
from experiments.trainer.session import Session, prepare
from experiments.trainer.state import State

PRESET, GOAL = "cifar10-resnet18-directpred", 0.852  # published: 85.21 ± 0.23 after 100 epochs
PROBING = 60.0  # seconds to save a checkpoint and probe the features
LEAST = 120.0  # to compile, train an epoch and probe
EIGH = 50  # eigenvalue problems in one timed call


def rows(tiny: bool, out: Path, record: Record) -> list[Row]:
    """One row, and one for each epoch; last, since it takes what time is left."""
    return [Row("directpred: seed 0", 9, LEAST, partial(trained, tiny, out, record))]


class Rows(Folder):
    """A run's folder whose rows stand in the record too."""

    record: Record
    began: float

    def row(self, row: dict[str, Any]) -> None:
        super().row(row)
        kept = {name: value for name, value in row.items() if value is not None}
        name = f"directpred: seed 0, epoch {row['epoch']:g}"
        self.record.keep(name, kept | {"status": "done", "seconds_since_begun": time.monotonic() - self.began})


PUBLISHED = Options(  # the preset's settings, which no reader is needed for
    data=Data(name="cifar10", augment="cifar-byol"),
    encoder=Resnet18(width=64, stem="cifar"),
    method=Byol(
        predictor=LinearPredictor(rule=Direct(form="code", floor=1e-4, eps=0.1, rho=0.3)),
        target=Target(gamma_a=0.996, start="independent"),
    ),
    run=Run(epochs=100, batch=128, precision="bfloat16"),
    record=Recording(evaluate=10, probes=("knn",)),
)


def settings(tiny: bool) -> Options:
    """The preset, measured at the beginning and the end alone, with few checkpoints: one has 130 MB."""
    record = replace(PUBLISHED.record, keep=1, measure=10**9, save=10**9 if tiny else 3_900)
    if not tiny:
        return replace(PUBLISHED, record=record)
    return replace(
        PUBLISHED,
        data=Data(first=64, augment="digits-shift"),
        encoder=MlpEncoder(widths=(8,)),
        projector=Projector(widths=(4,)),
        run=Run(batch=16, epochs=2),
        record=replace(record, final=("knn", "linear_paper")),
    )


def trained(tiny: bool, out: Path, record: Record, clock: Clock, keep: Keep) -> Found:
    """Train until the time is up; how far it came, how fast, and what the probes say."""
    o = settings(tiny)
    dataset = load(o.data.name, first=o.data.first)
    session = prepare(o, dataset, jax.devices()[:1])
    plan, begin = session.plan, session.start()
    sha256 = sha256_of(here(session.data.images), here(session.data.labels), *dataset.test[:2])
    reserve = 0 if tiny else PROBING
    found: Found = {
        "epochs": o.run.epochs,
        "goal_linear_paper": GOAL,
        "eigh_milliseconds": eigh(o.projector.widths[-1]),
    }
    with RunFolder.open(out, PRESET, o, seeds=o.run.seeds, argv=["experiments.bench.gpu"], data=sha256) as folder:
        sink = Rows(folder, session, columns(session, begin), sha256)
        sink.record, sink.began = record, time.monotonic()
        step, state, refused = sink.restore(jax.eval_shape(lambda: begin))
        state = begin if step == 0 else jax.tree.map(lambda x: jnp.asarray(np.asarray(x)), state)
        found |= {"begun_at_epoch": step / plan.steps, "refused": refused}
        outcome = train(session, state, step, sink, stopped=lambda: not clock.has(reserve))
        results = outcome.results or folder.record.get("results", [])  # where it was done before
        folder.write(outcome.status, results=results, step=outcome.step, steps=plan.total, data_sha256=sha256)
    found |= {
        "epoch": outcome.step / plan.steps,
        "images_per_second": outcome.pace.images_per_second,
        "compile_seconds": outcome.pace.compile_seconds,
    }
    if outcome.status == "done":
        return found | {"results": results}
    keep(found)
    trained_here = outcome.step > step  # a compilation that was left has taken the state with it
    results = probed(session, outcome.state, clock, found, keep) if trained_here else []
    return found | {"results": results, "status": f"interrupted at epoch {found['epoch']:.1f}"}


def probed(session: Session, state: State, clock: Clock, found: Found, keep: Keep) -> list[Found]:
    """The final probes of a run that was interrupted, one by one."""
    result: Found = {}
    for name in session.o.record.final:
        result |= evaluate(session, state, 0, (name,)) if clock.has(5) else {name: clock.skipped()}
        keep(found | {"results": [result]})
    return [result]


def eigh(d: int) -> float:
    """Milliseconds of the eigenvalue problem that DirectPred adds to each step."""
    A = np.random.default_rng(0).normal(size=(d, 2 * d)).astype(np.float32)
    F = jnp.asarray(A @ A.T / (2 * d))
    next_ = lambda _, F: F + 1e-3 * jnp.linalg.eigh(F)[1]  # noqa: E731
    run = jax.jit(lambda F: jax.lax.fori_loop(0, EIGH, next_, F))
    jax.block_until_ready(run(F))
    began = time.perf_counter()
    jax.block_until_ready(run(F))
    return 1e3 * (time.perf_counter() - began) / EIGH
