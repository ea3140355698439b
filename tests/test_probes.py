"""Probes: scikit-learn's objectives and accuracies, closed forms, and a defined answer for every odd input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from experiments.linear.digits import digits
from linbyol.checks import InputError
from linbyol.representation import knn_probe, linear_probe, ridge_probe
from linbyol.representation.adam_probe import adam_epochs
from linbyol.representation.linear_probes import hinge, logistic
from linbyol.representation.probing import ProbeResult, held_out, scale_of

PROBES = {
    "paper": lambda *a, **s: linear_probe(*a, protocol="paper", **{"key": jax.random.key(3)} | s),
    "strict": lambda *a, **s: linear_probe(*a, protocol="strict", **s),
    "svm": lambda *a, **s: linear_probe(*a, protocol="svm", **s),
    "ridge": ridge_probe,
    "knn": knn_probe,
}
QUICK = {"paper": {"epochs": 3}, "strict": {"C": (0.01, 0.1, 1.0)}, "svm": {}, "ridge": {}, "knn": {"k": 3}}
every = pytest.mark.parametrize("probe", PROBES)


def run(probe, *data, **settings):
    return PROBES[probe](*data, **QUICK[probe] | settings)


@pytest.fixture(scope="module")
def pixels():
    """Digits: 1200 to train on, 597 to test."""
    images, labels, _ = digits()
    h, y = np.asarray(images).reshape(1797, 64), np.asarray(labels)
    return h[:1200], y[:1200], h[1200:], y[1200:]


@pytest.fixture(scope="module")
def clouds():
    """Four overlapping Gaussian classes with labels that are no indices, 300 and 200 samples, 12 features."""
    rng = np.random.default_rng(5)
    y = rng.choice([-7, 3, 4, 90], 500)
    h = rng.normal(size=(500, 12)) @ rng.normal(size=(12, 12)) + np.where(y > 3, 1.0, 0.0)[:, None] * rng.normal(
        size=12
    )
    return h[:300], y[:300], h[300:], y[300:]


def scaled(train_h, test_h):
    scaler = StandardScaler().fit(train_h)
    return scaler.transform(train_h), scaler.transform(test_h)


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_the_strict_probe_is_scikit_learns_logistic_regression(pixels, C):
    train_h, train_y, test_h, test_y = pixels
    ours = linear_probe(train_h, train_y, test_h, test_y, protocol="strict", C=C)
    x, test_x = scaled(train_h, test_h)
    theirs = LogisticRegression(C=C, tol=1e-9, max_iter=5000).fit(x, train_y)
    p = theirs.predict_log_proba(x)[np.arange(len(x)), np.searchsorted(theirs.classes_, train_y)]
    objective = -C * p.sum() + (theirs.coef_**2).sum() / 2
    assert abs(ours.setting["objective"] / objective - 1) < 1e-8  # both solved to a gradient of 1e-9
    assert ours.accuracy == theirs.score(test_x, test_y)
    np.testing.assert_array_equal(ours.predicted, theirs.predict(test_x))
    assert ours.converged
    assert ours.history == {}


def test_the_svm_probe_is_scikit_learns_linear_svc(clouds):
    train_h, train_y, test_h, test_y = clouds
    ours = linear_probe(train_h, train_y, test_h, test_y, protocol="svm", C=0.1)
    x, test_x = scaled(train_h, test_h)
    theirs = LinearSVC(C=0.1, tol=1e-10, dual=False, max_iter=100_000).fit(x, train_y)
    y = np.where(train_y[:, None] == theirs.classes_, 1, -1)
    miss = np.maximum(0, 1 - y * theirs.decision_function(x))
    objective = 0.1 * (miss**2).sum() + (theirs.coef_**2).sum() / 2 + (theirs.intercept_**2).sum() / 2
    assert abs(ours.setting["objective"] / objective - 1) < 1e-8
    assert ours.accuracy == theirs.score(test_x, test_y)


@pytest.mark.parametrize("number", [1200, 50])  # also fewer samples than features
def test_the_ridge_probe_is_scikit_learns_ridge(pixels, number):
    train_h, train_y, test_h, test_y = pixels
    train_h, train_y = train_h[:number], train_y[:number]
    ours = ridge_probe(train_h, train_y, test_h, test_y, alpha=0.01)
    x, test_x = scaled(train_h, test_h)
    n = len(train_y)
    theirs = Ridge(alpha=0.01 * n).fit(x, np.eye(len(np.unique(train_y)))[np.unique(train_y, return_inverse=True)[1]])
    np.testing.assert_allclose(
        test_h @ np.asarray(ours.weights).T + np.asarray(ours.bias), theirs.predict(test_x), atol=1e-10
    )  # rounding over the penalty
    assert ours.accuracy == RidgeClassifier(alpha=0.01 * n).fit(x, train_y).score(test_x, test_y)


@pytest.mark.parametrize(("which", "k"), [("clouds", 1), ("clouds", 200), ("pixels", 20)])
def test_the_knn_probe_is_scikit_learns_weighted_vote(request, which, k):
    train_h, train_y, test_h, test_y = request.getfixturevalue(which)
    theirs = KNeighborsClassifier(k, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.1))
    theirs.fit(train_h, train_y)
    ours = knn_probe(train_h, train_y, test_h, test_y, k=k)
    np.testing.assert_array_equal(ours.predicted, theirs.predict(test_h))
    assert ours.accuracy == theirs.score(test_h, test_y)


def test_blocks_do_not_change_the_vote(pixels, monkeypatch):
    whole = knn_probe(*pixels)
    monkeypatch.setattr("linbyol.representation.neighbours.ENTRIES", 1200 * 100)  # 6 blocks, the last one not full
    np.testing.assert_array_equal(knn_probe(*pixels).predicted, whole.predicted)


def test_ties_of_the_vote_go_to_the_earlier_neighbour_and_the_smaller_label():
    train_h, train_y = np.eye(3), np.array([9, 4, 6])
    nobody = np.zeros((1, 3))  # cosine 0 with all
    assert knn_probe(train_h, train_y, nobody, [9], k=1).predicted == [9]  # the first in train
    many = knn_probe(train_h, train_y, nobody, [4], k=200)  # more than there are: all vote, alike
    assert many.predicted == [4]
    assert many.setting["k"] == 3


def adam_by_hand(w, x, y, lr, decay, epochs):
    """PyTorch's Adam as its documentation has it, on the whole batch, in NumPy."""
    w, moments, found = [np.array(a) for a in w], [[0.0, 0.0], [0.0, 0.0]], []
    for t in range(1, epochs + 1):
        s = x @ w[0] + w[1]
        p = np.exp(s - s.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        miss = (p - np.eye(p.shape[1])[y]) / len(y)
        found.append(-np.log(p[np.arange(len(y)), y]).mean())
        for i, grad in enumerate([x.T @ miss, miss.sum(axis=0)]):
            grad = grad + decay * w[i]
            moments[i][0] = 0.9 * moments[i][0] + 0.1 * grad
            moments[i][1] = 0.999 * moments[i][1] + 0.001 * grad**2
            m, v = moments[i][0] / (1 - 0.9**t), moments[i][1] / (1 - 0.999**t)
            w[i] = w[i] - lr * m / (np.sqrt(v) + 1e-8)
    return w, found


def test_the_papers_descent_is_pytorchs_adam_with_the_penalty_in_the_gradient(clouds, key):
    x, _ = scaled(clouds[0], clouds[2])
    y = np.unique(clouds[1], return_inverse=True)[1]
    start = jnp.asarray(np.random.default_rng(1).normal(size=(12, 4))), jnp.asarray(np.ones(4))
    train, one = (jnp.asarray(x), jnp.asarray(y)), (jnp.asarray(x), jnp.asarray(np.full(300, -1)))
    _, losses, _ = adam_epochs(start, train, one, key, jnp.asarray(0.01), jnp.asarray(0.3), 300, 40)
    _, theirs = adam_by_hand(start, x, y, 0.01, 0.3, 40)
    np.testing.assert_allclose(losses, theirs, rtol=1e-10)  # rounding, over 40 steps


def test_an_epoch_meets_every_sample_once(key):
    """With no rate the mean loss of an epoch is that of the whole set, however it is cut; the last batch is smaller."""
    rng = np.random.default_rng(1)
    x, y, W = rng.normal(size=(50, 3)), np.arange(50) % 4, rng.normal(size=(3, 4))
    zero, data = jnp.asarray(0.0), (jnp.asarray(x), jnp.asarray(y))
    _, losses, _ = adam_epochs((jnp.asarray(W), jnp.asarray(np.zeros(4))), data, data, key, zero, zero, 16, 2)
    whole = -np.mean((x @ W - scipy.special.logsumexp(x @ W, axis=1, keepdims=True))[np.arange(50), y])
    np.testing.assert_allclose(losses, [whole, whole], rtol=1e-13)  # rounding


def test_the_paper_protocol_reports_its_best_epoch_and_says_which(clouds):
    found = run("paper", *clouds, lr=0.03)
    curve = found.history["test_accuracy"]
    assert found.accuracy == curve.max() == curve[found.setting["epoch"] - 1]
    assert found.setting["last_accuracy"] == curve[-1]
    assert found.history["loss"][-1] < found.history["loss"][0]
    np.testing.assert_array_equal(run("paper", *clouds, lr=0.03).history["loss"], found.history["loss"])
    other = run("paper", *clouds, lr=0.03, key=jax.random.key(4))
    assert (found.history["loss"] != other.history["loss"]).all()


def test_the_paper_protocol_starts_as_pytorchs_linear_layer(clouds):
    """Uniform in ±1/√d, weights and bias of the standardised features: epochs without a rate change next to nothing."""
    found = run("paper", *clouds, lr=1e-12)
    scaler = StandardScaler().fit(clouds[0])
    start = np.asarray(found.weights) * scaler.scale_
    bias = np.asarray(found.bias) + np.asarray(found.weights) @ scaler.mean_
    bound = 1 / np.sqrt(12)
    for values in (start.ravel(), bias):
        assert np.abs(values).max() < bound * (1 + 1e-6)
        assert np.abs(values).max() > 0.5 * bound  # 4 biases all below half: 6 %
    assert abs(start.mean()) < 4 * bound / np.sqrt(3 * 48)  # 4 standard errors
    assert abs(start.std() - bound / np.sqrt(3)) < 4 * np.sqrt(0.2 / 48) * bound / np.sqrt(3)  # kurtosis 1.8
    used = {"lr": 1e-12, "weight_decay": 1e-3, "batch": 128, "epochs": 3}
    assert found.setting == {"epoch": 1, "last_accuracy": found.accuracy} | used


@pytest.mark.parametrize("probe", ["strict", "ridge"])
def test_what_is_chosen_does_not_see_the_test_set(clouds, probe):
    train_h, train_y, test_h, test_y = clouds
    found = run(probe, *clouds)
    other = run(probe, train_h, train_y, test_h[::-1], test_y)
    assert found.setting == other.setting
    np.testing.assert_array_equal(found.weights, other.weights)
    name, candidates = next(iter(found.history.items()))
    assert found.history["held_out_accuracy"][list(candidates).index(found.setting[name])] == max(
        found.history["held_out_accuracy"]
    )


@pytest.mark.parametrize(("probe", "name", "strongest"), [("strict", "C", 0), ("ridge", "alpha", -1)])
def test_among_equals_the_strongest_penalty_wins(clouds, probe, name, strongest):
    train_h, train_y, test_h, test_y = clouds
    apart = lambda h, y: h + 1e3 * np.eye(12)[np.unique(y, return_inverse=True)[1]]  # noqa: E731
    found = run(probe, apart(train_h, train_y), train_y, apart(test_h, test_y), test_y)  # each candidate separates them
    assert found.history["held_out_accuracy"].min() == found.accuracy == 1
    assert found.setting[name] == found.history[name][strongest]


@pytest.mark.parametrize(("name", "chosen", "grid", "at_edge"), [
    ("C", 100.0, [0.1, 10.0, 100.0], True), ("C", 0.1, [0.1, 10.0, 100.0], True),
    ("C", 10.0, [0.1, 10.0, 100.0], False), ("alpha", 1.0, [0.1, 1.0], True),
    ("alpha", 1.0, None, False), ("epoch", 50, [1, 50], False),
])  # fmt: skip
def test_a_choice_at_an_end_of_its_grid_says_so(name, chosen, grid, at_edge):
    """Of a constant that was chosen from a grid; not of one that was given, nor of the paper's best epoch."""
    history = {} if grid is None else {name: np.array(grid), "held_out_accuracy": np.zeros(len(grid))}
    result = ProbeResult(0.5, "strict", {name: chosen}, history, np.zeros(1), 0)
    assert result.at_edge is at_edge
    assert result.choice == (name if grid and name != "epoch" else None)


def test_held_out_accuracy_is_that_of_a_fit_to_the_rest(clouds):
    train_h, train_y = clouds[:2]
    out = held_out(np.unique(train_y, return_inverse=True)[1])
    for probe, name in (("strict", "C"), ("ridge", "alpha")):
        found = run(probe, *clouds)
        alone = run(probe, train_h[~out], train_y[~out], train_h[out], train_y[out], **{name: found.history[name][1]})
        assert found.history["held_out_accuracy"][1] == pytest.approx(alone.accuracy, abs=1e-12)


def test_the_held_out_part_is_a_fifth_of_each_class():
    y = np.array([0, 1, 0, 2, 0, 0, 0, 1, 1, 1, 1, 2, 0])
    assert list(np.flatnonzero(held_out(y))) == [6, 10]  # the fifth 0, the fifth 1, no 2


def test_weights_are_those_of_the_features_as_given(clouds):
    train_h, train_y, test_h, test_y = clouds
    labels = np.unique(train_y)
    for probe in ("paper", "strict", "svm", "ridge"):
        found = run(probe, train_h, train_y, test_h + 0.0, test_y)
        scores = test_h @ np.asarray(found.weights).T + np.asarray(found.bias)[None, :]
        np.testing.assert_array_equal(labels[scores.argmax(axis=1)], found.predicted)


@every
def test_scale_and_shift_of_a_feature_do_not_matter(clouds, probe):
    """To all but the cosine, which knows scale alone, one for all features."""
    train_h, train_y, test_h, test_y = clouds
    found = run(probe, *clouds)
    shift, size = (0.0, 2.0**40) if probe == "knn" else (np.arange(12) * 1e3, 2.0 ** np.arange(-60, 60, 10))
    other = run(probe, (train_h + shift) * size, train_y, (test_h + shift) * size, test_y)
    np.testing.assert_array_equal(found.predicted, other.predicted)


def test_neighbours_are_found_where_squares_and_exponentials_are_no_numbers(clouds):
    train_h, train_y, test_h, test_y = clouds
    found = run("knn", *clouds)
    for size in (2.0**-600, 2.0**600):
        other = run("knn", size * train_h, train_y, size * test_h, test_y)
        np.testing.assert_array_equal(found.predicted, other.predicted)
    unit, test_unit = (h / np.linalg.norm(h, axis=1, keepdims=True) for h in (train_h, test_h))
    cold = run("knn", *clouds, temperature=1e-5)  # exp(cos/temperature) is no number either
    np.testing.assert_array_equal(cold.predicted, train_y[(test_unit @ unit.T).argmax(axis=1)])  # the nearest alone


@pytest.mark.parametrize("probe", ["strict", "ridge"])
def test_a_constant_feature_and_repeated_rows_do_no_harm(clouds, probe):
    def with_constant(value):
        train_h, train_y, test_h, test_y = (np.array(x) for x in clouds)
        train_h[:, 3] = test_h[:, 3] = value
        train_h[100:200], train_y[100:200] = train_h[:100], train_y[:100]
        return run(probe, train_h, train_y, test_h, test_y)

    found = with_constant(0.0)
    np.testing.assert_array_equal(found.weights[:, 3], 0)
    for value in (0.1, 1e30):
        np.testing.assert_array_equal(with_constant(value).predicted, found.predicted)


def test_a_feature_that_is_constant_up_to_rounding_is_not_blown_up():
    scale = scale_of(
        jnp.full((7, 2), 0.1, jnp.float32) + jnp.array([[0.0, 1e-8]], jnp.float32), jnp.ones(7, jnp.float32)
    )
    np.testing.assert_array_equal(scale.std, [np.inf, np.inf])
    np.testing.assert_array_equal(scale(jnp.full((1, 2), 0.1, jnp.float32)), 0)


@every
def test_labels_are_names_and_unseen_ones_are_errors(clouds, probe):
    train_h, train_y, test_h, test_y = clouds
    found = run(probe, *clouds)
    assert set(found.predicted) <= {-7, 3, 4, 90}
    strange = test_y.copy()
    strange[:50] = 5
    other = run(probe, train_h, train_y, test_h, strange)
    assert (found.unseen, other.unseen) == (0, 50)
    if probe == "knn":
        words = run(probe, train_h, train_y.astype(str), test_h, strange.astype(str))
        assert words[:1] == other[:1]
        assert (words.predicted == other.predicted.astype(str)).all()
    if probe != "paper":  # which chooses its epoch by them
        assert other.accuracy == np.mean((found.predicted == test_y)[50:]) * 150 / 200


@pytest.mark.parametrize("probe", ["paper", "strict", "ridge", "knn"])  # a compilation each; svm descends as strict
def test_one_sample_is_one_class_and_has_an_answer(clouds, probe):
    train_h, train_y, test_h, test_y = clouds
    found = run(probe, train_h[:1], train_y[:1], test_h, test_y)
    assert found.accuracy == np.mean(test_y == train_y[0])
    assert found.weights is None or np.isfinite(found.weights).all()


def test_fewer_samples_than_features_or_than_can_be_held_out_have_an_answer(clouds):
    train_h, train_y, test_h, test_y = clouds
    few = np.concatenate([np.flatnonzero(train_y == label)[:2] for label in (-7, 3, 4, 90)])
    for probe, name in (("strict", "C"), ("ridge", "alpha")):
        found = run(probe, train_h[few], train_y[few], test_h, test_y)
        assert found.history == {}  # nothing could be held out: the middle of the grid
        assert found.setting[name] == {"C": 0.1, "alpha": 0.01}[name]
        assert found.accuracy > 0.3  # better than the 0.25 of guessing


@pytest.mark.parametrize("probe", ["paper", "strict", "ridge", "knn"])
def test_float32_features_stay_float32_and_agree(clouds, probe):
    train_h, train_y, test_h, test_y = clouds
    exact = run(probe, *clouds)
    short = run(probe, jnp.asarray(train_h, jnp.float32), train_y, jnp.asarray(test_h, jnp.float32), test_y)
    if probe == "paper":
        assert short.history["loss"][-1] < short.history["loss"][0]  # another start: draws differ with the precision
    else:
        assert np.sum(short.predicted != exact.predicted) <= 1  # of 200; one may lie on a boundary
    assert short.converged
    assert probe == "knn" or short.weights.dtype == jnp.float32
    half = run(probe, jnp.asarray(train_h, jnp.bfloat16), train_y, jnp.asarray(test_h, jnp.bfloat16), test_y)
    assert probe == "knn" or half.weights.dtype == jnp.float32


@every
def test_values_compile_nothing_new(clouds, probe):
    train_h, train_y, test_h, test_y = clouds
    changed = {"paper": {"lr": 0.1}, "strict": {"C": (0.2, 0.3, 7.0)}, "svm": {"C": 3.0}}.get(probe, {})
    run(probe, *clouds)
    assert compilations(lambda: run(probe, train_h + 1.0, train_y, test_h - 1.0, test_y, **changed)) == 0
    if probe == "knn":
        assert compilations(lambda: knn_probe(*clouds, k=17)) > 0  # the count counts


def compilations(do):
    """How many programs XLA compiled meanwhile, by jax's own events."""
    seen = []
    listen = lambda event, *_, **__: seen.append(event)  # noqa: E731
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        do()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return len([event for event in seen if event.endswith("backend_compile_duration")])


def test_an_iteration_that_is_cut_short_says_so(pixels):
    assert not linear_probe(*pixels, C=1.0, max_steps=3).converged


def test_objectives_at_zero_are_known():
    zero, x = (np.zeros((3, 4)), np.zeros(4)), np.random.default_rng(0).normal(size=(8, 3))
    data = (x, np.eye(4)[np.arange(8) % 4], np.ones(8), np.asarray(1.0), np.ones(3))
    found = jax.jit(lambda *args: [f(*args) for f in (logistic, hinge)])(zero, *data)
    assert found[0] == pytest.approx(np.log(4), rel=1e-14)  # each of four classes alike
    assert found[1] == pytest.approx(4, rel=1e-14)  # each of four hinges 1


@every
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: np.full((300, 12), np.nan)}, r"`train_h` must be finite, but train_h\[0, 0\] = nan"),
        ({2: np.full((200, 12), np.inf)}, r"`test_h` must be finite, but test_h\[0, 0\] = inf"),
        ({0: np.zeros((300,))}, r"`train_h` must have shape \(N, d\).*\(300,\)"),
        ({0: np.zeros((0, 12)), 1: np.zeros(0, int)}, r"`train_h` must have shape \(N, d\).*\(0, 12\)"),
        ({2: np.zeros((200, 5))}, r"`test_h` must have shape \(M, 12\) like `train_h`, but \(200, 5\)"),
        ({1: np.zeros(299, int)}, r"`train_labels` must have one label a row, shape \(300,\), but has shape \(299,\)"),
        ({3: np.full(200, np.nan)}, r"`test_labels` must have a label for each row, but test_labels\[0\] is missing"),
        ({3: np.full(200, "a")}, "`test_labels` must be of the same kind as `train_labels`"),
        ({0: np.zeros((300, 12), complex)}, "`train_h` must be real numbers, but has dtype complex128"),
        ({0: np.full((300, 12), "a")}, "`train_h` must be real numbers"),
    ],
)
def test_bad_features_and_labels_get_their_sentence(clouds, probe, change, message):
    with pytest.raises(InputError, match=message):
        run(probe, *(change.get(i, value) for i, value in enumerate(clouds)))


@pytest.mark.parametrize(
    ("probe", "settings", "message"),
    [
        (linear_probe, {"protocol": "sgd"}, "`protocol` must be one of paper, strict, svm, but is 'sgd'"),
        (linear_probe, {"protocol": "paper"}, "`key` must be a jax.random.key"),
        (linear_probe, {"lr": 0.1}, '`lr` is no setting of protocol "strict", which has C, tol, max_steps'),
        (linear_probe, {"C": 0.0}, r"`C\[0\]` must be a positive number, but is 0.0"),
        (linear_probe, {"C": (1.0, 0.5)}, r"`C` must increase, but C\[1\] = 0.5 follows C\[0\] = 1"),
        (linear_probe, {"C": ()}, "`C` must be a sequence of positive numbers"),
        (linear_probe, {"max_steps": 0}, "`max_steps` must be a positive whole number, but is 0"),
        (ridge_probe, {"alpha": float("nan")}, r"`alpha\[0\]` must be a positive number, but is nan"),
        (knn_probe, {"k": 0}, "`k` must be a positive whole number, but is 0"),
        (knn_probe, {"temperature": -1.0}, "`temperature` must be a positive number, but is -1.0"),
    ],
)
def test_bad_settings_get_their_sentence(clouds, probe, settings, message):
    with pytest.raises(InputError, match=message):
        probe(*clouds, **settings)
