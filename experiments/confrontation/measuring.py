"""What a training of the confrontation leaves: its modes at each kept epoch, and all that the theory is given at one.

Axes: L lanes (seeds), t kept epochs, d modes in the order of F's eigenvalues, ascending; n inputs of the last map.

    epoch            (t,)       0 first
    s, p             (L, t, d)  eigenvalues of F = W X Wᵀ, and p_j = u_jᵀ Wp u_j along its eigenvectors
    mode_p, mode_s, mode_tau, lambda_d, lambda_s    (L, d)  at the epoch `first`: of `trainer.last_map.modes`
    tangent          (L, d)     of `trainer.tangent`
    W, Wp, Wa, X, X_aug         (L, …)  the last map there, where it has few inputs
    s_NAME           (L, t', d) predicted from there on by NAME of `studies.confrontation.predictions`
    repeated         (R, t', d) s of repetitions from lane 0's state there, with other views: what chance alone does
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import jax
import numpy as np

from experiments.clustering.kept import Trained
from experiments.confrontation.sizes import Confrontation
from experiments.runs import checkpoints
from experiments.studies.confrontation.predictions import PREDICTIONS, Start, spectrum
from experiments.trainer.flow_time import rates
from experiments.trainer.last_map import LastMap, last_map, modes
from experiments.trainer.loop import train
from experiments.trainer.session import Session, lane_of, prepare
from experiments.trainer.state import State
from experiments.trainer.tangent import tangent

FEW = 128  # inputs of a last map that is kept
REPEATED = 1000  # the seeds of repetitions are those from here on


def measured(training: Trained, c: Confrontation) -> dict[str, Any]:
    """The arrays above."""
    session, states = training.session, dict(kept(training))
    steps = np.array(list(states))
    maps = _maps(session, list(states.values()), c.views)
    s, p = np.stack([[spectrum(m.W, m.Wp, m.X) for m in row] for row in maps]).transpose(2, 1, 0, 3)
    place = int(np.searchsorted(steps, c.first * session.plan.steps))
    found: dict[str, Any] = {"epoch": steps // session.plan.steps, "s": s, "p": p}
    starts = [_start(session, list(states.values())[place], i, m) for i, m in enumerate(maps[place])]
    times = steps[place:] - steps[place]
    for name, predict in PREDICTIONS.items():
        found[f"s_{name}"] = np.stack([predict(x, x.rates.time * times).s for x in starts])
    y = [x.modes for x in starts]
    found |= {f"mode_{name}": np.stack([getattr(m.y, name) for m in y]) for name in ("p", "s", "tau")}
    found |= {name: np.stack([getattr(m, name) for m in y]) for name in ("lambda_d", "lambda_s")}
    found["tangent"] = np.stack([x.tangent for x in starts])
    if starts[0].map.X.shape[0] <= FEW:
        found |= {name: np.stack([getattr(x.map, name) for x in starts]) for name in LastMap._fields}
    if c.repetitions:
        found["repeated"] = repeated(
            session, list(states.values())[place], int(steps[place]), c, steps[place:], starts[0].map.X
        )
    return found


def kept(training: Trained) -> Iterator[tuple[int, State]]:
    """Steps and states, the untrained one first."""
    session, folder = training.session, training.path / "checkpoints"
    yield 0, session.start()
    like = jax.eval_shape(session.start)
    for step in sorted(map(checkpoints.step_of, checkpoints.checkpoints(folder))):
        found = checkpoints.restore(folder, like, config=asdict(session.o), step=step)
        assert found is not None
        yield step, found.state


class Kept:
    """States of a run in memory, by step."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {}

    def row(self, row: dict[str, Any]) -> None:
        pass

    def spectrum(self, line: dict[str, Any]) -> None:
        pass

    def save(self, step: int, state: State) -> None:
        self.states[step] = state


def repeated(
    session: Session, state: State, step: int, c: Confrontation, steps: np.ndarray, X: np.ndarray
) -> np.ndarray:
    """(R, t', d) of lane 0 trained on again and again, each time on views and orders of its own."""
    seeds = tuple(REPEATED + i for i in range(c.repetitions))
    again = prepare(replace(session.o, run=replace(session.o.run, seeds=seeds)), session.dataset)
    one = lane_of(session, state, 0)
    several = jax.tree.map(lambda x: np.broadcast_to(x, (c.repetitions, *np.shape(x))), one)
    sink = Kept()
    sink.save(step, several)
    train(again, jax.tree.map(jax.numpy.asarray, several), step, sink)
    found = []
    for i in range(c.repetitions):
        W = [np.asarray(sink.states[t].online.encoder.body.layers[0].weight[i], float) for t in steps]
        found.append([np.linalg.eigvalsh(w @ X @ w.T) for w in W])
    return np.array(found)


def _maps(session: Session, states: list[State], views: int) -> list[list[LastMap]]:
    """Of each state, of each lane; of a linear encoder the moments are those of the images, and are measured once."""
    lanes = range(len(session.lanes))
    if alone(session):
        images = _one(session, states[0], 0, views)
        return [[_on(images, lane_of(session, state, i)) for i in lanes] for state in states]
    return [[_one(session, state, i, views) for i in lanes] for state in states]


def _one(session: Session, state: State, i: int, views: int) -> LastMap:
    found = last_map(session, state, i, views=views)
    assert found is not None
    return found


def _on(images: LastMap, state: State) -> LastMap:
    """Another linear encoder on the same images."""
    assert state.target is not None
    W, Wp, Wa = (
        np.asarray(part.weight, float)
        for part in (state.online.encoder.body.layers[0], state.online.predictor, state.target.encoder.body.layers[0])
    )
    return images._replace(W=W, Wp=Wp, Wa=Wa)


def _start(session: Session, state: State, i: int, m: LastMap) -> Start:
    found = modes(m)
    speed = found.lambda_d if alone(session) else tangent(session, state, i, found.U)
    speed = np.where(speed > 0, speed, found.lambda_d)  # of tiny modes a few views leave no estimate
    return Start(m, found, speed, rates(session.o, session.lanes[i].scalars))


def alone(session: Session) -> bool:
    """Whether nothing lies below the last map."""
    return session.o.encoder.name == "linear" and not session.o.projector.widths
