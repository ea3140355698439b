"""Which constants a run makes use of is what the program does with each of them changed."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.datasets import load
from experiments.tables import leaves
from experiments.trainer.choices import Byol, Direct, Isoloss, LinearEncoder, LinearPredictor, Set
from experiments.trainer.options import Data, Optimiser, Options, Projector, Recording, Run
from experiments.trainer.session import prepare
from experiments.trainer.steps import advance, orders_of
from experiments.trainer.uses import has_effect

SMALL = Options(
    data=Data(first=64, augment="noise"),
    encoder=LinearEncoder(d=3),
    projector=Projector(widths=()),
    optimiser=Optimiser(lr=0.05),
    run=Run(batch=32, epochs=2, precision="float64"),
    record=Recording(evaluate=0, probes=(), final=()),
)
SETTINGS = {
    "byol, direct": Byol(predictor=LinearPredictor(rule=Direct())),
    "isoloss, set now and then": Isoloss(predictor=LinearPredictor(rule=Set(freq=3))),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_constant_has_an_effect_where_the_table_says_so(name):
    """Four steps with a constant 10 % smaller end elsewhere than four as they are, or in the very same bits."""
    o = replace(SMALL, method=SETTINGS[name])
    session = prepare(o, load("digits", first=64))
    start = session.start()
    orders = orders_of(session.plan, session.seeds, 64, np.int32(0))

    def end(scalars):
        state = jax.tree.map(jnp.copy, start)  # its memory is donated
        for step in (0, 2):
            state = advance(
                session.plan, session.data, state, orders, scalars, session.seeds, np.int32(step), np.int32(2)
            )
        return [np.asarray(x) for x in jax.tree.leaves((state.online, state.target))]

    plain, found = end(session.scalars), {}
    constants = {path: path.rpartition(".")[2] for path, field, _ in leaves(o) if "constant" in field.metadata}
    for path, scalar in constants.items():
        moved = end(session.scalars._replace(**{scalar: 0.9 * getattr(session.scalars, scalar)}))
        found[path] = any((a != b).any() for a, b in zip(plain, moved, strict=True))
    assert found == {path: has_effect(o, path) for path in constants}
    assert {name for name, x in session.scalars._asdict().items() if x is not None} == set(constants.values())
