"""MathML of an equation, term by term, so that a page can put numbers in and mark the terms that a slider moves."""

from collections.abc import Mapping
from typing import Any

import sympy as sp

LETTERS = {
    "alpha_p": "<msub><mi>α</mi><mi>p</mi></msub>", "lambda_d": "<msub><mi>λ</mi><mi>d</mi></msub>",
    "lambda_s": "<msub><mi>λ</mi><mi>s</mi></msub>", "lambda_f": "<msub><mi>λ</mi><mi>f</mi></msub>",
    "wp": "<msub><mi>w</mi><mi>p</mi></msub>", "wa": "<msub><mi>w</mi><mi>a</mi></msub>",
    "sigma2": "<msup><mi>σ</mi><mn>2</mn></msup>", "tau": "<mi>τ</mi>", "beta": "<mi>β</mi>", "eta": "<mi>η</mi>",
    "kappa": "<mi>κ</mi>", "rho": "<mi>ρ</mi>", "lam": "<mi>λ</mi>", "eps": "<mi>ε</mi>", "alpha": "<mi>α</mi>",
    "depth": "<mi>l</mi>", "encoder": "<msub><mi>N</mi><mi>Φ</mi></msub>",
    "predictor": "<msub><mi>N</mi><mi>Ψ</mi></msub>", "overlap": "<mi>T</mi>",
}  # fmt: skip
STATE = ("tau", "w", "wp", "wa", "p", "s", "lam")  # stand behind the constants in a product
DECAY = ("eta", "rho")  # of which a term stands last


def letter(name: str) -> str:
    """A symbol in the paper's letters; it says its name, so that a number can take its place."""
    return f'<mrow data-name="{name}">{LETTERS.get(name, f"<mi>{name}</mi>")}</mrow>'


def equation(name: str, rate: Any, means: Mapping[str, Any]) -> str:
    """`ṗ = …`: each term an element that lists in `data-uses` what it depends on, through what its letters mean too."""
    dot = LETTERS.get(name, f"<mi>{name}</mi>").replace("</mi>", "\u0307</mi>", 1)  # a dot above the letter
    return _math(dot, rate, means) + "".join(_math(letter(part), value, {}) for part, value in means.items())


def _math(left: str, rate: Any, means: Mapping[str, Any]) -> str:
    text = ""
    for i, term in enumerate(sorted(sp.Add.make_args(rate), key=_late)):
        negative = term.could_extract_minus_sign()
        sign = "<mo>−</mo>" if negative else "<mo>+</mo>" if i else ""
        deep = term.subs({sp.Symbol(part): value for part, value in means.items()})
        uses = " ".join(sorted(symbol.name for symbol in term.free_symbols | deep.free_symbols))
        text += f'{sign}<mrow class="term" data-uses="{uses}">{_print(-term if negative else term)}</mrow>'
    return f"<math><mrow>{left}<mo>=</mo>{text}</mrow></math>"


def _print(x: Any) -> str:
    if isinstance(x, sp.Symbol):
        return letter(x.name)
    if isinstance(x, sp.Rational) and not x.is_Integer:
        return f"<mfrac><mn>{x.p}</mn><mn>{x.q}</mn></mfrac>" if x > 0 else f"<mo>−</mo>{_print(-x)}"
    if isinstance(x, sp.Number):
        return f"<mn>{x}</mn>" if x >= 0 else f"<mo>−</mo><mn>{-x}</mn>"
    if isinstance(x, sp.Add):
        terms = sorted(x.args, key=_late)
        signs = [term.could_extract_minus_sign() for term in terms]
        parts = [
            ("<mo>−</mo>" if minus else "<mo>+</mo>" if i else "") + _print(-term if minus else term)
            for i, (term, minus) in enumerate(zip(terms, signs, strict=True))
        ]
        return "".join(parts)
    if isinstance(x, sp.Mul):
        above, below = sp.fraction(x)
        if below != 1 and not below.is_Integer:
            return f"<mfrac><mrow>{_print(above)}</mrow><mrow>{_print(below)}</mrow></mfrac>"
        number, rest = x.as_coeff_Mul()
        factors = sorted(sp.Mul.make_args(rest), key=_place)
        return ("" if number == 1 else _print(number)) + "".join(map(_factor, factors))
    if isinstance(x, sp.Pow):
        if x.exp == sp.Rational(1, 2):
            return f"<msqrt>{_print(x.base)}</msqrt>"
        if x.exp.is_number and x.exp < 0:
            return f"<mfrac><mn>1</mn><mrow>{_print(1 / x)}</mrow></mfrac>"
        base = (
            f"<mo>(</mo>{_print(x.base)}<mo>)</mo>"
            if x.base.args and not isinstance(x.base, sp.Max)
            else _print(x.base)
        )
        return f"<msup><mrow>{base}</mrow><mrow>{_print(x.exp)}</mrow></msup>"
    if isinstance(x, sp.Max):
        return f"<mi>max</mi><mo>(</mo>{'<mo>,</mo>'.join(_print(arg) for arg in reversed(x.args))}<mo>)</mo>"
    raise TypeError(f"No MathML for {type(x).__name__}: {x}")


def _factor(x: Any) -> str:
    return f"<mo>(</mo>{_print(x)}<mo>)</mo>" if isinstance(x, sp.Add) else _print(x)


def _late(term: Any) -> tuple:
    """Growth before losses, decay last."""
    names = {symbol.name for symbol in term.free_symbols}
    plain = not isinstance(term, sp.Mul) or not any(isinstance(factor, sp.Add) for factor in term.args)
    return bool(names & set(DECAY)) and plain, term.could_extract_minus_sign(), str(term)


def _place(factor: Any) -> tuple:
    """Numbers and constants before the state, sums last."""
    name = next(iter(sorted(symbol.name for symbol in factor.free_symbols)), "")
    return isinstance(factor, sp.Add), name in STATE, STATE.index(name) if name in STATE else 0, name
