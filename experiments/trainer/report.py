"""The rows of a run: for each lane its loss since the last row, its measures, and what the probes find."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.trainer.evaluation import evaluate
from experiments.trainer.lanes import swept
from experiments.trainer.measures import Measures, measure
from experiments.trainer.options import PROBES, Options
from experiments.trainer.schedules import rate
from experiments.trainer.session import Session, lane_of
from experiments.trainer.state import State


class Report(NamedTuple):
    """What is to be written at one step."""

    rows: list[dict[str, Any]]
    spectra: list[dict[str, Any]]
    results: list[dict[str, Any]]  # of each lane, if it was evaluated


def columns(session: Session, state: State) -> tuple[str, ...]:
    """The columns of the table; a cell is empty where a row has no such number."""
    o, terms = session.o, state.tally.terms._fields[1:]
    measures = [name for name in Measures._fields if name not in terms]
    probes = [name for name in PROBES if name in o.record.probes + o.record.final]
    return ("step", "epoch", "seed", *map(heading, swept(o)), "lr", "loss", *terms, *measures, *probes)


def heading(name: str) -> str:
    """The column of a swept constant: a word of its own, for a loss may have a term of its name."""
    return f"sweep_{name}"


def due(o: Options, steps: int) -> dict[str, int]:
    """What is to be done, and every how many steps; each is also done after the last step of the run."""
    return {
        "log": o.record.log or steps,
        "measure": o.record.measure or steps,
        "evaluate": o.record.evaluate * steps or steps * o.run.epochs,
        "save": o.record.save or steps,
    }


def report(session: Session, state: State, step: int, now: list[str]) -> Report:
    """A row for each lane, with the measures and the evaluation that are due now."""
    plan, o = session.plan, session.o
    found = list(_measured(session, state)) if "measure" in now else [({}, {})] * plan.lanes
    probes = () if "evaluate" not in now else o.record.final if step == plan.total else o.record.probes
    tally = here(state.tally)
    factor = here(
        rate(o.schedule.name, np.int32(max(step - 1, 0)), plan.total, o.schedule.warmup * plan.steps, plan.dtype)
    )
    made = Report([], [], [])
    for i, (lane, (measures, spectra)) in enumerate(zip(session.lanes, found, strict=True)):
        who = {"seed": lane.seed} | {heading(name): lane.scalars[name] for name in swept(o)}
        row: dict[str, Any] = {"step": step, "epoch": step / plan.steps} | who
        terms, count = lane_of(session, tally, i)
        if count:
            row |= {"lr": lane.scalars["lr"] * float(factor), "loss": terms.total / count}
            row |= {name: x / count for name, x in terms._asdict().items() if name != "total"}
        row |= measures
        if probes:
            evaluation = evaluate(session, state, i, probes, untrained=step == 0)
            row |= {name: evaluation[name] for name in probes}
            made.results.append(who | measures | evaluation)
        made.rows.append(row)
        if spectra:
            made.spectra.append({"step": step} | who | spectra)
    return made


def _measured(session: Session, state: State) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Of each lane, its finite measures by name, and its spectra."""
    found = here(measure(session.plan, session.data, state, session.scalars, session.seeds))
    for i in range(session.plan.lanes):
        measures, spectra = lane_of(session, found, i)
        yield {name: x for name, x in measures._asdict().items() if np.isfinite(x)}, spectra._asdict()


def here(tree: Any) -> Any:
    """Arrays of this process, whatever devices they lie on."""

    def fetched(x: Any) -> np.ndarray:
        if getattr(x, "is_fully_addressable", True) or x.is_fully_replicated:
            return jax.device_get(x)
        return multihost_utils.process_allgather(x, tiled=True)

    return jax.tree.map(fetched, tree)
