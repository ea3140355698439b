"""Theorems as data: a statement on the functions that run, proven on symbols and met again on random arrays.

`Rate` says d/dt Q = R along a flow, `Equal` says A = B; both for every state and all constants of a `Space`. On symbols
(SymPy) a statement holds for every dimension; on arrays (NumPy) it is a number, the gap between its two sides.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
import sympy as sp
from sympy.matrices.expressions import MatrixSymbol
from sympy.matrices.expressions.trace import Trace

from linbyol.claims import Run, Verdict, holds_if
from linbyol.equations.combinators import Flow
from linbyol.extremes import largest
from theory.proving.instances import generator
from theory.proving.words import is_symbolic, residual

# What `linbyol prove` runs: each symbolic statement with its twin on arrays, and one trajectory a theorem.
PROVE: tuple[str, ...] = (
    "B1", "B2", "B3", "B4",  # Lemma 1
    "B5", "B6", "B7", "B8",  # Theorem 1
    "B11", "B13", "B100c", "B144",  # Theorem 2
    "B21", "B22", "B23",  # Theorem 3
    "B15", "B19", "B20", "B25", "B26", "B27",  # the reductions, Eqs. 11-13
    "B28", "B33", "B45", "B46", "B63", "B76",  # Eqs. 14, 16, 17
    "B35", "B38", "B39", "B40", "B41", "B140",  # fixed points and their stability
    "M1", "M2", "M4", "M10", "M38",  # deep linear JEPA and MAE, self-predictive features
    "M11", "M13", "M14", "M17", "M18", "M21",  # SIGReg, BHEP and VICReg on Gaussian features
    "M24", "M26", "M27", "M28", "M30", "M31",  # no loss behind the stop-gradient
    "M33", "M34", "M36", "M37c",  # predictors in closed form
)  # fmt: skip

# Gap of two float64 evaluations of one formula, relative to 1 + its size: some 10³ roundings of 1e-16 on instances of
# order one, in sums that add up their errors at random or in a row.
ROUNDING = 2e-13
INSTANCES = 8  # random instances a statement is met on
TINY = 1e-30  # of an imaginary step, whose square vanishes


@dataclass(frozen=True)
class Space:
    """What a statement quantifies over: symbols for SymPy, random arrays for NumPy, and what is known of the symbols.

    y, k        symbolic state and constants; None where the statement is on arrays alone
    instance    (generator) -> (y, k) of arrays; None where it is on symbols alone
    symmetric   matrices equal to their transpose
    rules       products of matrices -> what they are, e.g. {U.T @ U: Identity(d)}
    dimensions  "symbolic", or e.g. "2x3" and why
    """

    y: Any = None
    k: Any = None
    instance: Callable[[Any], tuple[Any, Any]] | None = None
    symmetric: tuple[MatrixSymbol, ...] = ()
    rules: Mapping[Any, Any] = field(default_factory=dict)
    dimensions: str = "symbolic"


@dataclass(frozen=True)
class Equal:
    """left(y, k) = right(y, k), fields of a named tuple one by one."""

    space: Space
    left: Callable[[Any, Any], Any]
    right: Callable[[Any, Any], Any]

    def residual(self) -> str:
        """What the symbols leave of left - right; "" if the statement is proven."""
        y, k = self.space.y, self.space.k
        return _difference(self.left(y, k), self.right(y, k), self.space)

    def gap(self, key: Any) -> float:
        """The largest |left - right| on random arrays, relative to 1 + the size of right."""
        return _gap(lambda y, k: (self.left(y, k), self.right(y, k)), self.space, key)


@dataclass(frozen=True)
class Rate:
    """d/dt quantity(y, k) = rate(y, k) along a flow; the quantity at most quadratic in a state of matrices."""

    space: Space
    flow: Flow
    quantity: Callable[[Any, Any], Any]
    rate: Callable[[Any, Any], Any]

    def residual(self) -> str:
        """What the symbols leave of dQ/dt - R; "" if the statement is proven."""
        y, k = self.space.y, self.space.k
        left, rules = derivative(lambda y: self.quantity(y, k), y, self.flow(y, k), self.space)
        return _difference(left, self.rate(y, k), replace(self.space, rules={**rules, **self.space.rules}))

    def gap(self, key: Any) -> float:
        """The largest |dQ/dt - R| on random arrays, relative to 1 + the size of R."""

        def sides(y: Any, k: Any) -> tuple[Any, Any]:
            return slope(lambda y: self.quantity(y, k), y, self.flow(y, k)), self.rate(y, k)

        return _gap(sides, self.space, key)


@dataclass(frozen=True)
class Descent:
    """The rate of one field of a flow is minus the gradient of a loss in that field: ⟨rate, V⟩ = -d loss[V] for all V.

    loss  (y, k) -> scalar, at most quadratic in the field; traces by `trace`
    On explicit matrices the gradient is taken entry by entry, on symbols as d loss[V] for a free matrix V.
    """

    space: Space
    flow: Flow
    name: str
    loss: Callable[[Any, Any], Any]

    def residual(self) -> str:
        """What the symbols leave of ⟨rate, V⟩ + d loss[V]; "" if the statement is proven."""
        y, k = self.space.y, self.space.k
        A, rate = getattr(y, self.name), getattr(self.flow(y, k), self.name)
        if not is_symbolic(A):
            loss = self.loss(y, k)
            return _difference(rate, -A.applyfunc(lambda a: sp.diff(loss, a)), self.space)
        V = MatrixSymbol("V", *A.shape)
        slope, rules = derivative(lambda z: self.loss(y._replace(**{self.name: z[0]}), k), (A,), (V,), self.space)
        return _difference(trace(rate @ V.T), -slope, replace(self.space, rules={**rules, **self.space.rules}))

    def gap(self, key: Any) -> float:
        """The largest |rate + ∇loss| on random arrays, the gradient entry by entry, relative to 1 + its size."""

        def sides(y: Any, k: Any) -> tuple[Any, Any]:
            gradient = slopes(lambda A: self.loss(y._replace(**{self.name: A}), k), getattr(y, self.name))
            return getattr(self.flow(y, k), self.name), -gradient

        return _gap(sides, self.space, key)


Statement = Equal | Rate | Descent


def derivative(Q: Callable[[Any], Any], y: Any, v: Any, space: Space) -> tuple[Any, dict]:
    """d/dt Q(y) where dy/dt = v, on symbols, with rules that stand v in for its letters.

    Matrices: (Q(y + dy) - Q(y - dy)) / 2, exact where Q is at most quadratic along dy, else ValueError.
    Scalars: Σ ∂Q/∂yᵢ vᵢ.
    """
    if not is_symbolic(y[0]):
        return map_fields(lambda q: sum(sp.diff(q, a) * b for a, b in zip(y, v, strict=True)), Q(y)), {}
    letters = [MatrixSymbol(f"d{i}", *A.shape) for i, A in enumerate(y)]
    at = {c: Q(_moved(y, letters, c)) for c in (-1, 0, 1, 2, 3)}
    cubic = map_fields(lambda a, b, c, d: a - 3 * b + 3 * c - d, at[3], at[2], at[1], at[0])
    if _difference(cubic, map_fields(lambda a: 0 * a, cubic), space):
        raise ValueError("The quantity is not quadratic in the state.")
    return map_fields(lambda a, b: (a - b) / 2, at[1], at[-1]), dict(zip(letters, v, strict=True))


def slope(Q: Callable[[Any], Any], y: Any, v: Any) -> Any:
    """d/dt Q(y) where dy/dt = v, on NumPy arrays: exact to rounding by an imaginary step, for Q analytic in y."""
    return jax.tree.map(lambda q: q.imag / TINY, Q(jax.tree.map(lambda a, b: a + 1j * TINY * b, y, v)))


def slopes(Q: Callable[[np.ndarray], Any], A: np.ndarray) -> np.ndarray:
    """The gradient of a number Q in the entries of A, by the same."""
    units = np.eye(A.size).reshape(-1, *A.shape)
    return np.array([slope(Q, A, unit) for unit in units]).reshape(A.shape)


def trace(A: Any) -> Any:
    """tr A in either world: of an array, an explicit matrix, or an expression of any dimension."""
    return Trace(A) if is_symbolic(A) else A.trace()


def square(A: Any) -> Any:
    """‖A‖² (Frobenius) as tr(A Aᵀ)."""
    return trace(A @ A.T)


def map_fields(f: Callable, *trees: Any) -> Any:
    """f of the fields of named tuples one by one, or of the values themselves."""
    first = trees[0]
    return type(first)(*map(f, *trees)) if hasattr(first, "_fields") else f(*trees)


def proven(run: Run, statements: Iterable[Statement], condition: Any = True, **numbers: Any) -> Verdict:
    """'holds' if symbols leave nothing of any statement, arrays no more than rounding, and the condition is true."""
    statements = tuple(statements)
    symbolic = [statement for statement in statements if statement.space.y is not None]
    left = [rest for statement in symbolic if (rest := statement.residual())]
    dimensions = sorted({statement.space.dimensions for statement in symbolic}, key=lambda text: text != "symbolic")
    gaps = [
        statement.gap(np.random.default_rng([run.seed, i]))
        for i, statement in enumerate(statements)
        if statement.space.instance is not None
    ]
    found: dict[str, Any] = {"dimensions": "; also ".join(dimensions), "statements": len(symbolic)} if symbolic else {}
    found |= {"largest_gap": largest(gaps), "instances": INSTANCES} if gaps else {}
    found |= {"residual": left[0][:300]} if left else {}
    met = not gaps or largest(gaps) <= ROUNDING
    return holds_if(not left and met and condition, **found, **numbers)


def _moved(y: Any, letters: list[MatrixSymbol], c: int) -> Any:
    fields = [A + c * dA for A, dA in zip(y, letters, strict=True)]
    return type(y)(*fields) if hasattr(y, "_fields") else tuple(fields)


def _difference(left: Any, right: Any, space: Space) -> str:
    rests = map_fields(lambda a, b: residual(sp.sympify(a) - b, space.symmetric, space.rules), left, right)
    return "; ".join(filter(None, rests)) if isinstance(rests, tuple) else rests


def _gap(sides: Callable[[Any, Any], tuple[Any, Any]], space: Space, key: Any) -> float:
    assert space.instance is not None
    rng = generator(key)
    pairs = [_pairs(*sides(*space.instance(rng))) for _ in range(INSTANCES)]
    return largest(np.abs(a - b).max() / (1 + np.abs(b).max()) for instance in pairs for a, b in instance)


def _pairs(left: Any, right: Any) -> list[tuple[Any, Any]]:
    return list(zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True))
