"""Fig. 4: the rate ṗ of a predictor mode on the invariant parabola, for no, a small and a large weight decay.

What to see: the zeros. Without decay p = 0 (half-stable) and p = τ/κ; below the threshold 0, p₋ and p₊, of which p₋
is the edge of the basin of collapse; above it only 0. Arrows on the axis show where p moves.
Differs: the paper's drawing omits the factor κ in ṗ = -κ p (p - p₋)(p - p₊); here κ = 1.25.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Isotropic, parabola_flow
from linbyol.fixed_points import predictor_roots

CAPTION = (
    "The rate of a predictor mode on the parabola, Eq. 16 with κ = 1.25 and τ = 1, as Fig. 4 of the paper. Filled "
    "zeros are stable, open ones unstable, the half-filled one at η = 0 attracts from the left only; arrows show "
    "where p moves."
)
CLAIMS = ("B114", "B38", "B103c")
ETAS = (0.0, 0.12, 0.25)
P = (-0.28, 1.05)
HALF = style.POINTS["stable"] | {"fillstyle": "left", "markerfacecoloralt": "white"}
LABELS = {  # of the zeros by their number, and where they stand in points
    1: [("$0$", (-1, -11))],
    2: [("$0$", (0, -11)), (r"$\tau/\kappa$", (12, 6))],
    3: [("$0$", (-3, -11)), ("$p_-$", (3, -11)), ("$p_+$", (9, 6))],
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """ṗ on a grid of p, the zeros, and the sign of ṗ on both sides of each."""
    del fast, results  # algebra: there is nothing to shorten
    p = np.linspace(*P, 400)
    return {"p": p, "panels": [_panel(eta, p) for eta in ETAS]}


def _panel(eta: float, p: np.ndarray) -> dict[str, Any]:
    k = Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.25)
    roots = np.asarray(predictor_roots(k))
    zeros = np.unique(roots[np.isfinite(roots)])  # p_minus is 0 without decay
    sides = [np.sign(np.asarray(parabola_flow(zeros + side, k))) for side in (-1e-3, 1e-3)]
    return {"eta": eta, "rate": np.asarray(parabola_flow(p, k)), "zeros": zeros, "left": sides[0], "right": sides[1]}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three panels, one a decay, on one scale."""
    figure, axes = style.panels(1, 3, width="text", height=2.3, sharey=True)
    titles = r"$\eta = 0$", r"$\eta = 0.12 < \eta_c$", r"$\eta = 0.25 > \eta_c$"
    for ax, panel, title in zip(axes[0], data["panels"], titles, strict=True):
        ax.axhline(0, color="0.45", linewidth=0.6, zorder=1)
        ax.plot(data["p"], panel["rate"], color=style.COLOURS["p"], linewidth=1.5, zorder=2)
        _draw_zeros(ax, panel)
        ax.set(xlim=P, ylim=(-0.19, 0.145), xlabel="$p$", title=title)
        ax.set_xticks([0, 0.5, 1])
    axes[0, 0].set_ylabel(r"$\dot p$")
    key = [
        style.entry(r"$\dot p(p)$", color=style.COLOURS["p"]),
        style.entry("stable", **style.POINTS["stable"]),
        style.entry("unstable", **style.POINTS["unstable"]),
        style.entry("attracts from the left alone", **HALF),
        style.entry("where $p$ moves", color="0.25", marker=">", markersize=3.5),
    ]
    constants = (
        r"$\dot p = -\kappa\, p\,(p - p_-)(p - p_+)$, $\tau = 1$, $\alpha_p = 1$, $\sigma^2 = 0.25$ ($\kappa = 1.25$), "
        r"$\eta_c = 0.2$; on $s = p^2/\alpha_p$."
    )
    return style.finish(figure, constants, key)


def _draw_zeros(ax: Any, panel: dict[str, Any]) -> None:
    zeros = panel["zeros"]
    for (label, offset), x, left, right in zip(LABELS[len(zeros)], zeros, panel["left"], panel["right"], strict=True):
        looks = {(1, -1): style.POINTS["stable"], (-1, 1): style.POINTS["unstable"]}
        ax.plot(x, 0, **looks.get((left, right), HALF), zorder=4)
        ax.annotate(label, (x, 0), xytext=offset, textcoords="offset points", ha="center")
    ends = np.concatenate([[P[0] + 0.02], zeros, [P[1] - 0.02]])
    signs = np.concatenate([panel["left"][:1], panel["right"]])
    for a, b, sign in zip(ends[:-1], ends[1:], signs, strict=True):
        middle = (a + b) / 2
        ax.annotate(
            "",
            (middle + 0.035 * sign, 0),
            (middle - 0.035 * sign, 0),
            arrowprops={"arrowstyle": "-|>", "color": "0.25", "linewidth": 0.6, "mutation_scale": 7},
        )
