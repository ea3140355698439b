"""Fig. 3: flow lines of a mode in the (p, s) plane for three weight decays, at τ = 1 and α_p = 1.

What to see: without decay, lines of equilibria (s = 0 and p = τ/κ) and two basins of collapse, one beyond each end of
the unstable part. With a small decay only isolated points are left on the parabola, two stable ones and a saddle, and
the saddle's stable manifold bounds the basin. Above the threshold η_c = τ²/4κ everything collapses.
Differs: the paper's picture stops at the points; the basin is drawn here, from the flow backwards in time.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures import equilibria, style
from linbyol.equations import Isotropic, Modes, backwards, modes_flow, simsiam
from linbyol.integrate import integrate

CAPTION = (
    "Flow lines of a mode (p, s) at τ = 1, α_p = 1, κ = 1.25 for three weight decays, as Fig. 3 of the paper: the "
    "invariant parabola s = p²/α_p (dashed), stable and unstable equilibria, and the basin of collapse (shaded). "
    "Above η_c = 0.2 no equilibrium but collapse is left."
)
ETAS = (0.0, 0.01, 1.0)
P, S = (-0.5, 1.4), (0.0, 1.0)
FLOW = simsiam(modes_flow)  # tau = 1


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Rates on a grid, equilibria with their stability, and the edges of the basin, for each decay."""
    del results
    grid = np.linspace(*P, 25 if fast else 61), np.linspace(*S, 20 if fast else 51)
    edges = _edges(60 if fast else 400)
    return {"p": grid[0], "s": grid[1], "panels": [_panel(eta, *grid) | {"edges": edges.get(eta)} for eta in ETAS]}


def _panel(eta: float, p: np.ndarray, s: np.ndarray) -> dict[str, Any]:
    k = _constants(eta)
    mesh_p, mesh_s = jnp.meshgrid(jnp.asarray(p), jnp.asarray(s))
    rate = FLOW(Modes(p=mesh_p, s=mesh_s, tau=jnp.ones_like(mesh_p)), k)
    zeros = equilibria.zeros(k)
    at = [(x, float(equilibria.on_parabola(x, k))) for x in zeros]
    largest = [np.linalg.eigvals(equilibria.jacobian(*point, k)).real.max() for point in at]
    line = np.union1d(np.linspace(*P, 401), np.linspace(-0.02, 0.03, 101))  # finer where the saddle is
    return {
        "eta": eta,
        "rate": (np.asarray(rate.p), np.asarray(rate.s)),
        "points": np.array(at),
        "stable": np.array(largest) < 0,
        "parabola": (line, equilibria.on_parabola(line, k)),
        "floor": (line, equilibria.growth(line, k) < 0),  # whether s = 0 is stable at p
    }


def _constants(eta: float) -> Isotropic:
    return Isotropic(alpha_p=1.0, beta=0.0, eta=eta, sigma2=0.25, tau=1.0)


def _edges(points: int) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """For the first two decays: (p, s) along the left and the right edge of the basin, outwards."""
    starts, etas = [], []
    for eta in ETAS[:2]:
        k = _constants(eta)
        first, last = equilibria.zeros(k)[:2] if eta else (0.0, equilibria.zeros(k)[-1])
        saddle = np.array([[first, 0.0], [last, 0.0]])
        across = np.array([[-1.0, 0.0], [1.0, 0.0]])
        if eta:  # the saddle's stable direction; without decay, the ends of the unstable part of s = 0
            point = np.array([last, float(equilibria.on_parabola(last, k))])
            values, vectors = np.linalg.eig(equilibria.jacobian(*point, k))
            direction = vectors[:, values.real.argmin()].real
            saddle, across = np.stack([point, point]), np.outer([-1, 1], direction * np.sign(direction[0]))
        begin = saddle + 1e-6 * across
        begin[:, 1] = begin[:, 1] if eta else equilibria.on_parabola(begin[:, 0] - saddle[:, 0], k)
        starts += list(begin)
        etas += [eta, eta]

    length = jnp.concatenate([jnp.zeros(1), jnp.geomspace(1e-4, 2.5, points)])

    @jax.jit
    @jax.vmap
    def trace(start: jax.Array, eta: jax.Array) -> tuple[Any, Any]:
        y0 = Modes(p=start[0], s=start[1], tau=1.0)
        path = integrate(_by_length, y0, _constants(0.0)._replace(eta=eta), length)
        return path.ys.p, path.ys.s

    p, s = (np.asarray(a) for a in trace(jnp.array(starts), jnp.array(etas)))
    return {eta: (p[2 * i : 2 * i + 2], s[2 * i : 2 * i + 2]) for i, eta in enumerate(ETAS[:2])}


def _by_length(y: Modes, k: Isotropic) -> Modes:
    """The flow backwards at unit speed: time is the length of the path, which is smooth where speeds differ widely."""
    rate = backwards(FLOW)(y, k)
    speed = jnp.sqrt(rate.p * rate.p + rate.s * rate.s)
    return Modes(p=rate.p / speed, s=rate.s / speed, tau=rate.tau)


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three panels, one a decay."""
    figure, axes = style.panels(1, 3, width="page", height=2.55, sharey=True)
    for ax, panel in zip(axes[0], data["panels"], strict=True):
        _draw_plane(ax, data["p"], data["s"], panel)
        ax.set(xlim=P, ylim=S, xlabel="$p$", title=rf"$\eta = {panel['eta']:g}$")
    axes[0, 0].set_ylabel("$s$")
    figure.legend(handles=_key(), loc="outside lower center", ncols=6)
    return figure


def _draw_plane(ax: Any, p: np.ndarray, s: np.ndarray, panel: dict[str, Any]) -> None:
    stable, unstable = style.COLOURS["stable"], style.COLOURS["unstable"]
    ax.streamplot(p, s, *panel["rate"], color="0.62", linewidth=0.5, arrowsize=0.6, density=0.85, zorder=1)
    if panel["edges"] is None:
        ax.axhspan(*S, color=style.COLOURS["basin"], zorder=0, linewidth=0)
    else:
        for edge_p, edge_s in zip(*panel["edges"], strict=True):
            ax.fill_between(edge_p, 0, edge_s, color=style.COLOURS["basin"], zorder=0, linewidth=0)
            ax.plot(edge_p, edge_s, color=style.COLOURS["C"], linewidth=0.9, zorder=2)
    ax.plot(*panel["parabola"], color="0.1", linestyle=(0, (4, 2)), linewidth=0.9, zorder=2)
    if panel["eta"] == 0:
        line, below = panel["floor"]
        for chosen, colour, dashes in ((below, stable, "-"), (~below, unstable, (0, (2, 1)))):
            ax.plot(line, np.where(chosen, 0, np.nan), color=colour, linestyle=dashes, linewidth=2.6, clip_on=False)
        ax.plot([panel["points"][-1, 0]] * 2, S, color=stable, linewidth=2)
        return
    for (x, y), good in zip(panel["points"], panel["stable"], strict=True):
        colour = stable if good else unstable
        ax.plot(x, y, "o", color=colour, markerfacecolor=colour if good else "white", clip_on=False, zorder=5)
    if panel["edges"] is not None:
        _draw_origin(ax, panel)


def _draw_origin(ax: Any, panel: dict[str, Any]) -> None:
    """An enlargement of the corner where the saddle hides."""
    inset = ax.inset_axes((0.09, 0.57, 0.42, 0.36))
    for edge_p, edge_s in zip(*panel["edges"], strict=True):
        inset.fill_between(edge_p, 0, edge_s, color=style.COLOURS["basin"], linewidth=0)
        inset.plot(edge_p, edge_s, color=style.COLOURS["C"], linewidth=0.9)
    inset.plot(*panel["parabola"], color="0.1", linestyle=(0, (4, 2)), linewidth=0.9)
    for (x, y), good in zip(panel["points"], panel["stable"], strict=True):
        colour = style.COLOURS["stable" if good else "unstable"]
        inset.plot(x, y, "o", color=colour, markerfacecolor=colour if good else "white", clip_on=x > 0.5, zorder=5)
    inset.set(xlim=(-0.012, 0.024), ylim=(0, 3e-4), xticks=[0, 0.02], yticks=[])
    inset.spines[["top", "right"]].set_visible(True)
    inset.tick_params(labelsize=6, pad=1.5)


def _key() -> list[Any]:
    stable, unstable = style.COLOURS["stable"], style.COLOURS["unstable"]
    return [
        Line2D([], [], color="0.62", linewidth=0.7, label="flow"),
        Line2D([], [], color="0.1", linestyle=(0, (4, 2)), linewidth=0.9, label=r"$s = p^2/\alpha_p$"),
        Line2D([], [], color=stable, linewidth=2, marker="o", label="stable"),
        Line2D(
            [],
            [],
            color=unstable,
            linestyle=(0, (2, 1)),
            linewidth=2,
            marker="o",
            markerfacecolor="white",
            label="unstable",
        ),
        Patch(facecolor=style.COLOURS["basin"], edgecolor=style.COLOURS["C"], linewidth=0.9, label="collapses"),
    ]
