"""The equations as LaTeX, read from the code that runs: a flow is called on symbols and printed in the paper's letters.

SymPy keeps an equation's structure (sums in parentheses stay), but sorts its terms by name and prints `+ - η Wp`. The
printer here gives signs, letters (W_p, X', κ) and an order of terms: growth before losses, weight decay last.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_args

import sympy as sp
from sympy.matrices.expressions import MatAdd, MatMul, MatPow, MatrixSymbol, Transpose
from sympy.printing.latex import LatexPrinter

from linbyol.checks import InputError
from linbyol.equations import Isotropic
from linbyol.equations.combinators import Ablated, Flow, settle

LETTERS = {
    "Wp": "W_p", "Wa": "W_a", "wp": "w_p", "wa": "w_a", "X_aug": "X'", "sigma2": r"\sigma^2", "alpha_p": r"\alpha_p",
    "eta_p": r"\eta_p", "eta_s": r"\eta_s", "lambda_d": r"\lambda_d", "lambda_s": r"\lambda_s",
    "lam": r"\lambda", "decay": r"\eta", "Gamma": r"\Gamma",
}  # fmt: skip

# Factors of a product, and terms of a sum of one sign, stand in this order; what is not here follows by name.
ORDER = (
    "alpha_p", "beta", "eta", "eta_p", "eta_s", "kappa", "sigma2", "lambda_d", "lambda_s", "tau",
    "p", "s", "wp", "wa", "w", "Wp", "Wa", "W", "F", "X", "X_aug",
)  # fmt: skip
DECAYS = ("eta", "eta_p", "eta_s")


def equation(flow: Flow, constants: type | None = None) -> list[str]:
    r"""One LaTeX line for each field of the flow's state, e.g. `\dot W_a = \beta (W - W_a)`.

    flow       a flow of equations.py or one made from it by combinators; the type of its state is read from its
               annotation. Fields that a combinator determines are printed as such: `W_a = W` for SimSiam.
    constants  Constants, Isotropic or Commuting, where the flow takes several; else the first that it names

    Raises `InputError` if the flow does not name the type of its state. Source: the code itself.
    """
    bare = _unwrapped(flow)
    y, k = _arguments(bare, constants)
    rate = flow(y, k)
    if not hasattr(y, "_fields"):  # one scalar mode
        return [rf"\dot {latex(y)} = {latex(rate)}"]
    seen = settle(flow, y, k)
    return [_line(getattr(y, name), getattr(seen, name), getattr(rate, name)) for name in y._fields]


def definition(name: str, quantity: Callable, constants: type | None = None) -> str:
    r"""`name = …` for a quantity (y, k), such as a balance or a rate: definition("L", commutator)."""
    return f"{name} = {latex(quantity(*_arguments(quantity, constants)))}"


def law(statement: Any) -> str:
    r"""A statement that a quantity has a rate along a flow (`theory.proving.prover.Rate`): `\frac{d}{dt} (…) = …`."""
    y, k = statement.space.y, statement.space.k
    quantity, rate = statement.quantity(y, k), statement.rate(y, k)
    return rf"\frac{{d}}{{dt}} {PaperPrinter().factor(quantity)} = {latex(rate)}"


def latex(expression: Any) -> str:
    """An expression in the paper's letters, on one line, as both LaTeX and matplotlib's mathtext read it."""
    return PaperPrinter().doprint(sp.sympify(expression))


def symbols(cls: type) -> Any:
    """The state or constants of a type, as symbols: dimensions d and n, positive rates, κ = 1 + σ²."""
    d, n = sp.symbols("d n", integer=True, positive=True)
    matrix = {
        "W": (d, n),
        "Wa": (d, n),
        "Wp": (d, d),
        "F": (d, d),
        **dict.fromkeys(("X", "X_aug", "B", "C", "Gamma"), (n, n)),
    }
    names = cls._fields if hasattr(cls, "_fields") else [field.name for field in dataclasses.fields(cls)]
    values = {
        name: MatrixSymbol(name, *matrix[name]) if name in matrix else sp.Symbol(name, real=True) for name in names
    }
    if "depth" in values:
        values["depth"] = sp.Symbol("L", integer=True, positive=True)
    if cls is Isotropic:
        values["sigma2"] = sp.Symbol("kappa", real=True) - 1
    return cls(**values)


class PaperPrinter(LatexPrinter):
    """SymPy's LaTeX with signs, letters and orders as in the paper."""

    def _print_Symbol(self, expr: Any) -> str:
        return LETTERS.get(expr.name) or super()._print_Symbol(expr)

    def _print_MatrixSymbol(self, expr: Any) -> str:
        return LETTERS.get(expr.name, expr.name)

    def _print_Identity(self, expr: Any) -> str:
        return "I"

    def _print_Transpose(self, expr: Any) -> str:
        return self.factor(expr.arg) + r"^\top"

    def _print_Trace(self, expr: Any) -> str:
        return rf"\mathrm{{tr}}({self._print(expr.arg)})"

    def _print_MatPow(self, expr: Any) -> str:
        return f"{self.factor(expr.base)}^{self._exponent(expr.exp)}"

    def _print_Pow(self, expr: Any) -> str:
        if expr.exp.is_Integer and expr.exp > 1:
            return f"{self.factor(expr.base)}^{self._exponent(expr.exp)}"
        return super()._print_Pow(expr)

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        if bracket := _bracket(expr):
            left, A, B, right = bracket
            return f"{left}{self._print(A)}, {self._print(B)}{right}"
        text = ""
        for term in sorted(expr.args, key=_term_key):
            negative, body = _sign(term)
            text += (" - " if negative else " + ") + self._print(body)
        return text[3:] if text.startswith(" + ") else "-" + text[3:]

    def _print_Mul(self, expr: Any) -> str:
        negative, body = _sign(expr)
        if negative:
            return "-" + (self._print(body) if not _is_sum(body) else self.factor(body))
        number, scalars, matrices = _factors(body)
        above = [self.factor(a) for a in scalars if not _is_inverse(a) and not _is_sum(a)]
        below = [self.factor(1 / a) for a in scalars if _is_inverse(a)]
        sums = [self.factor(a) for a in scalars if _is_sum(a)]
        above = ([str(number.p)] if number.p != 1 else []) + above
        below = ([str(number.q)] if number.q != 1 else []) + below
        if below:
            above = [rf"\frac{{{' '.join(above) or '1'}}}{{{' '.join(below)}}}"]
        return " ".join(above + sums + [self.factor(a) for a in matrices])

    _print_MatAdd = _print_Add  # noqa: N815 - SymPy finds a printer by the name of the class
    _print_MatMul = _print_Mul  # noqa: N815

    def factor(self, expr: Any) -> str:
        text = self._print(expr)
        if not _is_sum(expr) or _bracket(expr):
            return text
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def _exponent(self, exponent: Any) -> str:
        text = self._print(exponent)
        return text if len(text) == 1 else f"{{{text}}}"


def _line(symbol: Any, seen: Any, rate: Any) -> str:
    if seen != symbol:
        return f"{latex(symbol)} = {latex(seen)}"
    return rf"\dot {latex(symbol)} = {latex(rate)}"


def _unwrapped(flow: Flow) -> Callable:
    while isinstance(flow, Ablated):
        flow = flow.flow
    return flow


def _arguments(f: Callable, constants: type | None) -> tuple[Any, Any]:
    """Symbols for the (y, k) that f takes, from its annotations; a state without fields is one scalar of its name."""
    y, k = inspect.signature(f).parameters.values()
    state, types = y.annotation, get_args(k.annotation) or (k.annotation,)
    if state is inspect.Parameter.empty or types[0] is inspect.Parameter.empty:
        raise InputError(f"Argument `flow` must name the types of its state and constants, but is {f.__name__}(y, k).")
    letters = symbols(state) if hasattr(state, "_fields") else sp.Symbol(y.name, real=True)
    return letters, symbols(constants or types[0])


def _sign(term: Any) -> tuple[bool, Any]:
    """Whether a term carries a minus sign, and the term without it."""
    coefficient = term.as_coeff_Mul()[0] if not isinstance(term, MatMul) else term.args[0].as_coeff_Mul()[0]
    negative = bool(coefficient.is_number and coefficient.is_negative)
    return negative, (-term if negative else term)


def _factors(product: Any) -> tuple[Any, list, list]:
    """The rational number, the scalar factors in the paper's order, and the matrices as they stand."""
    parts = product.args if isinstance(product, sp.Mul | MatMul) else (product,)
    matrices = [a for a in parts if getattr(a, "is_Matrix", False)]
    scalars = [b for a in parts if not getattr(a, "is_Matrix", False) for b in sp.Mul.make_args(a)]
    number = sp.Mul(*(a for a in scalars if a.is_Rational))
    return number, sorted((a for a in scalars if not a.is_Rational), key=_place), matrices


def _term_key(term: Any) -> tuple:
    """Terms with a decay rate come last, before them the negative ones; then by the places of their factors."""
    negative, body = _sign(term)
    _, scalars, matrices = _factors(body)
    decays = any(getattr(a, "name", None) in DECAYS for a in scalars)
    return decays, negative, [_place(a) for a in scalars + matrices]


def _place(factor: Any) -> tuple:
    """Where a factor stands: known letters by ORDER, then others, then sums."""
    if _is_sum(factor):
        return (2, 0, "")
    base = factor
    while isinstance(base, Transpose | MatPow | sp.Pow):
        base = base.args[0]
    name = getattr(base, "name", "~")
    return (0, ORDER.index(name), "") if name in ORDER else (1, 0, name)


def _is_sum(expr: Any) -> bool:
    return isinstance(expr, sp.Add | MatAdd)


def _is_inverse(expr: Any) -> bool:
    return isinstance(expr, sp.Pow) and bool(expr.exp.is_number) and bool(expr.exp.is_negative)


def _bracket(expr: Any) -> tuple[str, Any, Any, str] | None:
    r"""The anticommutator \{A, B\} of a sum A B + B A (in ORDER), and the commutator [A, B] of A B - B A."""
    if not isinstance(expr, MatAdd) or len(expr.args) != 2:
        return None
    (minus, one), (minus_too, two) = sorted((_sign(term) for term in expr.args), key=lambda a: a[0])
    if minus or not (isinstance(one, MatMul) and isinstance(two, MatMul)):
        return None
    first, second = one.args, two.args
    if not all(getattr(a, "is_Matrix", False) for a in first + second):
        return None
    for i in range(1, len(first)):
        if first[i:] + first[:i] == second and first != second:
            A, B = (MatMul(*part).doit(deep=False) for part in (first[:i], first[i:]))
            if minus_too:
                return "[", A, B, "]"
            A, B = sorted((A, B), key=lambda a: [_place(b) for b in (a.args if isinstance(a, MatMul) else (a,))])
            return r"\{", A, B, r"\}"
    return None
