"""Lemma 1 laid over stochastic gradient descent on the handwritten digits, nothing fitted (no figure of the paper).

What to see: the spectra of F and Wp of single runs (circles) lie on the lines of `integrate(weights_flow, …)` with
the moments of the images. The relative error of W, Wp and Wa stays below 1 %; what is left falls with order 1 in the
learning rate (the bias of finite steps) and with order ½ (the noise of batches). Reads the arrays of
experiments/studies/overlay.py, whose docstring names them, and never trains.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import style
from linbyol.store import read_arrays

CAPTION = (
    "Theory over practice on the handwritten digits, nothing fitted. Top: eigenvalues of F and of the symmetric "
    "part of Wp, flow (lines) and single runs of stochastic gradient descent (circles). Bottom left: relative error "
    "of W, Wp, Wa in time, mean and range of the runs; grey, one run on fresh views, and what their moments alone "
    "explain. Bottom right: bias of full-batch descent and fluctuation of single runs against the learning rate, "
    "with the order of each."
)
NETWORKS = ("W", "Wp", "Wa")
ARRAYS = (
    "ts", "F_predicted", "F_measured", "Wp_predicted", "Wp_measured", "error", "bias_lrs", "bias", "bias_order",
    "fluctuation_lrs", "fluctuation", "fluctuation_order", "fresh_error", "fresh_floor",
)  # fmt: skip
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays of the study, from the folder `results`, or as they came with the project."""
    del fast  # nothing is computed
    arrays = read_arrays((SHIPPED if results is None else results) / "overlay.npz", *ARRAYS)
    return {name: arrays[name] for name in ARRAYS}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Spectra above, errors in time and in the learning rate below."""
    figure, axes = style.panels(2, 2, width="page", height=4.4)
    _draw_spectrum(axes[0, 0], data, "F", r"eigenvalues of $F$")
    _draw_spectrum(axes[0, 1], data, "Wp", r"eigenvalues of $W_p$")
    _draw_errors(axes[1, 0], data)
    _draw_orders(axes[1, 1], data)
    return figure


def _draw_spectrum(ax, data, name, label) -> None:
    ts, predicted, measured = data["ts"], data[f"{name}_predicted"], data[f"{name}_measured"]
    some = np.unique(np.linspace(0, len(ts) - 1, 13).astype(int))
    dots: dict[str, Any] = {
        "marker": "o",
        "linestyle": "none",
        "markersize": 2.6,
        "markeredgewidth": 0.7,
        "markerfacecolor": "white",
    }
    for j, shade in enumerate(shades := style.shades(name, predicted.shape[1])):
        ax.plot(ts, predicted[:, j], color=shade, linewidth=1.1, zorder=2)
        ax.plot(ts[some], measured[:, some, j].T, color=shade, zorder=3, **dots)
    middle = shades[len(shades) // 2]
    ax.legend(handles=[Line2D([], [], color=middle, label="flow"), Line2D([], [], color=middle, label="SGD", **dots)])
    ax.set(xlabel="$t$", ylabel=label, xlim=(ts[0], ts[-1]), yscale="log" if name == "F" else "linear")


def _draw_errors(ax, data) -> None:
    ts, error = data["ts"][1:], 100 * data["error"][:, 1:]
    dashes = dict(zip(NETWORKS, style.DASHES, strict=False))
    for i, name in enumerate(NETWORKS):
        colour = style.COLOURS[name]
        ax.fill_between(ts, error[..., i].min(0), error[..., i].max(0), color=colour, alpha=0.18, linewidth=0)
        ax.plot(ts, error[..., i].mean(0), color=colour, linestyle=dashes[name], label=_letter(name))
    fresh, floor = (100 * data[name][1:].max(1) for name in ("fresh_error", "fresh_floor"))
    ax.plot(ts, fresh, color="0.35", linewidth=0.9, linestyle=style.DASHES[3], label="fresh views")
    ax.plot(ts, floor, color="0.6", linewidth=0.9, linestyle=style.DASHES[4], label="moments alone")
    ax.set(xlabel="$t$", ylabel="relative error (%)", xlim=(data["ts"][0], ts[-1]), ylim=(0, None))
    ax.legend(ncols=2)


def _draw_orders(ax, data) -> None:
    single = np.sqrt((data["fluctuation"] ** 2).mean(1))  # root mean square over runs, (l, 3)
    handles = []
    for kind, values, marker, fill in (("bias", data["bias"], "o", "white"), ("fluctuation", single, "s", None)):
        look: dict[str, Any] = {"marker": marker, "linewidth": 0.9, "markerfacecolor": fill}
        for i, name in enumerate(NETWORKS):
            ax.plot(data[f"{kind}_lrs"], 100 * values[:, i], color=style.COLOURS[name], **look)
        label = f"{kind}, order {data[f'{kind}_order'].mean():.2f}"
        handles.append(Line2D([], [], color="0.4", label=label, **look))
    lrs = np.union1d(data["bias_lrs"], data["fluctuation_lrs"])
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="relative error (%)")
    ax.set_xticks(lrs, [f"{lr:g}" for lr in lrs])
    ax.set_xticks([], minor=True)
    ax.legend(handles=handles)


def _letter(name: str) -> str:
    return {"W": "$W$", "Wp": "$W_p$", "Wa": "$W_a$"}[name]
