"""Fig. 5: K, p, s and τ of a mode in time, for several weight decays η and several rates β of the target's average.

What to see: a larger decay raises K, which keeps the eigenspaces aligned, but lowers the final p and s, and above η_c
= 0.2 kills the mode (its τ then tends to β/(β - η), not to 1). A slower target (small β) raises K as well, and delays
p and s; without an average (SimSiam) K dips lowest and the mode is fastest.
Differs: the paper gives only the reference η = 0.04, β = 0.4; the start and the swept values are ours.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.assumptions import amplitudes_to_modes
from linbyol.equations import Amplitudes, Isotropic, amplitudes_flow, mode_alignment_rate, simsiam
from linbyol.integrate import integrate

CAPTION = (
    "The eigenvalue K of Theorem 3, and p, s, τ of one mode in time (α_p = 1, κ = 1.25, target started at zero), as "
    "Fig. 5 of the paper. Top: weight decay η at β = 0.4. Bottom: rate β of the target's average at η = 0.04."
)
ETAS = (0.0, 0.01, 0.04, 0.1, 0.25)
BETAS = (0.02, 0.1, 0.4, 2.0)
START = Amplitudes(w=0.2, wp=0.1, wa=0.0)
QUANTITIES = ("K", "p", "s", "tau")


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Each quantity as (sweep, t): over η, over β, and over β once more without an average."""
    del results
    ts = jnp.concatenate([jnp.zeros(1), jnp.geomspace(0.1, 1000, 60 if fast else 300)])
    etas, betas = jnp.array(ETAS), jnp.array(BETAS)
    swept = _solve(
        amplitudes_flow, jnp.concatenate([etas, 0 * betas + 0.04]), jnp.concatenate([0 * etas + 0.4, betas]), ts
    )
    alone = _solve(simsiam(amplitudes_flow), jnp.array([0.04]), jnp.array([0.4]), ts)
    split = len(ETAS)
    return {
        "ts": np.asarray(ts),
        "eta": {name: a[:split] for name, a in swept.items()},
        "beta": {name: np.concatenate([a[split:], alone[name]]) for name, a in swept.items()},
    }


def _solve(flow: Any, etas: jax.Array, betas: jax.Array, ts: jax.Array) -> dict[str, np.ndarray]:
    @jax.jit
    @jax.vmap
    def solve(eta: jax.Array, beta: jax.Array) -> tuple[jax.Array, ...]:
        k = Isotropic(alpha_p=1.0, beta=beta, eta=eta, sigma2=0.25)
        ys = integrate(flow, START, k, ts).ys
        y = amplitudes_to_modes(ys)
        y = y._replace(tau=jnp.where(ys.w > 1e-6, y.tau, jnp.nan))  # a ratio of two amplitudes above the tolerance
        return mode_alignment_rate(y, k), *y

    return dict(zip(QUANTITIES, (np.asarray(a) for a in solve(etas, betas)), strict=True))


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Two rows (η, β) of four panels (K, p, s, τ)."""
    figure, axes = style.panels(2, 4, width="page", height=3.3, sharex=True)
    rows = (("eta", [f"$\\eta = {x:g}$" for x in ETAS]), ("beta", [f"$\\beta = {x:g}$" for x in BETAS] + ["SimSiam"]))
    for row, (sweep, labels) in zip(axes, rows, strict=True):
        for ax, name, letter in zip(row, QUANTITIES, ("$K$", "$p$", "$s$", r"$\tau$"), strict=True):
            for values, settings in zip(data[sweep][name], style.lines(name, len(labels)), strict=True):
                ax.plot(data["ts"][1:], values[1:], **settings)
            ax.set(xscale="log", xlim=(0.1, 1000), ylabel=letter)
            ax.axhline(0, color="0.75", linewidth=0.5, zorder=0)
        grey = style.lines("#808080", len(labels))
        handles = [Line2D([], [], **settings, label=label) for settings, label in zip(grey, labels, strict=True)]
        row[-1].legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5))
    for ax in axes[1]:
        ax.set(xlabel="$t$", xticks=[0.1, 1, 10, 100, 1000])
    return figure
