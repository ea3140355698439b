"""Observations 1, 4 and 10: the basin of collapse against α_p, the decay, and the rate of the target's average.

What to see: without decay the basin is exact, below s = p²/α_p at p < 0 and below s = (p² - (τ/κ)²)/α_p beyond τ/κ, so
a larger α_p shrinks it. Decay leaves hardly any of the right half, and gives the
left a foot at small p > 0: the edge is now the stable manifold of the saddle p₋.
Right: with a target started at zero a slower average (small β) widens the basin, as Observation 10 says; started as a
copy, as standard BYOL has it, it narrows the basin where p₀ < 0 and hardly changes it where p₀ > 0.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Amplitudes, Isotropic
from linbyol.exact import collapses, separatrix
from linbyol.fixed_points import predictor_roots

CAPTION = (
    "The basin of collapse (κ = 1.25). Left and middle: its edge in the (p₀, s₀) plane at a fixed target τ = 1, exact "
    "at η = 0 and the saddle's stable manifold at η = 0.05 (circles: the saddles, enlarged); what starts below the "
    "line collapses. Right: collapsed part of the box 0 < |p₀| < 0.1, 0.0005 < s₀ < 0.02 at η = 0.05 with a moving "
    "average of rate β, target started at zero or as a copy; dotted, without an average."
)
ALPHAS = (0.5, 1.0, 2.0, 8.0)
ETAS = (0.0, 0.05)
P, S = (-0.6, 1.5), (0.0, 1.0)
NEAR_P, NEAR_S = (-0.06, 0.14), (0.0, 0.016)
STARTS = ("zero", "copy")  # Wa(0) = 0, Wa(0) = W(0)
LONG = 3000.0  # long enough for β = 0.02


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Edges (η, α_p, p), saddles (η, α_p, 2), and collapsed fractions (start, β, sign of p₀), with those at β = ∞."""
    del results
    near = np.linspace(*NEAR_P, 30 if fast else 150)
    p = np.unique(np.concatenate([np.linspace(*P, 120 if fast else 600), near, [0.0, 0.8]]))
    eta, alpha_p = np.array(ETAS)[:, None], np.array(ALPHAS)[None]
    k = Isotropic(alpha_p, 0.0, eta, 0.25)
    p_minus = np.broadcast_to(predictor_roots(k)[1], (len(ETAS), len(ALPHAS)))
    column = Isotropic(alpha_p[..., None], 0.0, eta[..., None], 0.25)
    return {
        "p": p,
        "edge": np.asarray(separatrix(column, jnp.asarray(p)[None, None])),
        "saddle": np.stack([p_minus, p_minus**2 / alpha_p], axis=-1),
        **_fractions(9 if fast else 20, 6 if fast else 18),
    }


def _fractions(side: int, rates: int) -> dict[str, np.ndarray]:
    """Collapsed parts of the two boxes, on the midpoints of side × side cells each."""
    cells = (np.arange(side) + 0.5) / side
    box = 0.1 * np.concatenate([-cells, cells])[:, None], 0.0005 + 0.0195 * cells[None]
    beta = np.geomspace(0.02, 10, rates)
    axes = np.meshgrid(np.array([0.0, 1.0]), beta, box[0][:, 0], box[1][0], indexing="ij")
    copied, rate, p, s = (jnp.asarray(x).reshape(-1) for x in axes)
    k = Isotropic(1.0, rate, ETAS[1], 0.25)
    end = solve_amplitudes(Amplitudes(jnp.sqrt(s), p, copied * jnp.sqrt(s)), k, LONG, chunk=2048)
    if not end.ok.all():
        raise RuntimeError("A trajectory did not reach its last time.")
    lost = (jnp.abs(end.y.wp) < 1e-3).reshape(2, rates, 2, -1)
    alone = collapses(*map(jnp.asarray, box), k._replace(beta=0.0)).reshape(2, -1)
    return {"beta": beta, "fraction": np.asarray(lost.mean(-1)), "alone": np.asarray(alone.mean(-1))}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """The plane without and with decay, and the collapsed fraction against β."""
    figure, axes = style.panels(1, 3, width="page", height=2.65)
    for i, ax in enumerate(axes[0, :2]):
        _draw_basins(ax, data, i)
        ax.set(xlim=P, ylim=S, xlabel="$p_0$", title=rf"$\eta = {ETAS[i]:g}$")
    axes[0, 0].set_ylabel("$s_0$")
    axes[0, 0].legend(loc="upper center", bbox_to_anchor=(0.4, 0.95))
    inset = axes[0, 1].inset_axes((0.36, 0.42, 0.58, 0.5))  # where the saddles are
    _draw_basins(inset, data, 1)
    inset.set(xlim=NEAR_P, ylim=NEAR_S, xticks=[0, 0.1], yticks=[0, 0.01])
    inset.spines[["top", "right"]].set_visible(True)
    inset.tick_params(labelsize=6, pad=1.5)
    _draw_fractions(axes[0, 2], data)
    return figure


def _draw_basins(ax: Any, data: dict[str, Any], i: int) -> None:
    """Basins of the decay ETAS[i], each inside that of the next smaller α_p, and the saddles."""
    for j, look in enumerate(style.lines("C", len(ALPHAS))):
        edge = data["edge"][i, j]
        ax.fill_between(data["p"], 0, edge, color=(0.95 - 0.09 * j, 0.89 - 0.13 * j, 0.78 - 0.19 * j), linewidth=0)
        ax.plot(data["p"], edge, **look, label=rf"$\alpha_p = {ALPHAS[j]:g}$")
        if ETAS[i] > 0:
            ax.plot(*data["saddle"][i, j], "o", color=look["color"], markerfacecolor="white", zorder=4)


def _draw_fractions(ax: Any, data: dict[str, Any]) -> None:
    looks = {"zero": style.COLOURS["stable"], "copy": style.COLOURS["tau"]}
    for i, colour in enumerate(looks.values()):
        for j, dashes in enumerate((style.DASHES[1], style.DASHES[0])):
            ax.plot(data["beta"], data["fraction"][i, :, j], color=colour, linestyle=dashes, marker="o", markersize=2)
    for level in data["alone"]:
        ax.axhline(level, color="0.5", linewidth=0.8, linestyle=style.DASHES[3], zorder=0)
    ax.set(xscale="log", xlabel=r"$\beta$", ylabel="collapsed fraction", ylim=(0, 1.03), title=r"$\eta = 0.05$, EMA")
    ax.text(10, data["fraction"][0, -1, 0] + 0.05, "$p_0 < 0$", ha="right", fontsize=7)
    ax.text(10, data["fraction"][0, -1, 1] - 0.03, "$p_0 > 0$", ha="right", va="top", fontsize=7)
    names = {"zero": "$W_a(0) = 0$", "copy": "$W_a(0) = W(0)$"}
    key = [Line2D([], [], color=looks[start], label=names[start]) for start in STARTS]
    ax.legend(handles=key, loc="upper right")
