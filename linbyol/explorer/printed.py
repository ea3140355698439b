"""Equations as JavaScript and MathML: flows are called on symbols, and what comes out is printed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from linbyol.equations import (
    Commuting,
    Held,
    Isotropic,
    Modes,
    mode_alignment_rate,
    mode_balance,
    modes_flow,
    parabola_flow,
)
from linbyol.explorer.flows import FLOWS, Shown
from linbyol.explorer.mathml import equation

EXAMPLE = {
    "eta": sp.Rational(1, 20),
    "lambda_d": 1,
    "lambda_s": sp.Rational(5, 4),
    "tau": 1,
}  # tells p_minus from p_plus


def script() -> str:
    """A JavaScript object of all flows and of what the plane of (p, s) needs: nullclines, fixed points, Jacobian."""
    flows = ",\n".join(f"  {name}: {_flow(shown)}" for name, shown in FLOWS.items())
    return f"const printed = {{\nflows: {{\n{flows}\n}},\n{_plane()}\n}};\n"


def function(arguments: Mapping[str, Sequence[str]], results: Mapping[str, Any]) -> str:
    """`(y, k) => {…}` that takes objects by field name and gives an object of numbers; common parts are named once."""
    shared, reduced = sp.cse(list(results.values()), symbols=sp.numbered_symbols("x"))
    lines = [f"const {{{', '.join(names)}}} = {name};" for name, names in arguments.items() if names]
    lines += [f"const {symbol} = {sp.jscode(part)};" for symbol, part in shared]
    fields = ", ".join(f"{name}: {sp.jscode(part)}" for name, part in zip(results, reduced, strict=True))
    return f"({', '.join(arguments)}) => {{ {' '.join(lines)} return {{{fields}}}; }}"


def symbols(kind: type) -> Any:
    """A state or constants of symbols that bear the names of their fields."""
    return kind(*(sp.Symbol(name) for name in kind._fields))  # type: ignore[attr-defined]


def rates(shown: Shown, constants: type) -> dict[str, Any]:
    """The rate of each field of the state, as expressions."""
    moved = shown.flow(symbols(shown.state), symbols(constants))
    return {name: sp.sympify(rate) for name, rate in moved._asdict().items()}


def _flow(shown: Shown) -> str:
    variants = []
    for kind in shown.constants:
        found = rates(shown, kind)
        state = list(shown.state._fields)  # type: ignore[attr-defined]
        names = {"y": state, "k": [name for name in kind._fields if name not in state]}  # type: ignore[attr-defined]
        usual = {name: float(value) for name, value in kind._field_defaults.items()}  # type: ignore[attr-defined]
        y, k = symbols(shown.state), symbols(kind)
        named = {name: sp.sympify(quantity(y, k)) for name, quantity in shown.named.items()}
        means = {name: _with_max(value) for name, value in named.items()}
        short = {value: sp.Symbol(name) for name, value in named.items()}
        shown_as = {name: equation(name, rate.subs(short), means) for name, rate in found.items()}
        variants.append(
            f"{{constants: {json.dumps(names['k'])}, defaults: {json.dumps(usual)}, rates: {function(names, found)}, "
            f"equations: {json.dumps(shown_as, ensure_ascii=False)}}}"
        )
    return f"{{state: {json.dumps(state)}, variants: [{', '.join(variants)}]}}"


def _plane() -> str:
    """Of a mode at a held target ratio: what its portrait is drawn from, all solved for by SymPy."""
    y, k, held = symbols(Modes), symbols(Commuting), symbols(Held)
    moved = modes_flow(y, k)
    cubic = sp.sympify(parabola_flow(y.p, held))
    quadratic = sp.cancel(cubic / y.p)
    p_minus, p_plus = sorted(sp.solve(quadratic, y.p), key=lambda root: float(root.subs(EXAMPLE)))
    isotropic = Isotropic(alpha_p=k.alpha_p, beta=k.beta, eta=k.eta, sigma2=k.lambda_s - 1)
    names = {"y": list(Modes._fields), "k": list(Commuting._fields)}
    parts = {
        "nullcline": ({"y": ["p", "tau"], "k": names["k"]}, {"s": _only(sp.solve(moved.p, y.s))}),
        "roots": ({"k": list(Held._fields)}, {"p_minus": p_minus, "p_plus": p_plus}),
        "threshold": ({"k": list(Held._fields)}, {"eta": _only(sp.solve(sp.discriminant(quadratic, y.p), k.eta))}),
        "jacobian": (names, {"pp": moved.p.diff(y.p), "ps": moved.p.diff(y.s), "sp": moved.s.diff(y.p)}
                     | {"ss": moved.s.diff(y.s)}),
        # X = λ_d I is isotropic data with κ = λ_s and a target of λ_d τ
        "alignment": (names, {"K": mode_alignment_rate(y._replace(tau=y.tau * k.lambda_d), isotropic)}),
        "balance": (names, {"c": mode_balance(y, k)}),
        "cubic": ({"y": ["p"], "k": list(Held._fields)}, {"rate": cubic}),
    }  # fmt: skip
    return ",\n".join(f"{name}: {function(*part)}" for name, part in parts.items())


def _with_max(x: Any) -> Any:
    """(a + |a|)/2 as max(a, 0), to be read."""
    signed = [(size, side * size.args[0]) for size in x.atoms(sp.Abs) for side in (1, -1)]
    return x.subs({sp.expand((a + size) / 2): sp.Max(a, 0) for size, a in signed})


def _only(found: list[Any]) -> Any:
    (value,) = found
    return value
