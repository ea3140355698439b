"""The constants of the theory, inferred from a trained network alone, over the flow that they give.

What to see: the eigenvalues p_j and s_j of a linear BYOL trained by stochastic gradient descent on the digits (points,
one run) lie on the flow of the constants fitted to them (lines). The truth is known here, and every fit misses it by
less than 1 %. The errors that a fit reports take its residuals as independent; the noise of descent is correlated in
time, so the spread of the runs is wider.
Not a figure of the paper. Reads the arrays of experiments/studies/inference.py, whose docstring names them.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import records, style
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.fit import NAMES
from linbyol.integrate import integrate
from linbyol.store import read_arrays

CAPTION = (
    "Inference on a linear network trained on the digits. (a), (b) Eigenvalues of Wp and W Wᵀ of one run (points) "
    "and the flow of the constants fitted to them (lines). (c) The constants fitted to each run, relative to the truth "
    "printed below them, with the standard errors that the fits report, which leave out the noise of descent: that "
    "is the spread over the runs (mean and standard deviation shaded)."
)
CLAIMS = ("L20",)
LETTERS = {"alpha_p": r"\alpha_p", "beta": r"\beta", "eta": r"\eta", "sigma2": r"\sigma^2"}
ARRAYS = ("ts", "p", "s", "estimate", "error", "truth")
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """The study's arrays, from `results` or as shipped, and p and s of the first run's fit, each (t, d)."""
    del fast  # one small solve
    path = (SHIPPED if results is None else results) / "inference.npz"
    found = read_arrays(path, *ARRAYS)
    constants = dict(zip(NAMES, map(float, found["estimate"][0]), strict=True))
    p, s = (found[name][0, 0] for name in "ps")
    start = Modes(p, s, np.ones_like(p))  # a copied target
    ys = integrate(modes_flow, start, Isotropic(**constants), found["ts"], solver="dop853").ys
    arrays = {name: found[name] for name in ARRAYS}
    return arrays | {"fitted_p": np.asarray(ys.p), "fitted_s": np.asarray(ys.s), "config": records.config(path)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """p, s, and the fitted constants."""
    figure, axes = style.panels(1, 3, width="page", height=2.75, width_ratios=(1, 1, 1.1))
    for ax, name in zip(axes[0, :2], "ps", strict=True):
        _draw_modes(ax, data, name)
    _draw_constants(axes[0, 2], data)
    runs, _, d = data["p"].shape
    k = data["config"]
    descent = f", learning rate {k['lr']:g}, batch {k['batch']}, {k['steps']} steps a run" if k else ""
    truth = ", ".join(rf"${LETTERS[name]} = {x:g}$" for name, x in zip(NAMES, data["truth"], strict=True))
    return style.finish(figure, rf"Digits, whitened; $d = {d}$, {runs} runs{descent}; truth {truth}, $\tau(0) = 1$.")


def _draw_modes(ax: Any, data: dict[str, np.ndarray], name: str) -> None:
    ts, measured, fitted = data["ts"], data[name][0], data[f"fitted_{name}"]
    some = np.unique(np.append(np.arange(min(8, len(ts))), np.linspace(0, len(ts) - 1, 17).astype(int)))
    for j, shade in enumerate(shades := style.shades(name, measured.shape[1])):
        ax.plot(ts, fitted[:, j], color=shade, linewidth=1.1)
        ax.plot(ts[some], measured[some, j], color=shade, zorder=3, clip_on=False, **style.DOTS)
    middle = shades[len(shades) // 2]
    title = {"p": "predictor, run 1", "s": "features, run 1"}[name]
    ax.set(xlabel="$t$", ylabel=f"${name}_j$", xlim=(ts[0], ts[-1]), ylim=(0, None), title=title)
    key = [style.entry("flow, fitted", color=middle), style.entry("SGD", color=middle, **style.DOTS)]
    ax.legend(handles=key, loc="lower right")


def _draw_constants(ax: Any, data: dict[str, np.ndarray]) -> None:
    off = 100 * (data["estimate"] / data["truth"] - 1)  # (runs, 4)
    error = 100 * data["error"] / data["truth"]
    shift = np.linspace(-0.25, 0.25, len(off)) if len(off) > 1 else np.zeros(1)
    mean, spread = off.mean(0), off.std(0, ddof=1) if len(off) > 1 else np.zeros(len(NAMES))
    for i in range(len(NAMES)):
        across = i + 0.38 * np.array([-1, 1])
        ax.fill_between(across, *(mean[i] + sign * spread[i] for sign in (-1, 1)), color="0.85", linewidth=0)
        ax.plot(across, [mean[i]] * 2, color=style.COLOURS["stable"], linewidth=1.2)
        ax.errorbar(i + shift, off[:, i], error[:, i], fmt="o", color="0.25", markersize=2.8, elinewidth=0.8)
    labels = [f"${LETTERS[name]}$\n{truth:g}" for name, truth in zip(NAMES, data["truth"], strict=True)]
    low, high = min((off - error).min(), (mean - spread).min()), max((off + error).max(), (mean + spread).max())
    ax.set_ylim(low - 0.05 * (high - low), high + 0.42 * (high - low))  # room for the key
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    ax.set(xticks=range(len(NAMES)), xticklabels=labels, ylabel="estimate / truth − 1 (%)", title="fitted constants")
    key = [
        style.entry("a run, ± the error its fit reports", color="0.25", marker="o", markersize=2.8),
        style.entry(f"mean of the {len(off)} runs", color=style.COLOURS["stable"]),
        Patch(facecolor="0.85", label="± their standard deviation"),
    ]
    ax.legend(handles=key, loc="upper left")
