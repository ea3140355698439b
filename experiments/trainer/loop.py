"""The run as a whole: calls of many steps, rows and checkpoints in between, and the ends that a run can come to.

What a row or a checkpoint holds depends on the step alone. How many steps a call makes depends on the clock, and
changes no bit.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, Protocol

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.trainer.evaluation import evaluate
from experiments.trainer.measures import COLLAPSED, Measures, measure
from experiments.trainer.options import PROBES, Options, swept
from experiments.trainer.schedules import rate
from experiments.trainer.session import Session, lane_of
from experiments.trainer.state import State
from experiments.trainer.steps import advance, emptied, orders_of
from linbyol.integrate import IntegrationError

SECONDS = 0.5  # a call should take so long: short enough to be interrupted, long enough not to be felt
TOGETHER = 16  # steps a call where several processes must agree on them


class TrainingError(IntegrationError):
    """A loss that is not finite; the message is one sentence."""


class Sink(Protocol):
    """Where the rows, spectra and checkpoints of a run go."""

    def row(self, row: dict[str, Any]) -> None: ...

    def spectrum(self, line: dict[str, Any]) -> None: ...

    def save(self, step: int, state: State) -> None: ...  # of NumPy arrays


class Pace(NamedTuple):
    """How fast a run went, compilation and evaluation apart."""

    images: int
    seconds: float
    compile_seconds: float

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds if self.seconds > 0 else float("nan")


class Outcome(NamedTuple):
    """How a run ended: all its steps done, or stopped by a signal after `step`."""

    status: Literal["done", "interrupted"]
    step: int
    state: State
    pace: Pace
    results: list[dict[str, Any]]  # of each lane, at the last evaluation


def columns(session: Session, state: State) -> tuple[str, ...]:
    """The columns of the table; a cell is empty where a row has no such number."""
    o, terms = session.o, state.tally.terms._fields[1:]
    measures = [name for name in Measures._fields if name not in terms]
    probes = [name for name in PROBES if name in o.probes + o.final]
    return ("step", "epoch", "seed", *map(heading, swept(o)), "lr", "loss", *terms, *measures, *probes)


def heading(name: str) -> str:
    """The column of a swept constant: a word of its own, for a loss may have a term of its name."""
    return f"sweep_{name}"


def due(o: Options, steps: int) -> dict[str, int]:
    """What is to be done, and every how many steps; each is also done after the last step of the run."""
    return {
        "log": o.log or steps,
        "measure": o.measure or steps,
        "evaluate": o.evaluate * steps or steps * o.epochs,
        "save": o.save or steps,
    }


def train(
    session: Session,
    state: State,
    step: int,
    sink: Sink,
    *,
    stopped: Callable[[], bool] = lambda: False,
    show: Callable[[str, int], None] = lambda text, steps: None,
) -> Outcome:
    """Go on from `step` to the end, or until `stopped()` says so: then a checkpoint is saved, and the run can go on.

    show(text, steps) is told of each call. Raises `TrainingError` when every lane's loss has ceased to be finite, with
    the last checkpoint from before.
    """
    plan = session.plan
    periods = due(session.o, plan.steps)
    timer, results = Timer(plan), []
    if step == 0:
        results = _report(session, state, 0, ["measure", "evaluate"] if session.o.evaluate else ["measure"], sink)
    orders, epoch = None, -1
    while step < plan.total:
        goal = min(plan.total, *((step // n + 1) * n for n in (*periods.values(), plan.steps)))
        if step // plan.steps != epoch:
            epoch = step // plan.steps
            orders = orders_of(plan, session.seeds, len(session.data.images), np.int32(epoch))
        count = timer.count(goal - step)
        with timer(count):
            state = advance(
                plan, session.data, state, orders, session.scalars, session.seeds, np.int32(step), np.int32(count)
            )
            broken = np.atleast_1d(here(state.broken))
        step += count
        if (broken >= 0).all():
            raise TrainingError(_sentence(session, broken, sink))
        show(_text(session, state, step, timer.pace), count)
        if step == goal:
            now = [name for name, n in periods.items() if step % n == 0 or step == plan.total]
            if set(now) - {"save"}:
                results = _report(session, state, step, now, sink) or results
                state = emptied(plan, state)
            if "save" in now and (broken < 0).any():
                sink.save(step, here(state))
        if step < plan.total and _agreed(stopped()):
            if not (step == goal and "save" in now):
                sink.save(step, here(state))
            return Outcome("interrupted", step, state, timer.pace, results)
    return Outcome("done", step, state, timer.pace, results)


class Timer:
    """Measures calls, and says how many steps the next one should make."""

    def __init__(self, plan: Any) -> None:
        self.plan, self.first, self.steps, self.seconds = plan, None, 0, 0.0

    def count(self, most: int) -> int:
        """Steps of the next call."""
        if jax.process_count() > 1:
            return min(most, TOGETHER)
        if self.first is None or not self.steps:
            return 1
        return max(1, min(most, round(SECONDS * self.steps / self.seconds)))

    def __call__(self, count: int) -> "Timer":
        self.pending = count
        return self

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *error: Any) -> None:
        spent = time.perf_counter() - self.began
        if self.first is None:
            self.first = spent  # compilation, and one step
        else:
            self.steps, self.seconds = self.steps + self.pending, self.seconds + spent

    @property
    def pace(self) -> Pace:
        return Pace(self.steps * self.plan.o.batch * self.plan.lanes, self.seconds, self.first or 0.0)


def _report(session: Session, state: State, step: int, now: list[str], sink: Sink) -> list[dict[str, Any]]:
    """A row for each lane; what the evaluation found, if one was due."""
    plan, o = session.plan, session.o
    found = list(_measured(session, state)) if "measure" in now else [({}, {})] * plan.lanes
    probes = () if "evaluate" not in now else o.final if step == plan.total else o.probes
    tally = here(state.tally)
    factor = here(rate(o.schedule, np.int32(max(step - 1, 0)), plan.total, o.warmup * plan.steps, plan.dtype))
    results = []
    for i, (lane, (measures, spectra)) in enumerate(zip(session.lanes, found, strict=True)):
        who = {"seed": lane.seed} | {heading(name): lane.scalars[name] for name in swept(o)}
        row: dict[str, Any] = {"step": step, "epoch": step / plan.steps} | who
        terms, count = lane_of(session, tally, i)
        if count:
            row |= {"lr": lane.scalars["lr"] * float(factor), "loss": terms.total / count}
            row |= {name: x / count for name, x in terms._asdict().items() if name != "total"}
        row |= measures
        if probes:
            accuracies = evaluate(session, state, i, probes, untrained=step == 0)
            row |= accuracies
            results.append(who | measures | accuracies)
        sink.row(row)
        if spectra:
            sink.spectrum({"step": step} | who | spectra)
    return results


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


def _agreed(stopped: bool) -> bool:
    """Whether any process was told to stop."""
    if jax.process_count() == 1:
        return stopped
    return bool(multihost_utils.process_allgather(np.array([stopped])).any())


def _text(session: Session, state: State, step: int, pace: Pace) -> str:
    tally = here(state.tally)
    loss = np.mean(tally.terms.total / tally.count)
    return f"epoch {step // session.plan.steps}  loss {loss:.4g}  {pace.images_per_second:,.0f} images/s"


def _sentence(session: Session, broken: np.ndarray, sink: Sink) -> str:
    lane = int(np.argmax(broken))
    where = f" in the last of {len(broken)} lanes, {session.lanes[lane].label}" if len(broken) > 1 else ""
    return f"The loss is not finite from step {int(broken[lane])} on{where}; the checkpoints from before are kept."


def alarms(results: list[dict[str, Any]]) -> list[str]:
    """A sentence for each lane whose embeddings have collapsed."""
    return [
        f"Seed {r['seed']}: the embeddings have collapsed (standard deviation {r['embedding_std']:.3g} of an isotropic "
        f"one's, effective rank {r['rank']:.3g})."
        for r in results
        if r.get("embedding_std", 1.0) < COLLAPSED
    ]
