"""The claims of the proofs hold for other seeds, and what is checked along trajectories can fail."""

import numpy as np
import pytest

import theory
from linbyol import extremes
from linbyol.claims import Claim, Run, collect
from linbyol.equations import balance, no_stop_gradient, weights_flow
from theory.newer import (
    decayed,
    deep_modes,
    deep_times,
    learning_order,
    open_loss,
    regression,
    self_predictive,
    stack_balances,
    stacks,
    variety,
)
from theory.paper import (
    aligned,
    any_loss,
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
from theory.proving import solves
from theory.proving.prover import PROVE, Equal, Space, derivative, proven, slopes, trace
from theory.proving.spaces import WEIGHTS

MODULES = (
    lemma1, theorem1, any_loss, theorem2, no_predictor, theorem3, appendix_errata,
    reductions, aligned, mode_laws, fixed_point_proofs, stability_proofs,
    stacks, stack_balances, deep_modes, deep_times, learning_order, self_predictive, variety, open_loss, decayed,
    regression,
)  # fmt: skip
CLAIMS = {value.id: value for module in MODULES for value in vars(module).values() if isinstance(value, Claim)}
SEED = 3  # not the seed that `linbyol prove` takes unasked


@pytest.fixture(scope="module")
def verdicts():
    return {id: check(Run(seed=SEED)) for id, check in CLAIMS.items()}


@pytest.mark.parametrize("id", sorted(CLAIMS))
def test_the_claims_turn_out_as_expected(id, verdicts):
    claim, verdict = CLAIMS[id], verdicts[id]
    assert verdict.verdict == claim.expected, (verdict.numbers, verdict.note)
    if claim.kind == "symbolic":
        assert verdict.numbers["dimensions"]


def test_what_prove_runs_is_here_and_expected_to_hold():
    known = {claim.id: claim for claim in collect(theory)}
    assert set(PROVE) <= set(known)
    assert all(known[id].expected == "holds" for id in PROVE)
    proofs = {id for module in MODULES for id in getattr(module, "PROOFS", {})}
    assert proofs - {"B9", "M39"} <= set(PROVE)  # these integrate much more than they prove


def test_a_statement_on_arrays_alone_counts(key):
    """What has no symbols is still checked, and a gap refuses it."""
    on_arrays = Space(instance=WEIGHTS.instance)
    right = Equal(on_arrays, lambda y, k: y.W, lambda y, k: y.W)
    wrong = Equal(on_arrays, lambda y, k: y.W, lambda y, k: y.Wa)
    assert proven(Run(), [right]).verdict == "holds"
    assert proven(Run(), [right, wrong]).verdict == "fails"
    assert "dimensions" not in proven(Run(), [right]).numbers


def test_a_condition_refuses_too():
    assert proven(Run(), theorem3.PROOFS["B21"], condition=False).verdict == "fails"


def test_derivatives_are_refused_where_they_are_not_exact():
    (W, *_), flow = WEIGHTS.y, weights_flow(WEIGHTS.y, WEIGHTS.k)
    with pytest.raises(ValueError, match="quadratic"):
        derivative(lambda y: y.Wp @ y.Wp @ y.Wp, WEIGHTS.y, flow, WEIGHTS)
    with pytest.raises(ValueError, match="quadratic"):
        derivative(lambda y: trace(y.W @ W.T @ y.W @ y.W.T @ y.W @ W.T), WEIGHTS.y, flow, WEIGHTS)


def test_dimensions_say_why_they_are_not_symbolic(verdicts):
    for id, verdict in verdicts.items():
        dimensions = verdict.numbers.get("dimensions", "symbolic")
        assert dimensions == "symbolic" or "(" in dimensions, id
    assert verdicts["B1"].numbers["dimensions"].startswith("symbolic; also 2x3 (")
    assert verdicts["B21"].numbers["dimensions"] == "symbolic"


def test_trajectories_refuse_wrong_invariants():
    """The drift of what is not conserved is of order one, not of the integrator's."""
    byol = theorem1.runs(SEED)["BYOL"]
    wrong = {
        "no decay": solves.drift(byol, balance, 0),
        "half the decay": solves.drift(byol, balance, byol.k.eta / 2),
        "alpha_p left out": solves.drift(byol, appendix_errata.printed_balance, byol.k.eta),
        "Wp Wpᵀ": solves.drift(byol, lambda y, k: y.W @ y.W.T - y.Wp @ y.Wp.T / k.alpha_p, byol.k.eta),
    }
    assert min(wrong.values()) > 1e6 * solves.DRIFT, wrong


def test_trajectories_refuse_wrong_bounds():
    """A decay one per cent faster than what happened is no bound."""
    size = theorem3.sizes(theorem3.runs(SEED))
    rate = -np.log(size[:, -1] / size[:, 0]) / (2 * float(solves.TS[-1]))  # the mean rate, met at the last time
    assert (theorem3.ratios(size, 1.01 * rate) > solves.BOUND).all()
    solved = theorem2.runs(SEED)["leak"]
    size = theorem2.norms(solved)
    ts = np.asarray(solved.ts)
    rate = -np.log(size[-1] / size[0]) / ts[-1]
    assert (size / size[0] * np.exp(1.01 * rate * ts)).max() > solves.BOUND


def test_the_enumerated_distribution_refuses_a_wrong_gradient():
    """With the gradient through the target, Lemma 1 fails on the same seven points."""
    rng = np.random.default_rng(SEED)
    x, X, X_aug = lemma1.enumerated(rng)
    y, k = WEIGHTS.instance(rng)
    y, k = y._replace(Wa=y.W), k._replace(X=X, X_aug=X_aug, eta=0.0, alpha_p=1.0)

    def loss(W, Wa):
        return lemma1.over_pairs(lambda x1, x2: lemma1.pair_loss(y._replace(W=W, Wa=Wa), x1, x2), x)

    stopped = slopes(lambda W: loss(W, y.W), y.W)
    leaking = slopes(lambda W: loss(W, W), y.W)
    assert extremes.relative_gap(weights_flow(y, k).W, -stopped) < lemma1.ENUMERATED
    assert extremes.relative_gap(weights_flow(y, k).W, -leaking) > 1e-2
    assert extremes.relative_gap(no_stop_gradient(weights_flow)(y, k).W, -leaking) < lemma1.ENUMERATED
