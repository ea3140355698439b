"""Matrix polynomials decided for every dimension: expanded into words, of which each coefficient must vanish.

A word is a product of letters, e.g. Wpᵀ W X. Words of free letters are independent, so a polynomial is zero for all
matrices of all sizes where every coefficient is. Two things are known of letters beyond that: some are symmetric, and
rules rewrite products, such as `{U.T @ U: Identity(d), Wp @ u: p * u}`. A trace does not see a rotation of its word,
nor its transposition. (SymPy's own `doit().expand().doit()` gives the same words, but knows neither rules nor traces.)
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from sympy.matrices.expressions import Identity, MatAdd, MatMul, MatPow, MatrixExpr, MatrixSymbol, Transpose, ZeroMatrix
from sympy.matrices.expressions.trace import Trace

Letter = tuple[MatrixSymbol, bool]  # a matrix, and whether it is transposed
Word = tuple[Letter, ...]
Polynomial = dict[Word, sp.Expr]
REWRITES = 10_000  # rules that have not come to an end by then go in circles


class InexactError(ValueError):
    """A decimal number in an expression, which turns a proof into an estimate."""


def residual(expr: Any, symmetric: Iterable[MatrixSymbol] = (), rules: Mapping[Any, Any] | None = None) -> str:
    """What is left of an expression that should be zero: "" if it is zero, else the terms.

    expr       a scalar, a matrix expression or an explicit matrix of SymPy
    symmetric  matrices equal to their transpose
    rules      product of matrices -> matrix polynomial; each is also used transposed

    Raises `InexactError` for an expression with decimals.
    """
    if expr.has(sp.Float):
        raise InexactError(f"An expression with decimals proves nothing: {expr}.")
    alphabet = Alphabet(symmetric, rules or {})
    if is_symbolic(expr):
        left = {word: c for word, coefficient in alphabet.words(expr).items() if (c := _reduced(coefficient)) != 0}
        return " + ".join(f"({c}) {_spelled(word)}" for word, c in left.items())
    if isinstance(expr, sp.MatrixBase):
        entries = [alphabet.scalar(entry) for entry in expr]
        return "" if all(entry == 0 for entry in entries) else str(entries)
    left = alphabet.scalar(sp.sympify(expr))
    return "" if left == 0 else str(left)


def is_zero(expr: Any, symmetric: Iterable[MatrixSymbol] = (), rules: Mapping[Any, Any] | None = None) -> bool:
    """Whether an expression vanishes for all matrices and numbers that its letters stand for; see `residual`."""
    return not residual(expr, symmetric, rules)


def is_symbolic(A: Any) -> bool:
    """Whether A is a matrix expression of any dimension, not a matrix of entries."""
    return isinstance(A, MatrixExpr) and not isinstance(A, sp.MatrixBase)


class Alphabet:
    """What is known of the letters: which are symmetric, and which products are something else."""

    def __init__(self, symmetric: Iterable[MatrixSymbol], rules: Mapping[Any, Any]) -> None:
        self.symmetric = frozenset(symmetric)
        self.rules: dict[Word, Polynomial] = {}
        for product, value in rules.items():
            (word,) = self._expanded(product)
            self.rules[word] = new = self._expanded(value)
            self.rules[self.transposed(word)] = {self.transposed(w): c for w, c in new.items()}

    def words(self, A: MatrixExpr) -> Polynomial:
        """The polynomial of a matrix expression: word -> coefficient."""
        total: Polynomial = defaultdict(lambda: sp.Integer(0))
        pending = list(self._expanded(A).items())
        for _ in range(REWRITES):
            if not pending:
                return dict(total)
            word, coefficient = pending.pop()
            if (at := self._match(word)) is None:
                total[word] += coefficient
                continue
            i, pattern = at
            rest = word[i + len(pattern) :]
            pending += [(word[:i] + new + rest, coefficient * c) for new, c in self.rules[pattern].items()]
        raise ValueError("The rules go in circles.")

    def scalar(self, expr: sp.Expr) -> sp.Expr:
        """A scalar with each trace as a sum of traces of words in normal form."""
        return _reduced(expr.replace(lambda e: isinstance(e, Trace), lambda e: self._traced(e.arg)))

    def transposed(self, word: Word) -> Word:
        """(A B)ᵀ = Bᵀ Aᵀ."""
        return tuple((A, not flag and A not in self.symmetric) for A, flag in reversed(word))

    def _expanded(self, A: MatrixExpr) -> Polynomial:
        if isinstance(A, MatrixSymbol):
            return {((A, False),): sp.Integer(1)}
        if isinstance(A, Identity):
            return {(): sp.Integer(1)}
        if isinstance(A, ZeroMatrix):
            return {}
        if isinstance(A, Transpose):
            return {self.transposed(word): c for word, c in self._expanded(A.arg).items()}
        if isinstance(A, MatPow) and A.exp.is_Integer and A.exp >= 0:
            return self._product([A.base] * int(A.exp))
        if isinstance(A, MatMul):
            return self._product(A.args)
        if isinstance(A, MatAdd):
            total: Polynomial = defaultdict(lambda: sp.Integer(0))
            for term in A.args:
                for word, c in self._expanded(term).items():
                    total[word] += c
            return total
        raise TypeError(f"Not a matrix polynomial: {A}.")

    def _product(self, factors: Iterable[Any]) -> Polynomial:
        total: Polynomial = {(): sp.Integer(1)}
        for factor in factors:
            right = self._expanded(factor) if isinstance(factor, MatrixExpr) else {(): factor}
            product: Polynomial = defaultdict(lambda: sp.Integer(0))
            for a, ca in total.items():
                for b, cb in right.items():
                    product[a + b] += ca * cb
            total = product
        return total

    def _match(self, word: Word) -> tuple[int, Word] | None:
        for i in range(len(word)):
            for pattern in self.rules:
                if word[i : i + len(pattern)] == pattern:
                    return i, pattern
        return None

    def _traced(self, A: MatrixExpr) -> sp.Expr:
        size = A.shape[0]
        return sp.Add(*(c * (self._trace(word) if word else size) for word, c in self.words(A).items()))

    def _trace(self, word: Word) -> sp.Symbol:
        turned = [w[i:] + w[:i] for w in (word, self.transposed(word)) for i in range(len(w))]
        return sp.Symbol(f"tr({min(_spelled(w) for w in turned)})")


def _reduced(expr: Any) -> sp.Expr:
    expr = sp.expand(expr)
    return expr if expr == 0 else sp.expand(sp.numer(sp.together(expr)))


def _spelled(word: Word) -> str:
    return " ".join(f"{A.name}ᵀ" if flag else A.name for A, flag in word) or "I"
