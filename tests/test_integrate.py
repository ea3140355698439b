"""Integration against closed forms and independent solvers, and its doors."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

from linbyol.checks import InputError
from linbyol.equations import (
    Constants,
    Isotropic,
    Modes,
    Weights,
    amplitudes_flow,
    backwards,
    balance,
    hold,
    mode_balance,
    modes_flow,
    no_predictor,
    simsiam,
    slave,
    symmetric_flow,
    weights_flow,
)
from linbyol.integrate import IntegrationError, collapse, euler, integrate, steady
from linbyol.integrate.trajectory import Trajectory
from linbyol.predictors import RULES
from theory.proving import instances

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
TS = np.linspace(0.0, 20.0, 41)
K = Isotropic(1.0, 0.4, 0.05, 0.5)
Y = Modes(jnp.array([0.1, 0.3]), jnp.array([0.02, 0.3]), 0.0)


def reference(flow, y0, k, ts):
    """scipy's DOP853 at 1e-12, on the flattened state."""
    flat, unravel = jax.flatten_util.ravel_pytree(jax.tree.map(jnp.asarray, y0))
    rate = jax.jit(lambda y: jax.flatten_util.ravel_pytree(flow(unravel(y), k))[0])
    fun = lambda t, y: np.asarray(rate(y))  # noqa: E731
    solution = scipy.integrate.solve_ivp(fun, (ts[0], ts[-1]), flat, "DOP853", ts, rtol=1e-12, atol=1e-13)
    return np.asarray(solution.y.T)


def unravelled(y0, x):
    return jax.flatten_util.ravel_pytree(jax.tree.map(jnp.asarray, y0))[1](x)


def flat(trajectory):
    leaves = jax.tree.leaves(trajectory.ys)
    return np.concatenate([np.asarray(leaf).reshape(len(leaf), -1) for leaf in leaves], axis=1)


@pytest.mark.parametrize("solver", ["tsit5", "dopri8", "kvaerno5", "dop853", diffrax.Dopri5()])
def test_agrees_with_an_independent_solver(solver, key):
    y0, k = instances.weights(key, 3, 4), instances.constants(key, 4)
    found = flat(integrate(weights_flow, y0, k, TS, solver=solver, **TIGHT))
    assert np.abs(found - reference(weights_flow, y0, k, TS)).max() < 1e-8  # 100 rtol: 40 time units of error growth


@pytest.mark.parametrize(
    ("flow", "state", "constants"),
    [
        (symmetric_flow, instances.symmetric, instances.isotropic),
        (amplitudes_flow, instances.amplitudes, instances.commuting),
    ],
)
def test_every_flow_agrees_with_an_independent_solver(flow, state, constants, key):
    y0, k = state(key), constants(key)
    found = flat(integrate(flow, y0, k, TS, **TIGHT))
    assert np.abs(found - reference(flow, y0, k, TS)).max() < 1e-8


def test_meets_the_closed_form_without_a_predictor(key):
    """After Theorem 2: W(t) = W₀ expm(-(X_aug + eta I) t)."""
    y0, k = instances.weights(key), instances.constants(key)
    ys = integrate(simsiam(no_predictor(weights_flow)), y0, k, TS, **TIGHT).ys
    exact = [y0.W @ scipy.linalg.expm(-(np.asarray(k.X_aug) + float(k.eta) * np.eye(7)) * t) for t in TS]
    assert np.abs(ys.W - np.array(exact)).max() < 1e-9  # 10 rtol
    assert jnp.array_equal(ys.Wa, ys.W)


def test_theorem_1_is_kept_along_trajectories(key):
    y0, k = instances.weights(key), instances.constants(key)
    for flow in (weights_flow, simsiam(weights_flow)):
        trajectory = integrate(flow, y0, k, TS, **TIGHT)
        C = trajectory.map(balance, k) * jnp.exp(2 * k.eta * trajectory.ts)[:, None, None]
        assert jnp.abs(C - C[:1]).max() / jnp.abs(C[0]).max() < 1e-9


def test_eq_14_is_kept_along_trajectories():
    trajectory = integrate(modes_flow, Y, K, TS, **TIGHT)
    c = trajectory.map(mode_balance, K) * jnp.exp(2 * K.eta * trajectory.ts)[:, None]
    assert jnp.abs(c - c[:1]).max() < 1e-9


def test_error_is_proportional_to_the_tolerance(key):
    y0, k = instances.weights(key, 3, 4), instances.constants(key, 4)
    exact = reference(weights_flow, y0, k, TS)
    rtols = np.array([1e-4, 1e-6, 1e-8, 1e-10])
    errors = [np.abs(flat(integrate(weights_flow, y0, k, TS, rtol=r, atol=r / 100)) - exact).max() for r in rtols]
    slope = np.polyfit(np.log(rtols), np.log(errors), 1)[0]
    assert 0.8 < slope < 1.2
    assert (errors < 50 * rtols).all()  # 40 time units of error growth


def test_orders_of_convergence(key):
    """Euler's order is 1; a fixed-step Tsit5 has order 5 or better."""
    exact = reference(modes_flow, Y._replace(tau=jnp.zeros(2)), K, TS)[-1]
    errors = []
    for steps in (400, 800, 1600):
        errors.append(np.abs(flat(euler(modes_flow, Y, K, lr=20.0 / steps, steps=steps))[-1] - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (np.abs(orders - 1) < 0.1).all()


def test_euler_is_gradient_descent(key):
    """By hand: W, Wa move at lr, Wp at lr alpha_p, and the target's average has the rate lr beta."""
    y, k = instances.weights(key), instances.constants(key)
    lr = 0.01
    path = euler(weights_flow, y, k, lr=lr, steps=3)
    W, Wp, Wa = (np.asarray(leaf) for leaf in y)
    X, S, eta = np.asarray(k.X), np.asarray(k.X + k.X_aug), float(k.eta)
    for _ in range(3):
        g = Wp @ W @ S - Wa @ X
        W, Wp, Wa = (
            W - lr * (Wp.T @ g + eta * W),
            Wp - lr * (float(k.alpha_p) * g @ W.T + eta * Wp),
            (1 - lr * float(k.beta)) * Wa + lr * float(k.beta) * W,
        )
    assert np.allclose(path.ys.W[-1], W, atol=1e-14)
    assert np.allclose(path.ys.Wp[-1], Wp, atol=1e-14)
    assert np.allclose(path.ys.Wa[-1], Wa, atol=1e-14)
    assert np.allclose(path.ts, [0, 0.01, 0.02, 0.03], rtol=1e-15)
    assert jnp.array_equal(path.ys.W[0], y.W)
    assert (bool(path.ok), int(path.steps), float(path.stopped)) == (True, 3, float(path.ts[-1]))
    assert not euler(weights_flow, y._replace(W=1e200 * y.W), k, lr=lr, steps=3).ok


def test_backwards_returns_to_the_start():
    there = integrate(modes_flow, Y, K, TS[:11], **TIGHT)
    last = jax.tree.map(lambda leaf: leaf[-1], there.ys)
    back = integrate(backwards(modes_flow), last, K, TS[:11], **TIGHT)
    assert np.allclose(flat(back)[-1], flat(there)[0], atol=1e-7)  # errors grow backwards, where the flow contracts


def test_scalars_broadcast_to_the_shapes_of_the_flow():
    trajectory = integrate(modes_flow, Modes(jnp.array([0.1, 0.2]), 0.3, 0.0), K, TS)
    assert trajectory.ys.s.shape == trajectory.ys.tau.shape == (len(TS), 2)
    assert trajectory.ts.shape == (len(TS),)
    assert trajectory.ok


def test_any_function_of_state_and_constants_is_a_flow():
    trajectory = integrate(lambda y, k: -k * y, jnp.array([1.0, 2.0]), 0.5, [0.0, 1.0, 3.0])
    assert np.allclose(trajectory.ys, np.exp(-0.5 * np.array([0.0, 1.0, 3.0]))[:, None] * [1, 2], atol=1e-7)


def test_compiles_once_for_each_flow_and_shape():
    traces = []

    def flow(y, k):
        traces.append(None)
        return modes_flow(y, k)

    integrate(flow, Y, K, TS)
    first = len(traces)
    for eta, scale, rtol in [(0.01, 1.0, 1e-8), (0.2, 0.5, 1e-6), (0.1, 2.0, 1e-5)]:
        y0 = jax.tree.map(lambda leaf, scale=scale: scale * leaf, Y)
        integrate(flow, y0, K._replace(eta=eta, sigma2=scale), scale * TS, rtol=rtol)
    checked = len(traces) - first
    assert (
        checked <= 3 * 4
    )  # the door looks at shapes only (abstractly, twice a call through the flow's own jit-free code)
    before = len(traces)
    integrate(flow, Modes(jnp.array([0.1, 0.2, 0.3]), 0.3, 0.0), K, TS)
    assert len(traces) - before > 2  # other shapes are traced anew


def test_equal_combinators_share_one_compilation():
    from linbyol.equations import decay
    from linbyol.integrate import solve as module

    y0, k = instances.weights(jax.random.key(1)), instances.constants(jax.random.key(1))
    integrate(decay(hold(weights_flow, "Wa"), Wp=0.1), y0, k, TS)
    size = module._solve._cached._cache_size() if hasattr(module._solve, "_cached") else None
    for rate in (0.2, 0.3):
        integrate(decay(hold(weights_flow, "Wa"), Wp=rate), y0, k, TS)
    if size is not None:
        assert module._solve._cached._cache_size() == size
    other = integrate(decay(hold(weights_flow, "Wa"), Wp=0.3), y0, k, TS).ys
    assert not np.allclose(other.Wp[-1], integrate(decay(hold(weights_flow, "Wa"), Wp=0.2), y0, k, TS).ys.Wp[-1])


def test_maps_over_states_and_constants():
    etas = jnp.array([0.01, 0.05, 0.3])
    solve = lambda eta: integrate(modes_flow, Y, K._replace(eta=eta), TS, **TIGHT)  # noqa: E731
    mapped = jax.vmap(solve)(etas)
    assert mapped.ok.shape == (3,)
    for i, eta in enumerate(etas):
        assert np.allclose(mapped.ys.p[i], solve(eta).ys.p, atol=1e-9)


def test_a_bad_lane_is_marked_and_the_others_go_on():
    etas = jnp.array([0.01, jnp.nan, 0.3])
    mapped = jax.vmap(lambda eta: integrate(modes_flow, Y, K._replace(eta=eta), TS))(etas)
    assert mapped.ok.tolist() == [True, False, True]


def test_gradients_go_through_the_solution():
    final = lambda eta: integrate(modes_flow, Y, K._replace(eta=eta), TS, **TIGHT).ys.p[-1].sum()  # noqa: E731
    step = 1e-5
    difference = (final(0.05 + step) - final(0.05 - step)) / (2 * step)
    assert np.isclose(jax.grad(final)(0.05), difference, rtol=1e-5)  # central difference: step² and rounding/step


def test_dense_output_agrees_with_the_chosen_times():
    trajectory = integrate(modes_flow, Y, K, TS, dense=True, **TIGHT)
    middle = trajectory.at(TS)
    assert np.allclose(middle.p, trajectory.ys.p, atol=1e-9)
    assert trajectory.at(3.3).p.shape == (2,)
    exact = reference(modes_flow, Y._replace(tau=jnp.zeros(2)), K, np.array([0, 3.3]))[-1]
    assert np.allclose(jnp.concatenate(trajectory.at(3.3)), exact, atol=1e-6)  # the interpolation is of order 4
    with pytest.raises(InputError, match="Argument `t` must lie between"):
        trajectory.at(21.0)
    with pytest.raises(InputError, match="dense"):
        integrate(modes_flow, Y, K, TS).at(1.0)


def test_without_compiling_the_same_trajectories_come_out(key):
    y0, k = instances.weights(key, 3, 4), instances.constants(key, 4)
    for flow in (simsiam(weights_flow), no_predictor(weights_flow)):
        ours = integrate(flow, y0, k, TS[:5], solver="dop853", **TIGHT)
        seen = jax.tree.map(
            lambda *x: np.stack(x), *(flow.settle(unravelled(y0, x), k) for x in reference(flow, y0, k, TS[:5]))
        )
        assert max(np.abs(a - b).max() for a, b in zip(ours.ys, seen, strict=True)) < 1e-8
    slaved = integrate(slave(weights_flow, RULES["direct"]), y0, k, TS[:5], solver="dop853", **TIGHT).ys
    F = np.einsum("tdn,nm,tem->tde", slaved.W, k.X, slaved.W)
    assert np.abs(slaved.Wp - jax.vmap(lambda F: RULES["direct"](0 * F, F))(F)).max() < 1e-12


def test_without_compiling_events_stop_at_their_time():
    """With p = 0 and tau = 1, both held, s is s(0) exp(-2 eta t)."""
    flow, y0, k = hold(modes_flow, "p", "tau"), Modes(0.0, 0.3, 1.0), K._replace(eta=0.5)
    for event, size in ((collapse(1e-6), 1e-6), (steady(1e-6), 2e-6)):  # at rest 2 eta s is 1e-6 (1 + tau)
        found = integrate(flow, y0, k, [0.0, 5.0, 100.0], event=event, solver="dop853", **TIGHT)
        assert found.ok
        np.testing.assert_allclose(found.stopped, np.log(0.3 / size), rtol=1e-5)  # atol over size
        np.testing.assert_allclose(found.ys.s, [0.3, 0.3 * np.exp(-5), size], rtol=1e-5)


def test_without_compiling_what_cannot_be_followed_is_said():
    with pytest.raises(InputError, match="`solver` must be traceable under vmap"):
        jax.vmap(lambda eta: integrate(modes_flow, Y, K._replace(eta=eta), TS, solver="dop853").ys)(jnp.array([0.1]))
    with pytest.raises(InputError, match="`dense` must be False"):
        integrate(modes_flow, Y, K, TS, dense=True, solver="dop853")
    with pytest.raises(IntegrationError, match="max_steps = 3 steps did not suffice"):
        integrate(modes_flow, Y, K, TS, max_steps=3, solver="dop853")
    blown = integrate(lambda y, k: y * y, jnp.array(1.0), None, [0.0, 2.0], throw=False, solver="dop853")
    assert not blown.ok
    assert blown.steps > 0


def test_collapse_stops_the_solve_and_keeps_the_state():
    trajectory = integrate(modes_flow, Y, K._replace(eta=2.0), TS, event=collapse(1e-6))
    assert trajectory.ok
    assert 0 < trajectory.stopped < TS[-1]
    after = trajectory.ts > trajectory.stopped
    assert np.allclose(jnp.max(trajectory.ys.s[after], axis=1), 1e-6, rtol=1e-3)


def test_events_stop_each_lane_at_its_own_time():
    solve = lambda eta: integrate(modes_flow, Y, K._replace(eta=eta), np.linspace(0, 200, 5), event=collapse(1e-6))  # noqa: E731
    etas = jnp.array([0.01, 0.5, 1.0, 2.0])
    mapped = jax.vmap(solve)(etas)
    assert mapped.ok.all()
    assert np.allclose(mapped.stopped, [solve(eta).stopped for eta in etas], rtol=1e-8)
    assert (jnp.diff(mapped.stopped) < 0).all()
    assert mapped.stopped[0] == 200  # this one survives


def test_steady_stops_at_a_fixed_point():
    trajectory = integrate(modes_flow, Y, K, np.linspace(0, 5000, 11), event=steady(1e-7))
    assert trajectory.stopped < 5000
    last = jax.tree.map(lambda leaf: leaf[-1], trajectory.ys)
    rate, size = (max(float(jnp.abs(leaf).max()) for leaf in leaves) for leaves in (modes_flow(last, K), last))
    assert np.isclose(rate, 1e-7 * (1 + size), rtol=1e-3)  # the rate of a state with the error of rtol


def test_slaved_predictor_is_shown_in_the_trajectory(key):
    y0, k = instances.weights(key), instances.constants(key)
    ys = integrate(slave(weights_flow, RULES["direct"]), y0, k, TS).ys
    F = jnp.einsum("tij,jk,tlk->til", ys.W, k.X, ys.W)
    assert np.allclose(ys.Wp @ ys.Wp, F, atol=1e-10)


def test_float32_in_float32_out():
    y0 = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), Y)
    trajectory = integrate(modes_flow, y0, K, np.float32(TS), rtol=1e-5, atol=1e-7)
    assert trajectory.ys.p.dtype == jnp.float32
    assert np.allclose(trajectory.ys.p, integrate(modes_flow, Y, K, TS).ys.p, atol=1e-4)  # 10 rtol


def test_saved_and_loaded_is_the_same(tmp_path, key):
    y0, k = instances.weights(key), instances.constants(key)
    trajectory = integrate(weights_flow, y0, k, TS)
    for name in ("a.npz", "b.npz"):
        trajectory.save(tmp_path / name, {"eta": 0.1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = Trajectory.load(tmp_path / "a.npz")
    assert isinstance(loaded.ys, Weights)
    assert jnp.array_equal(loaded.ys.Wp, trajectory.ys.Wp)
    assert loaded.ok
    with pytest.raises(InputError, match=r"File .*nowhere.* cannot be written"):
        trajectory.save(tmp_path / "nowhere" / "a.npz")


def test_progress_is_silent_in_a_pipe(capfd):
    integrate(modes_flow, Y, K, TS, progress=True)
    jax.effects_barrier()
    assert capfd.readouterr() == ("", "")


GOOD = {"y0": Y, "k": K, "ts": TS}
NAN = float("nan")
BAD = {
    "Argument `ts` must increase, but ts[2] = 0.5 follows ts[1] = 1.": {"ts": [0.0, 1.0, 0.5]},
    "Argument `ts` must be a vector of at least two times, but has shape (1,).": {"ts": [0.0]},
    "Argument `ts` must be finite, but ts[1] = inf.": {"ts": [0.0, np.inf]},
    "Argument `y0.p` must be finite, but y0.p[1] = nan.": {"y0": Y._replace(p=np.array([0.1, NAN]))},
    "Argument `k.eta` must be finite, but it is nan.": {"k": K._replace(eta=NAN)},
    "Argument `sigma2` must be at least 0, but is -0.3.": {"k": K._replace(sigma2=-0.3)},
    "Argument `eta` must be at least 0, but is -1.": {"k": K._replace(eta=-1)},
    "Argument `alpha_p` must be positive, but is 0.": {"k": K._replace(alpha_p=0)},
    "Argument `y0.p` must be a real number or array, but is 'a'.": {"y0": Y._replace(p="a")},
    "Argument `y0.p` must be real, but has dtype complex128.": {"y0": Y._replace(p=1j)},
    "Argument `solver` must be one of tsit5, dopri8, kvaerno5, dop853, but is 'rk4'.": {"solver": "rk4"},
    "Argument `max_steps` must be a positive whole number, but is 0.": {"max_steps": 0},
    "Argument `rtol` must be at least 1e-15 in float64, but is 1e-20.": {"rtol": 1e-20},
    "Argument `atol` must be a finite number of at least 0, but is -1.0.": {"atol": -1.0},
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_input_gets_its_sentence(sentence):
    with pytest.raises(InputError) as caught:
        integrate(modes_flow, **(GOOD | BAD[sentence]))
    assert str(caught.value) == sentence


def test_bad_moments_and_shapes_get_their_sentences(key):
    y0, k = instances.weights(key), instances.constants(key)
    X = np.asarray(k.X)
    bad = {
        "Argument `X` must be symmetric, but differs from its transpose by": (y0, k._replace(X=np.triu(X))),
        "Argument `X_aug` must be positive semidefinite, but has the eigenvalue -1.": (
            y0,
            k._replace(X_aug=-np.eye(7)),
        ),
        "Argument `X` must be a square matrix (n, n), but has shape (7, 6).": (y0, k._replace(X=X[:, :6])),
        "Argument `y0.Wp` must have shape (4, 4) for W of shape (4, 7), but has shape (3, 3).": (
            y0._replace(Wp=np.eye(3)),
            k,
        ),
        "Argument `k.X` must have shape (7, 7) for W of shape (4, 7), but has shape (6, 6).": (
            y0,
            k._replace(X=np.eye(6)),
        ),
    }
    for sentence, (state, constants) in bad.items():
        with pytest.raises(InputError) as caught:
            integrate(weights_flow, state, constants, TS)
        assert str(caught.value).startswith(sentence)


def test_a_state_that_does_not_fit_its_flow_gets_a_sentence(key):
    with pytest.raises(InputError, match="do not fit the flow"):
        integrate(modes_flow, Modes(jnp.ones(2), jnp.ones(3), 1.0), K, TS)
    with pytest.raises(InputError, match="must return the type of `y0`, Modes, but returns"):
        integrate(lambda y, k: y.p, Y, K, TS)


def test_float32_refuses_tolerances_below_its_rounding():
    y0 = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), Y)
    with pytest.raises(InputError, match="`rtol` must be at least 1e-06 in float32, but is 1e-08; enable float64"):
        integrate(modes_flow, y0, K, np.float32(TS))


def test_too_few_steps_say_where_they_ended():
    with pytest.raises(IntegrationError) as told:
        integrate(modes_flow, Y, K, TS, max_steps=3)
    short = integrate(modes_flow, Y, K, TS, max_steps=3, throw=False)
    assert not short.ok
    assert 0 < short.stopped < 2
    assert str(told.value) == (
        f"Integration stopped at t = {short.stopped:.6g} of 20: max_steps = 3 steps did not suffice, or the state "
        "stopped being finite; see `max_steps`, `rtol`, `solver`."
    )


def test_a_state_that_blows_up_is_an_error_and_not_a_number():
    with pytest.raises(IntegrationError, match="stopped at t ="):
        integrate(lambda y, k: y * y, jnp.array(1.0), 0.0, TS)


def test_euler_refuses_bad_rates():
    for settings, sentence in [
        ({"lr": -1.0, "steps": 3}, "`lr` must be positive"),
        ({"lr": 0.1, "steps": -1}, "steps"),
    ]:
        with pytest.raises(InputError, match=sentence):
            euler(modes_flow, Y, K, **settings)


def test_constants_of_any_dtype_are_traced(key):
    y0 = instances.weights(key)
    k = Constants(1, 1, 0, np.eye(7, dtype=int), np.eye(7, dtype=np.float32))
    assert integrate(weights_flow, y0, k, TS).ok
