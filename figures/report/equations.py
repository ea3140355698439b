"""The equations of the report, printed from the functions that are integrated and proven."""

from collections.abc import Sequence
from html import escape
from typing import Any

import theory
from figures.mathematics import Sheet
from linbyol import equations
from linbyol.claims import Result, modules
from linbyol.equations import deep_linear, isoloss, landscape, stepwise
from theory.proving.latex import definition, equation, law

FLOWS: tuple[tuple[str, Any, type | None], ...] = (
    ("Lemma 1, Eqs. 2–4: BYOL with a moving target", equations.weights_flow, None),
    ("Eqs. 62–63: isotropic data, any predictor", equations.unsymmetrised_flow, None),
    ("Eq. 7: isotropic data, symmetrised predictor", equations.symmetric_flow, None),
    ("Eqs. 11–13: one eigenmode", equations.modes_flow, None),
    ("Eqs. 104–106 with decay: one mode of commuting data", equations.amplitudes_flow, equations.Commuting),
    ("Eq. 16: a mode on the invariant parabola", equations.parabola_flow, None),
    ("Deep linear networks (Saxe et al. 2013): one mode of two layers", deep_linear.pair_flow, None),
    ("IsoLoss (arXiv 2212.04858): an eigenvalue under the squared distance", isoloss.euclidean_flow, None),
    ("IsoLoss: the same with equal rates for all eigenvalues", isoloss.euclidean_isoloss_flow, None),
    ("The landscape of the loss without stop-gradient", landscape.landscape_flow, None),
    ("Stepwise learning (arXiv 2303.15438): the embedding", stepwise.stepwise_flow, None),
    ("Stepwise learning: one singular value", stepwise.singular_flow, None),
    ("Deep JEPA (arXiv 2407.03475): one feature of a layer", equations.jepa_flow, None),
    ("MAE (arXiv 2407.03475): one feature of a layer", equations.mae_flow, None),
)
DEFINITIONS = (
    ("Theorem 1: the imbalance of encoder and predictor", r"C e^{-2 \eta t}", equations.balance),
    ("Eq. 14: the imbalance of a mode", r"c_j e^{-2 \eta t}", equations.mode_balance),
    ("Theorem 3: the commutator", "L", equations.commutator),
    ("Theorem 3: the rate of alignment", "K", equations.alignment_rate),
    ("Eq. 17: the rate of alignment of a mode", "K_j", equations.mode_alignment_rate),
    ("Eq. 17: the growth of a mode", r"\Delta_j", equations.effective_growth),
)
LAWS = ("B5", "B8", "B21", "B28")  # claims whose statement is shown as the proof has it
PRINTED = {flow.__name__ for _, flow, _ in FLOWS} | {quantity.__name__ for _, _, quantity in DEFINITIONS}


def section(results: Sequence[Result]) -> str:
    """The section of equations, with the glyphs that they are set in."""
    titles = {result.claim.id: result.claim.title for result in results}
    blocks = [(flow.__name__, text, equation(flow, constants)) for text, flow, constants in FLOWS]
    blocks += [(quantity.__name__, text, [definition(name, quantity)]) for text, name, quantity in DEFINITIONS]
    laws = _laws().items()
    blocks += [(f"law-{id}", f"{id}, as proven: {titles.get(id, '')}".rstrip(": "), lines) for id, lines in laws]
    sheet = Sheet()
    entries = "\n".join(
        f'<dt id="{anchor}">{escape(text)}</dt>' + "".join(f"<dd>{sheet.svg(line)}</dd>" for line in lines)
        for anchor, text, lines in blocks
    )
    return (
        '<section id="equations">\n<h2>Equations</h2>\n<p>Printed from the functions that are integrated and proven. '
        "κ = 1 + σ², [A, B] = A B − B A, {A, B} = A B + B A; X and X′ are the second moments of the mean "
        f"of a sample's views, and of the views around it.</p>\n{sheet.glyphs}\n<dl class='equations'>\n{entries}\n"
        "</dl>\n</section>"
    )


def anchored(name: str) -> str:
    """A function's name, leading to its equation where the report prints it."""
    word, short = f"<code>{escape(name)}</code>", name.rpartition(".")[2]
    return f'<a href="#{short}">{word}</a>' if short in PRINTED else word


def _laws() -> dict[str, list[str]]:
    """The laws behind some claims, each line once, as the theory's proofs have them."""
    found: dict[str, list[str]] = {}
    for module in modules(theory, lambda sentence: None):  # the run that checks the claims has told of it
        for id, statements in getattr(module, "PROOFS", {}).items():
            if id in LAWS:
                laws = [law(statement) for statement in statements if hasattr(statement, "quantity")]
                found[id] = list(dict.fromkeys(laws))
    return {id: found[id] for id in LAWS if found.get(id)}
