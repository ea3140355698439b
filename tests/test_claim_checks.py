"""What a claim's check compares: NaN, nothing at all and truths among numbers never make a claim hold."""

import ast
from pathlib import Path
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

import experiments.studies
import theory
from linbyol.claims import Claim, Run, claim, holds_if
from linbyol.extremes import every, largest, least, relative_gap
from theory.followups import cosine
from theory.paper import alignment_of_modes, directpred, ema, observations, signs
from theory.proving import set_modes, solves

ELSEWHERE = {"latex.py", "words.py", "spaces.py", "extremes.py"}  # names and SymPy's words; what replaces them
FILES = [
    path
    for package in (theory, experiments.studies)
    for path in sorted(Path(package.__path__[0]).rglob("*.py"))
    if path.name not in ELSEWHERE
]


def test_the_extremes_are_those_of_all_numbers():
    values = [3, np.array([[1.0, -2.0]]), {"a": jnp.array(7.0)}, (x for x in (0.5, np.float64(-9)))]
    assert (largest(*values[:3]), least(*values)) == (7, -9)
    assert largest(np.inf, 1) == np.inf
    assert relative_gap([1.0, 3.0], [1.0, 2.0]) == 0.5
    assert every([True, np.array([True, True])], {"a": jnp.array(True)})
    assert not every([True, np.array([True, False])])


@pytest.mark.parametrize("function", [largest, least])
@pytest.mark.parametrize("values", [(1.0, np.nan), ([1.0, 2.0, float("nan")],), (np.array([0, np.nan, 1]),)])
def test_a_nan_is_not_passed_over(function, values):
    with pytest.raises(ValueError, match="NaN"):
        function(*values)


@pytest.mark.parametrize("function", [largest, least, every])
@pytest.mark.parametrize("values", [(), ([],), ({},), (np.zeros((0, 3)),), (x for x in ())])
def test_nothing_is_neither_small_nor_true(function, values):
    with pytest.raises(ValueError, match="Nothing"):
        function(*values)


@pytest.mark.parametrize("values", [(False, 0.03), ([0.03, True],), ([0.1, np.bool_(False)],), (np.array([True]), 1.0)])
def test_a_truth_is_no_number_and_a_number_no_truth(values):
    for function in (largest, least, every):
        with pytest.raises(TypeError, match="must be"):
            function(*values)


@pytest.mark.parametrize("value", [None, "1.0", 1j])
def test_what_is_neither_is_refused(value):
    for function in (largest, least, every):
        with pytest.raises(TypeError):
            function([value])


@pytest.mark.parametrize("condition", [float("nan"), 1, None, np.array(1.0), "yes"])
def test_a_condition_is_a_truth_value(condition):
    with pytest.raises(TypeError, match="true or false"):
        holds_if(condition)


@pytest.mark.parametrize("value", [float("nan"), np.array([1, np.nan]), {"a": [0, {"b": jnp.nan}]}, [[1.0], [np.nan]]])
def test_a_verdict_with_a_nan_among_its_numbers_is_undecided(value):
    @claim("B0", title="t", statement="s", source="s", kind="numeric")
    def check(run):
        return holds_if(True, gap=value)

    verdict = check(Run())
    assert verdict.verdict == "undecided"
    assert verdict.crashed
    assert "Not a number: gap" in verdict.note


def calls_that_let_a_nan_pass(source: str) -> list[str]:
    """What stands in a check that NaN, or nothing at all, makes true."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="max" | "min" | "all")):
                found.append(node)
            case ast.Call(func=ast.Attribute(attr="all"), args=[], keywords=[]):
                found.append(node)
            case ast.Attribute(attr="nanmax" | "nanmin" | "nanmean" | "nansum" | "nan_to_num" | "fmax" | "fmin"):
                found.append(node)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=ast.Compare(ops=[op])) if isinstance(
                op, ast.Lt | ast.LtE | ast.Gt | ast.GtE
            ):
                found.append(node)
            case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Attribute(attr="any"))):
                found.append(node)
    return [ast.unparse(node) for node in found]


def test_no_check_compares_in_a_way_that_lets_a_nan_pass():
    found = {path: calls_that_let_a_nan_pass(path.read_text("utf-8")) for path in FILES}
    assert len(found) > 100
    assert {path.name: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "line",
    [
        "max(gaps) < 1",
        "all(a < b for a in x)",
        "(x < 1).all()",
        "np.nanmax(x)",
        "not x > 1",
        "~(x > 1)",
        "not (x > 1).any()",
        "np.nan_to_num(x)",
    ],
)
def test_the_search_finds_what_lets_a_nan_pass(line):
    assert calls_that_let_a_nan_pass(line)
    assert not calls_that_let_a_nan_pass("largest(x) < 1 and every(x < 1) and (x < 1).any() and x.max() < 1")


def with_a_nan(leaf, times):
    """A leaf (lanes,) that rests at all times, (lanes, t), but is NaN at the last one in all lanes but the first."""
    ys = np.repeat(np.asarray(leaf, float)[:, None], times, axis=1)
    ys[1:, -1] = np.nan
    return ys


@pytest.fixture
def poisoned(monkeypatch):
    """All that claims on modes integrate ends in NaN, which is not the first number; nothing is compiled."""

    def integrate(flow, y0, k, ts, **settings):
        return SimpleNamespace(ys=type(y0)(*(with_a_nan(leaf, len(ts)).T for leaf in y0)))

    monkeypatch.setattr(solves, "integrate", integrate)
    monkeypatch.setattr(set_modes, "integrate", integrate)
    forget()
    yield
    forget()


def forget():
    for value in (value for module in INTEGRATING for value in vars(module).values()):
        getattr(value, "cache_clear", lambda: None)()


INTEGRATING = (observations, alignment_of_modes, ema, signs, directpred)
INTEGRATED = [value for module in INTEGRATING for value in vars(module).values() if isinstance(value, Claim)]


@pytest.mark.parametrize("found", INTEGRATED, ids=lambda found: found.id)
def test_a_nan_in_a_trajectory_leaves_a_claim_undecided(poisoned, found):
    verdict = found(Run())
    assert verdict.verdict == "undecided"
    assert "not finite" in verdict.note, verdict.note


@pytest.mark.parametrize("factor", [1.0, 1.1, 0.9])
def test_a_threshold_of_the_cosine_loss_that_is_off_by_a_tenth_is_refused(monkeypatch, factor):
    attraction = cosine.attraction
    monkeypatch.setattr(cosine, "attraction", lambda *args: factor**2 * attraction(*args))
    assert cosine.regimes(Run()).verdict == ("holds" if factor == 1 else "fails")
