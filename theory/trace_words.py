"""Traces of matrix polynomials for symbolic dimensions: tr(A B) = tr(B A), tr(M) = tr(Mᵀ), and nothing else."""

import math
from typing import Any

import sympy

Word = tuple[str, ...]


def trace(M: Any, *, symmetric: tuple = (), skew: tuple = ()) -> dict[Word, Any]:
    """tr M as coefficients of words in the given symbols, each word the first of its rotations and transposes.

    M is a polynomial in matrix symbols (of any dimension) that are symmetric or skew. Traces are equal in every
    dimension if these coefficients are; a word that is minus its own transpose has trace zero.
    """
    parity = {symbol.name: 1 for symbol in symmetric} | {symbol.name: -1 for symbol in skew}
    total: dict[Word, Any] = {}
    for term in sympy.Add.make_args(M.doit().expand().doit().expand()):
        coefficient, product = term.as_coeff_mmul()
        word, sign = _word(product, parity)
        canonical, turn = _canonical(word, parity)
        total[canonical] = total.get(canonical, 0) + coefficient * sign * turn
    expanded = {word: sympy.expand(coefficient) for word, coefficient in total.items()}
    return {word: coefficient for word, coefficient in expanded.items() if coefficient != 0}


def _word(product: Any, parity: dict[str, int]) -> tuple[Word, int]:
    """The names of a product in order, and the sign that transposes of skew symbols give."""
    if product.is_Identity:
        return (), 1
    if product.is_symbol:
        parity[product.name]  # a symbol that is neither symmetric nor skew has no place here
        return (product.name,), 1
    if product.is_MatMul:
        words, signs = zip(*(_word(factor, parity) for factor in product.args), strict=True)
        return sum(words, ()), math.prod(signs)
    word, sign = _word(product.args[0], parity)
    if isinstance(product, sympy.MatPow):
        return word * int(product.exp), sign ** int(product.exp)
    return word[::-1], sign * math.prod(parity[name] for name in word)  # a transpose


def _canonical(word: Word, parity: dict[str, int]) -> tuple[Word, int]:
    """The least rotation of a word or of its transpose, with its sign: 0 where both say the opposite."""
    sign = math.prod(parity[name] for name in word)
    there, back = _rotations(word), _rotations(word[::-1])
    least = min(there | back)
    if least in there and least in back:
        return least, (1 + sign) // 2
    return least, 1 if least in there else sign


def _rotations(word: Word) -> set[Word]:
    return {word[i:] + word[:i] for i in range(len(word))} or {()}
