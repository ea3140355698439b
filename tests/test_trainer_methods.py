"""The methods' losses and the predictor's rules as the trainer uses them, against formulas written out in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.settings import with_values
from experiments.trainer.choices import Copy, Direct
from experiments.trainer.lanes import lanes
from experiments.trainer.methods import METHODS, Batch
from experiments.trainer.model import Views
from experiments.trainer.optimisers import OPTIMISERS
from experiments.trainer.options import Options
from experiments.trainer.rules import Memory, new_memory, predictor, remember, set_predictor
from experiments.trainer.schedules import rate, target_momentum
from experiments.trainer.state import Scalars
from experiments.trainer.uses import rule_of
from linbyol.checks import InputError

ROUNDING = 1e-12  # a few hundred operations in float64
BYOL = Options()


def scalars(o):
    return Scalars(**{name: jnp.asarray(x) for name, x in lanes(o)[0].scalars.items()})


def views(key, b=12, d=5):
    h, z, p = (jax.random.normal(jax.random.fold_in(key, i), (2, b, d)) for i in range(3))
    return Views(h, z, p)


def terms_of(o, online, target, labels=None, Wp=None, key=None):
    return METHODS[o.method.name](online, target, Batch(o.method, scalars(o), labels, Wp, key))


def cosine(x, y):
    return np.sum(x * y, -1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)


def test_byol_is_the_released_loss_up_to_its_constant(key):
    y, t = views(key), views(jax.random.fold_in(key, 9))
    found = terms_of(BYOL, y, t)
    p, z = np.asarray(y.p), np.asarray(t.z)
    released = np.mean(-2 * cosine(p[0], z[1]) - 2 * cosine(p[1], z[0]))
    assert abs(float(found.total) - 4 - released) < ROUNDING
    one = terms_of(with_values(BYOL, {"symmetric": False}), y, t)
    assert abs(float(one.total) - np.mean(2 - 2 * cosine(p[0], z[1]))) < ROUNDING


def test_l2_is_equation_1(key):
    y, t = views(key), views(jax.random.fold_in(key, 9))
    found = terms_of(with_values(BYOL, {"loss": "l2", "symmetric": False}), y, t)
    assert abs(float(found.total) - np.mean(np.sum(np.asarray(y.p[0] - t.z[1]) ** 2, -1)) / 2) < ROUNDING


@pytest.mark.parametrize("loss", ["cosine", "l2"])
def test_without_stop_gradient_the_target_moves_too(key, loss):
    """The gradient is that of the plain formula, and the value is the same with and without."""
    y = views(key)
    o = with_values(BYOL, {"method": "simsiam", "loss": loss, "symmetric": False})
    plain = {
        "cosine": lambda p, z: jnp.mean(
            2 - 2 * jnp.sum(p * z, 1) / jnp.linalg.norm(p, axis=1) / jnp.linalg.norm(z, axis=1)
        ),
        "l2": lambda p, z: jnp.mean(jnp.sum((p - z) ** 2, 1)) / 2,
    }[loss]

    def total(stop):
        return lambda p, z: terms_of(with_values(o, {"stop_gradient": stop}), y._replace(p=p), y._replace(z=z)).total

    expected = jax.grad(lambda p, z: plain(p[0], z[1]), (0, 1))(y.p, y.z)
    for free, stopped, truth in zip(  # noqa: B007
        jax.grad(total(False), (0, 1))(y.p, y.z), jax.grad(total(True), (0, 1))(y.p, y.z), expected, strict=True
    ):
        assert float(jnp.abs(free - truth).max()) < ROUNDING
    assert float(jnp.abs(stopped).max()) == 0  # of z, the last of the two
    assert abs(float(total(False)(y.p, y.z) - total(True)(y.p, y.z))) < ROUNDING


def test_simclr_is_optax(key):
    y = views(key)
    found = terms_of(with_values(BYOL, {"method": "simclr", "temperature": 0.3}), y, y)
    z = jnp.concatenate([y.z[0], y.z[1]])
    labels = jnp.tile(jnp.arange(len(y.z[0])), 2)
    assert abs(float(found.total - optax.losses.ntxent(z, labels, temperature=0.3))) < ROUNDING


@pytest.mark.parametrize("convention", ["paper", "code"])
def test_vicreg_by_hand(key, convention):
    y = views(key)
    found = terms_of(with_values(BYOL, {"method": "vicreg", "convention": convention}), y, y)
    a, b = np.asarray(y.z)
    d = a.shape[1]
    s = np.mean(np.sum((a - b) ** 2, 1))
    v = sum(np.mean(np.maximum(0, 1 - np.sqrt(np.var(z, axis=0, ddof=1) + 1e-4))) for z in (a, b))
    C = [np.cov(z.T) for z in (a, b)]
    c = sum((np.sum(A**2) - np.sum(np.diag(A) ** 2)) / d for A in C)
    if convention == "code":
        s, v = s / d, v / 2
    assert np.allclose([float(x) for x in found], [25 * s + 25 * v + c, 25 * s, 25 * v, c], rtol=ROUNDING)


def test_barlow_twins_by_hand(key):
    y = views(key)
    found = terms_of(with_values(BYOL, {"method": "barlow"}), y, y)
    a, b = ((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) for z in np.asarray(y.z))
    C = a.T @ b / len(a)
    off = np.sum(C**2) - np.sum(np.diag(C) ** 2)
    assert abs(float(found.total) - np.sum((1 - np.diag(C)) ** 2) - 5e-3 * off) < ROUNDING


@pytest.mark.parametrize(("weights", "pooled"), [("sum", True), ("convex", False)])
def test_lejepa_by_hand(key, weights, pooled):
    """Both released forms, on the slices of the key: a loop over batches, slices and times."""
    z = np.random.default_rng(8).standard_normal((3, 12, 5))
    settings = {"method": "lejepa", "lamb": 0.3, "weights": weights, "pooled": pooled, "slices": 4, "points": 9}
    found = terms_of(with_values(BYOL, settings | {"t_max": 2.5}), Views(z, jnp.asarray(z), z), None, key=key)
    u = np.asarray(jax.random.normal(key, (5, 4)))
    u = u / np.linalg.norm(u, axis=0)
    costs = []
    for batch in [z.reshape(36, 5)] if pooled else z:
        for x in (batch @ u).T:
            for i, t in enumerate(np.linspace(0, 2.5, 9)):
                w = 2.5 / 8 * (1 if i in (0, 8) else 2) * np.exp(-t * t / 2) * len(x)
                even, odd = np.mean(np.cos(t * x)) - np.exp(-t * t / 2), np.mean(np.sin(t * x))
                costs.append((w * even**2, w * odd**2))
    even, odd = np.sum(costs, axis=0) / (4 * (1 if pooled else 3))
    invariance = np.mean((z.mean(axis=0) - z) ** 2) * (1 if weights == "sum" else 0.7)
    expected = [invariance + 0.3 * even + 0.3 * odd, invariance, 0.3 * even, 0.3 * odd]
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_supervised_is_cross_entropy(key):
    y, labels = views(key), jnp.arange(12) % 5
    found = terms_of(with_values(BYOL, {"method": "supervised"}), y, y, labels=labels)
    logits = np.asarray(y.p[0])
    expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(12), np.asarray(labels)])
    assert abs(float(found.total) - expected) < ROUNDING


def test_isoloss_has_byols_gradient_without_its_leading_predictor(key):
    y, t = views(key), views(jax.random.fold_in(key, 9))
    A = jax.random.normal(jax.random.fold_in(key, 5), (5, 5))
    Wp = A @ A.T / 5 + jnp.eye(5)
    iso = with_values(BYOL, {"method": "isoloss", "rule": "set", "loss": "l2", "symmetric": False})
    byol = with_values(BYOL, {"loss": "l2", "symmetric": False})
    of_iso = jax.grad(lambda z: terms_of(iso, y._replace(z=z), t, Wp=Wp).total)(y.z)[0]
    of_byol = jax.grad(lambda z: terms_of(byol, y._replace(p=z @ Wp.T), t).total)(y.z)[0]
    assert float(jnp.abs(of_iso @ Wp - of_byol).max()) < ROUNDING  # rows: Wpᵀ of each column


@pytest.mark.parametrize("method", list(METHODS))
def test_the_total_is_the_sum_of_its_terms(key, method):
    o = with_values(BYOL, {"method": method} | ({"rule": "set"} if method == "isoloss" else {}))
    y = views(key)
    total, *rest = terms_of(o, y, views(jax.random.fold_in(key, 9)), labels=jnp.arange(12) % 5, Wp=jnp.eye(5), key=key)
    assert abs(float(total - sum(rest))) < ROUNDING


# The rules.


def released_predictor(F, eps, *, floor=1e-4, convert=2):
    """`compute_w_corr` with balance_type boost_scale, as the released code does it; NumPy, no JAX."""
    D, Q = np.linalg.eigh(F)
    e = np.clip(D, 0, None) / D.max()
    e = np.maximum(e ** (1 / convert) + eps, floor)
    return Q @ np.diag(e) @ Q.T


def test_directpred_is_the_released_code_over_ten_steps(key):
    """The running average and the predictor of the released code: the first batch sets it, then λ old + (1 - λ) new."""
    for eps in (0.0, 0.01, 0.1):
        o = with_values(BYOL, {"rule": "direct", "eps": eps, "floor": 1e-4, "rho": 0.3})
        memory, F = new_memory(rule_of(o), 5, jnp.float64), None
        for i in range(10):
            y = views(jax.random.fold_in(key, i), b=4)  # rank-deficient batches, so that the floor matters
            memory = remember(memory, y, y, jnp.asarray(0.3))
            f = np.asarray(y.z).reshape(-1, 5)
            new = f.T @ f / len(f)
            F = new if F is None else 0.3 * F + 0.7 * new
            found = predictor(rule_of(o), scalars(o), jnp.eye(5), memory)
            assert np.allclose(found, released_predictor(F, eps), atol=1e-10)  # eigenvalues near 0: √ of rounding


def test_copy_and_set_by_hand(key):
    y = views(key)
    memory = remember(new_memory(Copy(), 5, jnp.float64), y, y, jnp.asarray(0.5))
    F = np.einsum("vbi,vbj->ij", y.z, y.z) / 24
    o = with_values(BYOL, {"rule": "copy", "eps": 0.3, "rule.norm": "frobenius"})
    assert np.allclose(
        predictor(rule_of(o), scalars(o), jnp.eye(5), memory), F / np.linalg.norm(F) + 0.3 * np.eye(5), rtol=1e-10
    )
    o = with_values(BYOL, {"rule": "set", "exponent": 2.0, "eps": 0.0, "rule.norm": "spectral"})
    assert np.allclose(
        predictor(rule_of(o), scalars(o), jnp.eye(5), memory), F @ F / np.linalg.norm(F @ F, 2), rtol=1e-9
    )


def test_centring_takes_the_mean_away(key):
    y = views(key)
    y = y._replace(z=y.z + 3)
    o = with_values(BYOL, {"rule": "copy", "eps": 0.0, "rule.norm": "none", "centre": True})
    memory = remember(new_memory(rule_of(o), 5, jnp.float64), y, y, jnp.asarray(0.5))
    covariance = np.cov(np.asarray(y.z).reshape(-1, 5).T, ddof=0)
    assert np.allclose(predictor(rule_of(o), scalars(o), jnp.eye(5), memory), covariance, atol=1e-12)


def test_the_optimal_predictor_is_the_regression_on_the_targets(key):
    y, t = views(key, b=40), views(jax.random.fold_in(key, 3), b=40)
    o = with_values(BYOL, {"rule": "optimal", "eps": 1e-3})
    memory = remember(new_memory(rule_of(o), 5, jnp.float64), y, t, jnp.asarray(0.5))
    f, g = np.asarray(y.z).reshape(-1, 5), np.asarray(t.z)[::-1].reshape(-1, 5)  # each view with the other's target
    F, cross = f.T @ f / 80, g.T @ f / 80
    expected = (cross + cross.T) / 2 @ np.linalg.inv(F + 1e-3 * np.eye(5))
    assert np.allclose(predictor(rule_of(o), scalars(o), jnp.eye(5), memory), expected, atol=1e-10)


def test_the_rule_acts_at_every_freq_th_step(key):
    A = jax.random.normal(key, (5, 5))
    for freq, acts in ((1, {0, 1, 2, 3, 4, 5}), (3, {0, 3}), (0, set())):
        o = with_values(BYOL, {"rule": "symmetric", "freq": freq})
        for step in range(6):
            found = set_predictor(rule_of(o), scalars(o), A, None, jnp.asarray(step))
            assert np.allclose(found, (A + A.T) / 2 if step in acts else A, atol=0)


def test_learned_and_symmetric_keep_no_memory():
    assert new_memory(rule_of(BYOL), 4, jnp.float32) is None
    assert isinstance(new_memory(Direct(), 4, jnp.float32), Memory)


# Optimisers and schedules.


def test_sgd_is_pytorchs(key):
    """v ← m v + g + λ w, w ← w - lr v, from v = g + λ w."""
    w = np.asarray(jax.random.normal(key, (3, 2)))
    rule = OPTIMISERS["sgd"](jnp.asarray(0.9), jnp.asarray(0.01), {"w": True})
    state, ours, v = rule.init({"w": jnp.asarray(w)}), jnp.asarray(w), np.zeros_like(w)
    for i in range(4):
        g = np.asarray(jax.random.normal(jax.random.fold_in(key, i), (3, 2)))
        direction, state = rule.update({"w": jnp.asarray(g)}, state, {"w": ours})
        ours = ours - 0.1 * direction["w"]
        v = 0.9 * v + g + 0.01 * w
        w = w - 0.1 * v
        assert np.allclose(ours, w, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("lars", lambda: optax.lars(0.1, 0.01, True, 1e-3, trust_ratio_mask=True, momentum=0.9)),
        ("adamw", lambda: optax.adamw(0.1, b1=0.9, weight_decay=0.01)),
    ],
)
def test_lars_and_adamw_are_optax(key, name, reference):
    w = {"w": jax.random.normal(key, (3, 2))}
    ours, theirs = OPTIMISERS[name](jnp.asarray(0.9), jnp.asarray(0.01), {"w": True}), reference()
    a, b, states = w, w, [ours.init(w), theirs.init(w)]
    for i in range(4):
        g = {"w": jax.random.normal(jax.random.fold_in(key, i), (3, 2))}
        direction, states[0] = ours.update(g, states[0], a)
        a = jax.tree.map(lambda w, u: w - 0.1 * u, a, direction)
        update, states[1] = theirs.update(g, states[1], b)
        b = optax.apply_updates(b, update)
        assert np.allclose(a["w"], b["w"], rtol=1e-9)


def test_rates_are_optaxs_schedules():
    total, warmup = 50, 10
    theirs = optax.cosine_decay_schedule(1.0, total - warmup)
    for step in range(total):
        found = float(rate("cosine", jnp.asarray(step), total, warmup, jnp.float64))
        assert abs(found - ((step + 1) / warmup if step < warmup else float(theirs(step - warmup)))) < 1e-12
    assert float(rate("constant", jnp.asarray(7), total, 0, jnp.float64)) == 1


def test_the_targets_momentum_rises_to_1():
    gamma = jnp.asarray(0.99)
    assert float(target_momentum("constant", gamma, jnp.asarray(3), 10)) == pytest.approx(0.99, abs=1e-15)
    rising = [float(target_momentum("cosine", gamma, jnp.asarray(i), 10)) for i in range(11)]
    assert rising == sorted(rising)
    assert rising[0] == pytest.approx(0.99, abs=1e-15)
    assert rising[-1] == 1


# Options.


def test_lanes_are_seeds_times_swept_values():
    found = lanes(with_values(BYOL, {"seeds": (3, 5), "sweep": ("eta=0.1,0.2", "rho=0,1"), "rule": "copy"}))
    assert [lane.seed for lane in found] == [3] * 4 + [5] * 4
    assert [(lane.scalars["eta"], lane.scalars["rho"]) for lane in found[:4]] == [
        (0.1, 0),
        (0.1, 1),
        (0.2, 0),
        (0.2, 1),
    ]
    assert [lane.scalars["eta_p"] for lane in found[:4]] == [0.1, 0.1, 0.2, 0.2]  # follows eta unless it is given


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch": 0}, "Setting `run.batch` must be whole, from 1 to 2147483647, but is 0."),
        ({"seeds": (0, 2**32)}, "Setting `run.seeds` must be whole, from 0 to 2147483647, but is 4294967296."),
        ({"epochs": 10**20}, "Setting `run.epochs` must be whole, from 1 to 2147483647, but is 100000000000000000000."),
        ({"encoder.widths": (64, 0)}, "Setting `encoder.widths` must be whole, from 1 to 1000000, but is 0."),
        ({"encoder.widths": ()}, "Setting `encoder.widths` must be 1 to 1000 numbers, but is 0."),
        ({"projector.widths": (1,) * 1001}, "Setting `projector.widths` must be 0 to 1000 numbers, but is 1001."),
        ({"eta": float("nan")}, "Setting `optimiser.eta` must be a number, but is nan."),
        ({"eta": float("inf")}, r"Setting `optimiser.eta` must be from 0 to 3\.4e\+38, but is inf."),
        ({"rule": "copy", "rho": 1.5}, "Setting `method.predictor.rule.rho` must be from 0 to 1, but is 1.5."),
        (
            {"rule": "direct", "floor": -1},
            r"Setting `method.predictor.rule.floor` must be from 0 to 3\.4e\+38, but is -1.",
        ),
        ({"method": "lejepa", "slices": 0}, "Setting `method.slices` must be whole, from 1 to 2147483647, but is 0."),
        ({"method": "lejepa", "points": 16}, "Setting `method.points` must be odd, but is 16."),
        ({"method": "lejepa", "views": 1}, "Setting `method.views` must be whole, from 2 to 64, but is 1."),
        (
            {"method": "lejepa", "weights": "convex", "lamb": 2.0},
            "Setting `method.lamb` must be at most 1 for weights convex, but is 2.",
        ),
        ({"lr": 0.0}, r"Setting `optimiser.lr` must be positive and at most 3\.4e\+38, but is 0."),
        ({"lr": -1.0}, r"Setting `optimiser.lr` must be positive and at most 3\.4e\+38, but is -1."),
        (
            {"sweep": ("lr=1,0",)},
            r"Setting `optimiser.lr` in `run.sweep` must be positive and at most 3\.4e\+38, but is 0.",
        ),
        (
            {"sweep": ("optimiser.lr=1,1e39",)},
            r"Setting `optimiser.lr` in `run.sweep` must be positive and at most 3\.4e\+38, but is 1e\+39.",
        ),
        (
            {"sweep": ("gamma_a=1,1.5",)},
            "Setting `method.target.gamma_a` in `run.sweep` must be from 0 to 1, but is 1.5.",
        ),
        ({"sweep": ("lr=1,2", "optimiser.lr=3")}, "Setting `run.sweep` names `optimiser.lr` twice."),
        ({"sweep": ("lr=1,1.0",)}, "Setting `run.sweep` must give each lane another value, but is 'lr=1,1.0'."),
        (
            {"sweep": tuple(f"{name}={','.join(map(str, range(200)))}" for name in ("eta", "momentum", "eta_p"))},
            "Settings `run.seeds`, `run.sweep` must give at most 65536 lanes, but give 8000000.",
        ),
        ({"batch": 1, "method": "simclr"}, "Setting `run.batch` must be at least 2 for method simclr"),
        ({"seeds": (1, 1)}, r"Setting `run.seeds` must name different seeds, at least one, but is \(1, 1\)."),
        (
            {"rule": "direct", "predictor": "mlp"},
            "`method.predictor.rule.name` belongs to predictor linear, not to mlp.",
        ),
        ({"rule": "direct", "bias": True}, "Setting `method.predictor.bias` must be false for rule direct"),
        (
            {"rule": "direct", "method": "simclr"},
            "Setting `method.predictor.rule.name` belongs to method byol, simsiam or isoloss, not to simclr.",
        ),
        ({"method": "isoloss"}, "`method.predictor.rule.name` .* must be set, direct or copy for method isoloss"),
        (
            {"predictor": "mlp", "method": "isoloss"},
            "`method.predictor.rule.name` of predictor linear must be set, direct or copy for method isoloss",
        ),
        (
            {"stop_gradient": False, "method": "vicreg"},
            "Setting `method.stop_gradient` belongs to method simsiam, not to vicreg.",
        ),
        ({"stop_gradient": False}, "Setting `method.stop_gradient` belongs to method simsiam, not to byol."),
        ({"sweep": ("batch=1,2",)}, "Setting `run.sweep` must name one of .*optimiser.lr, .*, but is 'batch=1,2'."),
        ({"sweep": ("eta=x",)}, "Setting `run.sweep` must read NAME=NUMBER,NUMBER,…, but is 'eta=x'."),
        (
            {"sweep": ("eta=-1",)},
            r"Setting `optimiser.eta` in `run.sweep` must be from 0 to 3\.4e\+38, but is -1.",
        ),
        (
            {"sweep": ("eps=0,1",)},
            "`method.predictor.rule.eps` in `run.sweep` belongs to rule direct, copy, set, optimal or soft-projector",
        ),
        (
            {"sweep": ("eps=0,1",), "rule": "set", "freq": 0},
            "`method.predictor.rule.eps` in `run.sweep` has no effect here: it belongs to rules with freq > 0.",
        ),
        ({"sweep": ("epss=0,1",)}, "Unknown setting `epss`; did you mean `method.predictor.rule.eps`"),
        ({"probes": ("svm",)}, "Argument `probes` must be one of knn"),
    ],
)
def test_options_that_cannot_be_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        with_values(BYOL, changes).check()
