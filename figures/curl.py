"""SimSiam of one mode has no loss: its vector field turns, in the plane of encoder and predictor (w, p).

What to see: two paths between the same two points cost different work in the metric of the learning rates, wherever the
curl between them (shaded) is not zero: at α_p = 1 it is -λ_d w, of one sign on each side. The flow of the same loss
without stop-gradient has none, and collapses. A metric that moves with the state makes SimSiam's flow a gradient after
all, that of ½(λ_d - λ_s p)², whose levels are horizontal: the ellipses are its unit circles, flatter towards w = 0.
Not a figure of a paper (the question: Ponce et al. 2025, arXiv 2507.01028).
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from linbyol.equations import (
    Amplitudes,
    Commuting,
    Constants,
    Weights,
    amplitudes_flow,
    no_stop_gradient,
    simsiam,
    weights_flow,
)
from linbyol.equations.no_loss import Change, curl, scalar_metric, scalar_potential

CAPTION = (
    "Flow of one mode of SimSiam at η = 0 with its curl in the metric of the learning rates (a, shaded), the same "
    "without stop-gradient, where there is none and all collapses (b), and the metric that makes (a) a gradient: unit "
    "circles as ellipses over the levels of the potential ½(λ_d - λ_s p)² (c). Thick lines: equilibria, p = λ_d/λ_s "
    "and w = 0."
)
CLAIMS = ("M24", "M26", "M30")
W, P = (-1.2, 1.2), (-0.4, 1.4)
K = Commuting(alpha_p=1.0, beta=0.0, eta=0.0, lambda_d=1.0, lambda_s=1.25)
DATA = Constants(1.0, 0.0, 0.0, np.eye(1), np.eye(1) / 4)
CENTRES_W, CENTRES_P = np.array([-0.95, -0.6, -0.3, 0.3, 0.6, 0.95]), np.array([-0.1, 0.35, 1.15])
NEGATIVE, POSITIVE = "#E8C9A0", "#A9BEDD"  # of the curl
RADIUS = 0.09  # of a unit circle, in units of the plane


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Both fields and the curl on a grid, levels of the potential, and the metric's unit circles (m, 2, points)."""
    del results
    w, p = np.linspace(*W, 25 if fast else 61), np.linspace(*P, 25 if fast else 61)
    mesh = Amplitudes(*np.meshgrid(w, p), np.meshgrid(w, p)[0])
    closed = simsiam(amplitudes_flow)(mesh, K)
    turning = np.vectorize(_curl)(mesh.w, mesh.wp)
    opened = np.vectorize(_open)(mesh.w, mesh.wp)
    angles = np.linspace(0, 2 * np.pi, 40 if fast else 90)
    circles = [_circle(w0, p0, angles) for w0 in CENTRES_W for p0 in CENTRES_P]
    return {
        "w": w, "p": p, "closed": (closed.w, closed.wp), "open": opened, "curl": turning,
        "potential": scalar_potential(mesh, K), "circles": np.array(circles),
    }  # fmt: skip


def _at(w: float, p: float) -> Weights:
    return Weights(*(np.full((1, 1), x) for x in (w, p, w)))


def _curl(w: float, p: float) -> float:
    """⟨(1, 0), (J - J*)(0, 1)⟩."""
    return float(curl(Change(np.zeros((1, 1)), np.ones((1, 1))), _at(w, p), DATA).W[0, 0])


def _open(w: float, p: float) -> tuple[float, float]:
    rate = no_stop_gradient(weights_flow)(_at(w, p), DATA)
    return float(rate.W[0, 0]), float(rate.Wp[0, 0])


def _circle(w: float, p: float, angles: np.ndarray) -> np.ndarray:
    """The points at one length from (w, p) in the metric there."""
    M = scalar_metric(Amplitudes(w, p, w), K)
    values, vectors = np.linalg.eigh([[M.w_w, M.w_wp], [M.w_wp, M.wp_wp]])
    around = vectors @ (np.stack([np.cos(angles), np.sin(angles)]) / np.sqrt(values)[:, None])
    return np.array([[w], [p]]) + RADIUS * around


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Three panels in the same plane."""
    figure, axes = style.panels(1, 3, width="page", height=2.6, sharey=True)
    shades = LinearSegmentedColormap.from_list("curl", [NEGATIVE, "white", POSITIVE])
    largest = np.abs(data["curl"]).max()
    axes[0, 0].pcolormesh(
        data["w"], data["p"], data["curl"], cmap=shades, vmin=-largest, vmax=largest, shading="gouraud", rasterized=True
    )
    for ax, name in zip(axes[0], ("closed", "open"), strict=False):
        ax.streamplot(data["w"], data["p"], *data[name], color="0.35", linewidth=0.6, arrowsize=0.6, density=0.8)
    for ax in axes[0, [0, 2]]:
        ax.axhline(K.lambda_d / K.lambda_s, color=style.COLOURS["stable"], linewidth=1.5)
    for ax in axes[0, :2]:
        ax.axvline(0, color=style.COLOURS["stable"], linewidth=1.5)
    ax = axes[0, 2]
    ax.contour(data["w"], data["p"], data["potential"], levels=8, colors="0.75", linewidths=0.6)
    for circle in data["circles"]:
        ax.plot(*circle, color=style.COLOURS["K"], linewidth=0.9)
    for ax, title in zip(axes[0], ("SimSiam", "no stop-gradient", "a metric that moves"), strict=True):
        ax.set(xlim=W, ylim=P, xlabel="$w$", title=title)
    axes[0, 0].set_ylabel("$p$")
    key = [
        style.entry("flow", color="0.35", linewidth=0.7),
        Patch(facecolor=POSITIVE, label="curl > 0"),
        Patch(facecolor=NEGATIVE, label="curl < 0"),
        style.entry("equilibria", color=style.COLOURS["stable"], linewidth=1.5),
        style.entry("potential", color="0.75", linewidth=0.8),
        style.entry("unit circles", color=style.COLOURS["K"], linewidth=0.9),
    ]
    constants = r"One mode, $\lambda_d = 1$, $\lambda_s = 1.25$, $\alpha_p = 1$, $\eta = 0$; metric with $a = 1$."
    return style.finish(figure, constants, key)
