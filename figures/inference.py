"""The constants of the theory, inferred from a trained network alone, over the flow that they give.

What to see: the eigenvalues p_j and s_j of a linear BYOL trained by stochastic gradient descent on the digits (points,
one run) lie on the flow of the constants fitted to them (lines). The truth is known here, and every fit misses it by
less than 1 %. The errors that a fit reports take its residuals as independent; the noise of descent is correlated in
time, so the spread of the runs is wider.
Not a figure of the paper. Reads the arrays of experiments/studies/inference.py, whose docstring names them.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.fit import NAMES
from linbyol.integrate import integrate
from linbyol.store import read_arrays

CAPTION = (
    "Inference on a linear network trained on the digits. Left and middle: eigenvalues of Wp and W Wᵀ of one run "
    "(points) and the flow of the constants fitted to them (lines). Right: the constants fitted to each run, relative "
    "to the truth printed below them, with the standard errors that the fits report."
)
LETTERS = {"alpha_p": r"\alpha_p", "beta": r"\beta", "eta": r"\eta", "sigma2": r"\sigma^2"}
ARRAYS = ("ts", "p", "s", "estimate", "error", "truth")
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """The study's arrays, from `results` or as shipped, and p and s of the first run's fit, each (t, d)."""
    del fast  # one small solve
    folder = SHIPPED if results is None else results
    found = {name: array for name, array in read_arrays(folder / "inference.npz", *ARRAYS).items() if name in ARRAYS}
    constants = dict(zip(NAMES, map(float, found["estimate"][0]), strict=True))
    p, s = (jnp.asarray(found[name][0, 0]) for name in "ps")
    ys = integrate(modes_flow, Modes(p, s, jnp.ones_like(p)), Isotropic(**constants), found["ts"]).ys  # a copied target
    return found | {"fitted_p": np.asarray(ys.p), "fitted_s": np.asarray(ys.s)}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """p, s, and the fitted constants."""
    figure, axes = style.panels(1, 3, width="page", height=2.4, width_ratios=(1, 1, 1.1))
    for ax, name in zip(axes[0, :2], "ps", strict=True):
        _draw_modes(ax, data, name)
    _draw_constants(axes[0, 2], data)
    return figure


def _draw_modes(ax: Any, data: dict[str, np.ndarray], name: str) -> None:
    ts, measured, fitted = data["ts"], data[name][0], data[f"fitted_{name}"]
    some = np.unique(np.append(np.arange(min(8, len(ts))), np.linspace(0, len(ts) - 1, 17).astype(int)))
    dots: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 2.6, "markerfacecolor": "white"}
    dots |= {"markeredgewidth": 0.7, "clip_on": False}
    for j, shade in enumerate(shades := style.shades(name, measured.shape[1])):
        ax.plot(ts, fitted[:, j], color=shade, linewidth=1.1)
        ax.plot(ts[some], measured[some, j], color=shade, zorder=3, **dots)
    middle = shades[len(shades) // 2]
    ax.set(xlabel="$t$", ylabel=f"${name}_j$", xlim=(ts[0], ts[-1]), ylim=(0, None))
    ax.legend(
        handles=[Line2D([], [], color=middle, label="flow, fitted"), Line2D([], [], color=middle, label="SGD", **dots)],
        loc="lower right",
    )


def _draw_constants(ax: Any, data: dict[str, np.ndarray]) -> None:
    off = 100 * (data["estimate"] / data["truth"] - 1)  # (runs, 4)
    error = 100 * data["error"] / data["truth"]
    shift = np.linspace(-0.25, 0.25, len(off)) if len(off) > 1 else np.zeros(1)
    for i in range(len(NAMES)):
        ax.errorbar(i + shift, off[:, i], error[:, i], fmt="o", color="0.25", markersize=2.8, elinewidth=0.8)
        ax.plot(i + 0.36 * np.array([-1, 1]), [off[:, i].mean()] * 2, color=style.COLOURS["stable"], linewidth=1.2)
    labels = [f"${LETTERS[name]}$\n{truth:g}" for name, truth in zip(NAMES, data["truth"], strict=True)]
    low, high = (off - error).min(), (off + error).max()
    ax.set_ylim(low - 0.05 * (high - low), high + 0.28 * (high - low))  # room for the key
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    ax.set(xticks=range(len(NAMES)), xticklabels=labels, ylabel="estimate / truth - 1 (%)")
    ax.legend(
        handles=[
            Line2D([], [], color="0.25", marker="o", markersize=2.8, linestyle="none", label="a run, ± its error"),
            Line2D([], [], color=style.COLOURS["stable"], label="mean of the runs"),
        ],
        loc="upper left",
    )
