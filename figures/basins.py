"""Observations 1, 4 and 10: the basin of collapse against α_p, the decay, and the rate of the target's average.

What to see: without decay the basin is exact, below s = p²/α_p at p < 0 and below s = (p² - (τ/κ)²)/α_p beyond τ/κ, so
a larger α_p shrinks it. Decay leaves hardly any of the right half, and gives the
left a foot at small p > 0: the edge is now the stable manifold of the saddle p₋.
(c): with a target started at zero a slower average (small β) widens the basin, as Observation 10 says; started as a
copy, as standard BYOL has it, it narrows the basin where p₀ < 0 and hardly changes it where p₀ > 0.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Amplitudes, Isotropic
from linbyol.exact import separatrix
from linbyol.fixed_points import predictor_roots

CAPTION = (
    "The basin of collapse (κ = 1.25). (a), (b) Its edge in the (p₀, s₀) plane at a fixed target τ = 1, exact "
    "at η = 0 and the saddle's stable manifold at η = 0.05 (circles: the saddles, enlarged); what starts below the "
    "line collapses. (c) Collapsed part of the box 0 < |p₀| < 0.1, 0.0005 < s₀ < 0.02 at η = 0.05 with a moving "
    "average of rate β, target started at zero or as a copy; dotted, without an average. The starts are the "
    "midpoints of 20 × 20 cells."
)
CLAIMS = ("B31", "B42", "B42c", "B47", "B50", "B57", "B58")
ALPHAS = (0.5, 1.0, 2.0, 8.0)
ETAS = (0.0, 0.05)
P, S = (-0.6, 1.5), (0.0, 1.0)
NEAR_P, NEAR_S = (-0.06, 0.14), (0.0, 0.016)
LONG = 3000.0  # long enough for β = 0.02


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Edges (η, α_p, p), saddles (η, α_p, 2), and collapsed fractions (start, β, sign of p₀), with those at β = ∞."""
    del results
    near = np.linspace(*NEAR_P, 30 if fast else 150)
    p = np.unique(np.concatenate([np.linspace(*P, 120 if fast else 600), near, [0.0, 0.8]]))
    cells = (np.arange(side := 9 if fast else 20) + 0.5) / side
    box_p, box_s = 0.1 * np.concatenate([-cells, cells]), 0.0005 + 0.0195 * cells
    eta, alpha_p = np.array(ETAS)[:, None, None], np.array(ALPHAS)[None, :, None]
    k = Isotropic(alpha_p, 0.0, eta, 0.25)
    p_minus = np.broadcast_to(predictor_roots(k)[1], (len(ETAS), len(ALPHAS), 1))
    edge, edge_in_box = np.split(np.asarray(separatrix(k, np.append(p, box_p))), [len(p)], axis=-1)
    alone = box_s < edge_in_box[1, ALPHAS.index(1.0), :, None]
    return {
        "p": p,
        "edge": edge,
        "saddle": np.concatenate([p_minus, p_minus**2 / alpha_p], axis=-1),
        "alone": alone.reshape(2, -1).mean(-1),
        **_fractions(box_p, box_s, np.geomspace(0.02, 10, 6 if fast else 18)),
    }


def _fractions(box_p: np.ndarray, box_s: np.ndarray, beta: np.ndarray) -> dict[str, np.ndarray]:
    """Collapsed parts of the two boxes, p₀ < 0 and p₀ > 0."""
    axes = np.meshgrid(np.array([0.0, 1.0]), beta, box_p, box_s, indexing="ij")
    copied, rate, p, s = (x.reshape(-1) for x in axes)
    k = Isotropic(1.0, rate, ETAS[1], 0.25)
    end = solve_amplitudes(Amplitudes(np.sqrt(s), p, copied * np.sqrt(s)), k, LONG, chunk=2048)
    if not end.ok.all():
        raise RuntimeError("A trajectory did not reach its last time.")
    lost = (np.abs(np.asarray(end.y.wp)) < 1e-3).reshape(2, len(beta), 2, -1)
    return {"beta": beta, "fraction": lost.mean(-1)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """The plane without and with decay, and the collapsed fraction against β."""
    figure, axes = style.panels(1, 3, width="page", height=2.95)
    for i, ax in enumerate(axes[0, :2]):
        _draw_basins(ax, data, i)
        ax.set(xlim=P, ylim=S, xlabel="$p_0$", title=rf"$\eta = {ETAS[i]:g}$, fixed target")
    axes[0, 0].set_ylabel("$s_0$")
    axes[0, 0].legend(loc="upper center", bbox_to_anchor=(0.4, 0.98), title="collapses below", title_fontsize=7)
    inset = axes[0, 1].inset_axes((0.36, 0.42, 0.58, 0.5))  # where the saddles are
    _draw_basins(inset, data, 1)
    inset.set(xlim=NEAR_P, ylim=NEAR_S, xticks=[0, 0.1], yticks=[0, 0.01])
    inset.spines[["top", "right"]].set_visible(True)
    inset.tick_params(labelsize=6, pad=1.5)
    _draw_fractions(axes[0, 2], data)
    constants = (
        r"$\kappa = 1.25$; (a), (b) $\tau = 1$, circles: the saddles $p_-$, enlarged in the inset; (c) $\alpha_p = "
        r"1$, box $0 < |p_0| < 0.1$, $0.0005 < s_0 < 0.02$, at $t = 3000$."
    )
    return style.finish(figure, constants)


def _draw_basins(ax: Any, data: dict[str, Any], i: int) -> None:
    """Basins of the decay ETAS[i], each inside that of the next smaller α_p, and the saddles."""
    for j, look in enumerate(style.lines("C", len(ALPHAS))):
        edge = data["edge"][i, j]
        ax.fill_between(data["p"], 0, edge, color=(0.95 - 0.09 * j, 0.89 - 0.13 * j, 0.78 - 0.19 * j), linewidth=0)
        ax.plot(data["p"], edge, **look, label=rf"$\alpha_p = {ALPHAS[j]:g}$")
        if ETAS[i] > 0:
            ax.plot(*data["saddle"][i, j], "o", color=look["color"], markerfacecolor="white", zorder=4)


def _draw_fractions(ax: Any, data: dict[str, Any]) -> None:
    colours = style.COLOURS["L"], style.COLOURS["unstable"]
    for i, colour in enumerate(colours):
        for j, dashes in enumerate((style.DASHES[1], style.DASHES[0])):
            ax.plot(data["beta"], data["fraction"][i, :, j], color=colour, linestyle=dashes, marker="o", markersize=2)
    for level in data["alone"]:
        ax.axhline(level, **style.LAW | {"zorder": 0})
    ax.set(
        xscale="log",
        xlabel=r"$\beta$",
        ylabel="collapsed fraction",
        ylim=(0, 1.5),
        yticks=[0, 0.25, 0.5, 0.75, 1],
        title=r"$\eta = 0.05$, moving target",
    )
    key = [
        style.entry(r"$W_a(0) = 0$", color=colours[0]),
        style.entry(r"$W_a(0) = W(0)$", color=colours[1]),
        style.entry("$p_0 < 0$", color="0.4", linestyle=style.DASHES[1]),
        style.entry("$p_0 > 0$", color="0.4"),
        style.entry(r"no average ($\beta = \infty$)", **style.LAW),
    ]
    ax.legend(handles=key, loc="upper center", bbox_to_anchor=(0.62, 1.02))
