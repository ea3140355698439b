"""Laws of the words: transposes, symmetric letters, rules and traces; and that what is not zero is not called zero."""

import pytest
import sympy as sp
from sympy.matrices.expressions import Identity, MatrixSymbol, Transpose, ZeroMatrix
from sympy.matrices.expressions.trace import Trace

from linbyol.equations import balance, weights_flow
from theory.proving.spaces import WEIGHTS
from theory.proving.words import InexactError, is_zero, residual

d, n = sp.symbols("d n", integer=True, positive=True)
a, b = sp.symbols("a b")
A, B, C = (MatrixSymbol(name, d, d) for name in "ABC")
W = MatrixSymbol("W", d, n)
u = MatrixSymbol("u", d, 1)
I = Identity(d)  # noqa: E741

ZEROS = [
    (A + B) @ C - A @ C - B @ C,
    (a * A @ B).T - a * B.T @ A.T,
    (A @ A) @ A - A**3,
    A @ I - A,
    A**0 - I,
    (a + b) * A - a * A - b * A,
    (a * A - A @ B / b) @ (A - B) * b - a * b * A @ A + a * b * A @ B + A @ B @ A - A @ B @ B,
    W @ W.T @ A - (A.T @ W @ W.T).T,
    Trace(A @ B) - Trace(B @ A),
    Trace(A @ B @ C) - Trace(C @ A @ B),
    Trace(W @ W.T @ A) - Trace(A.T @ W @ W.T),
    a * Trace(A + 2 * B) - a * Trace(A) - 2 * a * Trace(B.T),
    Trace(I) - d,
    a / (a * b) - 1 / b + 0 * Trace(A),
]
NOT_ZEROS = [
    A @ B - B @ A,
    A - A.T,
    A @ B.T - A @ B,
    a * A - b * A,
    A**2 - A,
    A - I,
    Trace(A @ B @ C) - Trace(A @ C @ B),
    Trace(A @ A) - Trace(A @ A.T),
    Trace(W @ W.T) - d,
    a - b,
]


@pytest.mark.parametrize("expr", ZEROS, ids=str)
def test_identities_hold(expr):
    assert residual(expr) == ""


@pytest.mark.parametrize("expr", NOT_ZEROS, ids=str)
def test_what_does_not_vanish_is_refused(expr):
    assert residual(expr)


def test_symmetric_letters():
    assert is_zero(A.T @ B - A @ B, symmetric=(A,))
    assert not is_zero(A.T @ B - A @ B, symmetric=(B,))
    assert is_zero(Trace(A @ B @ C) - Trace(A @ C @ B), symmetric=(A, B, C))  # tr M = tr Mᵀ
    assert not is_zero(A @ B - B @ A, symmetric=(A, B))


def test_rules_rewrite_products_and_their_transposes():
    rules = {A.T @ A: I, A @ u: a * u}
    assert is_zero(B @ A.T @ A @ C - B @ C, rules=rules)
    assert is_zero(A @ A @ u - a**2 * u, rules=rules)
    assert is_zero(u.T @ A.T - a * u.T, rules=rules)
    assert not is_zero(A @ A.T - I, rules=rules)
    assert not is_zero(A.T @ u - a * u, rules=rules)
    assert is_zero(A @ u, rules={A @ u: ZeroMatrix(d, 1)})


def test_rules_that_go_in_circles_are_told():
    with pytest.raises(ValueError, match="circles"):
        residual(A @ B, rules={A @ B: B @ A, B @ A: A @ B})


def test_decimals_prove_nothing():
    for expr in (0.5 * A - A @ B, sp.Float(0.5) * a - b, Trace(0.5 * A) - Trace(B)):
        with pytest.raises(InexactError):
            residual(expr)


def test_what_is_no_polynomial_is_told():
    with pytest.raises(TypeError, match="polynomial"):
        residual(A.inv() @ B - B)


def test_explicit_matrices_are_read_entry_by_entry():
    M = sp.Matrix(2, 2, sp.symbols("m:4"))
    assert residual(M @ sp.eye(2) - M) == ""
    assert residual(M - M.T)


def test_words_agree_with_sympys_own_expansion():
    y, k = WEIGHTS.y, WEIGHTS.k
    rate = weights_flow(y, k)
    moved = rate.W @ y.W.T + y.W @ rate.W.T - (rate.Wp.T @ y.Wp + y.Wp.T @ rate.Wp) / k.alpha_p
    for sign, zero in ((1, True), (-1, False)):
        expr = moved + sign * 2 * k.eta * balance(y, k)
        expanded = expr.doit().expand().doit().subs({Transpose(S): S for S in (k.X, k.X_aug)}).doit()
        assert (expanded == ZeroMatrix(*expr.shape) or expanded == 0) is zero
        assert is_zero(expr, WEIGHTS.symmetric) is zero
