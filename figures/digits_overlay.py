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
from matplotlib.patches import Patch

from figures import records, style
from linbyol.store import read_arrays

CAPTION = (
    "Theory over practice on the handwritten digits, nothing fitted. (a), (b) Eigenvalues of F and of the symmetric "
    "part of Wp, flow (lines) and single runs of stochastic gradient descent (circles). (c) Relative error of W, "
    "Wp, Wa in time, mean and range of the runs; grey, one run on fresh views, and what their moments alone "
    "explain. (d) Bias of full-batch descent and fluctuation of single runs against the learning rate, with the "
    "order of each."
)
CLAIMS = ("L1", "L2", "L3", "L4")
LETTERS = {"W": "$W$", "Wp": "$W_p$", "Wa": "$W_a$"}
ARRAYS = (
    "ts", "F_predicted", "F_measured", "Wp_predicted", "Wp_measured", "error", "bias_lrs", "bias", "bias_order",
    "fluctuation_lrs", "fluctuation", "fluctuation_order", "fresh_error", "fresh_floor",
)  # fmt: skip
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """The arrays of the study, and its settings, from the folder `results`, or as they came with the project."""
    del fast  # nothing is computed
    path = (SHIPPED if results is None else results) / "overlay.npz"
    arrays = read_arrays(path, *ARRAYS)
    return {name: arrays[name] for name in ARRAYS} | {"config": records.config(path)}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Spectra above, errors in time and in the learning rate below."""
    figure, axes = style.panels(2, 2, width="page", height=4.7)
    _draw_spectrum(axes[0, 0], data, "F", "features, $F$")
    _draw_spectrum(axes[0, 1], data, "Wp", "predictor, symmetric part of $W_p$")
    _draw_errors(axes[1, 0], data)
    _draw_orders(axes[1, 1], data)
    key: list[Any] = [style.entry(label, **_look(name)) for name, label in LETTERS.items()]
    key.append(Patch(facecolor="0.85", label="range of the runs"))
    return style.finish(figure, _constants(data), key)


def _look(name: str) -> dict[str, Any]:
    return {"color": style.COLOURS[name], "linestyle": style.DASHES[list(LETTERS).index(name)]}


def _constants(data: dict[str, Any]) -> str:
    runs, (_, d), of_noise = len(data["F_measured"]), data["F_predicted"].shape, data["fluctuation"].shape[1]
    words = f"Digits, $d = {d}$; {runs} runs in (a) to (c), {of_noise} in (d) for the fluctuation"
    k = data["config"]
    if not k:
        return words + "."
    return (
        rf"{words}; $\alpha_p = {k['alpha_p']:g}$, $\beta = {k['beta']:g}$, $\eta = {k['eta']:g}$, learning rate "
        f"{k['lr']:g}, batch {k['batch']}\n(fresh views: {k['fresh_lr']:g}, {k['fresh_views']} an image); views "
        f"shifted by up to {k['augmentation']['shift']:g} pixel, turned by up to {k['augmentation']['rotate']:g}°, "
        f"noise {k['augmentation']['noise']:g}."
    )


def _draw_spectrum(ax, data, name, title) -> None:
    ts, predicted, measured = data["ts"], data[f"{name}_predicted"], data[f"{name}_measured"]
    some = np.unique(np.linspace(0, len(ts) - 1, 13).astype(int))
    for j, shade in enumerate(shades := style.shades(name, predicted.shape[1])):
        ax.plot(ts, predicted[:, j], color=shade, linewidth=1.1, zorder=2)
        ax.plot(ts[some], measured[:, some, j].T, color=shade, zorder=3, **style.DOTS)
    middle = shades[len(shades) // 2]
    place, columns = ("lower left", 1) if name == "F" else ("upper right", 2)
    runs = f"SGD, {len(measured)} runs"
    ax.legend(
        handles=[style.entry("flow", color=middle), style.entry(runs, color=middle, **style.DOTS)],
        loc=place,
        ncols=columns,
    )
    ax.set(
        xlabel="$t$", ylabel="eigenvalues", title=title, xlim=(ts[0], ts[-1]), yscale="log" if name == "F" else "linear"
    )


def _draw_errors(ax, data) -> None:
    ts, error = data["ts"][1:], 100 * data["error"][:, 1:]
    for i, name in enumerate(LETTERS):
        low, high = error[..., i].min(0), error[..., i].max(0)
        ax.fill_between(ts, low, high, color=style.COLOURS[name], alpha=0.18, linewidth=0)
        ax.plot(ts, error[..., i].mean(0), **_look(name))
    fresh, floor = (100 * data[name][1:].max(1) for name in ("fresh_error", "fresh_floor"))
    ax.plot(ts, fresh, color="0.35", linewidth=0.9, linestyle=style.DASHES[3], label="one run on fresh views")
    ax.plot(ts, floor, color="0.6", linewidth=0.9, linestyle=style.DASHES[4], label="explained by their moments")
    ax.set(
        xlabel="$t$", ylabel="relative error (%)", xlim=(data["ts"][0], ts[-1]), ylim=(0, None), title="error in time"
    )
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.45))


def _draw_orders(ax, data) -> None:
    single = np.sqrt((data["fluctuation"] ** 2).mean(1))  # root mean square over runs, (l, 3)
    handles = []
    for kind, values, marker, fill in (("bias", data["bias"], "o", "white"), ("fluctuation", single, "s", None)):
        look: dict[str, Any] = {"marker": marker, "linewidth": 0.9, "markerfacecolor": fill}
        for i, name in enumerate(LETTERS):
            ax.plot(data[f"{kind}_lrs"], 100 * values[:, i], **_look(name) | look)
        label = f"{kind}, order {data[f'{kind}_order'].mean():.2f}"
        handles.append(style.entry(label, color="0.4", linestyle="-", **look))
    lrs = np.union1d(data["bias_lrs"], data["fluctuation_lrs"])
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="learning rate",
        ylabel="relative error (%)",
        title="error against the learning rate",
    )
    ax.set_xticks(lrs, [f"{lr:g}" for lr in lrs])
    ax.set_xticks([], minor=True)
    ax.legend(handles=handles, loc="lower right")
