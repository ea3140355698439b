"""Where a claim stands is read from its check's source: functions, equations, and the condition with its tolerances."""

import sys
from pathlib import Path

import experiments.studies
import figures
import theory
from linbyol import claims
from linbyol.equations import Modes, modes_flow, simsiam
from linbyol.exact import separatrix
from linbyol.origins import condition_of, describe, equations_of
from theory.proving.prover import ROUNDING, proven

SMALL = 1e-3
ALL = [*claims.collect(theory), *claims.collect(experiments.studies)]


def _inner(k):
    return separatrix(k, 0.1)


def _check(run):
    found = simsiam(modes_flow)(Modes(0.1, 0.2, 1.0), run)
    good = _inner(run) < SMALL and found.p > 2 * SMALL
    name = "no condition"
    return claims.holds_if(good and bool(name), found=found)


def _proof(run):
    return proven(run, (), _inner(run) < SMALL)


def _by_another(run):
    return _check(run)


def test_a_condition_has_its_numbers_in_place_of_words():
    assert condition_of(_check) == "(_inner(run) < 0.001 and found.p > 2 * 0.001) and bool(name)"
    assert condition_of(_by_another) == condition_of(_check)
    assert condition_of(_proof) == f"_inner(run) < 0.001; no residual of the symbols; largest_gap ≤ {ROUNDING:g}"
    assert condition_of(eval("lambda run: None")) == ""


def test_equations_are_those_that_the_check_reaches():
    assert equations_of(_check) == ["equations.modes_flow", "equations.simsiam", "exact.separatrix"]


def test_every_claim_leads_to_its_function_and_to_what_decides():
    for claim in ALL:
        row = describe(claim)
        file, _, function = row["check"].partition(":")
        source = Path(sys.modules[claim.check.__module__].__file__)
        assert str(source).endswith(file)
        assert f"def {function}(" in source.read_text(), claim.id
        assert row["condition"] or claim().verdict == "not run", claim.id
        assert row["command"].endswith(claim.id)


def test_what_figures_name_are_claims():
    known = {claim.id for claim in ALL}
    for name in figures.names():
        assert set(getattr(figures.module(name), "CLAIMS", ())) <= known, name
