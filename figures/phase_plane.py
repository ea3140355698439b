"""Fig. 3: flow lines of a mode in the (p, s) plane for three weight decays, at τ = 1 and α_p = 1.

What to see: without decay, lines of equilibria (s = 0 and p = τ/κ) and two basins of collapse, one beyond each end of
the unstable part. With a small decay only isolated points are left on the parabola, two stable ones and a saddle, and
the saddle's stable manifold bounds the basin. Above the threshold η_c = τ²/4κ everything collapses.
Differs: the paper's picture stops at the points; the basin is drawn here, from the flow backwards in time.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.equations import Isotropic, Modes, effective_growth, mode_balance, modes_flow, simsiam
from linbyol.exact.stable_manifold import separatrix
from linbyol.fixed_points import fixed_points, stability

CAPTION = (
    "Flow lines of a mode (p, s) at τ = 1, α_p = 1, κ = 1.25 for three weight decays, as Fig. 3 of the paper: the "
    "invariant parabola s = p²/α_p (dashed), stable and unstable equilibria, and the basin of collapse (shaded). "
    "Above η_c = 0.2 no equilibrium but collapse is left."
)
CLAIMS = ("B113", "B29", "B42")
ETAS = (0.0, 0.01, 1.0)
P, S = (-0.5, 1.75), (0.0, 1.0)
TITLES = {0.0: r"no decay, $\eta = 0$", 0.01: r"$\eta = 0.01 < \eta_c$", 1.0: r"$\eta = 1 > \eta_c$"}
FLOW = simsiam(modes_flow)  # tau = 1


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Rates on a grid, equilibria with their stability, and the edge of the basin, for each decay."""
    del results
    p, s = np.linspace(*P, 25 if fast else 61), np.linspace(*S, 20 if fast else 51)
    return {"p": p, "s": s, "panels": [_panel(eta, p, s, 100 if fast else 600) for eta in ETAS]}


def _panel(eta: float, p: np.ndarray, s: np.ndarray, points: int) -> dict[str, Any]:
    k = _constants(eta)
    mesh_p, mesh_s = np.meshgrid(p, s)
    rate = FLOW(Modes(p=mesh_p, s=mesh_s, tau=np.ones_like(mesh_p)), k)
    rest = fixed_points(k)
    exists = np.isfinite(rest.p)
    line = np.union1d(np.linspace(*P, points), np.linspace(-0.02, 0.03, points // 4))  # finer where the saddle is
    on_line = Modes(p=line, s=np.zeros(len(line)), tau=np.ones(len(line)))
    return {
        "eta": eta,
        "rate": (np.asarray(rate.p), np.asarray(rate.s)),
        "points": np.stack([rest.p, rest.s], axis=1)[exists],
        "stable": np.asarray(stability(rest, k).real.max(-1) < 0)[exists],
        "line": line,
        "parabola": -np.asarray(mode_balance(on_line, k)),  # s - p²/alpha_p = 0
        "edge": np.asarray(separatrix(k, line)),  # above it a mode survives
        "shrinks": np.asarray(effective_growth(on_line, k) < 0),  # whether s = 0 is stable at p
    }


def _constants(eta: float) -> Isotropic:
    return Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.25, tau=1.0)


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three panels, one a decay."""
    figure, axes = style.panels(1, 3, width="page", height=2.85, sharey=True)
    for ax, panel in zip(axes[0], data["panels"], strict=True):
        _draw_plane(ax, data["p"], data["s"], panel)
        ax.set(xlim=P, ylim=S, xlabel="$p$", title=TITLES[panel["eta"]])
    axes[0, 0].set_ylabel("$s$")
    constants = (
        r"$\tau = 1$, $\alpha_p = 1$, $\sigma^2 = 0.25$ ($\kappa = 1.25$), $\eta_c = \tau^2/4\kappa = 0.2$; the "
        r"target is held. Inset in (b): the saddle $p_-$, $s$ up to $3 \times 10^{-4}$."
    )
    return style.finish(figure, constants, _key())


def _draw_plane(ax: Any, p: np.ndarray, s: np.ndarray, panel: dict[str, Any]) -> None:
    stable, unstable = style.COLOURS["stable"], style.COLOURS["unstable"]
    ax.streamplot(p, s, *panel["rate"], color="0.62", linewidth=0.5, arrowsize=0.6, density=0.85, zorder=1)
    _draw_basin(ax, panel)
    if panel["eta"] > 0:
        _draw_points(ax, panel, clip_on=False)
        if len(panel["points"]) > 1:
            _draw_origin(ax, panel)
        return
    below = panel["shrinks"]  # without decay all of s = 0 rests, and so does p = τ/κ
    for chosen, colour, dashes in ((below, stable, "-"), (~below, unstable, style.DASHES[1])):
        floor = np.where(chosen, 0, np.nan)
        ax.plot(panel["line"], floor, color=colour, linestyle=dashes, linewidth=2.6, clip_on=False)
    ax.plot([panel["points"][-1, 0]] * 2, S, color=stable, linewidth=2)


def _draw_basin(ax: Any, panel: dict[str, Any]) -> None:
    """The basin of collapse, all of the plane where there is no edge, and the parabola."""
    line, edge = panel["line"], panel["edge"]
    everywhere = np.isnan(edge).all()
    ax.fill_between(line, 0, S[1] if everywhere else edge, color=style.COLOURS["basin"], zorder=0, linewidth=0)
    ax.plot(line, edge, color=style.COLOURS["C"], linewidth=0.9, zorder=2)
    ax.plot(line, panel["parabola"], color="0.1", linestyle=style.DASHES[1], linewidth=0.9, zorder=2)


def _draw_points(ax: Any, panel: dict[str, Any], clip_on: bool) -> None:
    for (x, y), good in zip(panel["points"], panel["stable"], strict=True):
        ax.plot(x, y, **style.POINTS["stable" if good else "unstable"], clip_on=clip_on, zorder=5)


def _draw_origin(ax: Any, panel: dict[str, Any]) -> None:
    """An enlargement of the corner where the saddle hides."""
    inset = ax.inset_axes((0.09, 0.57, 0.42, 0.36))
    _draw_basin(inset, panel)
    _draw_points(inset, {name: panel[name][:2] for name in ("points", "stable")}, clip_on=False)
    inset.set(xlim=(-0.012, 0.024), ylim=(0, 3e-4), xticks=[0, 0.02], yticks=[])
    inset.spines[["top", "right"]].set_visible(True)
    inset.tick_params(labelsize=6, pad=1.5)


def _key() -> list[Any]:
    colour = style.COLOURS["C"]
    return [
        style.entry("flow", color="0.62", linewidth=0.7),
        style.entry(r"parabola $s = p^2/\alpha_p$", color="0.1", linestyle=style.DASHES[1], linewidth=0.9),
        style.entry("stable", **style.POINTS["stable"], linestyle="-", linewidth=2),
        style.entry("unstable", **style.POINTS["unstable"], linestyle=style.DASHES[1], linewidth=2),
        Patch(facecolor=style.COLOURS["basin"], edgecolor=colour, linewidth=0.9, label="basin of collapse"),
    ]
