"""What is printed is what runs: each equation, read back from its LaTeX, equals the flow on explicit matrices."""

import re

import pytest
import sympy as sp
from matplotlib.mathtext import MathTextParser

from linbyol import equations as q
from linbyol.checks import InputError
from theory.paper.theorem1 import PROOFS
from theory.proving.latex import definition, equation, latex, law, symbols

FLOWS = {
    "weights": q.weights_flow,
    "simsiam": q.simsiam(q.weights_flow),
    "no stop-gradient": q.no_stop_gradient(q.weights_flow),
    "no predictor": q.no_predictor(q.weights_flow),
    "held target": q.hold(q.weights_flow, "Wa"),
    "unsymmetrised": q.unsymmetrised_flow,
    "symmetric": q.symmetric_flow,
    "modes": q.modes_flow,
    "amplitudes": q.amplitudes_flow,
    "parabola": q.parabola_flow,
}
QUANTITIES = (
    q.balance, q.symmetric_balance, q.mode_balance, q.commutator, q.alignment_rate, q.mode_alignment_rate,
    q.effective_growth, q.target_gradient,
)  # fmt: skip
PRINTED = {
    "weights": [
        r"\dot W = W_p^\top (W_a X - W_p W (X + X')) - \eta W",
        r"\dot W_p = \alpha_p (W_a X - W_p W (X + X')) W^\top - \eta W_p",
        r"\dot W_a = \beta (W - W_a)",
    ],
    "no predictor": [r"\dot W = W_a X - W (X + X') - \eta W", "W_p = I", r"\dot W_a = \beta (W - W_a)"],
    "unsymmetrised": [
        r"\dot W_p = \alpha_p (\tau F - \kappa W_p F) - \eta W_p",
        r"\dot F = \tau (W_p^\top F + F W_p) - \kappa \{W_p^\top W_p, F\} - 2 \eta F",
    ],
    "symmetric": [
        r"\dot W_p = \alpha_p \left(\tau F - \frac{\kappa}{2} \{W_p, F\}\right) - \eta W_p",
        r"\dot F = \tau \{W_p, F\} - \kappa \{W_p^2, F\} - 2 \eta F",
    ],
    "modes": [
        r"\dot p = \alpha_p s (\tau - \kappa p) - \eta p",
        r"\dot s = 2 s (p (\tau - \kappa p) - \eta)",
        r"\dot \tau = \beta (1 - \tau) - \tau (p (\tau - \kappa p) - \eta)",
    ],
    "amplitudes": [
        r"\dot w = w_p (w_a - \kappa w_p w) - \eta w",
        r"\dot w_p = \alpha_p w (w_a - \kappa w_p w) - \eta w_p",
        r"\dot w_a = \beta (w - w_a)",
    ],
    "parabola": [r"\dot p = p^2 (\tau - \kappa p) - \eta p"],
}


@pytest.mark.parametrize("name", PRINTED)
def test_equations_are_printed_as_in_the_paper(name):
    assert equation(FLOWS[name]) == PRINTED[name]


def test_quantities_are_printed_as_in_the_paper():
    assert definition("C", q.balance) == r"C = W W^\top - \frac{1}{\alpha_p} W_p^\top W_p"
    assert definition("L", q.commutator) == "L = [F, W_p]"
    K = r"K = \kappa \left(\frac{\alpha_p}{2} F + W_p^2\right) - \tau W_p + \frac{3 \eta}{2} I"
    assert definition("K", q.alignment_rate) == K


def test_commuting_data_and_separate_decays_have_their_letters():
    assert equation(q.modes_flow, q.Commuting)[0] == r"\dot p = \alpha_p s (\lambda_d \tau - \lambda_s p) - \eta p"
    flow = q.decay(q.weights_flow, Wp=sp.Symbol("eta_p"), W=sp.Symbol("eta_s"))
    assert [line.rsplit(" - ", 1)[1] for line in equation(flow)[:2]] == [r"\eta_s W", r"\eta_p W_p"]


@pytest.mark.parametrize("name", FLOWS)
def test_what_is_printed_is_what_runs(name):
    flow = FLOWS[name]
    state = {"weights_flow": q.Weights, "modes_flow": q.Modes, "amplitudes_flow": q.Amplitudes}.get(
        _bare(flow).__name__, q.Symmetric
    )
    k = explicit(symbols(q.Constants if state is q.Weights else q.Isotropic))
    if flow is q.parabola_flow:
        p = sp.Symbol("p", real=True)
        return check(equation(flow)[0], q.parabola_flow(p, k), q.Modes(p, None, None), k)
    y = explicit(symbols(state))
    rate, seen = flow(y, k), (flow.settle(y, k) if isinstance(flow, q.Ablated) else y)
    for line, symbol, moved, determined in zip(equation(flow), y, rate, seen, strict=True):
        check(line, moved if determined == symbol else determined, y, k)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda f: f.__name__)
def test_quantities_read_back(quantity):
    state = {"balance": q.Weights, "target_gradient": q.Weights, "symmetric_balance": q.Symmetric}.get(
        quantity.__name__,
        q.Symmetric if quantity in (q.commutator, q.alignment_rate) else q.Modes,
    )
    y, k = explicit(symbols(state)), explicit(symbols(q.Constants if state is q.Weights else q.Isotropic))
    check(definition("Q", quantity), quantity(y, k), y, k)


@pytest.mark.parametrize("name", FLOWS)
def test_lines_are_fit_to_print(name):
    parser = MathTextParser("path")
    for line in equation(FLOWS[name]):
        assert not re.search(r"\+ -|- -|--|\+$|\( ", line), line
        assert not re.search(r"(?<![\\\w])(Wp|Wa|X_aug|alpha|beta|eta|kappa|tau|sigma)", line), line
        assert line.count("(") == line.count(")")
        parser.parse(f"${line}$")  # raises where matplotlib cannot set it


def test_awkward_sums():
    A, B = sp.MatrixSymbol("A", 3, 3), sp.MatrixSymbol("B", 3, 3)
    x, eta = sp.symbols("x eta")
    assert latex(-A @ B - B @ A) == "-A B - B A"  # not an anticommutator with a sign lost
    assert latex(A @ B + B @ A) == r"\{A, B\}"
    assert latex(B @ A - A @ B) == "[B, A]"
    assert latex(B - A @ B) == "B - A B"
    assert latex(A @ B + B @ A + A) == "A + A B + B A"
    assert latex(A @ (A @ B - B @ A) - (A @ B - B @ A) @ A) == "[A, [A, B]]"
    assert latex(A @ A + A @ A) == "2 A^2"
    assert latex(-(A + B)) == "-A - B"
    assert latex(-x * (1 - x)) == "-x (1 - x)"
    assert latex((A + B).T @ A) == r"(A^\top + B^\top) A"
    assert latex(1 / x - eta + 3 * x / (2 * eta)) == r"\frac{3 x}{2 \eta} + \frac{1}{x} - \eta"


def test_a_law_is_printed_from_its_proof():
    theorem = PROOFS["B5"][0]
    C = r"\left(W W^\top - \frac{1}{\alpha_p} W_p^\top W_p\right)"
    assert law(theorem) == rf"\frac{{d}}{{dt}} {C} = -2 \eta {C}"


def test_a_flow_without_types_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="Argument `flow` must name the types"):
        equation(lambda y, k: y)


def _bare(flow):
    while isinstance(flow, q.Ablated):
        flow = flow.flow
    return flow


def explicit(symbolic):
    """Matrices with entries of their own, d = 2 and n = 3; scalars stay symbols."""
    sizes = {"d": 2, "n": 3}

    def entries(a):
        if not isinstance(a, sp.MatrixSymbol):
            return a
        rows, columns = (sizes[str(size)] for size in a.shape)
        return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{a.name}_{i}{j}"))

    return type(symbolic)(*map(entries, symbolic))


def check(line, value, y, k):
    printed = read(line.split(" = ", 1)[1], y, k)
    difference = value if printed == 0 else value - printed
    difference = difference.applyfunc(sp.expand) if isinstance(difference, sp.MatrixBase) else sp.expand(difference)
    assert difference == 0 * difference, line


def read(text, y, k):
    """The value of a LaTeX right-hand side: products are implicit, as in print."""
    names = {"W_p": "Wp", "W_a": "Wa", "X'": "X_aug", "w_p": "wp", "w_a": "wa", r"\kappa": "kappa", "I": "I"}
    names |= {rf"\{name}": name for name in ("alpha_p", "beta", "eta", "tau", "lambda_d", "lambda_s")}
    values = {**k._asdict(), **{name: a for name, a in y._asdict().items() if a is not None}}
    values |= {
        "kappa": sp.Symbol("kappa", real=True),
        "I": sp.eye(2),
        "anti": lambda A, B: A * B + B * A,
        "comm": lambda A, B: A * B - B * A,
        "Q": sp.Integer,
    }
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text.replace(r"\left", "").replace(r"\right", ""))
    text = text.replace(r"\{", "anti(").replace(r"\}", ")").replace("[", "comm(").replace("]", ")")
    tokens = re.findall(r"anti\(|comm\(|\\?[A-Za-z]+(?:_[a-z])?'?|\d+|\^\\top|\^\d|[-+/(),]", text)
    assert "".join(tokens) == text.replace(" ", ""), text
    python, ends = "", False  # ends: whether what stands so far ends a factor
    for token in tokens:
        begins = token not in "+-/),^" and not token.startswith("^")
        if begins and ends:
            python += " * "
        if token.startswith("^"):
            python += ".T" if token == r"^\top" else f"**{token[1:]}"
        else:
            python += f"Q({token})" if token.isdigit() else names.get(token, token)
        ends = token == ")" or token.startswith("^") or (begins and not token.endswith("("))
    return eval(python, {}, values)
