"""DirectPred's boost ε (Sec. 4): which ε makes collapse unstable, and where a mode then ends.

What to see: a mode that starts near zero grows if and only if p₋ < ε < p₊, and then ends at s = (p₊ - ε)²: a boost
below the window is useless to it, and above p₊ kills even a strong mode. (b), at one decay: for ε < p₋ both collapse
and the survivor are stable, and the edge between them is √s = p₋ - ε.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.ensemble import solve
from linbyol.equations import Isotropic
from linbyol.equations.directset import DirectSet, Encoder, directset_flow
from linbyol.fixed_points import predictor_roots

CAPTION = (
    "DirectPred with p = √s + ε (κ = 1.25). (a) s at the end against ε for three weight decays, from a start near "
    "zero; lines, (p₊ − ε)² inside the window p₋ < ε < p₊ and 0 outside; points, integrated. (b) Equilibria √s "
    "against ε at η = 0.1, stable (solid) and unstable (dashed), the basin of collapse (shaded), and the ends of "
    "integrated modes from weak (filled) and strong starts (open)."
)
CLAIMS = ("B77", "B78")
ETAS = (0.03, 0.1, 0.15)
SHOWN = 1  # the decay of the right panel
KAPPA = 1.25
WEAK, STRONG = 1e-3, 1.5  # √s at the start
LONG = 2e4  # even 0.002 beside the window's ends the rate is 1e-3 or more


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Ends √s (start, η, ε) of integrated modes, and the levels p₋ and p₊, each (η,)."""
    del results
    eps = np.linspace(0.0, 0.9, 19 if fast else 46) + 0.004
    start, eta, boost = (x.reshape(-1) for x in np.meshgrid([WEAK, STRONG], ETAS, eps, indexing="ij"))
    k = DirectSet(alpha=0.5, eta=eta, lambda_s=KAPPA, eps=boost)
    end = solve(directset_flow, Encoder(start), k, LONG, rtol=1e-8, atol=1e-16)
    if not end.ok.all():
        raise RuntimeError("A mode did not reach its last time.")
    _, low, high = predictor_roots(Isotropic(1.0, 0.0, np.array(ETAS), KAPPA - 1))
    lam = np.asarray(end.y.lam).reshape(2, len(ETAS), len(eps))
    return {"eps": eps, "lam": lam, "low": np.asarray(low), "high": np.asarray(high)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """The window on the left, the bifurcation in ε on the right."""
    figure, axes = style.panels(1, 2, width="page", height=3.0)
    left, right = axes[0]
    key: list[Any] = []
    for i, look in enumerate(style.lines("s", len(ETAS))):
        low, high = data["low"][i], data["high"][i]
        inside = np.linspace(low, high, 200)
        law = np.concatenate([[0, 0], (high - inside) ** 2, [0]])
        left.plot(np.concatenate([[0, low], inside, [1]]), law, color=look["color"], linewidth=1.1)
        dots = style.DOTS | {"marker": "osD"[i], "color": look["color"]}
        left.plot(data["eps"], data["lam"][0, i] ** 2, **dots, clip_on=False, zorder=4)
        key.append(
            style.entry(rf"$\eta = {ETAS[i]:g}$: $p_- = {low:.3f}$, $p_+ = {high:.3f}$", **dots | {"linestyle": "-"})
        )
    left.set(xlim=(0, 0.9), ylim=(0, None), xlabel=r"$\epsilon$", ylabel=r"$s$ at the end", title="from a weak start")
    key.append(style.entry(r"line: $(p_+ - \epsilon)^2$ where $p_- < \epsilon < p_+$", color="0.4", linewidth=1.1))
    key.append(style.entry("points: integrated", color="0.4", **style.DOTS))
    left.legend(handles=key, loc="upper right")
    _draw_equilibria(right, data)
    constants = (
        rf"$\kappa = {KAPPA:g}$, $\tau = 1$, predictor set to $p = \sqrt{{s}} + \epsilon$; weak and strong starts: "
        rf"$\sqrt{{s}} = $ $10^{{-3}}$ and {STRONG:g}; ends at $t = 2 \times 10^4$."
    )
    return style.finish(figure, constants)


def _draw_equilibria(ax: Any, data: dict[str, Any]) -> None:
    low, high = data["low"][SHOWN], data["high"][SHOWN]
    stable, unstable = style.COLOURS["stable"], style.COLOURS["unstable"]
    dashed = {"color": unstable, "linestyle": style.DASHES[1], "linewidth": 1.4, "clip_on": False}
    ax.fill_between([0, low], [low, 0], color=style.COLOURS["basin"], linewidth=0)
    ax.axvspan(high, 0.9, color=style.COLOURS["basin"], linewidth=0)
    ax.plot([0, high], [high, 0], color=stable)
    ax.plot([0, low], [low, 0], **dashed)
    ax.plot([low, high], [0, 0], **dashed)
    for ends in ((0, low), (high, 0.9)):
        ax.plot(ends, [0, 0], color=stable, linewidth=2, clip_on=False)
    dots: dict[str, Any] = {"marker": "o", "linestyle": "none", "color": "0.25", "clip_on": False, "zorder": 5}
    weak = dots | {"markersize": 2}
    strong = dots | {"markersize": 4.2, "markerfacecolor": "none", "markeredgewidth": 0.6}
    every = slice(None, None, 2)
    ax.plot(data["eps"][every], data["lam"][0, SHOWN, every], **weak)
    ax.plot(data["eps"][every], data["lam"][1, SHOWN, every], **strong)
    for x, letter in ((low, "$p_-$"), (high, "$p_+$")):
        ax.axvline(x, color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        ax.annotate(letter, (x, 0.9), (3, 0), textcoords="offset points", fontsize=7)
    key = [
        style.entry("stable", color=stable),
        style.entry("unstable", color=unstable, linestyle=style.DASHES[1], linewidth=1.4),
        style.entry("end of a weak start", **weak),
        style.entry("end of a strong start", **strong),
        Patch(facecolor=style.COLOURS["basin"], label="basin of collapse"),
    ]
    ax.set(xlim=(0, 0.9), ylim=(0, 0.98), xlabel=r"$\epsilon$", ylabel=r"$\sqrt{s}$ at rest")
    ax.set_title(rf"equilibria, $\eta = {ETAS[SHOWN]:g}$")
    ax.legend(handles=key, loc="upper right", bbox_to_anchor=(0.76, 1.03))
