"""Fig. 5: K, p, s and τ of a mode in time, for several weight decays η and several rates β of the target's average.

What to see: a larger decay raises K, which keeps the eigenspaces aligned, but lowers the final p and s, and above η_c
= 0.2 kills the mode (its τ then tends to β/(β - η), not to 1). A slower target (small β) raises K as well, and delays
p and s; without an average (SimSiam) K dips lowest and the mode is fastest.
Differs: the paper gives only the reference η = 0.04, β = 0.4; the start and the swept values are ours.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Flow, Isotropic, Modes, mode_alignment_rate, modes_flow, simsiam
from linbyol.integrate import integrate

CAPTION = (
    "The eigenvalue K of Theorem 3, and p, s, τ of one mode in time (α_p = 1, κ = 1.25, target started at zero), as "
    "Fig. 5 of the paper. Top: weight decay η at β = 0.4; above η_c = 0.2 the mode collapses, and its τ tends to "
    "β/(β − η) (dotted). Bottom: rate β of the target's average at η = 0.04."
)
CLAIMS = ("B115",)
ETAS = (0.0, 0.01, 0.04, 0.1, 0.25)
BETAS = (0.02, 0.1, 0.4, 2.0)
ETA, BETA = 0.04, 0.4  # the paper's reference
START = Modes(p=0.1, s=0.04, tau=0.0)
QUANTITIES = ("K", "p", "s", "tau")


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Each quantity as (sweep, t): over η, over β, and over β once more without an average."""
    del results
    ts = np.concatenate([np.zeros(1), np.geomspace(0.1, 1000, 60 if fast else 300)])
    swept = _solve(modes_flow, np.array([*ETAS, *(ETA for _ in BETAS)]), np.array([*(BETA for _ in ETAS), *BETAS]), ts)
    alone = _solve(simsiam(modes_flow), np.array([ETA]), np.array([BETA]), ts)
    split = len(ETAS)
    return {
        "ts": ts,
        "eta": {name: a[:split] for name, a in swept.items()},
        "beta": {name: np.concatenate([a[split:], alone[name]]) for name, a in swept.items()},
    }


def _solve(flow: Flow, etas: np.ndarray, betas: np.ndarray, ts: np.ndarray) -> dict[str, np.ndarray]:
    k = Isotropic(alpha_p=1.0, beta=betas, eta=etas, sigma2=0.25)
    ys = integrate(flow, START, k, ts, atol=1e-14, solver="dop853").ys
    y = Modes(*(np.asarray(a) for a in ys))
    return {name: np.asarray(a).T for name, a in zip(QUANTITIES, (mode_alignment_rate(y, k), *y), strict=True)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Two rows (η, β) of four panels (K, p, s, τ)."""
    figure, axes = style.panels(2, 4, width="page", height=3.7, sharex=True)
    rows = (("eta", [f"$\\eta = {x:g}$" for x in ETAS]), ("beta", [f"$\\beta = {x:g}$" for x in BETAS] + ["SimSiam"]))
    for row, (sweep, labels) in zip(axes, rows, strict=True):
        for ax, name, letter in zip(row, QUANTITIES, ("$K$", "$p$", "$s$", r"$\tau$"), strict=True):
            for values, settings in zip(data[sweep][name], style.lines(name, len(labels)), strict=True):
                ax.plot(data["ts"][1:], values[1:], **settings)
            ax.set(xscale="log", xlim=(0.1, 1000), title=letter)
            ax.axhline(0, color="0.75", linewidth=0.5, zorder=0)
        row[-1].legend(handles=style.sweep(labels), loc="center left", bbox_to_anchor=(1.02, 0.5))
    collapsed = max(ETAS)
    axes[0, -1].axhline(BETA / (BETA - collapsed), **style.LAW)
    place = {"textcoords": "offset points", "fontsize": 7, "va": "top"}
    axes[0, -1].annotate(r"$\beta/(\beta-\eta)$", (0.1, BETA / (BETA - collapsed)), (3, -3), **place)
    for ax in axes[1]:
        ax.set(xlabel="$t$", xticks=[0.1, 1, 10, 100, 1000])
    constants = (
        rf"$\alpha_p = 1$, $\sigma^2 = 0.25$ ($\kappa = 1.25$, $\eta_c = 0.2$); top $\beta = {BETA:g}$, bottom "
        rf"$\eta = {ETA:g}$; from $p = {START.p:g}$, $s = {START.s:g}$, $\tau = 0$ (SimSiam: $\tau = 1$)."
    )
    return style.finish(figure, constants)
