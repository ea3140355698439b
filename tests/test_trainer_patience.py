"""A signal is obeyed while a long computation goes on, and what was due then is made when the run goes on."""

import threading
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest
from test_trainer import SMALL, Rows, differences

from experiments.datasets import load
from experiments.trainer import report
from experiments.trainer.choices import LinearEncoder
from experiments.trainer.loop import train
from experiments.trainer.options import Projector, Recording
from experiments.trainer.patience import Left, patiently
from experiments.trainer.session import prepare


def test_work_is_done_in_the_precision_around_the_call():
    with jax.enable_x64(False):
        assert patiently(lambda: jnp.zeros(()).dtype, lambda: False) == jnp.float32
    assert patiently(lambda: jnp.zeros(()).dtype, lambda: False) == jnp.float64


def test_errors_come_through():
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 / 0, lambda: False)


def test_short_work_is_waited_for_and_long_work_is_left():
    assert patiently(lambda: time.sleep(0.05) or 7, lambda: True) == 7
    release, began = threading.Event(), time.monotonic()
    with pytest.raises(Left):
        patiently(lambda: release.wait(60), lambda: True)
    assert time.monotonic() - began < 2
    release.set()


def test_a_run_that_is_stopped_while_it_probes_loses_nothing(monkeypatch):
    """The checkpoint is of the step, its rows are written when the run goes on, and the end is the same bit by bit."""
    record = Recording(evaluate=1, probes=("knn",), final=("knn",))
    o = replace(SMALL, encoder=LinearEncoder(d=4), projector=Projector(widths=()), record=record)
    session, whole, first, rest = prepare(o, load("digits", first=192)), Rows(), Rows(), Rows()
    end = train(session, session.start(), 0, whole)
    release, probing, texts = threading.Event(), threading.Event(), []
    evaluate = report.evaluate

    def slow(*arguments, untrained):
        if not untrained:
            probing.set()
            release.wait(60)
        return evaluate(*arguments, untrained=untrained)

    monkeypatch.setattr(report, "evaluate", slow)
    shown = lambda text, steps: texts.append(text)  # noqa: E731
    outcome = train(session, session.start(), 0, first, stopped=probing.is_set, show=shown)
    assert (outcome.status, outcome.step) == ("interrupted", 3)
    assert first.saved[-1][0] == 3
    assert texts[-1] == "probing"
    release.set()
    assert first.rows == [row for row in whole.rows if row["step"] < 3]
    last = train(session, jax.tree.map(jnp.asarray, first.saved[-1][1]), 3, rest)
    assert rest.rows == [row for row in whole.rows if row["step"] >= 3]
    assert [step for step, _ in rest.saved] == [3, 6]
    assert differences(end.state, last.state) == 0
    assert last.results == end.results
