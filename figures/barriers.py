"""Predictors in closed form: the growth of a mode under each rule, and the barrier below which it collapses.

What to see: the predictor p = r(s) decides where a mode stops, p₋ and p₊ what it stops at: each curve of p crosses the
same two levels. NE, not monotone, crosses each of them twice and has a second attractor; the soft projector's barrier
moves with its ε; Visser's iteration, stopped after nine steps, leaves a collapsed mode more than p₋, and so no barrier,
where exact roots have one.
Not a figure of a paper (the rules: Richemond et al. 2023, arXiv 2302.04817).
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Commuting, Modes, effective_growth
from linbyol.fixed_points import predictor_roots
from linbyol.predictors import RULES

CAPTION = (
    "Predictor p (top) and growth of a mode p(λ_d - λ_s p) - η (bottom) against the size √(λ_s s) of the features, "
    "for four predictors in closed form: a mode stops where p meets p₋ or p₊ (dotted), at a barrier (open) or an "
    "attractor (filled). Visser's iteration keeps p above p₋ for a collapsed mode, which therefore grows."
)
CLAIMS = ("M33", "M34", "M35", "M36")
K = Commuting(alpha_p=1.0, beta=0.0, eta=0.05, lambda_d=1.0, lambda_s=1.25)
RULES_SHOWN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("NE", "nash", {}),
    ("Newton-Schulz", "newton-schulz", {"ridge": 0.0}),
    ("Visser, 9 steps", "visser", {"iterations": 9}),
    (r"soft projector, $\varepsilon = 0.3$", "soft-projector", {"eps": 0.3}),
)
ROOT_MAX = 1.5  # of √(λ_s s), which keeps barriers and zero apart


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """p and growth (rules, x) over x = √(λ_s s), the roots p_∓, and each rule's stops: x, and whether it attracts."""
    del results
    x = np.linspace(1e-3, ROOT_MAX, 600 if fast else 4000)
    p = np.asarray(jax.jit(jax.vmap(_predictors))(jnp.asarray(x * x))).T
    growth = np.asarray(effective_growth(Modes(p, 0.0, 1.0), K))
    stops = [_stops(x, row) for row in growth]
    return {"x": x, "p": p, "growth": growth, "roots": np.array(predictor_roots(K)[1:]), "stops": stops}


def _predictors(size: jax.Array) -> jax.Array:
    """p of one mode by each rule."""
    features = size.reshape(1, 1)
    F = K.lambda_d / K.lambda_s * features
    more = {"nash": {"features": features, "cross": F}}
    return jnp.stack([RULES[name](F, F, **more.get(name, {}), **given)[0, 0] for _, name, given in RULES_SHOWN])


def _stops(x: np.ndarray, growth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the growth crosses zero, by the chord, and whether from above."""
    at = np.flatnonzero((growth[1:] > 0) != (growth[:-1] > 0))
    share = growth[at] / (growth[at] - growth[at + 1])
    return x[at] + share * (x[at + 1] - x[at]), growth[at] > 0


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """One column a rule; the predictor above, the growth below."""
    figure, axes = style.panels(2, len(RULES_SHOWN), width="page", height=3.4, sharex=True, sharey="row")
    for i, (title, *_) in enumerate(RULES_SHOWN):
        upper, lower = axes[:, i]
        upper.plot(data["x"], data["p"][i], color=style.COLOURS["p"])
        for root in data["roots"]:
            upper.axhline(root, **style.LAW)
        lower.axhline(0, color="0.7", linewidth=0.7)
        lower.plot(data["x"], data["growth"][i], color=style.COLOURS["s"])
        for x, attracts in zip(*data["stops"][i], strict=True):
            look = style.POINTS["stable" if attracts else "unstable"]
            lower.plot(x, 0, **look, zorder=4, clip_on=False)
            upper.plot(x, np.interp(x, data["x"], data["p"][i]), **look, zorder=4, clip_on=False)
        lower.plot(0, 0, **style.POINTS["stable" if data["growth"][i, 0] < 0 else "unstable"], zorder=5, clip_on=False)
        upper.set_title(title)
        upper.set(xlim=(0, ROOT_MAX), ylim=(-0.25, 1.1))
        lower.set(ylim=(-0.12, 0.18), xticks=[0, 0.5, 1], xlabel=r"$\sqrt{\lambda_s s}$")
    axes[0, 0].set_ylabel("predictor $p$")
    axes[1, 0].set_ylabel(r"growth $\dot w / w$")
    key = [
        style.entry("$p = r(s)$", color=style.COLOURS["p"], linewidth=1.3),
        style.entry("$p_-$, $p_+$", **style.LAW),
        style.entry("growth", color=style.COLOURS["s"], linewidth=1.3),
        style.entry("attracts", **style.POINTS["stable"]),
        style.entry("repels: a barrier", **style.POINTS["unstable"]),
    ]
    constants = (
        r"$\lambda_d = 1$, $\lambda_s = 1.25$, $\eta = 0.05$, $W_a = W$; one mode alone, its predictor set by the rule "
        r"at each moment; Visser with $\eta_v = 1/2$."
    )
    return style.finish(figure, constants, key)
