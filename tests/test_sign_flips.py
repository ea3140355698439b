"""Every sign of every flow, flipped in turn, is refused by a proof that is named here."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

import numpy as np
import pytest

from linbyol import equations
from theory.newer import (
    bhep,
    curl,
    decayed,
    deep_modes,
    iterations,
    open_loss,
    regression,
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
from theory.paper import aligned, lemma1, mode_laws, reductions, theorem1, theorem2, theorem3
from theory.proving.prover import PROVE, ROUNDING

MODULES = (
    lemma1,
    theorem1,
    theorem2,
    theorem3,
    reductions,
    aligned,
    mode_laws,
    stacks,
    stack_balances,
    deep_modes,
    self_predictive,
)
MODULES += (bhep, sigreg_flow, sigreg_slice, vicreg)
MODULES += (curl, variety, selection, open_loss, decayed, slaved, iterations, regression)
PROOFS = {id: statements for module in MODULES for id, statements in module.PROOFS.items()}

# The claims that refuse the flips of each function; several where one function holds what several claims are about.
REFUSED_BY = {
    "weights_flow": ("B1", "B27"),  # B27 for the target's moving average, which no loss knows
    "unsymmetrised_flow": ("B19",),
    "symmetric_flow": ("B20",),
    "anticommutator": ("B20",),
    "modes_flow": ("B25",),
    "effective_growth": ("B25",),
    "amplitudes_flow": ("B25",),
    "parabola_flow": ("B33",),
    "target_gradient": ("B11",),
    "balance": ("B5",),
    "symmetric_balance": ("B5",),
    "mode_balance": ("B28",),
    "commutator": ("B21",),
    "alignment_rate": ("B21",),
    "mode_alignment_rate": ("B45",),
    "Isotropic.kappa": ("B19",),
    "jepa_flow": ("M10",),
    "mae_flow": ("M10",),
    "jepa.mae_threshold": ("M10",),
    "deep_linear.product_flow": ("M10",),
    "jepa.jepa_layers_flow": ("M1",),
    "jepa.mae_layers_flow": ("M1",),
    "jepa._descending": ("M1",),
    "jepa.layer_balances": ("M2",),
    "self_predictive.frame_flow": ("M38",),
    "self_predictive.normal_equation": ("M38",),
    "regularised.covariance": ("M14",),
    "regularised.encoder_flow": ("M14",),
    "regularised.features_flow": ("M14",),
    "sigreg.slice_distance": ("M11",),
    "sigreg.slice_slope": ("M11",),
    "sigreg.slice_curvature": ("M11",),
    "sigreg.mean_inverse_root": ("M14",),
    "sigreg.slice_gradient": ("M14",),
    "sigreg.slice_gradient_matrix": ("M14",),
    "sigreg._rule": ("M14",),
    "sigreg._product": ("M14",),
    "sigreg._inverse_root_slope": ("M14",),
    "sigreg._inverse_root_slopes": ("M14",),
    "bhep.bhep_distance": ("M18",),
    "bhep.distance_of": ("M18",),
    "bhep.bhep_gradient": ("M18",),
    "bhep.bhep_alike_gradient": ("M18",),
    "bhep.bhep_gradient_matrix": ("M18",),
    "vicreg.vicreg_flow": ("M21",),
    "vicreg.vicreg_modes_flow": ("M21",),
    "vicreg.vicreg_mode_flow": ("M21",),
    "vicreg._at_most_the_hinge": ("M21",),
    "no_loss.curl": ("M24",),
    "no_loss.scalar_metric": ("M26",),
    "no_loss.scalar_potential": ("M26",),
    "no_loss.defect": ("M27",),
    "no_loss.normal_operator": ("M27",),
    "no_loss.normal_flow": ("M27",),
    "no_loss.transverse_rate": ("M28",),
    "no_loss.decay_equation": ("M31",),
    "no_loss.open_balance": ("M30",),
}


class Flip(ast.NodeTransformer):
    """The n-th + or - of a function, turned into the other; a sign in front is taken away."""

    def __init__(self, n: int) -> None:
        self.n, self.count, self.line = n, -1, ""

    def _is_next(self, node: ast.AST) -> bool:
        self.count += 1
        if self.count == self.n:
            self.line = ast.unparse(node)
        return self.count == self.n

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Sub) and self._is_next(node):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and self._is_next(node) else node


def function(name: str):
    found = equations
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    return inspect.unwrap(found.fget if isinstance(found, property) else found)  # from the type checker's wrapper


def flipped(name: str, n: int) -> tuple[CodeType, str] | None:
    """The code of a function with its n-th sign flipped, and that place; None if it has fewer signs."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function(name))))
    tree.body[0].decorator_list = []
    flip = Flip(n)
    module = compile(ast.fix_missing_locations(flip.visit(tree)), equations.__file__, "exec")
    if not flip.line:
        return None
    (code,) = (const for const in module.co_consts if isinstance(const, CodeType))
    return code, flip.line


@contextmanager
def replaced(name: str, code: CodeType) -> Iterator[None]:
    target = function(name)
    kept = target.__code__
    target.__code__ = code
    try:
        yield
    finally:
        target.__code__ = kept


def refused(ids: tuple[str, ...]) -> str | None:
    """The first of the claims whose proof leaves something."""
    return next((id for id in ids if any(map(_leaves, PROOFS[id]))), None)


def _leaves(statement) -> bool:
    """Whether symbols leave something, or arrays, where the statement is on arrays alone; no number is no match."""
    if statement.space.y is not None:
        return bool(statement.residual())
    try:
        with np.errstate(all="ignore"):
            return statement.gap(np.random.default_rng(0)) > ROUNDING
    except ValueError as error:
        if "NaN" not in str(error):
            raise
        return True


FLIPS = [
    (name, n, found[1])
    for name in REFUSED_BY
    for n in itertools.takewhile(lambda n, name=name: flipped(name, n) is not None, itertools.count())
    if (found := flipped(name, n))
]


def signed(module: str) -> set[str]:
    """The functions of a module of equations that have signs."""
    parts = vars(getattr(equations, module)).values()
    names = {f"{module}.{part.__name__}" for part in parts if getattr(part, "__module__", "").endswith(f".{module}")}
    return {name for name in names if inspect.isfunction(function(name)) and flipped(name, 0)}


def test_the_list_is_whole():
    """Each flow of the module stands in the table, and each has signs; of newer theories all functions that have."""
    flows = {name for name in equations.__all__ if name.endswith(("_flow", "_balance", "_rate"))}
    assert flows | {"effective_growth", "target_gradient", "balance", "commutator"} <= set(REFUSED_BY)
    newer = set().union(*map(signed, ("jepa", "regularised", "sigreg", "bhep", "vicreg", "no_loss", "self_predictive")))
    assert len(newer) > 30
    assert newer <= set(REFUSED_BY) | {f"jepa.{name}" for name in REFUSED_BY}
    assert {name for name, _, _ in FLIPS} == set(REFUSED_BY)
    assert set(itertools.chain(*REFUSED_BY.values())) <= set(PROVE)


def test_nothing_is_refused_as_it_stands():
    assert refused(tuple(sorted(set(itertools.chain(*REFUSED_BY.values()))))) is None


@pytest.mark.parametrize(("name", "n", "place"), FLIPS, ids=[f"{name}-{n}" for name, n, _ in FLIPS])
def test_a_flipped_sign_is_refused(name, n, place):
    code, _ = flipped(name, n)
    with replaced(name, code):
        found = refused(REFUSED_BY[name])
    assert found, f"{name} with the sign of `{place}` flipped is refused by none of {REFUSED_BY[name]}"
    print(f"{name}: `{place}` flipped is refused by {found}")


def test_the_code_is_restored():
    """A flip that leaked would make every other test of this process meaningless."""
    kept = {name: function(name).__code__ for name in REFUSED_BY}
    for name in REFUSED_BY:
        with pytest.raises(RuntimeError), replaced(name, flipped(name, 0)[0]):
            raise RuntimeError
    assert all(function(name).__code__ is code for name, code in kept.items())
