"""Where a claim stands in the code: the equations that it is about, and the condition that decides it.

Read from the source of the check, so that no list can fall behind it.
"""

import ast
import dis
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from linbyol.claims import Claim, file_of

THEORY = ("equations", "assumptions", "exact", "fixed_points", "equilibria", "predictors", "losses", "alignment")
DECIDES = {"holds_if": 0, "proven": 2, "judged": 1}  # come to a verdict; which argument is the condition
PROVEN = "no residual of the symbols; largest_gap ≤ {}"


def describe(claim: Claim) -> dict[str, Any]:
    """The claim and where it stands: the check itself, the equations that it is about, what decides, how to run it."""
    module = sys.modules.get(getattr(claim.check, "__module__", ""))
    proofs = getattr(module, "PROOFS", {}).get(claim.id, ())
    return {
        "id": claim.id,
        "title": claim.title,
        "statement": claim.statement,
        "source": claim.source,
        "kind": claim.kind,
        "expected": claim.expected,
        "check": check_of(claim),
        "equations": equations_of(claim.check, proofs),
        "condition": condition_of(claim.check),
        "command": f"linbyol reproduce --only {claim.id}",
    }


def check_of(claim: Claim) -> str:
    """The file and the function that check a claim."""
    return f"{file_of(getattr(claim.check, '__module__', ''))}:{getattr(claim.check, '__name__', '')}"


def equations_of(check: Callable, statements: Iterable[Any] = ()) -> list[str]:
    """Names of the functions of the theory's modules that a check, or what it proves, is about, from `linbyol` on."""
    found = {f: f.__module__.split(".")[1:] for f in _reached(check, statements) if f.__module__.startswith("linbyol.")}
    return sorted(
        f"{place[0]}.{f.__name__}"
        for f, place in found.items()
        if place[0] in THEORY and not f.__name__.startswith("_") and "<" not in f.__name__
    )


def condition_of(check: Callable) -> str:
    """What must be true for the claim to hold, as it stands in the code, with the numbers of its tolerances."""
    found: list[str] = []
    for function in _reached(check, ()):
        if function.__module__ == check.__module__:
            found += _conditions(function)
    return "; ".join(dict.fromkeys(found))


def _conditions(function: FunctionType) -> Iterator[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):  # no source to be read: typed into a session, or a lambda within a line
        return
    known = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = _called(node, function)
        if called is None or called.__name__ not in DECIDES:
            continue
        place = DECIDES[called.__name__]
        if len(node.args) > place and not isinstance(node.args[place], ast.Starred):
            yield ast.unparse(_Spelled(known, function.__globals__).visit(node.args[place]))
        if called.__name__ == "proven":
            yield PROVEN.format(f"{called.__globals__['ROUNDING']:g}")


def _called(node: ast.Call, function: FunctionType) -> FunctionType | None:
    """The function of a call by its own name or by its module's."""
    match node.func:
        case ast.Name(id=name):
            found = function.__globals__.get(name)
        case ast.Attribute(value=ast.Name(id=place), attr=name):
            found = getattr(function.__globals__.get(place), name, None)
        case _:
            return None
    return found if isinstance(found, FunctionType) else None


class _Spelled(ast.NodeTransformer):
    """Conditions in place of the words that stand for them, and numbers in place of constants."""

    def __init__(self, known: dict[str, ast.expr], constants: dict[str, Any]) -> None:
        self.known, self.constants = known, constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.known.get(node.id)
        if value is not None and any(isinstance(part, ast.Compare | ast.BoolOp) for part in ast.walk(value)):
            rest = {name: other for name, other in self.known.items() if name != node.id}
            return _Spelled(rest, self.constants).visit(value)
        number = self.constants.get(node.id)
        return ast.Constant(number) if isinstance(number, float | int) and node.id.isupper() else node


def _reached(check: Callable, statements: Iterable[Any]) -> list[FunctionType]:
    """The check and the functions that it names, and those that they name, as far as its own module goes."""
    left = [check, *(part for statement in statements for part in vars(statement).values())]
    found: dict[int, FunctionType] = {}
    while left:
        for function in _functions(left.pop()):
            if id(function) in found:
                continue
            found[id(function)] = function
            if function.__module__ == check.__module__:
                left += [
                    function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__
                ]
                left += [cell.cell_contents for cell in function.__closure__ or ()]
    return list(found.values())


def _functions(value: Any) -> Iterator[FunctionType]:
    """A function, and those inside a cache, a partial, or a flow made of others."""
    value = getattr(value, "__wrapped__", value)
    if isinstance(value, FunctionType):
        yield value
    for name in ("flow", "func"):
        inner = getattr(value, name, None)
        if inner is not None and inner is not value and not isinstance(value, FunctionType | type):
            yield from _functions(inner)


def _names(code: CodeType) -> Iterator[str]:
    """The globals that a function reads, and the functions within it."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
