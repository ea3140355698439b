"""Observations, Table 4, the target's moving average and the paper's figures: each verdict, and laws beside them."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from linbyol.claims import Claim, Run
from linbyol.equations import Amplitudes, Isotropic, amplitudes_flow, modes_flow
from linbyol.fixed_points import predictor_roots
from theory.paper import ema, errata, observations, signs, step_size, target_ratio
from theory.paper import figures as paper_figures
from theory.proving.mode_runs import LANES, between, first_crossing, fixed_target, follow, uniforms

MODULES = (observations, ema, target_ratio, signs, paper_figures, errata, step_size)
CLAIMS = {claim.id: claim for module in MODULES for claim in vars(module).values() if isinstance(claim, Claim)}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_verdict_is_the_expected_one(name):
    verdict = CLAIMS[name](Run(seed=0))
    assert not verdict.crashed, verdict.note
    assert verdict.verdict == CLAIMS[name].expected
    assert verdict.numbers


def test_a_setting_is_what_scipy_finds():
    k = Isotropic(2.0, 0.3, 0.03, 0.4)
    path = follow(amplitudes_flow, 0.3, 0.2, 40.0, alpha_p=2, beta=0.3, eta=0.03, sigma2=0.4, tau=0.5)
    y0 = [np.sqrt(0.2), 0.3, 0.5 * np.sqrt(0.2)]
    oracle = solve_ivp(
        lambda t, y: amplitudes_flow(Amplitudes(*y), k),
        (0, 40),
        y0,
        "DOP853",
        path.ts[0][::100],
        rtol=1e-12,
        atol=1e-14,
    )
    found = np.stack([a[0, ::100] for a in path.ys])
    assert np.abs(found - oracle.y).max() < 1e-7  # 10 × rtol


def test_modes_and_amplitudes_are_one_flow():
    """Eqs. 11-13 and Eqs. 104-106 from the same starts, where w does not come near 0."""
    u = uniforms(3, 1)[:, :5]
    p, s = between(0.2, 0.8, u[0]), between(0.1, 0.9, u[1])
    first, second = (follow(flow, p, s, 30.0, beta=0.4, eta=0.02, tau=u[2]) for flow in (modes_flow, amplitudes_flow))
    for a, b in zip(first.modes, second.modes, strict=True):
        assert np.abs(a - b).max() < 1e-6  # 10 × rtol, divided by w > 0.1


def test_settings_do_not_depend_on_their_company():
    """The same setting alone and among others, whose steps it shares: to ten times the tolerance of a step."""
    alone = follow(fixed_target, 0.3, 0.1, 20.0, eta=0.02)
    among = follow(fixed_target, np.linspace(-0.5, 0.3, LANES + 3), 0.1, 20.0, eta=0.02)
    assert among.end.shape == (LANES + 3,)
    assert among.ys.p[-1] == pytest.approx(alone.ys.p[0], abs=1e-9)


def test_a_setting_that_fails_is_not_passed_over():
    with pytest.raises(RuntimeError, match="Integration stopped"):
        follow(modes_flow, -0.1, 0.005, 300.0, beta=0.1, eta=0.05)  # tau blows up at t = 17.6 (B18)


def test_the_first_crossing_is_found_or_infinite():
    ts = np.linspace(0, 4, 4001)
    assert first_crossing(ts, np.cos(ts)) == pytest.approx(np.pi / 2, abs=1e-6)  # straight lines 1e-3 long
    assert first_crossing(ts, 2 + np.cos(ts)) == np.inf


def test_a_wrong_law_of_growth_is_refused():
    found = observations.growth(0)
    assert np.abs(found["grown"] - found["law"]).max() < 1e-7
    assert np.abs(found["grown"] - found["law"] * found["alpha_p"]).max() > 0.01  # without 1/α_p


def test_a_trend_is_a_trend_all_the_way():
    assert signs.trend([1, 2, 3]) == 1
    assert signs.trend([3, 2, 1]) == -1
    assert signs.trend([1, 3, 2]) == 0
    assert signs.trend([1, 1, 2]) == 0


def test_table_4_with_a_flipped_sign_is_not_what_is_found():
    flipped = signs.PRINTED | {"smaller beta": {8: -1, 9: -1, 10: -1}}
    assert signs.signs(0) == signs.PRINTED != flipped


def test_zeros_of_the_rate_are_the_roots():
    found = paper_figures.zeros(Fraction(1, 20), Fraction(3, 2), Fraction(1))
    roots = np.asarray(predictor_roots(Isotropic(1.0, 0.0, 0.05, 0.5)))
    assert found["changes"] == 3
    assert found["zeros"] == pytest.approx(roots, abs=1e-15)


def test_the_loss_of_the_steps_is_lemma_1s():
    """-∇J over the enumerated pairs is the flow of W and Wp at η = 0, with the exact moments."""
    views, y = step_size._instance(5)
    mean = views.mean(axis=1)
    X = mean.T @ mean / 6
    X_aug = np.einsum("svi,svj->ij", views, views) / 18 - X
    dW, dWp = jax.grad(step_size.loss, argnums=(0, 1))(*y, views)
    rate = step_size.weights_flow(y, step_size.Constants(1.0, 0.1, 0.0, X, X_aug))
    # all nine pairs of a sample: its two views are independent draws, so E x₁x₂ᵀ is X itself; 1e-14 is rounding
    assert jnp.abs(dW + rate.W).max() < 1e-14
    assert jnp.abs(dWp + rate.Wp).max() < 1e-14
