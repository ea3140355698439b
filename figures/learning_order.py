"""The order in which deep linear JEPA and MAE learn two features, against the start of a layer.

What to see: from small starts the ratio of their times is above 1: both losses learn B first, of the larger covariance
λ_d, at every depth. JEPA learns A first, of the larger regression coefficient ρ, only in the shaded window of starts,
which a single layer does not have; MAE never does. Not a figure of the paper (arXiv 2407.03475), whose word "JEPA
learns by ρ" it limits.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import DeepMode
from theory.newer.deep_times import LANES, half_rise
from theory.newer.learning_order import DEPTHS, A, B, starts, window

CAPTION = (
    "The time until A (λ_d 0.8, ρ 0.9) is half risen over that of B (λ_d 1, ρ 0.4), against the start w₀ of each "
    "layer, depth by depth, in deep linear JEPA and MAE. Below 1 A is learned first: JEPA's window is shaded. As w₀ "
    "falls, the ratio goes to that of the covariances, 1/0.8, and ρ is forgotten."
)
CLAIMS = ("M8", "M9", "M9c")
LOSSES = {"JEPA": "Wp", "MAE": "W"}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """The ratio of half-rise times of A and B (starts,) over the starts w₀, by loss and depth, and JEPA's windows."""
    del results
    found: dict[str, Any] = {"windows": {depth: window(depth) for depth in DEPTHS}}
    for name in LOSSES:
        for depth in DEPTHS:
            w0 = starts(name, depth)[: 5 * LANES if fast else None].reshape(-1, LANES)  # lanes as the claims have them
            late, early = (
                np.concatenate([half_rise(name, part, DeepMode(d, d / rho, depth)) for part in w0]) for d, rho in (A, B)
            )
            found[f"{name} {depth}"] = {"w0": w0.ravel(), "ratio": late / early}
    return found


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """One panel a depth."""
    figure, axes = style.panels(1, len(DEPTHS), width="page", height=2.4, sharey=True)
    for ax, depth in zip(axes[0], DEPTHS, strict=True):
        if len(data["windows"][depth]) == 2:
            ax.axvspan(*data["windows"][depth], color=style.COLOURS["basin"], linewidth=0)
        ax.axhline(1, color="0.7", linewidth=0.7)
        ax.axhline(B[0] / A[0], **style.LAW)
        for dash, (name, symbol) in zip(style.DASHES, LOSSES.items(), strict=False):
            panel = data[f"{name} {depth}"]
            ax.plot(panel["w0"], panel["ratio"], color=style.COLOURS[symbol], linestyle=dash)
        ax.set(xscale="log", ylim=(0.6, 2.2), xlabel="start $w_0$")
        ax.set_title(f"$L = {depth}$")
    axes[0, 0].set_ylabel("$t_A / t_B$")
    key = [
        style.entry(name, color=style.COLOURS[symbol], linestyle=dash)
        for dash, (name, symbol) in zip(style.DASHES, LOSSES.items(), strict=False)
    ]
    key += [
        style.entry("ratio of the covariances", **style.LAW),
        style.entry("JEPA learns A first", color=style.COLOURS["basin"], linewidth=6),
    ]
    features = ", ".join(rf"{x}: $\lambda_d = {d:g}$, $\rho = {rho:g}$" for x, (d, rho) in (("A", A), ("B", B)))
    constants = f"{features}. Balanced layers, each from $w_0$; no decay; half of the limit of $w^L$; closed forms."
    return style.finish(figure, constants, key)
