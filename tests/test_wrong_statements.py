"""A wrong variant of each statement - a factor, a sign, an order, a term, a misprint - is refused by both worlds."""

import pytest
import sympy as sp

from linbyol.claims import Run
from linbyol.equations import (
    Modes,
    Symmetric,
    alignment_rate,
    amplitudes_flow,
    anticommutator,
    balance,
    commutator,
    identity,
    mode_alignment_rate,
    mode_balance,
    modes_flow,
    no_stop_gradient,
    parabola_flow,
    sigreg,
    symmetric_balance,
    symmetric_flow,
    unsymmetrised_flow,
    weights_flow,
)
from linbyol.equations.combinators import simsiam
from linbyol.equations.self_predictive import frame_flow, gram
from theory.newer import (
    bhep,
    curl,
    decayed,
    deep_modes,
    open_loss,
    regression,
    regularised_spaces,
    selection,
    self_predictive,
    sigreg_flow,
    sigreg_slice,
    slaved,
    stack_balances,
    stacks,
    variety,
    vicreg,
)
from theory.paper import (
    aligned,
    appendix_errata,
    lemma1,
    mode_laws,
    no_predictor,
    reductions,
    theorem1,
    theorem2,
    theorem3,
)
from theory.paper import fixed_points as fixed_point_proofs
from theory.paper import stability as stability_proofs
from theory.proving.prover import ROUNDING, Descent, Equal, Rate, Space, proven, square, trace
from theory.proving.spaces import AMPLITUDES, EXPLICIT, MODES, SYMMETRIC, UNSYMMETRISED, WEIGHTS

# One wrong variant, or several, of each statement: a factor, a sign, an order, a term left out, a misprint.
WRONG = {
    "Lemma 1 with alpha_p on the predictor's decay": Descent(
        WEIGHTS, weights_flow, "Wp",
        lambda y, k: k.alpha_p * (lemma1.expected_loss(y, k) + k.eta * square(y.Wp) / 2),
    ),
    "Lemma 1 without alpha_p": Descent(WEIGHTS, weights_flow, "Wp", lemma1.encoder_loss),
    "Lemma 1 with J in place of J/2": Descent(
        WEIGHTS, weights_flow, "W", lambda y, k: 2 * lemma1.expected_loss(y, k) + k.eta * square(y.W) / 2
    ),
    "Lemma 1 entry by entry, without stop-gradient": Descent(
        EXPLICIT, simsiam(weights_flow), "W", lambda y, k: lemma1.encoder_loss(y._replace(Wa=y.W), k)
    ),
    "Lemma 1 without stop-gradient": Descent(
        WEIGHTS, simsiam(weights_flow), "W", lambda y, k: lemma1.encoder_loss(y._replace(Wa=y.W), k)
    ),
    "Eq. 1 with views that are one and the same": Equal(
        lemma1.SAMPLES, lambda y, k: lemma1.pair_loss(y, lemma1.X1, lemma1.X1), lemma1.expected_loss
    ),
    "B2 with the moments of one view for two": Equal(
        lemma1.SAMPLES,
        lambda y, k: (y.W @ lemma1.X1) @ (y.Wa @ lemma1.X2).T,
        lambda y, k: y.W @ (k.X + k.X_aug) @ y.Wa.T,
    ),
    "Theorem 1 with e^(eta t)": Rate(WEIGHTS, weights_flow, balance, lambda y, k: -k.eta * balance(y, k)),
    "Theorem 1 with growth": Rate(WEIGHTS, weights_flow, balance, lambda y, k: 2 * k.eta * balance(y, k)),
    "Theorem 1 with Wp Wpᵀ": Rate(
        WEIGHTS, weights_flow,
        lambda y, k: y.W @ y.W.T - y.Wp @ y.Wp.T / k.alpha_p,
        lambda y, k: -2 * k.eta * (y.W @ y.W.T - y.Wp @ y.Wp.T / k.alpha_p),
    ),
    "Theorem 1 without alpha_p": appendix_errata.PRINTED["Theorem 1"],
    "Theorem 1 for the target": Rate(
        WEIGHTS, weights_flow, lambda y, k: y.Wa @ y.Wa.T, lambda y, k: -2 * k.eta * (y.Wa @ y.Wa.T)
    ),
    "Theorem 1 without stop-gradient": Rate(
        WEIGHTS, no_stop_gradient(weights_flow), balance, lambda y, k: -2 * k.eta * balance(y, k)
    ),
    "Theorem 1 with the decays exchanged": Rate(
        theorem1.UNEQUAL, theorem1.unequal_flow,
        lambda y, k: balance(y, k[0]),
        lambda y, k: -2 * k[1] * (y.W @ y.W.T) + 2 * k[2] / k[0].alpha_p * (y.Wp.T @ y.Wp),
    ),
    "Theorem 1 symmetrised": Rate(
        SYMMETRIC, symmetric_flow, symmetric_balance, lambda y, k: -2 * k.eta * symmetric_balance(y, k)
    ),
    "B8 with + κ/2": Rate(
        SYMMETRIC, symmetric_flow, symmetric_balance,
        lambda y, k: -2 * k.eta * symmetric_balance(y, k) + k.kappa * theorem1.double_commutator(y) / 2,
    ),
    "B8 with the trace of F alone": Rate(
        SYMMETRIC, symmetric_flow, lambda y, k: trace(y.F), lambda y, k: -2 * k.eta * trace(y.F)
    ),
    "Theorem 2 without eta I": theorem2.PRINTED_COLLAPSE,
    "Theorem 2 with its factors exchanged": Equal(
        WEIGHTS, lambda y, k: theorem2.LEAK(y, k).W,
        lambda y, k: -theorem2.collapse_form(y, k._replace(X=k.X_aug, X_aug=k.X)),
    ),
    "Theorem 2 with its stop-gradient": Equal(
        WEIGHTS, lambda y, k: simsiam(weights_flow)(y, k).W, lambda y, k: -theorem2.collapse_form(y, k)
    ),
    "No predictor in the printed order": no_predictor.PRINTED_ORDER,
    "Theorem 3 as a commutator with K": Rate(
        SYMMETRIC, symmetric_flow, commutator,
        lambda y, k: alignment_rate(y, k) @ commutator(y, k) - commutator(y, k) @ alignment_rate(y, k),
    ),
    "Theorem 3 with eta in place of 3 eta/2": Rate(
        SYMMETRIC, symmetric_flow, commutator,
        lambda y, k: -anticommutator(alignment_rate(y, k) - k.eta * identity(y.F) / 2, commutator(y, k)),
    ),
    "Theorem 3 with alpha_p in place of alpha_p/2": Rate(
        SYMMETRIC, symmetric_flow, commutator,
        lambda y, k: -anticommutator(alignment_rate(y, k) + k.kappa * k.alpha_p * y.F / 2, commutator(y, k)),
    ),
    "Theorem 3 without symmetrisation": Rate(
        UNSYMMETRISED, unsymmetrised_flow, commutator, theorem3.commutator_rate
    ),
    "Theorem 3 with eta_p + eta_s/2": Rate(
        theorem3.UNEQUAL, theorem3.unequal_flow, lambda y, k: commutator(y, k[0]),
        lambda y, k: theorem3.commutator_rate(y, k[0]._replace(eta=(2 * k[1] + k[2]) / 3)),
    ),
    "Eq. 7 without symmetrising": Equal(SYMMETRIC, unsymmetrised_flow, symmetric_flow),
    "The stationary predictor without decay": Equal(
        reductions.GIVEN,
        lambda y, k: unsymmetrised_flow(
            Symmetric(reductions.stationary_predictor(y, k), y.F), k._replace(eta=0)
        ).Wp,
        lambda y, k: 0 * y.F,
    ),
    "Appendix D with decay": Equal(
        Space(WEIGHTS.y, WEIGHTS.k, symmetric=WEIGHTS.symmetric, rules=reductions.PROOFS["B63"][0].space.rules),
        lambda y, k: weights_flow(y._replace(Wa=y.W), k).W, lambda y, k: 0 * y.W,
    ),
    "Eqs. 104-106 with lambda_d and lambda_s exchanged": Rate(
        AMPLITUDES, amplitudes_flow, lambda y, k: Modes(y.wp, y.w * y.w, y.wa / y.w),
        lambda y, k: modes_flow(
            Modes(y.wp, y.w * y.w, y.wa / y.w), k._replace(lambda_d=k.lambda_s, lambda_s=k.lambda_d)
        ),
    ),
    "Eq. 7 on an eigenvector of F alone": Equal(
        Space(SYMMETRIC.y, SYMMETRIC.k, None, SYMMETRIC.symmetric, {SYMMETRIC.y.F @ aligned.U: MODES.y.s * aligned.U}),
        lambda y, k: Symmetric(*(A @ aligned.U for A in symmetric_flow(y, k))), aligned.PROOFS["B26"][0].right,
    ),
    "Eq. 14 with s + p²/alpha_p": Rate(
        MODES, modes_flow, lambda y, k: y.s + y.p * y.p / k.alpha_p,
        lambda y, k: -2 * k.eta * (y.s + y.p * y.p / k.alpha_p),
    ),
    "Eq. 14 with e^(eta t)": Rate(MODES, modes_flow, mode_balance, lambda y, k: -k.eta * mode_balance(y, k)),
    "Eq. 16 off the parabola": Equal(
        mode_laws.PARABOLA, lambda p, k: modes_flow(Modes(p, 2 * p * p / k.alpha_p, k.tau), k).p, parabola_flow
    ),
    "Eq. 17 with eta": Equal(
        MODES, mode_alignment_rate, lambda y, k: mode_laws.PROOFS["B45"][0].right(y, k) + k.eta / 2
    ),
    "K's least value at tau/(2κ)": Equal(
        mode_laws.PARABOLA, mode_laws.PROOFS["B46"][0].left,
        lambda p, k: mode_laws.PROOFS["B46"][0].right(p + k.tau / (6 * k.kappa), k),
    ),
    "DirectPred with p = s": Equal(
        mode_laws.SIZES, lambda s, k: mode_balance(Modes(s, s, k.tau), k._replace(alpha_p=1)), lambda s, k: 0 * s
    ),
    "p± with 2 eta κ": Equal(
        fixed_point_proofs.ROOTS, lambda _, k: fixed_point_proofs.solved()[2],
        lambda _, k: (k.tau + sp.sqrt(k.tau**2 - 2 * k.eta * k.kappa)) / (2 * k.kappa),
    ),
    "Fig. 4 without κ": fixed_point_proofs.PRINTED_FACTORS,
    "p₊'s eigenvalue with eta": Equal(
        fixed_point_proofs.ROOTS, stability_proofs.PROOFS["B40"][0].left,
        lambda _, k: stability_proofs.PROOFS["B40"][0].right(_, k) + stability_proofs.LAMBDA,
    ),
    "EMA's determinant with eta": Equal(
        fixed_point_proofs.ROOTS, stability_proofs.PROOFS["B41"][0].left,
        lambda _, k: stability_proofs.PROOFS["B41"][0].right(_, k)
        + stability_proofs.BETA * stability_proofs.WITH_EMA.eta * stability_proofs.LAMBDA,
    ),
    "JEPA's flow for MAE's loss": Descent(
        stacks.space(1, "JEPA"), stacks.by_name(stacks.FLOWS["JEPA"]), "W1",
        lambda y, k: stacks.loss(y, (k[0], 0 * k[1])),
    ),
    "MAE with its target halved": Descent(
        stacks.space(2, "MAE"), stacks.by_name(stacks.FLOWS["MAE"]), "V", lambda y, k: stacks.loss(y, (k[0], 2 * k[1]))
    ),
    "Balances that fall as e^(-eta t)": Rate(
        stacks.space(1, "JEPA"), stacks.by_name(stacks.FLOWS["JEPA"]), lambda y, k: stack_balances.balance_of(0, y),
        lambda y, k: -k[0].eta * stack_balances.balance_of(0, y),
    ),
    "JEPA's rate with L in place of 2L - 1": Equal(
        deep_modes.AT_RHO, lambda y, k: deep_modes.slope_at(deep_modes.jepa_flow, y, k),
        lambda y, k: -k.lambda_d * k.rho**k.depth,
    ),
    "JEPA as a DirectSet(1/L)": Equal(
        deep_modes.ANY, lambda y, k: k.depth * y.w ** (k.depth - 1) * deep_modes.jepa_flow(y, k).w,
        lambda y, k: deep_modes.as_directset(type(y)(y.w * y.w), k),
    ),
    "MAE as a network of L layers": Equal(
        deep_modes.ANY, lambda y, k: k.depth * y.w**k.depth * deep_modes.mae_flow(y, k).w, deep_modes.as_saxe
    ),
    "Self-predictive features with any predictor": Rate(
        self_predictive.ANY, frame_flow, gram, lambda y, k: 0 * gram(y, k)
    ),
    "T with the cross term once": Equal(
        sigreg_slice.SLICE, lambda v, m: sigreg.slice_distance(v, sigreg_slice.overlap(v, m) / 2),
        sigreg_slice.PROOFS["M11"][0].right,
    ),
    "T' in place of T''": Equal(
        sigreg_slice.SLICE, lambda v, m: sigreg.slice_slope(v), lambda v, m: sp.diff(sigreg.slice_distance(v), v, 2)
    ),
    "The bias of a batch over n - 1": Equal(
        sigreg_slice.SLICE, sigreg_slice.PROOFS["M19"][0].left,
        lambda v, m: sigreg_slice.bias(v, sigreg_slice.n - 1),
    ),
    "SIGReg's encoder with half of its invariance": Descent(
        regularised_spaces.HELD, sigreg_flow.PROOFS["M14"][0].flow, "W",
        lambda y, k: sigreg_flow.held_loss(y, k._replace(a=k.a / 2)),
    ),
    "SIGReg's encoder with X for X + X_aug": Descent(
        regularised_spaces.HELD, sigreg_flow.PROOFS["M14"][0].flow, "W",
        lambda y, k: sigreg_flow.held_loss(y, k) - k.mu * trace(regularised_spaces.G @ y.W @ k.X_aug @ y.W.T),
    ),
    "SIGReg's modes at half their speed": Equal(
        regularised_spaces.ONE_MODE, sigreg_flow.PROOFS["M14"][1].left,
        lambda w, k: sigreg_flow.mode_rate(w, k) / 2,
    ),
    "BHEP's gradient at beta = 1 for any beta": Equal(
        bhep.PROOFS["M18"][1].space,
        lambda nu, beta: bhep.PROOFS["M18"][1].left(nu, sp.Integer(1)), bhep.PROOFS["M18"][1].right,
    ),
    "VICReg's mode with the weights of the code": Equal(
        vicreg.PROOFS["M21"][0].space, vicreg.PROOFS["M21"][0].left,
        lambda w, k: vicreg.mode_rate(w, k._replace(invariance=k.invariance / k.d, variance=k.variance / 2)),
    ),
    "VICReg leaves zero at a rate": Equal(
        vicreg.PROOFS["M21"][1].space, vicreg.root_rate,
        lambda r, k: r * vicreg.PROOFS["M21"][1].right(r, k),
    ),
    "The curl of what the stop-gradient stops, of the other sign": Equal(
        curl.DIRECTIONS, curl.asymmetry(curl.target_alone), lambda s, k: -curl.curl_form(s, k)
    ),
    "The curl between W and Wp with X + X_aug": Equal(
        curl.DIRECTIONS, curl.PROOFS["M24"][1].left,
        lambda s, k: -trace(s[2].Wp.T @ s[1].W @ (k.X + k.X_aug) @ s[0].W.T),
    ),
    "A scalar as a gradient in the metric of the learning rates": Equal(
        Space(AMPLITUDES.y, AMPLITUDES.k),
        lambda y, k: curl.Change(curl.SCALAR(y, k._replace(eta=0)).w, curl.SCALAR(y, k._replace(eta=0)).wp / k.alpha_p),
        curl.downhill,
    ),
    "The defect's rate with Wpᵀ Wp": Rate(
        WEIGHTS, variety.PROOFS["M27"][0].flow, variety.PROOFS["M27"][0].quantity,
        lambda y, k: variety.PROOFS["M27"][0].rate(y._replace(Wp=y.Wp.T), k),
    ),
    "The block with EMA without its sign": Equal(
        Space(AMPLITUDES.y, AMPLITUDES.k), selection.PROOFS["M28"][1].left,
        lambda y, k: -selection.PROOFS["M28"][1].right(y, k),
    ),
    "Without stop-gradient W Wᵀ - WpᵀWp/alpha_p stays": Rate(
        WEIGHTS, open_loss.PROOFS["M30"][1].flow, balance, lambda y, k: 0 * y.Wp
    ),
    "The equation for WᵀW with Σ and X exchanged": Equal(
        WEIGHTS, lambda y, k: decayed.PROOFS["M31"][1].left(y, k._replace(X=k.X_aug, X_aug=k.X)),
        decayed.PROOFS["M31"][1].right,
    ),
    "A slaved mode with its decay twice": Equal(
        Space(AMPLITUDES.y, AMPLITUDES.k), slaved.PROOFS["M33"][0].left,
        lambda y, k: slaved.PROOFS["M33"][0].right(y, k) - k.eta,
    ),
    "NE with the growth of x (2 - x)": Equal(
        Space(AMPLITUDES.y, AMPLITUDES.k), slaved.PROOFS["M34"][0].left,
        lambda y, k: k.lambda_d * k.lambda_d * y.w * y.w * (2 - k.lambda_s * y.w * y.w) - k.eta,
    ),
    "A ridge without effect in the limit": Equal(
        regression.PROOFS["M37c"][0].space, regression.PROOFS["M37c"][0].left, lambda y, k: sp.Integer(0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_statements_are_refused_by_symbols(name):
    assert WRONG[name].residual()
    assert proven(Run(), [WRONG[name]]).verdict == "fails"


@pytest.mark.parametrize("name", [name for name in WRONG if WRONG[name].space.instance])
def test_wrong_statements_are_refused_by_arrays(name, key):
    # A wrong term is of the size of the others: many orders above what rounding may do.
    assert WRONG[name].gap(key) > 1e6 * ROUNDING
