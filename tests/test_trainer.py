"""The compiled program: the theory is its limit, calls and lanes change no result, and it learns or says why not."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.augment import RECIPES, plain
from experiments.datasets import Dataset, Split, load
from experiments.networks import split
from experiments.settings import with_values
from experiments.trainer.choices import (
    Byol,
    ConvEncoder,
    Direct,
    LinearEncoder,
    LinearPredictor,
    MlpEncoder,
    Supervised,
    Target,
)
from experiments.trainer.loop import TrainingError, train
from experiments.trainer.measures import measure
from experiments.trainer.options import Data, Optimiser, Options, Projector, Recording, Run
from experiments.trainer.report import columns
from experiments.trainer.sentences import alarms, at_edges, broken_lanes
from experiments.trainer.session import lane_of, prepare
from experiments.trainer.steps import advance, orders_of
from experiments.trainer.uses import is_linear
from linbyol.checks import InputError
from linbyol.equations import Constants, Weights, weights_flow
from linbyol.integrate import integrate

SMALL = Options(
    data=Data(first=192, augment="none"),
    encoder=MlpEncoder(widths=(16,)),
    projector=Projector(widths=(8,)),
    method=Byol(predictor=LinearPredictor(rule=Direct())),
    optimiser=Optimiser(lr=0.05),
    run=Run(batch=64, epochs=2, precision="float64"),
    record=Recording(evaluate=0, probes=(), final=()),
)


class Rows:
    """Keeps what a run writes."""

    def __init__(self):
        self.rows, self.spectra, self.saved = [], [], []

    def row(self, row):
        self.rows.append(row)

    def spectrum(self, line):
        self.spectra.append(line)

    def save(self, step, state):
        self.saved.append((step, state))


@pytest.fixture(scope="module")
def digits():
    return load("digits", first=192)


def steps(session, state, numbers):
    """Calls of so many steps each, from step 0."""
    start = 0
    for count in numbers:
        orders = orders_of(session.plan, session.seeds, len(session.data.images), np.int32(start // session.plan.steps))
        state = advance(
            session.plan, session.data, state, orders, session.scalars, session.seeds, np.int32(start), np.int32(count)
        )
        start += count
    return state


def differences(a, b):
    found = [
        np.abs(np.asarray(x, float) - np.asarray(y, float)).max(initial=0)
        for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True)
    ]
    return max(found)


def test_the_theory_is_the_limit_of_this_trainer():
    """A linear encoder under plain SGD follows Lemma 1 with the moments of the images; nothing is fitted.

    The noise of batches and the bias of steps are both of order lr here.
    """
    o = Options(
        data=Data(augment="noise"),
        encoder=LinearEncoder(d=4),
        projector=Projector(widths=()),
        method=Byol(loss="l2", symmetric=False, target=Target(gamma_a=1 - 2 * 4e-3)),
        optimiser=Optimiser(lr=4e-3, momentum=0.0, eta=0.02, alpha_p=2.0, eta_p=0.01),
        run=Run(batch=1437, epochs=250, precision="float64"),
        record=SMALL.record,
    )
    dataset = load("digits")
    session = prepare(o, dataset)
    first = session.start()
    weights = lambda state: Weights(  # noqa: E731
        W=state.online.encoder.body.layers[0].weight,
        Wp=state.online.predictor.weight,
        Wa=state.target.encoder.body.layers[0].weight,
    )
    y0 = jax.tree.map(np.asarray, weights(first))
    state = steps(session, first, (o.run.epochs,))  # a step is the whole set
    x = np.asarray(plain(dataset.train.images, RECIPES["noise"], jnp.float64)).reshape(1437, -1)
    c = o.optimiser
    k = Constants(
        alpha_p=c.alpha_p, beta=(1 - o.method.target.gamma_a) / c.lr, eta=c.eta, X=x.T @ x / len(x),
        X_aug=RECIPES["noise"].noise ** 2 * np.eye(x.shape[1]),
    )  # fmt: skip
    solve = lambda y0: integrate(weights_flow, y0, k, jnp.array([0.0, c.lr * o.run.epochs])).ys  # noqa: E731
    predicted = jax.tree.map(lambda a: np.asarray(a[-1]), solve(y0))
    for name in Weights._fields:
        found, truth, start = (np.asarray(getattr(tree, name)) for tree in (weights(state), predicted, y0))
        error = np.linalg.norm(found - truth) / np.linalg.norm(truth)
        way = np.linalg.norm(truth - start) / np.linalg.norm(truth)
        assert way > 0.05, name  # it has gone somewhere
        assert error < 0.01, (name, error)


@pytest.mark.optimised
def test_how_a_run_is_cut_into_calls_changes_no_bit(digits):
    session = prepare(with_values(SMALL, {"augment": "digits", "precision": "float32"}), digits)
    found = [steps(session, session.start(), numbers) for numbers in ((3, 3), (1, 2, 1, 1, 1))]
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(*map(jax.tree.leaves, found), strict=True))


@pytest.mark.optimised
def test_lanes_train_as_each_would_alone(digits):
    """Seeds and swept constants side by side: the same numbers, up to the rounding of other products."""
    together = prepare(with_values(SMALL, {"seeds": (0, 7), "sweep": ("eta=0,0.1",)}), digits)
    state = steps(together, together.start(), (3, 3))
    for i, (seed, eta) in enumerate([(0, 0.0), (0, 0.1), (7, 0.0), (7, 0.1)]):
        alone = prepare(with_values(SMALL, {"seeds": (seed,), "eta": eta}), digits)
        assert differences(steps(alone, alone.start(), (3, 3)), lane_of(together, state, i)) < 1e-9


def test_random_numbers_depend_on_seed_and_step_alone(digits):
    a, b = (prepare(with_values(SMALL, {"seeds": (seed,)}), digits) for seed in (0, 1))
    assert differences(a.start().online, a.start().online) == 0
    assert differences(a.start().online, b.start().online) > 0.01
    first, second = (np.asarray(orders_of(a.plan, a.seeds, 192, np.int32(epoch))) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(192))
    assert (first != second).any()


@pytest.mark.parametrize(
    "changes",
    [  # each method, predictor, optimiser, precision and start of the target once; direct is SMALL's
        {"method": "simsiam", "predictor": "mlp", "hidden": 16},
        {"method": "vicreg", "optimiser": "lars", "decay_all": False, "lr": 1.0},
        {"method": "simclr", "optimiser": "adamw", "lr": 1e-3, "warmup": 1, "schedule": "cosine"},
        {"method": "barlow", "precision": "bfloat16"},
        {"method": "supervised"},
        {"method": "byol", "rule": "optimal", "eps": 0.1, "start": "independent"},
    ],
    ids=lambda changes: "-".join(str(value) for value in list(changes.values())[:2]),
)
def test_every_method_lowers_its_loss(digits, changes):
    o = with_values(SMALL, {"precision": "float32", "epochs": 8, "lr": 0.05, "rule": "learned", "method": "byol"})
    session = prepare(with_values(o, changes), digits)
    state, losses = session.start(), []
    measures, spectra = jax.eval_shape(measure, session.plan, session.data, state, session.scalars, session.seeds)
    assert {x.shape for x in measures} == {()}
    assert [len(x) for x in spectra] == [8] + [8 * is_linear(session.o)] * 2
    for epoch in range(o.run.epochs):
        orders = orders_of(session.plan, session.seeds, 192, np.int32(epoch))
        begin = np.int32(3 * epoch)
        state = advance(session.plan, session.data, state, orders, session.scalars, session.seeds, begin, np.int32(3))
        total, *terms = jax.tree.map(float, state.tally.terms)
        assert abs(sum(terms) - total) < 1e-3 * max(1, abs(total))
        losses.append(total)
    losses = np.diff(losses, prepend=0)  # of each epoch
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < losses[0]
    assert state.broken == -1


def test_isoloss_brings_all_modes_to_1():
    """arXiv 2212.04858: with W_p = F and the l2 loss each eigenvalue of F goes to 1, whatever those of the data."""
    rule = {"rule": "set", "exponent": 1.0, "rule.norm": "none", "eps": 0.0, "rho": 0.0}
    o = with_values(
        replace(SMALL, encoder=LinearEncoder(d=4), projector=Projector(widths=())),
        rule | {"method": "isoloss", "loss": "l2", "momentum": 0, "eta": 0, "gamma_a": 0, "lr": 0.01, "batch": 192},
    )
    session = prepare(o, load("digits", first=192))
    modes = lambda state: np.linalg.eigvalsh(state.memory.F)  # noqa: E731
    assert np.ptp(modes(steps(session, session.start(), (1,)))) > 0.3
    assert np.allclose(modes(steps(session, session.start(), (4000,))), 1, atol=1e-3)  # a step is the whole set


def test_a_rule_keeps_the_predictor_a_function_of_the_features(digits):
    """After a step with freq = 1 the predictor commutes with the memory; measured as cosines of 1."""
    session = prepare(SMALL, digits)
    state = steps(session, session.start(), (3,))
    F, Wp = state.memory.F, state.online.predictor.weight
    assert float(jnp.abs(F @ Wp - Wp @ F).max()) < 1e-9 * float(jnp.abs(F).max())
    assert float(jnp.abs(Wp - Wp.T).max()) < 1e-12


def test_targets_start_as_told(digits):
    norms = {}
    for how in ("copy", "independent", "zero"):
        state = prepare(
            replace(SMALL, encoder=LinearEncoder(d=4), method=Byol(target=Target(start=how))), digits
        ).start()
        online = split((state.online.encoder, state.online.projector))[0]
        norms[how] = differences(online, (state.target.encoder, state.target.projector))
        size = max(float(jnp.abs(x).max()) for x in jax.tree.leaves(state.target))
        assert (size == 0) == (how == "zero")
    assert norms["copy"] == 0
    assert norms["independent"] > 0.01


def test_the_target_is_the_moving_average_of_the_online_network(digits):
    session = prepare(with_values(SMALL, {"gamma_a": 0.9}), digits)
    before, after = session.start(), steps(session, session.start(), (1,))
    expected = jax.tree.map(lambda a, w: 0.9 * a + 0.1 * w, before.target.encoder, after.online.encoder)
    assert differences(expected, after.target.encoder) < 1e-15


def test_statistics_of_the_target_move_but_are_not_averaged(digits):
    session = prepare(SMALL, digits)
    state = steps(session, session.start(), (3,))
    assert differences(state.target_statistics.encoder, session.start().target_statistics.encoder) > 1e-3


def test_rows_stand_at_their_steps_and_a_finished_run_is_saved(digits):
    o = with_values(SMALL, {"log": 2, "measure": 3, "save": 4, "seeds": (0, 1, 2, 3)})  # 3 steps an epoch, 6 in all
    session, rows = prepare(o, digits), Rows()
    train(session, session.start(), 0, rows)
    assert [row["step"] for row in rows.rows] == [step for step in (0, 2, 3, 4, 6) for _ in range(4)]
    assert [row["step"] for row in rows.rows if "rank" in row] == [step for step in (0, 3, 6) for _ in range(4)]
    assert [step for step, _ in rows.saved] == [4, 6]
    assert {row["seed"] for row in rows.rows} == {0, 1, 2, 3}
    assert all(set(row) <= set(columns(session, session.start())) for row in rows.rows)
    assert len(rows.spectra[-1]["F"]) == 8


@pytest.mark.optimised
def test_a_run_goes_on_from_a_saved_state_to_the_same_end(digits):
    o = with_values(SMALL, {"log": 4, "measure": 6, "save": 2})
    session, whole, rest = prepare(o, digits), Rows(), Rows()
    end = train(session, session.start(), 0, whole)
    step, state = whole.saved[0]
    again = train(session, jax.tree.map(jnp.asarray, state), step, rest)
    assert step == 2
    assert differences(end.state, again.state) == 0
    assert rest.rows == [row for row in whole.rows if row["step"] > step]


def test_a_run_can_be_stopped_between_two_calls(digits):
    session, rows, calls = prepare(SMALL, digits), Rows(), []
    outcome = train(session, session.start(), 0, rows, stopped=lambda: bool(calls.append(1)) or len(calls) > 1)
    assert outcome.status == "interrupted"
    assert 0 < outcome.step < session.plan.total
    assert rows.saved[-1][0] == outcome.step


def test_a_loss_that_is_not_finite_ends_the_run_and_says_where(digits):
    o = with_values(SMALL, {"lr": 1e200, "momentum": 0.0})
    rows = Rows()
    session = prepare(o, digits)
    with pytest.raises(
        TrainingError, match=r"^The loss is not finite from step [1-5] on; there is no checkpoint from before\.$"
    ):
        train(session, session.start(), 0, rows)
    with pytest.raises(
        TrainingError, match=r"^The loss is not finite from step 1 on; the checkpoint of step 1 is kept\.$"
    ):
        train(prepare(with_values(SMALL, {"lr": 1e200, "momentum": 0.0, "save": 1}), digits), session.start(), 0, rows)
    assert all(np.isfinite(x).all() for _, state in rows.saved for x in jax.tree.leaves(state.online))


def test_one_broken_lane_does_not_end_the_others(digits):
    o = with_values(SMALL, {"momentum": 0.0, "seeds": (0, 1), "sweep": ("lr=0.01,1e200",)})
    session, rows = prepare(o, digits), Rows()
    outcome = train(session, session.start(), 0, rows)
    assert outcome.status == "done"
    last = [(row["lr"] > 1, np.isfinite(row["loss"])) for row in rows.rows if row["step"] == session.plan.total]
    assert last == [(False, True), (True, False)] * 2
    assert [first >= 0 for first in outcome.broken] == [False, True] * 2
    _, step, _, other = outcome.broken
    assert broken_lanes(session, outcome.broken, None) == (
        f"The loss is not finite from step {step} on in lane seed 0, lr = 1e+200; step {other} on in lane seed 1, "
        "lr = 1e+200; the other lanes go on."
    )


def test_collapse_raises_an_alarm():
    before = [{"seed": seed, "embedding_std": 0.8, "rank": 26.0} for seed in range(4)]
    found = [
        {"seed": 0, "embedding_std": 0.36, "rank": 13.8},  # healthy, early in training
        {"seed": 1, "embedding_std": 0.01, "rank": 1.1},
        {"seed": 2, "embedding_std": 0.105, "rank": 5.0},
        {"seed": 3},  # diverged
    ]
    gone, going = alarms(found, before)
    assert gone.startswith("Seed 1: the embeddings have collapsed (standard deviation 0.01")
    assert going == (
        "Seed 2: the embeddings are on their way to collapse: two images' have a cosine of 0.989 on average (standard "
        "deviation 0.105 of an isotropic one's, 0.8 untrained; effective rank 5)."
    )
    alike = [{"seed": 0, "embedding_std": 0.2, "rank": 5.0}]
    assert alarms(alike, [{"seed": 0, "embedding_std": 0.3}]) == []  # they were as alike before
    assert len(alarms(alike, [])) == 1


def test_probes_at_the_edge_of_their_grid_are_named():
    found = [
        {
            "seed": 0,
            "linear_strict_C": 100.0,
            "linear_strict_at_edge": True,
            "ridge_alpha": 0.1,
            "ridge_at_edge": False,
        },
        {"seed": 1, "sweep_lr": 0.5, "linear_strict_C": 1e-4, "linear_strict_at_edge": True},
    ]
    assert at_edges(found) == [
        "Probe linear_strict chose C at the edge of its grid, so that a better one may lie beyond: 100 (seed 0); "
        "0.0001 (seed 1, lr = 0.5)."
    ]


def test_options_that_do_not_fit_the_data_are_refused(digits):
    with pytest.raises(InputError, match=r"Setting `run\.batch` must be at most the number of images, 192, but is 500"):
        prepare(with_values(SMALL, {"batch": 500}), digits)
    with pytest.raises(InputError, match="Argument `augment` must be one of"):
        prepare(with_values(SMALL, {"augment": "none-such"}), digits)
    with pytest.raises(
        InputError, match=r"Batch normalisation must see two numbers of each channel .* set `batch` to 2"
    ):
        prepare(with_values(SMALL, {"batch": 1}), digits)
    with pytest.raises(InputError, match="Images of 8 × 8 pixels are too small for this encoder"):
        prepare(replace(SMALL, encoder=ConvEncoder(widths=(4,) * 5)), digits)
    with pytest.raises(InputError, match="Networks of these settings would need about"):
        prepare(with_values(SMALL, {"encoder.widths": (10**6, 10**6)}), digits)
    with pytest.raises(
        InputError, match=r"`run\.epochs` must give at most 2147483647 steps, but 1000000000 give 3000000000"
    ):
        prepare(with_values(SMALL, {"epochs": 10**9}), digits)
    bare = replace(SMALL, encoder=LinearEncoder(d=4), projector=Projector(widths=()), run=Run(batch=1))
    prepare(bare, digits)  # nothing to normalise


def test_unlabelled_images_train_only_what_needs_no_label(digits):
    more = digits._replace(unlabelled=np.zeros((64, 8, 8, 1), np.uint8))
    assert len(prepare(SMALL, more).data.images) == 256
    assert len(prepare(replace(SMALL, method=Supervised()), more).data.images) == 192


def test_colour_images_and_a_convolution():
    rng = np.random.default_rng(0)
    part = Split(rng.integers(0, 256, (16, 8, 8, 3), np.uint8), np.arange(16, dtype=np.int32) % 2)
    data, run = Data(augment="cifar-byol"), Run(batch=8, epochs=1)
    o = replace(SMALL, encoder=ConvEncoder(widths=(4,)), data=data, run=run)
    session = prepare(o, Dataset("made up", part, part, ("a", "b")))
    parameters = jax.device_get(steps(session, session.start(), (1,)).online)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(parameters))
