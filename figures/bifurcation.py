"""Observation 5 as a bifurcation diagram: the fixed points of a mode against the weight decay, for several κ.

What to see: below η_c = 1/4κ two stable fixed points, 0 and p₊, with the saddle p₋ between them, which rises from 0
with the decay: the basin of collapse grows with η. At η_c saddle and survivor meet and vanish. More noise (larger κ)
lowers both p₊ and the threshold. At η = 0 the origin is half-stable, so nothing collapses from p > 0 on the parabola.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic
from linbyol.fixed_points import bifurcation, critical_eta

CAPTION = (
    "Fixed points of a mode against the weight decay η for three noise levels (τ = 1, α_p = 1): p₊ and 0 stable "
    "(solid), the saddle p₋ unstable (dashed), eigenvalue p of the predictor (a) and s of the features (b). "
    "Dots: the thresholds η_c = 1/4κ above which only collapse is left."
)
CLAIMS = ("B35", "B36", "B37", "B51")
SIGMA2S = (0.0, 0.25, 1.0)
ETA_MAX = 0.3
ROOTS = ("0", "p_minus", "p_plus")


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Fixed points p and s (κ, η, 3), whether they are stable, and the fold (κ, 3) of each η_c, p and s."""
    del results
    share = np.sin(np.linspace(0, np.pi / 2, 60 if fast else 400))  # of η_c: dense at the fold, where p moves fastest
    panels, folds = [], []
    for sigma2 in SIGMA2S:
        k = Isotropic(alpha_p=1.0, beta=0.0, eta=0.0, sigma2=sigma2)
        threshold = float(critical_eta(k))
        etas = np.append(threshold * share, ETA_MAX)
        found = bifurcation(k, etas)
        panels.append(found)
        folds.append((threshold, float(found.p[-2, 2]), float(found.s[-2, 2])))
    names = ("eta", "p", "s", "rate", "stable")
    return {name: np.stack([np.asarray(getattr(found, name)) for found in panels]) for name in names} | {
        "fold": np.array(folds),
        "kappa": 1 + np.array(SIGMA2S),
    }


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """p on the left, s on the right."""
    figure, axes = style.panels(1, 2, width="page", height=2.75)
    titles = "predictor", "features"
    for column, (ax, name, title) in enumerate(zip(axes[0], "ps", titles, strict=True)):
        shades = style.shades(name, len(SIGMA2S))
        for i, shade in enumerate(shades):
            eta, values = data["eta"][i], data[name][i]
            below = eta <= data["fold"][i, 0]
            ax.plot(eta[below], values[below, 2], color=shade, linewidth=1.5)
            ax.plot(eta[below], values[below, 1], color=shade, linestyle=style.DASHES[1], linewidth=1.1)
            x, y = data["fold"][i, [0, 1 + column]]
            ax.plot([x, x], [0, y], color=shade, linewidth=0.6, linestyle=(0, (1, 2)))
            ax.plot(x, y, "o", color=shade, markersize=4)
            label = rf"$\kappa = {data['kappa'][i]:g}$"
            ax.annotate(label, (0, values[0, 2]), (3, 3), textcoords="offset points", color=shade, fontsize=7)
        ax.plot([0, ETA_MAX], [0, 0], color="0.2", linewidth=1.5, clip_on=False)
        ax.set(xlim=(0, ETA_MAX), ylim=(0, 1.12), xlabel=r"$\eta$", ylabel=f"${name}$ at rest", title=title)
    key = [
        style.entry(r"stable: $p_+$, and 0 (the axis)", color="0.3", linewidth=1.5),
        style.entry("unstable: $p_-$", color="0.3", linestyle=style.DASHES[1], linewidth=1.1),
        style.entry(r"$\eta_c = \tau^2/4\kappa$, where both meet", color="0.3", marker="o", markersize=4),
    ]
    return style.finish(
        figure, r"$\tau = 1$, $\alpha_p = 1$, $\kappa = 1 + \sigma^2$; on the parabola $s = p^2/\alpha_p$.", key
    )
