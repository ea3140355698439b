"""Power series as numbers: a flow that is given them gives the Taylor coefficients of its own solution.

A flow of `+ - * / @ .T` and whole powers is read as it stands. Coefficient n + 1 of the state is coefficient n of the
rate over n + 1, and coefficient n of the rate asks for none of the state beyond n, so each is worked out when it is
asked for, and once: O(n²) products for n of them. What has no series here (`jnp.sin`, `jnp.where`, a branch) is refused
by `TypeError`.
"""

from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import jax
import jax.numpy as jnp

from linbyol.equations.combinators import Flow

Number = Any  # an array, or a number


class Series:
    """Σ x[n] tⁿ, of numbers or of arrays."""

    __array_ufunc__ = None  # NumPy's arrays leave operations to the series
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, rule: Callable[[int], Number] | None, one: Number = None) -> None:
        """`rule(n)` is coefficient n; `one` is a 1 whose value the compiler does not know, see `_factor`."""
        self.rule, self.one = rule, one
        self.known: list[Number] = []
        self.factor: Series | None = None

    def __getitem__(self, n: int) -> Number:
        """Coefficient n."""
        while len(self.known) <= n:
            assert self.rule is not None
            self.known.append(self.rule(len(self.known)))
        return self.known[n]

    def __add__(self, other: Any) -> "Series":
        if isinstance(other, Series):
            return self._of(lambda n: self[n] + other[n])
        return self._of(lambda n: self[n] + other if n == 0 else self[n])

    def __sub__(self, other: Any) -> "Series":
        if isinstance(other, Series):
            return self._of(lambda n: self[n] - other[n])
        return self._of(lambda n: self[n] - other if n == 0 else self[n])

    def __rsub__(self, other: Any) -> "Series":
        return self._of(lambda n: other - self[n] if n == 0 else -self[n])

    def __neg__(self) -> "Series":
        return self._of(lambda n: -self[n])

    def __mul__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return Scaled(other, self)
        if isinstance(other, Scaled):
            return Scaled(other.number, self * other.series)
        if isinstance(self, Scaled):
            return Scaled(self.number, self.series * other)
        a, b = _factor(self), _factor(other)
        if a is not b:
            return self._of(lambda n: _sum([a[i] * b[n - i] for i in range(n + 1)]))

        def square(n: int) -> Number:
            twice = [_sum([a[i] * a[n - i] for i in range((n + 1) // 2)])] * 2 if n else []
            return _sum([*twice, *([a[n // 2] * a[n // 2]] if n % 2 == 0 else [])])

        return self._of(square)

    def __matmul__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return self._of(lambda n: self[n] @ other)
        a, b = _factor(self), _factor(other)
        return self._of(lambda n: _sum([a[i] @ b[n - i] for i in range(n + 1)]))

    def __rmatmul__(self, other: Any) -> "Series":
        return self._of(lambda n: other @ self[n])

    def __truediv__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return self._of(lambda n: self[n] / other)
        a, b = self, _factor(other)
        q = self._of(None)
        q.rule = lambda n: _sum([a[n], *(-(b[i] * q[n - i]) for i in range(1, n + 1))]) / b[0]
        return q

    def __rtruediv__(self, other: Any) -> "Series":
        return (0 * self + other) / self

    def __pow__(self, exponent: Any) -> "Series":
        if not isinstance(exponent, int):
            raise TypeError(f"A series has whole powers, not {exponent!r}.")
        if exponent < 0:
            return 1 / self**-exponent
        if exponent == 0:
            return 0 * self + 1
        half = self ** (exponent // 2) if exponent > 1 else None
        return self if half is None else half * half if exponent % 2 == 0 else half * half * self

    __radd__, __rmul__ = __add__, __mul__

    @property
    def T(self) -> "Series":
        """The transpose."""
        return self._of(lambda n: self[n].T)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each coefficient."""
        return jnp.shape(self[0])

    @property
    def dtype(self) -> Any:
        """Of the coefficients."""
        return jnp.result_type(self[0])

    def _unordered(self, *_: Any) -> Any:
        raise TypeError("A series has no truth value and no order.")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = _unordered  # type: ignore[assignment]

    def _of(self, rule: Callable[[int], Number] | None) -> "Series":
        return Series(rule, self.one)


class Scaled(Series):
    """A number times a series: products pull the number out, so that factors in common are worked out once."""

    def __init__(self, number: Number, series: Series) -> None:
        super().__init__(lambda n: number * series[n], series.one)
        self.number, self.series = number, series


class State(Series):
    """A field of a solution."""


def solution(flow: Flow, y: Any, k: Any, one: Number = 1.0) -> list[Series]:
    """The leaves of the solution of dy/dt = flow(y, k) from y, as series in t.

    Raises `TypeError` or `AttributeError` where the flow has no series.
    """
    leaves, tree = jax.tree.flatten(y)
    states: list[Series] = [State(None, one) for _ in leaves]
    for state, leaf in zip(states, leaves, strict=True):
        state.known = [leaf]
    rates = jax.tree.leaves(flow(jax.tree.unflatten(tree, states), k), is_leaf=lambda x: isinstance(x, Series))
    for state, rate in zip(states, rates, strict=True):
        state.rule = _integral(state, rate)
    return states


def value(x: Series, order: int, t: Number) -> Number:
    """The polynomial of the first order + 1 terms at t, by Horner's rule."""
    return reduce(lambda sum_, n: sum_ * t + x[n], range(order - 1, -1, -1), x[order])


def has_series(flow: Flow, shapes: Any, k: Any) -> bool:
    """Whether a flow can be read so, for states and constants of these `ShapeDtypeStruct`s."""
    leaves, tree = jax.tree.flatten((shapes, k))
    try:
        return _known(flow, tree, tuple(leaves))
    except TypeError:  # a flow without a hash
        return _known.__wrapped__(flow, tree, tuple(leaves))


@lru_cache(maxsize=256)
def _known(flow: Flow, tree: Any, leaves: tuple) -> bool:
    y, k = jax.tree.unflatten(tree, leaves)
    try:
        found = jax.eval_shape(lambda y, k: [x[2] for x in solution(flow, y, k)], y, k)
    except (TypeError, AttributeError, ValueError):
        return False
    return all(a.shape == b.shape for a, b in zip(found, jax.tree.leaves(y), strict=True))


def _integral(state: Series, rate: Any) -> Callable[[int], Number]:
    def rule(n: int) -> Number:
        term = rate[n - 1] if isinstance(rate, Series) else rate if n == 1 else 0 * rate
        return jnp.broadcast_to(term / (n * state.one), jnp.shape(state[0]))

    return rule


def _factor(x: Series) -> Series:
    """x as it enters products, where each coefficient is used again and again.

    Each is then the result of a division by what may not be 1, for all the compiler knows: XLA on CPU keeps what it
    holds for expensive, and would work out anything else again for each use (`linbyol.ensemble.rosenbrock` as well).
    """
    if isinstance(x, State):
        return x
    if x.factor is None:
        x.factor = x._of(lambda n: x[n] / x.one)
    return x.factor


def _sum(terms: list[Number]) -> Number:
    return reduce(lambda a, b: a + b, terms)
