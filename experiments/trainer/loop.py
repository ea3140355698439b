"""The run as a whole: calls of many steps, rows and checkpoints in between, and the ends that a run can come to.

What a row or a checkpoint holds depends on the step alone. How many steps a call makes depends on the clock, and
changes no bit.
"""

import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.trainer.patience import Left, patiently
from experiments.trainer.report import due, here, report
from experiments.trainer.sentences import broken_lanes
from experiments.trainer.session import Session
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
    broken: tuple[int, ...]  # of each lane, the first step whose loss was not finite, or -1


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

    A compilation or an evaluation is left where it is when `stopped()` says so, and goes on in its thread; what was due
    is then made when the run goes on. show(text, steps) is told of each call. Raises `TrainingError` when every lane's
    loss has ceased to be finite, with the step of the last checkpoint.
    """
    plan, periods = session.plan, due(session.o, session.plan.steps)
    timer, results = Timer(plan), []
    kept = step or None  # step of the last checkpoint
    broken = np.atleast_1d(here(state.broken))

    def ended(status: Literal["done", "interrupted"]) -> Outcome:
        return Outcome(status, step, state, timer.pace, results, tuple(broken.tolist()))

    def write(now: list[str]) -> None:
        show("probing" if "evaluate" in now else "measuring", 0)
        made = patiently(lambda: report(session, state, step, now), stopped)
        for row in made.rows:
            sink.row(row)
        for line in made.spectra:
            sink.spectrum(line)
        results[:] = made.results or results

    def save() -> None:
        nonlocal kept
        sink.save(step, here(state))
        kept = step

    if step == 0:
        try:
            write(["measure", "evaluate"] if session.o.record.evaluate else ["measure"])
        except Left:
            return ended("interrupted")
    orders, epoch = None, -1
    pending = _pending(session, state, step, periods)
    while step < plan.total or pending:
        if not pending:
            goal = min(plan.total, *((step // n + 1) * n for n in (*periods.values(), plan.steps)))
            if step // plan.steps != epoch:
                epoch = step // plan.steps
                orders = orders_of(plan, session.seeds, len(session.data.images), np.int32(epoch))
            count = timer.count(goal - step)
            arguments = (orders, session.scalars, session.seeds, np.int32(step), np.int32(count))
            with timer(count):
                if timer.first is None:
                    show("compiling", 0)
                    compiled = lambda: jax.block_until_ready(advance(plan, session.data, state, *arguments))  # noqa: B023, E731
                    try:
                        state = patiently(compiled, stopped)
                    except Left:  # no step was made that a checkpoint could hold
                        return ended("interrupted")
                else:
                    state = advance(plan, session.data, state, *arguments)
                broken = np.atleast_1d(here(state.broken))
            step += count
            if (broken >= 0).all():
                raise TrainingError(broken_lanes(session, broken.tolist(), kept))
            show(_text(session, state, step, timer.pace), count)
        now = [name for name, n in periods.items() if step % n == 0 or step == plan.total]
        if set(now) - {"save"}:
            try:
                write(now)
            except Left:
                sink.save(step, here(state))
                return ended("interrupted")
            state = emptied(plan, state)
        if "save" in now and (broken < 0).any():
            save()
        pending = False
        if step < plan.total and _agreed(stopped()):
            if kept != step:
                save()
            return ended("interrupted")
    return ended("done")


def _pending(session: Session, state: State, step: int, periods: dict[str, int]) -> bool:
    """Whether a row of this step, from which a run goes on, was due and has not been written."""
    reports = [n for name, n in periods.items() if name != "save"]
    is_due = step > 0 and (step == session.plan.total or any(step % n == 0 for n in reports))
    return is_due and bool(np.max(here(state.tally.count)) > 0)


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


def _agreed(stopped: bool) -> bool:
    """Whether any process was told to stop."""
    if jax.process_count() == 1:
        return stopped
    return bool(multihost_utils.process_allgather(np.array([stopped])).any())


def _text(session: Session, state: State, step: int, pace: Pace) -> str:
    tally = here(state.tally)
    loss = np.mean(tally.terms.total / tally.count)
    return f"epoch {step // session.plan.steps}  loss {loss:.4g}  {pace.images_per_second:,.0f} images/s"
