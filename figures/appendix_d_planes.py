"""Fig. 10: three planes of Appendix D at λ_s = 1, λ_d = ½, α_p = β = 1, without decay.

What to see: with the target frozen, encoder and predictor fall onto the hyperbola w_p w = w_a λ_d/λ_s and the origin
is a saddle. With w = w_p the whole settles at w = w_a = λ_d/λ_s, while the origin attracts from one side only.
Without a predictor the two nullclines meet at the origin alone, and everything collapses.
Differs: the paper draws arrows of unit length; flow lines show the same directions.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

from figures import style
from linbyol.equations import Amplitudes, Commuting, Flow, amplitudes_flow, hold, no_predictor

CAPTION = (
    "Planes of Appendix D (λ_s = 1, λ_d = ½, α_p = β = 1), as Fig. 10 of the paper. (a) Encoder and predictor "
    "under a frozen target w_a = 1. (b) Encoder w = w_p and target. (c) No predictor, where only collapse is "
    "left. Lines: where one rate is zero (dashed) and the other (dash-dotted); thick: a curve of stable "
    "equilibria."
)
CLAIMS = ("B120", "B66", "B64")
K = Commuting(alpha_p=1.0, beta=1.0, eta=0.0, lambda_d=0.5, lambda_s=1.0)


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Rates on a grid of each plane, the nullclines, and the equilibria with what they attract."""
    del results
    points = 21 if fast else 51
    frozen = _plane(hold(amplitudes_flow, "wa"), ("w", "wp"), lambda x, y: (x, y, 1 + 0 * x), (-1.6, 1.6), points)
    learned = _plane(amplitudes_flow, ("w", "wa"), lambda x, y: (x, x, y), (-0.45, 1.05), points)
    without = _plane(no_predictor(amplitudes_flow), ("w", "wa"), lambda x, y: (x, 1 + 0 * x, y), (-1.05, 1.05), points)
    x = np.concatenate([np.linspace(-1.6, -0.25, 200), [np.nan], np.linspace(0.25, 1.6, 200)])
    frozen["equilibria"] = _zero(frozen["rates"], 0, x), x  # w at which ẇ and ẇ_p are zero, as a function of w_p
    frozen["points"] = [(0.0, 0.0, "none")]
    for plane in (learned, without):
        low, high = plane["limits"]
        line = np.linspace(low, high, 301)
        lines = [(line, _zero(plane["rates"], which, line, second=True)) for which in (0, 1)]
        still = not plane["rates"](0.0, line)[0].any()  # ẇ = 0 on the whole axis w = 0
        plane["nullclines"] = lines
        plane["axis"] = [(0 * line, line)] if still else []
    meet = brentq(lambda x: float(np.diff([_zero(learned["rates"], i, x, second=True) for i in (0, 1)])[0]), 0.1, 1.0)
    learned["points"] = [(0.0, 0.0, "left"), (meet, meet, "full")]
    without["points"] = [(0.0, 0.0, "full")]
    return {"planes": [_numbers(plane) for plane in (frozen, learned, without)]}


def _plane(
    flow: Flow, axes: tuple[str, str], embed: Callable, limits: tuple[float, float], points: int
) -> dict[str, Any]:
    """The flow on a plane: `embed` takes its two coordinates to (w, wp, wa)."""

    def rates(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        rate = flow(Amplitudes(*embed(x, y)), K)
        return np.asarray(getattr(rate, axes[0])), np.asarray(getattr(rate, axes[1]))

    grid = np.linspace(*limits, points)
    return {"axes": axes, "limits": limits, "rates": rates, "grid": grid, "field": rates(grid[None, :], grid[:, None])}


def _zero(rates: Callable, which: int, x: Any, second: bool = False) -> np.ndarray:
    """Where a rate is zero in one coordinate, in which it is linear, at x of the other one."""
    at = (lambda y: rates(x, y)[which]) if second else (lambda y: rates(y, x)[which])
    low, high = at(0.0), at(1.0)
    return np.divide(low, low - high, out=np.full(np.shape(x), np.nan), where=low != high)


def _numbers(plane: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plane.items() if name != "rates"}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three planes."""
    figure, axes = style.panels(1, 3, width="page", height=2.7)
    letters = {"w": "$w$", "wp": "$w_p$", "wa": "$w_a$"}
    titles = ("frozen target, $w_a = 1$", "moving target", "no predictor")
    for ax, plane, title in zip(axes[0], data["planes"], titles, strict=True):
        _draw_plane(ax, plane)
        x, y = (letters[name] for name in plane["axes"])
        ax.set(xlim=plane["limits"], ylim=plane["limits"], xlabel=x, ylabel=y, title=title, box_aspect=1)
    first, second = _looks()
    key = [
        style.entry("flow", color="0.66", linewidth=0.7),
        style.entry(r"$\dot w = 0$", **first),
        style.entry(r"$\dot w_a = 0$", **second),
        style.entry("stable (line: a curve of them)", **style.POINTS["stable"] | {"linewidth": 2, "linestyle": "-"}),
        style.entry("saddle", **style.POINTS["unstable"]),
        style.entry("attracts from the left alone", **style.POINTS["stable"], fillstyle="left", markerfacecoloralt="w"),
    ]
    constants = (
        r"$\lambda_s = 1$, $\lambda_d = 1/2$, $\alpha_p = \beta = 1$, $\eta = 0$; (b) $w_p = w$ is kept, (c) $w_p = 1$."
    )
    return style.finish(figure, constants, key)


def _draw_plane(ax: Any, plane: dict[str, Any]) -> None:
    grid = plane["grid"]
    ax.streamplot(grid, grid, *plane["field"], color="0.66", linewidth=0.5, arrowsize=0.6, density=0.7, zorder=1)
    for line, look in zip(plane.get("nullclines", ()), _looks(), strict=False):
        ax.plot(*line, **look, zorder=2)
    for line in plane.get("axis", ()):
        ax.plot(*line, **_looks()[0], zorder=2)
    if "equilibria" in plane:
        ax.plot(*plane["equilibria"], color=style.COLOURS["stable"], linewidth=2)
    for x, y, fill in plane["points"]:
        look = style.POINTS["unstable"] if fill == "none" else style.POINTS["stable"] | {"fillstyle": fill}
        ax.plot(x, y, **look, markerfacecoloralt="white", zorder=5)


def _looks() -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"color": style.COLOURS["Wp"], "linestyle": style.DASHES[1], "linewidth": 1.1},
        {"color": style.COLOURS["Wa"], "linestyle": style.DASHES[2], "linewidth": 1.3},
    )
