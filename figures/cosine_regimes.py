"""The cosine loss on modes, arXiv 2309.16109: ṗ against p at frozen norms, as the norms shrink.

What to see: at large norms the decay wins everywhere and the only equilibrium is p = 0 (collapse). At smaller ones
two more appear, an edge p₋ and a stable p₊, first with some modes left of the edge (acute), then with all of them
right of it (stable).
Not a figure of the paper. Differs: the names are those of the paper's reviews; the criteria are ours. In the flow the
norms move with the modes.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.equations.cosine import Cosine, CosineModes, frozen_flow, norms
from theory.followups.cosine import equilibria

CAPTION = (
    "Rate of a mode p on s = p² under the cosine loss with the norms of a whole state held fixed (κ = 1.3, ρ = 0.2), "
    "for one state at three scales a. Ticks: the modes of the state; points: equilibria, stable (filled) and unstable "
    "(open); shaded: p that would collapse."
)
CLAIMS = ("B95", "B95c")
STATE = np.array([0.15, 0.4, 0.6, 0.8, 1.0, 1.15])
SCALES = (0.6, 0.42, 0.3)
NAMES = ("collapse", "acute", "stable")
K = Cosine(kappa=1.3, rho=0.2)


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Rates (scale, p) over p/a, both in units of the scale a, and the positive equilibria p/a of each scale."""
    del results
    x = np.linspace(0, 1.25, 100 if fast else 500)
    states = [CosineModes(a * STATE, (a * STATE) ** 2) for a in SCALES]
    frozen = [norms(y) for y in states]
    return {
        "x": x,
        "rate": np.stack([frozen_flow(a * x, n, K) / a for a, n in zip(SCALES, frozen, strict=True)]),
        "rests": [equilibria(n, K) / a for a, n in zip(SCALES, frozen, strict=True)],
        "norms": np.array([[n.encoder, n.predictor] for n in frozen]),
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three panels, one a scale."""
    figure, axes = style.panels(1, 3, width="page", height=2.5, sharex=True, sharey=True)
    for i, ax in enumerate(axes[0]):
        x, rate, rests = data["x"], data["rate"][i], data["rests"][i]
        ax.axvspan(0, rests[0] if len(rests) else x[-1], color=style.COLOURS["basin"], linewidth=0)
        ax.axhline(0, color="0.4", linewidth=0.6)
        ax.plot(x, rate, color=style.COLOURS["p"])
        ax.plot(STATE, np.zeros_like(STATE), "|", color="0.3", markersize=7, markeredgewidth=0.9)
        for rest, kind in zip((0, *rests), ("stable", "unstable", "stable"), strict=False):
            ax.plot(rest, 0, **style.POINTS[kind], clip_on=False, zorder=5)
        ax.set(xlim=(0, x[-1]), ylim=(-0.3, 0.2), xlabel="$p/a$")
        encoder, predictor = data["norms"][i]
        ax.set_title(rf"{NAMES[i]}, $a = {SCALES[i]:g}$, $N_\Phi N_\Psi = {encoder * predictor:.2g}$")
    axes[0, 0].set_ylabel(r"$\dot p/a$")
    key = [
        style.entry(r"rate $\dot p$", color=style.COLOURS["p"]),
        style.entry("modes of the state", color="0.3", marker="|", markersize=7),
        style.entry("stable", **style.POINTS["stable"]),
        style.entry("unstable", **style.POINTS["unstable"]),
        Patch(facecolor=style.COLOURS["basin"], label="collapses at these norms"),
    ]
    constants = (
        r"$\kappa = 1.3$, $\rho = 0.2$, $s = p^2$; modes $p/a = $"
        + ", ".join(f"{p:g}" for p in STATE)
        + r"; $N_\Phi$, "
        r"$N_\Psi$: norms of encoder and predictor, held."
    )
    return style.finish(figure, constants, key)
