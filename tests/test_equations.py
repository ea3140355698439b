"""Laws of the flows: squares that commute, invariants, and that every flow maps over any leaf."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linbyol import assumptions
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Constants,
    Isotropic,
    Modes,
    Symmetric,
    Weights,
    amplitudes_flow,
    backwards,
    balance,
    collapse_operator,
    decay,
    effective_growth,
    hold,
    identity,
    mode_alignment_rate,
    modes_flow,
    no_predictor,
    no_stop_gradient,
    parabola_flow,
    simsiam,
    slave,
    symmetric_flow,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.predictors import RULES
from theory.proving import instances

ROUNDING = 1e-13  # a few dozen operations on numbers of order one


def close(a, b, tolerance=ROUNDING):
    return all(jnp.allclose(x, y, rtol=0, atol=tolerance) for x, y in zip(a, b, strict=True))


def pushed(f, y, rate):
    """The derivative of f along a rate."""
    return jax.jvp(f, (y,), (rate,))[1]


def with_spectrum(U, p):
    """U diag(p) Uᵀ."""
    return U @ jnp.diag(p) @ U.T


def proportional(key, d=4, n=7, tau=0.6):
    """Weights and constants on which Assumptions 1-3 hold."""
    y = instances.weights(key, d, n)
    y = y._replace(Wp=(y.Wp + y.Wp.T) / 2, Wa=tau * y.W)
    return y, instances.constants(key, n, X=jnp.eye(n), X_aug=0.3 * jnp.eye(n))


def test_symmetric_flow_is_the_reduced_weights_flow(key):
    y, k = proportional(key)
    rate = pushed(lambda y: assumptions.to_symmetric(y, k), y, weights_flow(y, k))
    assert close(rate, symmetric_flow(assumptions.to_symmetric(y, k), assumptions.reduced(y, k)))


def test_unsymmetrised_flow_is_the_weights_flow_with_any_predictor(key):
    y, k = proportional(key)
    y = y._replace(Wp=instances.weights(jax.random.fold_in(key, 1)).Wp)
    rate = pushed(lambda y: assumptions.to_unsymmetrised(y, k), y, weights_flow(y, k))
    assert close(rate, unsymmetrised_flow(assumptions.to_unsymmetrised(y, k), assumptions.reduced(y, k)))


def test_the_two_reduced_flows_differ_unless_the_predictor_is_aligned(key):
    y, k = instances.symmetric(key), instances.isotropic(key)
    assert not close(symmetric_flow(y, k), unsymmetrised_flow(y, k), 1e-3)
    aligned = y._replace(Wp=y.F @ y.F)
    assert close(symmetric_flow(aligned, k), unsymmetrised_flow(aligned, k))


def test_modes_flow_is_the_aligned_symmetric_flow(key):
    U, modes, k = instances.orthogonal(key, 5), instances.modes(key, 5), instances.isotropic(key)
    y = Symmetric(Wp=with_spectrum(U, modes.p), F=with_spectrum(U, modes.s))
    rate = pushed(lambda y: assumptions.to_modes(y, k, U), y, symmetric_flow(y, k))
    expected = modes_flow(modes._replace(tau=jnp.full(5, k.tau)), k)
    assert close((rate.p, rate.s), (expected.p, expected.s))


def test_modes_flow_is_the_weights_flow_on_common_eigenvectors(key):
    d = 5
    U, V = instances.orthogonal(key, d), instances.orthogonal(jax.random.fold_in(key, 1), d)
    modes, k = instances.modes(key, d), instances.commuting(key, d)
    full = Constants(k.alpha_p, k.beta, k.eta, with_spectrum(V, k.lambda_d), with_spectrum(V, k.lambda_s - k.lambda_d))
    y = assumptions.from_modes(modes, U, V)
    rate = pushed(lambda y: assumptions.to_modes(y, full, U), y, weights_flow(y, full))
    assert close(rate, modes_flow(modes, k))


def test_amplitudes_flow_is_the_modes_flow(key):
    y, k = instances.amplitudes(key), instances.commuting(key)
    rate = pushed(assumptions.amplitudes_to_modes, y, amplitudes_flow(y, k))
    assert close(rate, modes_flow(assumptions.amplitudes_to_modes(y), k), 1e-10)  # divided by w, which may be small


def test_parabola_flow_is_the_modes_flow_on_the_parabola(key):
    p, k = instances.modes(key).p, instances.isotropic(key)
    assert jnp.allclose(modes_flow(Modes(p, p * p / k.alpha_p, k.tau), k).p, parabola_flow(p, k), rtol=0, atol=ROUNDING)


def test_assumptions_go_there_and_back(key):
    U, V = instances.orthogonal(key, 4), instances.orthogonal(key, 7)[:, :4]
    modes, k = instances.modes(key, 4), instances.constants(key, X=jnp.eye(7))
    assert close(assumptions.to_modes(assumptions.from_modes(modes, U, V), k, U), modes)
    found = assumptions.to_modes(assumptions.from_modes(modes, U, V), k)  # without U: the same modes in another order
    order = jnp.argsort(found.p)
    assert close([leaf[order] for leaf in found], [leaf[jnp.argsort(modes.p)] for leaf in modes], 1e-10)


def test_decoupled_modes_of_the_collapsed_encoder_are_regular():
    rate = modes_flow(Modes(jnp.array([0.3]), jnp.array([0.0]), jnp.array([0.5])), Isotropic(1, 0.4, 0.1, 0.2))
    assert all(jnp.isfinite(leaf).all() for leaf in rate)
    assert rate.s[0] == 0


def test_mode_alignment_rate_is_an_eigenvalue_bound_of_eq_17(key):
    y, k = instances.modes(key, 100), instances.isotropic(key)
    inequality = effective_growth(y, k) < (k.alpha_p * k.kappa * y.s + k.eta) / 2
    assert (inequality == (mode_alignment_rate(y, k) > 0)).all()


def test_collapse_operator_is_the_flow_without_stop_gradient(key):
    y, k = instances.weights(key), instances.constants(key)
    rate = no_stop_gradient(weights_flow)(y, k).W.T.reshape(-1)
    assert jnp.allclose(rate, -collapse_operator(y, k) @ y.W.T.reshape(-1), rtol=0, atol=ROUNDING)


# --- combinators -----------------------------------------------------------------------------------------------------


def test_hold_stops_one_field_and_no_other(key):
    y, k = instances.weights(key), instances.constants(key)
    rate, full = hold(weights_flow, "Wa")(y, k), weights_flow(y, k)
    assert (rate.Wa == 0).all()
    assert close((rate.W, rate.Wp), (full.W, full.Wp), 0)


def test_decay_at_eta_changes_nothing(key):
    k = instances.isotropic(key)
    for flow, y in [(symmetric_flow, instances.symmetric(key)), (modes_flow, instances.modes(key))]:
        assert close(decay(flow, Wp=k.eta, W=k.eta)(y, k), flow(y, k), 0)


def test_decay_of_every_form_is_the_decay_of_the_weights(key):
    """The squares commute with separate decays too, so the degrees in the table of decay are right."""
    y, k = proportional(key)
    rates = {"Wp": 0.3, "W": 0.05}
    rate = pushed(lambda y: assumptions.to_symmetric(y, k), y, decay(weights_flow, **rates)(y, k))
    assert close(rate, decay(symmetric_flow, **rates)(assumptions.to_symmetric(y, k), assumptions.reduced(y, k)))
    z, kz = instances.amplitudes(key), instances.commuting(key)
    rate = pushed(assumptions.amplitudes_to_modes, z, decay(amplitudes_flow, **rates)(z, kz))
    assert close(rate, decay(modes_flow, **rates)(assumptions.amplitudes_to_modes(z), kz), 1e-10)


def test_decay_refuses_an_unknown_network():
    with pytest.raises(ValueError, match="Argument `V` of decay"):
        decay(weights_flow, V=0.1)


def test_simsiam_has_the_online_network_as_its_target(key):
    y, k = instances.weights(key), instances.constants(key)
    rate = simsiam(weights_flow)(y, k)
    tied = weights_flow(y._replace(Wa=y.W), k)
    assert close((rate.W, rate.Wp, rate.Wa), (tied.W, tied.Wp, tied.W), 0)
    modes, km = instances.modes(key), instances.commuting(key)
    assert close(simsiam(modes_flow)(modes, km)[:2], modes_flow(modes._replace(tau=jnp.ones(5)), km)[:2], 0)
    small = instances.amplitudes(key)
    assert close(simsiam(amplitudes_flow)(small, km)[:2], amplitudes_flow(small._replace(wa=small.w), km)[:2], 0)


def test_without_a_predictor_only_the_augmentation_and_the_decay_act(key):
    """After Theorem 2, as corrected: -W (X_aug + eta I) with stop-gradient, -W (2 X_aug + eta I) without."""
    y, k = instances.weights(key), instances.constants(key)
    eye = jnp.eye(7)
    assert jnp.allclose(simsiam(no_predictor(weights_flow))(y, k).W, -y.W @ (k.X_aug + k.eta * eye), atol=ROUNDING)
    for flow in (no_stop_gradient(no_predictor(weights_flow)), no_predictor(no_stop_gradient(weights_flow))):
        assert jnp.allclose(flow(y, k).W, -y.W @ (2 * k.X_aug + k.eta * eye), atol=ROUNDING)


def test_slave_sets_the_predictor_from_the_correlation(key):
    y, k = instances.weights(key), instances.constants(key)
    flow = slave(weights_flow, RULES["direct"])
    F = y.W @ k.X @ y.W.T
    seen = flow.settle(y, k)
    assert jnp.allclose(seen.Wp @ seen.Wp, F, atol=1e-12)
    assert (flow(y, k).Wp == 0).all()
    assert close(flow(y, k)[:1], weights_flow(seen, k)[:1], 0)


def test_slave_of_modes_takes_the_eigenvalue_of_the_correlation(key):
    y, k = instances.modes(key), instances.commuting(key)
    assert jnp.allclose(slave(modes_flow, RULES["direct"]).settle(y, k).p, jnp.sqrt(k.lambda_d * y.s), atol=1e-12)


def test_backwards_negates_every_rate(key):
    y, k = instances.weights(key), instances.constants(key)
    assert close(backwards(weights_flow)(y, k), [-leaf for leaf in weights_flow(y, k)], 0)


def test_combinators_pass_unknown_fields_through(key):
    from typing import Any, NamedTuple

    class Prescribed(NamedTuple):
        W: Any
        Wp: Any
        Wa: Any
        phase: Any

    def flow(y, k):
        return Prescribed(*weights_flow(Weights(y.W, y.Wp, y.Wa), k), phase=jnp.ones(()))

    y, k = Prescribed(*instances.weights(key), phase=jnp.zeros(())), instances.constants(key)
    assert hold(flow, "Wa")(y, k).phase == 1
    assert decay(simsiam(flow), Wp=0.2)(y, k).phase == 1


CASES = {
    "weights": (weights_flow, instances.weights, instances.constants),
    "symmetric": (symmetric_flow, instances.symmetric, instances.isotropic),
    "unsymmetrised": (unsymmetrised_flow, instances.symmetric, instances.isotropic),
    "modes": (modes_flow, instances.modes, instances.commuting),
    "amplitudes": (amplitudes_flow, instances.amplitudes, instances.commuting),
}


@pytest.mark.parametrize("name", CASES)
def test_every_flow_maps_over_any_leaf(name, key):
    flow, state, constants = CASES[name]
    y, k = state(key), constants(key)
    leaves, form = jax.tree.flatten((y, k))
    for i in range(len(leaves)):
        stacked = [jnp.stack([leaf, 2 * leaf]) if j == i else leaf for j, leaf in enumerate(map(jnp.asarray, leaves))]
        axes = jax.tree.unflatten(form, [0 if j == i else None for j in range(len(leaves))])
        mapped = jax.vmap(flow, in_axes=axes)(*jax.tree.unflatten(form, stacked))
        one = flow(*jax.tree.unflatten(form, [leaf if j != i else 2 * leaf for j, leaf in enumerate(leaves)]))
        assert close([leaf[1] for leaf in mapped], one)


def test_identity_is_the_identity_in_both_worlds():
    import sympy

    assert (identity(jnp.ones((3, 3))) == jnp.eye(3)).all()
    assert identity(sympy.MatrixSymbol("A", 2, 2)) == sympy.Identity(2)
    assert identity(sympy.Matrix([[1, 2], [3, 4]])) == sympy.eye(2)


def test_balance_is_the_quantity_of_theorem_1(key):
    y, k = instances.weights(key), instances.constants(key)
    W, Wp = np.asarray(y.W), np.asarray(y.Wp)
    assert np.allclose(balance(y, k), W @ W.T - Wp.T @ Wp / float(k.alpha_p), atol=ROUNDING)


def test_states_and_constants_have_the_fixed_names():
    assert Constants._fields == ("alpha_p", "beta", "eta", "X", "X_aug")
    assert Isotropic._fields == ("alpha_p", "beta", "eta", "sigma2", "tau")
    assert Isotropic(1, 1, 0, 0.5).tau == 1
    assert Isotropic(1, 1, 0, 0.5).kappa == 1.5
    assert Commuting._fields == ("alpha_p", "beta", "eta", "lambda_d", "lambda_s")
    assert (Weights._fields, Symmetric._fields) == (("W", "Wp", "Wa"), ("Wp", "F"))
    assert (Modes._fields, Amplitudes._fields) == (("p", "s", "tau"), ("w", "wp", "wa"))
